import type { Task } from '../task.ts'

const memoryMbDefault = 256
const groupLimitDefault = 8

/** What may run at one time: pure nodes within the workers and the memory budget, sources within their group's limit. */
export class Admission {
  private readonly slots: number
  private readonly memoryMbMax: number
  private readonly limits: Readonly<Record<string, number>>
  private pureRunning = 0
  private memoryMbHeld = 0
  private readonly groupRunning = new Map<string, number>()

  constructor(slots: number, memoryMbMax: number, limits: Readonly<Record<string, number>>) {
    this.slots = slots
    this.memoryMbMax = memoryMbMax
    this.limits = limits
  }

  /** The queue a task waits in: one for pure nodes, one for each group of sources, one for sinks. */
  queueOf(task: Task): string {
    if (task.kind === 'pure') return 'pure'
    return task.kind === 'sink' ? 'sinks' : (task.limits?.group ?? 'sources')
  }

  /** `lookAhead`: how many short jobs to hand each worker at once, so that it never waits for a message. */
  admits(task: Task, lookAhead: number): boolean {
    if (task.kind === 'pure') {
      if (this.pureRunning >= this.slots * lookAhead) return false
      // One node may need more than the whole budget: it then runs alone.
      return this.pureRunning === 0 || this.memoryMbHeld + memoryMbOf(task.limits) <= this.memoryMbMax
    }
    const group = this.queueOf(task)
    return (this.groupRunning.get(group) ?? 0) < (this.limits[group] ?? groupLimitDefault)
  }

  enter(task: Task): void {
    if (task.kind === 'pure') {
      this.pureRunning++
      this.memoryMbHeld += memoryMbOf(task.limits)
    } else this.count(this.queueOf(task), 1)
  }

  leave(task: Task): void {
    if (task.kind === 'pure') {
      this.pureRunning--
      this.memoryMbHeld -= memoryMbOf(task.limits)
    } else this.count(this.queueOf(task), -1)
  }

  private count(group: string, change: number): void {
    this.groupRunning.set(group, (this.groupRunning.get(group) ?? 0) + change)
  }
}

/** What a pure node is taken to need where its task does not say. */
export const memoryMbOf = (limits: Task['limits']): number => limits?.memoryMb ?? memoryMbDefault
