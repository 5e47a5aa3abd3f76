/** Colours by meaning. Two values of one shape: what prints never asks whether it may colour. */
export interface Style {
  readonly bold: Paint
  readonly dim: Paint
  readonly good: Paint
  readonly bad: Paint
  readonly warn: Paint
  readonly work: Paint
  readonly name: Paint
}
type Paint = (text: string) => string

const sgr =
  (open: number, close: number): Paint =>
  (text) =>
    text === '' ? '' : `\x1b[${open}m${text}\x1b[${close}m`

const asIs: Paint = (text) => text

export const plainStyle: Style = { bold: asIs, dim: asIs, good: asIs, bad: asIs, warn: asIs, work: asIs, name: asIs }

export const ansiStyle: Style = {
  bold: sgr(1, 22),
  dim: sgr(2, 22),
  good: sgr(32, 39),
  bad: sgr(31, 39),
  warn: sgr(33, 39),
  work: sgr(36, 39),
  name: sgr(1, 22),
}

/** The flag wins, then FORCE_COLOR, then NO_COLOR (https://no-color.org), then whether a person is looking. */
export function wantsColour(asked: {
  readonly flag: boolean | undefined
  readonly env: Readonly<Record<string, string | undefined>>
  readonly isTerminal: boolean
}): boolean {
  if (asked.flag !== undefined) return asked.flag
  const forced = asked.env['FORCE_COLOR']
  if (forced !== undefined && forced !== '') return forced !== '0' && forced !== 'false'
  if (asked.env['NO_COLOR']) return false
  if (asked.env['TERM'] === 'dumb') return false
  return asked.isTerminal
}
