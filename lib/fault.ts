/** Every way a command can end, by name. The README prints this table; a test holds the two together. */
export const exitStatuses = {
  ok: 0, // done, or nothing to do
  internal: 1, // a broken assumption of our own: a bug
  usage: 2, // an unknown flag, a bad config, a wrong name
  failed: 3, // a task failed
  partial: 4, // --keep-going: some nodes failed, the others are done
  hasWork: 5, // plan --detailed-exitcode: a run would execute something
  noStore: 10, // there is no store here, or it cannot be written
  busy: 11, // somebody else holds what is needed and did not let go in time
  refused: 12, // a safety rule says no: trust, an empty keep set, a newer format
  corrupt: 20, // stored bytes are not what their name says
  nondeterministic: 21, // one key, two results
  notReproducible: 22, // a rebuild gave other bytes
  unverifiable: 23, // it could not be checked: bytes or code are not here
  missingSource: 24, // a frozen run lacks a source artifact
  interrupted: 130, // stopped by Ctrl-C or SIGTERM
} as const

export type FaultCode = Exclude<keyof typeof exitStatuses, 'ok'>

/** A fact of the world the user has to know about. A broken assumption of our own is an assert, never a Fault. */
export class Fault extends Error {
  override readonly name = 'Fault'
  readonly code: FaultCode
  /** What happened, in one sentence. */
  readonly what: string
  /** The address, file, flag or line it is about. */
  readonly where: string | undefined
  /** The next thing to do, a command where there is one. */
  readonly todo: string | undefined
  /** Facts for --json and logs; never secrets. */
  readonly details: Readonly<Record<string, unknown>>

  constructor(fault: {
    code: FaultCode
    what: string
    where?: string
    todo?: string
    cause?: unknown
    details?: Readonly<Record<string, unknown>>
  }) {
    super(fault.where === undefined ? fault.what : `${fault.where}: ${fault.what}`, { cause: fault.cause })
    this.code = fault.code
    this.what = fault.what
    this.where = fault.where
    this.todo = fault.todo
    this.details = fault.details ?? {}
  }

  get exitStatus(): number {
    return exitStatuses[this.code]
  }
}
