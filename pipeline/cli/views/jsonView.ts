import type { Out } from '../out.ts'
import type { RunView } from './runView.ts'

/** Every event as one line of JSON, as it happens. */
export function jsonView(out: Out): RunView {
  return { see: (event) => out.printJsonLine(event), close() {} }
}
