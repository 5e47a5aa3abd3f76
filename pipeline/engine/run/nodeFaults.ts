import { Fault } from '../../../lib/fault.ts'
import type { NodeFailure } from '../event.ts'
import type { NodeState } from '../walk/walk.ts'
import type { RunOptions } from './options.ts'

/** A source that would have to touch the closed network. */
export function blockedFault(state: NodeState, { snapshot, targets }: RunOptions): Fault {
  if (snapshot !== undefined) {
    return new Fault({
      code: 'missingSource',
      what: `the snapshot "${snapshot}" does not hold this source, and a frozen run fetches nothing`,
      where: state.node.address,
      todo: `make a new snapshot that takes over what ${snapshot} has: pipe run ${targets.join(' ')} --snapshot <new name> --from ${snapshot}`,
    })
  }
  return new Fault({
    code: 'missingSource',
    what: 'this source was never fetched, and --offline fetches nothing',
    where: state.node.address,
    todo: 'run once without --offline',
  })
}

/** A source's bytes were lost, and the world no longer gives the same. What was already decided rests on the old ones. */
export function otherAnswer(state: NodeState): Fault {
  return new Fault({
    code: 'corrupt',
    what: 'the bytes of this source are gone from the store, and the source now answers otherwise; the new answer is kept',
    where: state.node.address,
    todo: 'run it again to go on with the new answer',
  })
}

/** The address stands beside the message already, and advice that the message holds is not given twice. */
function messageOf(cause: Error, address: string): string {
  if (!(cause instanceof Fault)) return cause.message
  const message = cause.where === address ? cause.what : cause.message
  return cause.todo === undefined || message.includes(cause.todo) ? message : `${message} (${cause.todo})`
}

/** Everything a person needs to see what broke. */
export function describeFailure(state: NodeState, error: unknown, attempts: number, options: RunOptions): NodeFailure {
  const cause = error instanceof Error ? error : new Error(String(error))
  // A Fault's own stack shows only where it was noticed; what the task threw is its cause.
  const { stack } = cause instanceof Fault && cause.cause instanceof Error ? cause.cause : cause
  return {
    message: messageOf(cause, state.node.address),
    ...(stack === undefined ? {} : { stack }),
    code: cause instanceof Fault ? cause.code : 'failed',
    params: state.node.params,
    inputs: Object.fromEntries(
      state.inputs.map(({ port, states }) => [
        port,
        states.length === 1 ? (states[0]!.artifact ?? '-') : `${states.length} artifacts`,
      ]),
    ),
    attempts,
    logPath: options.logPath,
    rerun: options.rerunCommand(state.node.address),
  }
}
