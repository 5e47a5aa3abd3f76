import type { Status } from './command.ts'
import type { Out } from './out.ts'
import { type RunVerdict, renderVerdict } from './views/verdictBlock.ts'

/** As wide as a terminal is at least; into a pipe a sentence is one line. */
const terminalCells = 80

/** How a run ended, for people and for programs. */
export function printVerdict(out: Out, verdict: RunVerdict, status: Status): Status {
  out.print(renderVerdict(verdict, out.style, out.isTerminal ? terminalCells : undefined))
  out.printJsonLine({
    kind: 'verdict',
    outcome: verdict.outcome,
    status,
    run: verdict.runId,
    runFolder: verdict.runFolder,
    counts: verdict.counts,
    wallMs: Math.round(verdict.wallMs),
    manifestId: verdict.manifestId ?? null,
    snapshot: verdict.snapshot ?? null,
    note: verdict.note ?? null,
    survivorship: verdict.survivorship ?? null,
    targets: verdict.manifest?.targets ?? [],
    failures: verdict.failures,
    pages: verdict.pages ?? [],
    numbers: verdict.numbers ?? null,
    sweep: verdict.sweep ?? null,
    walkForward: verdict.walkForward ?? null,
  })
  return status
}
