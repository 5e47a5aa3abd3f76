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
      return `code: ${reason.changes.length === 0 ? 'changed' : listed(reason.changes.map(codeChangeText), 2)}`
    case 'version':
      return `version ${reason.before} -> ${reason.after}`
    case 'params':
      return `params: ${listed(
        reason.changes.map(
          ({ path, before, after }) => `${path || '(all)'} ${valueText(before)} -> ${valueText(after)}`,
        ),
        3,
      )}`
    case 'input': {
      const ids = `${reason.before === undefined ? 'nothing' : shortId(reason.before)} -> ${
        reason.after === undefined ? 'nothing' : shortId(reason.after)
      }`
      const from = reason.upstream.length === 0 ? '' : ` from ${listed(reason.upstream, 2)}`
      return `input ${reason.port}: ${ids}${from}`
    }
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
      return `runs after ${listed(reason.after, 2)}, and nothing earlier is recorded`
    default:
      return reason satisfies never
  }
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
