import { type Digest, short } from '../../../cas/digest.ts'
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

/** One key gave two results, and only the bytes of the second are here. */
export function firstIsGone(address: string, first: Digest, second: Digest): Fault {
  return new Fault({
    code: 'nondeterministic',
    what: `it was recorded as ${short(first)}, whose bytes are gone, and now gives ${short(second)}`,
    where: address,
    todo: `look at "pipe diff ${short(first)} ${short(second)}", then choose with "pipe resolve '${address}'"`,
  })
}

/** The address stands beside the message already, and advice that the message holds is not given twice. */
function messageOf(cause: Error, address: string): string {
  if (!(cause instanceof Fault)) return cause.message
  const message = cause.where === address ? cause.what : cause.message
  return cause.todo === undefined || message.includes(cause.todo) ? message : `${message} (${cause.todo})`
}

/** No line of anybody's code is to blame for a name that does not resolve. Sources come from another bundle, so an error
 *  is told by its own words: `trouble` of an HttpFault, or the code of the system or of the HTTP client. */
function isOfTheNetwork(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { trouble, code, syscall } = error as { trouble?: unknown; code?: unknown; syscall?: unknown }
  if (typeof trouble === 'string') return true
  if (
    /^UND_ERR_|^E(AI_|NOTFOUND|CONN|HOSTUNREACH|NETUNREACH|TIMEDOUT|PIPE)/.test(String(code)) &&
    (syscall !== undefined || String(code).startsWith('UND_'))
  )
    return true
  return isOfTheNetwork(error.cause)
}

/** Everything a person needs to see what broke. */
export function describeFailure(state: NodeState, error: unknown, attempts: number, options: RunOptions): NodeFailure {
  const cause = error instanceof Error ? error : new Error(String(error))
  // A Fault's own stack shows only where it was noticed; what the task threw is its cause.
  const thrown = cause instanceof Fault && cause.cause instanceof Error ? cause.cause : cause
  const stack = isOfTheNetwork(thrown) ? undefined : thrown.stack
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
