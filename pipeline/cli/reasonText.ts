import type { CodeChange, Reason, Verdict } from '../engine/verdict.ts'
import { instantText, plural, shortId } from './human.ts'

/** One reason in one line. */
export function reasonText(reason: Reason): string {
  switch (reason.kind) {
    case 'never built':
      return 'never built'
    case 'forced':
      return 'forced by --force'
    case 'refresh':
      return 'asked again by --refresh'
    case 'recheck due':
      return 'nothing was there last time, and it is time to look again'
    case 'code':
      return `${codeOf(reason.port)}: ${reason.changes.length === 0 ? 'changed' : listed(reason.changes.map(codeChangeText), 2)}`
    case 'version':
      return `version ${reason.before} -> ${reason.after}`
    case 'params':
      return `params: ${listed(
        reason.changes.map(
          ({ path, before, after }) => `${path || '(all)'} ${valueText(before)} -> ${valueText(after)}`,
        ),
        3,
      )}`
    case 'input':
      return `input ${reason.port}: ${inputText(reason)}`
    case 'as of':
      return `as of ${instantText(reason.beforeMs)} -> ${instantText(reason.afterMs)}`
    case 'evicted':
      return 'its bytes were evicted and are needed'
    case 'missing':
      return 'its bytes are gone without an eviction: damage'
    case 'quarantined':
      return 'its bytes were found corrupt'
    case 'always':
      return 'a sink runs every time'
    case 'upstream':
      return reason.after.length === 0
        ? 'runs once the lists it reads are known'
        : `runs after ${listed(reason.after, 2)}`
    default:
      return reason satisfies never
  }
}

/** Whose code: the task's own, or what is wired to a port. */
export const codeOf = (port: string | undefined): string => (port === undefined ? 'code' : `code of ${port}`)

function inputText({ before, after, upstream }: Extract<Reason, { kind: 'input' }>): string {
  // A port of many reads a list: whose entries are new says more than its hash.
  if (before === undefined && after === undefined) {
    return upstream.length === 0 ? 'other or fewer of those it read before' : `new is ${listed(upstream, 2)}`
  }
  const ids = `${before === undefined ? 'nothing' : shortId(before)} -> ${after === undefined ? 'nothing' : shortId(after)}`
  return upstream.length === 0 ? ids : `${ids} from ${listed(upstream, 2)}`
}

/** `tasks/parse.ts parseRow changed, via tasks/ingest.ts > lib/csv.ts`. */
export function codeChangeText(change: CodeChange): string {
  const via = change.chain.length > 1 ? `, via ${change.chain.join(' > ')}` : ''
  return `${change.file} ${change.symbol} ${change.change}${via}`
}

const reasonsText = (reasons: readonly Reason[]): string => listed(reasons.map(reasonText), 3, '; ')

/** What follows a node's address in a list. */
export function verdictText(verdict: Verdict): string {
  switch (verdict.kind) {
    case 'cached':
      return shortId(verdict.artifact)
    case 'will run':
      return reasonsText(verdict.because)
    case 'may run':
      // With nothing to name, a list that it reads is what is not known yet.
      return verdict.after.length === 0
        ? 'once the lists it reads are known, unless they hold what they held before'
        : `after ${listed(verdict.after, 2)}, unless the bytes come out the same`
    case 'unknown': {
      const last = verdict.lastCount === undefined ? '' : ` (last time ${plural(verdict.lastCount, 'node')})`
      return `until ${listed(verdict.until, 2)} is known${last}`
    }
    case 'blocked':
      return verdict.why
    default:
      return verdict satisfies never
  }
}

function listed(texts: readonly string[], most: number, separator = ', '): string {
  const shown = texts.slice(0, most).join(separator)
  return texts.length > most ? `${shown}${separator}and ${texts.length - most} more` : shown
}

function valueText(value: unknown): string {
  if (value === undefined) return 'unset'
  const text = JSON.stringify(value)
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}
