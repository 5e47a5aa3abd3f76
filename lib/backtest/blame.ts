import { Fault } from '../fault.ts'
import { formatUtc } from '../time.ts'

/** A strategy's own error, with where it happened; the context's faults say that already. */
export function blame(error: unknown, strategy: string, tsMs: number): Fault {
  if (error instanceof Fault) return error
  const message = error instanceof Error ? error.message : String(error)
  return new Fault({
    code: 'failed',
    what: `the strategy threw: ${message}`,
    where: `strategy ${strategy}, ${formatUtc(tsMs)}`,
    todo: 'correct the strategy; "--inspect" stops in a debugger',
    cause: error,
    details: { strategy, tsMs },
  })
}

/** Refuses what an async hook returns: what it asks for after its first await would be asked of nobody. */
export function assertDone(returned: unknown, hook: string): void {
  if (typeof (returned as PromiseLike<unknown> | undefined)?.then !== 'function') return
  // Whatever becomes of it, it must not end the process.
  Promise.resolve(returned).catch(() => {})
  throw new Error(`${hook} returned a promise, and nothing that it asks for later would be heard: do not make it async`)
}
