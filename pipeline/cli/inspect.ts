import { Fault } from '../../lib/fault.ts'
import type { Asked } from './ask.ts'
import type { Context } from './context.ts'
import type { OpenOptions } from './world.ts'

/** A run that stops in a debugger: which node does, and what its user is told. */
export interface Inspecting {
  readonly open: NonNullable<OpenOptions['inspect']>
  /** Takes the first pure node among those that were asked for, and says its address: one that has to run, else one
   *  that is recorded. */
  choose(asked: Asked): Promise<string>
}

export function inspecting({ out }: Context, port: number): Inspecting {
  let chosen: string | undefined
  return {
    open: {
      port,
      isChosen: (address) => address === chosen,
      onListening(address, url) {
        const { host } = new URL(url)
        out.error(`${address} waits for a debugger, and stops in its own source once one is there`)
        out.error(`  Chrome    chrome://inspect, with ${host} among its targets`)
        out.error(`  others    ${url}`)
      },
    },
    async choose({ world, targets, ask }) {
      const { plan, asked } = await world.engine.plan(targets, ask)
      const nodes = asked.flatMap((address) => plan.nodes.filter((node) => node.address === address))
      const pure = nodes.filter(({ kind }) => kind === 'pure')
      const found = pure.find(({ verdict }) => verdict.kind !== 'cached') ?? pure[0]
      if (found === undefined) throw nothingToInspect()
      chosen = found.address
      return chosen
    },
  }
}

function nothingToInspect(): Fault {
  return new Fault({
    code: 'usage',
    what: 'only a pure task can be inspected, and there is none among these targets',
    where: '--inspect',
    todo: 'name the node, such as "pipe run backtest --inspect"',
  })
}
