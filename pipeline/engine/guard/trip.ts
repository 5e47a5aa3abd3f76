/** What a pure task should do instead, by the kind of thing it reached for. */
const advice = {
  time: 'pass the time in as a param',
  timer: 'nothing in a pure task waits; leave timers to sources and sinks',
  random: 'a strategy has ctx.random(); a task takes a seed from context.seed for a generator of its own',
  environment: 'pass the value in as a param',
  world: 'fetch it in a source task and take its artifact as an input',
  process: 'a node is one function in one thread; split the work into more nodes',
  memory: 'when memory is collected differs from run to run; keep a plain reference or a WeakMap',
  locale: 'its answers change with machine and Node version; format and compare with code of your own',
  code: 'import the module statically, so that it is part of the code the node is named by',
  shared: 'it would be seen by the next node; keep state in variables of your own',
  build: 'its bytes change with the version of a library inside Node; use a package of your project',
} as const

export type Advice = keyof typeof advice

/** One call that a pure task must not make, or a built-in object that it must not change. */
export interface Violation {
  readonly did: 'called' | 'changed'
  /** What it called, or the property that it changed. */
  readonly call: string
  readonly advice: string
  /** As the task's bundle has it, without frames of ours. Empty for a change, which is found afterwards. */
  readonly stack: string
}

/** A property of a built-in object is not what it was before the task. */
export const changeOf = (path: string): Violation => ({
  did: 'changed',
  call: path,
  advice: advice.shared,
  stack: '',
})

/** The switch all wires hang on. Off, a wire passes every call on; on, it stops the task that touched it. */
export interface Tripwires {
  armed: boolean
  /** The first one counts, and it stays: a task that catches the error fails all the same. */
  violation: Violation | undefined
  trip(call: string, kind: Advice): never
}

export function createTripwires(isOwnFrame: (frame: string) => boolean): Tripwires {
  const wires: Tripwires = {
    armed: false,
    violation: undefined,
    trip(call, kind) {
      // The wires are off while we look at the stack: reading it may run code of Node's that touches one.
      wires.armed = false
      const error = new Error(`called ${call}; a pure task sees only its params and inputs: ${advice[kind]}`)
      error.name = 'TripwireError'
      const stack = taskStack(error, isOwnFrame)
      wires.violation ??= { did: 'called', call, advice: advice[kind], stack }
      wires.armed = true
      throw error
    },
  }
  return wires
}

/** The stack text without frames of Node and of ours, whatever the task did to how stacks are made. */
function taskStack(error: Error, isOwnFrame: (frame: string) => boolean): string {
  const { stackTraceLimit, prepareStackTrace } = Error
  Error.stackTraceLimit = 50
  ;(Error as { prepareStackTrace?: unknown }).prepareStackTrace = undefined
  const held: { stack?: string } = {}
  Error.captureStackTrace(held)
  const stack = held.stack ?? '' // it is put into words when it is first read
  Error.stackTraceLimit = stackTraceLimit
  ;(Error as { prepareStackTrace?: unknown }).prepareStackTrace = prepareStackTrace
  return [`${error.name}: ${error.message}`, ...framesOf(stack, isOwnFrame)].join('\n')
}

/** The lines of a stack that are the task's own. */
export function framesOf(stack: string, isOwnFrame: (frame: string) => boolean): string[] {
  return stack.split('\n').filter((line) => {
    if (!/^\s+at /.test(line)) return false
    return !/\bnode:|\(<anonymous>\)$|^\s+at <anonymous>$/.test(line) && !isOwnFrame(line)
  })
}
