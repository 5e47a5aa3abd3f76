import { Fault } from '../../lib/fault.ts'

/** UTC milliseconds of `2024-03-01`, `2024-03-01T12:00Z` or a count of milliseconds. A time without a zone is refused:
 *  what it means would depend on the machine. */
export function parseInstant(text: string, where: string): number {
  if (/^\d{12,14}$/.test(text)) return Number(text)
  const isDay = /^\d{4}-\d{2}-\d{2}$/.test(text)
  const isInstant = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})$/.test(text)
  const ms = isDay || isInstant ? Date.parse(text) : Number.NaN
  // Date.parse turns 2024-02-31 into March.
  if (Number.isNaN(ms) || (isDay && new Date(ms).toISOString().slice(0, 10) !== text)) {
    throw new Fault({
      code: 'usage',
      what: `"${text}" is not an instant`,
      where,
      todo: 'write it like 2024-03-01, 2024-03-01T12:00Z or milliseconds since 1970',
    })
  }
  return ms
}
