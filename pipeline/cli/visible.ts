import type { RunEvent } from '../engine/event.ts'

/** Text that others wrote, made harmless: names, messages and cells come from tasks, venues and imported snapshots, and
 *  a terminal obeys control characters whoever wrote them. Whatever is printed for a person goes through here. */

// Controls of both sets, line and paragraph separators, and the marks that turn the direction of text around.
const unseen = '\\u0000-\\u001f\\u007f-\\u009f\\u200e\\u200f\\u2028\\u2029\\u202a-\\u202e\\u2066-\\u2069'
const anyUnseen = new RegExp(`[${unseen}]`)
const everyUnseen = new RegExp(`[${unseen}]`, 'g')
/** As `style.ts` paints, and nothing else that begins with an escape. */
const ownPaint = '\\u001b\\[(?:0|1|2|22|31|32|33|36|39)m'
const paintOrUnseen = new RegExp(`${ownPaint}|[${unseen}]`, 'g')

const names: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

function shown(character: string): string {
  const code = character.charCodeAt(0)
  return names[character] ?? (code < 256 ? `\\x${hex(code, 2)}` : `\\u${hex(code, 4)}`)
}

const hex = (code: number, digits: number): string => code.toString(16).padStart(digits, '0')

/** One line: a line break is shown as `\n`. */
export const visible = (text: string): string => (anyUnseen.test(text) ? text.replace(everyUnseen, shown) : text)

/** Several lines stay several lines. */
export const visibleLines = (text: string): string =>
  anyUnseen.test(text) ? text.replace(everyUnseen, (found) => (found === '\n' ? found : shown(found))) : text

/** One line whose colours are ours. */
export const visiblePainted = (text: string): string =>
  anyUnseen.test(text) ? text.replace(paintOrUnseen, (found) => (found.length > 1 ? found : shown(found))) : text

/** Lines whose colours are ours: the last look at what leaves for a terminal. */
export const visiblePaintedLines = (text: string): string =>
  anyUnseen.test(text)
    ? text.replace(paintOrUnseen, (found) => (found.length > 1 || found === '\n' ? found : shown(found)))
    : text

/** A file's own text keeps its tabs. */
export const visibleFile = (text: string): string =>
  anyUnseen.test(text)
    ? text.replace(everyUnseen, (found) => (found === '\n' || found === '\t' ? found : shown(found)))
    : text

/** Texts of an event that may have lines; everything else in it is a name. */
const multiline: ReadonlySet<string> = new Set(['message', 'stack', 'error'])

/** An event as views for people take it. Params stay as they are: they are shown as JSON, which is made visible then. */
export const visibleEvent = (event: RunEvent): RunEvent => visibleValue(event, '') as RunEvent

function visibleValue(value: unknown, key: string): unknown {
  if (typeof value === 'string') return multiline.has(key) ? visibleLines(value) : visible(value)
  if (typeof value !== 'object' || value === null || key === 'params') return value
  if (Array.isArray(value)) return value.map((item) => visibleValue(item, key))
  let copy: Record<string, unknown> | undefined
  for (const [name, inner] of Object.entries(value)) {
    const clean = visibleValue(inner, name)
    if (clean === inner && visible(name) === name) continue
    copy ??= { ...value }
    if (visible(name) !== name) delete copy[name]
    copy[visible(name)] = clean
  }
  return copy ?? value
}
