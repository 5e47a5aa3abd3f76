import { guardBuiltins } from './builtins.ts'
import { wireGlobals } from './globals.ts'
import { lockIntrinsics } from './intrinsics.ts'
import { wirePackages } from './packages.ts'
import { changeOf, createTripwires, type Violation } from './trip.ts'
import { unarmed } from './wire.ts'

export interface GuardedEnd {
  readonly violation: Violation | undefined
  /** False if the run changed something for good: this thread must not run another node. */
  readonly sound: boolean
}

/** Watches over the pure tasks of this thread: see architecture.md, "pure means pure". It finds mistakes, not malice:
 *  it is no sandbox. */
export interface Guard {
  /** Arms the wires. What is printed from now on goes to `log`.
   *  @param isShared whether code of another author runs within the task's own, as a strategy does in a backtest */
  begin(log: (message: string) => void, isShared: boolean): void
  /** Engine work in the middle of a run, such as reading an input on demand. */
  suspend<T>(work: () => T): T
  /** Disarms, puts back what the run changed in built-in objects, and tells what it did: such a
   *  change is a violation. */
  end(): GuardedEnd
  /** What a bundle's import of a Node built-in gets. */
  requireBuiltin(id: string): unknown
}

/** Changes this thread for good. Whatever the engine itself needs of Node it must have imported before, and may use
 *  only outside of runs or in `suspend`. */
export function installGuard(isOwnFrame: (frame: string) => boolean): Guard {
  const wires = createTripwires(isOwnFrame)
  let log: (message: string) => void = () => {}
  wirePackages(wires)
  wireGlobals(wires, (message) => log(message))
  const builtins = guardBuiltins(wires)
  const intrinsics = lockIntrinsics(builtins.values)
  const { stackTraceLimit } = Error

  return {
    begin(sink, isShared) {
      log = sink
      // What a package changed while it was loaded is not the node's doing.
      intrinsics.restore()
      if (isShared) intrinsics.lockSpecies()
      wires.violation = undefined
      wires.armed = true
    },
    suspend: (work) =>
      unarmed(wires, () => {
        // A task that replaced Array.prototype.push must not send Node's own file functions astray.
        intrinsics.repair()
        return work()
      }),
    end() {
      wires.armed = false
      log = () => {}
      const { sound, changed } = intrinsics.restore()
      Error.stackTraceLimit = stackTraceLimit
      return { violation: wires.violation ?? (changed === undefined ? undefined : changeOf(changed)), sound }
    },
    requireBuiltin: builtins.require,
  }
}
