import type { RunEvent } from '../../engine/event.ts'

/** One way to follow a run. Views are fed every event and never ask for anything. */
export interface RunView {
  see(event: RunEvent): void
  /** The run is over; nothing of the view stays on the screen but what it printed for good. */
  close(): void
}
