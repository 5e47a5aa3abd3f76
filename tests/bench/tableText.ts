import type { Row } from './measure.ts'

/** Rows as aligned columns; numbers stand at the right. A row without a value says in its note why it has none. */
export function tableText(rows: readonly Row[]): string {
  const cells = rows.map(({ name, value, unit, ratioTo, ratio, note }) => [
    name,
    value === 0 || !Number.isFinite(value) ? '-' : valueText(value),
    unit,
    ratio === undefined ? '' : `${ratio} x ${ratioTo}`,
    note ?? '',
  ])
  const widths = [0, 1, 2, 3].map((column) => Math.max(0, ...cells.map((row) => row[column]!.length)))
  const lines = cells.map(([name, value, unit, ratio, note]) =>
    [name!.padEnd(widths[0]!), value!.padStart(widths[1]!), unit!.padEnd(widths[2]!), ratio!.padEnd(widths[3]!), note!]
      .join('  ')
      .trimEnd(),
  )
  return `${lines.map((line) => `  ${line}`).join('\n')}\n`
}

const valueText = (value: number): string =>
  value >= 1000 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(4)))
