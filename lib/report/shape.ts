/** Shapes are drawn in a box of 1000 by 300 that the browser stretches over the place it has: lines keep their width
 *  (vector-effect), and text is not part of them. */
export const boxWidth = 1000
export const boxHeight = 300

/** From data to the box: x from 0 to 1 rightwards, y upwards. */
export interface Scale {
  readonly fromMs: number
  readonly toMs: number
  readonly low: number
  readonly high: number
}

const digit = (value: number): string => String(Math.round(value * 10) / 10)

export const xOf = (scale: Scale, tsMs: number): string =>
  digit(((tsMs - scale.fromMs) / (scale.toMs - scale.fromMs)) * boxWidth)

export const yOf = (scale: Scale, value: number): string =>
  digit((1 - (value - scale.low) / (scale.high - scale.low)) * boxHeight)

/** A line through the values; NaN interrupts it. */
export function linePath(scale: Scale, tsMs: ArrayLike<number>, values: ArrayLike<number>): string {
  let path = ''
  let isOpen = false
  for (let i = 0; i < values.length; i++) {
    if (Number.isNaN(values[i]!)) {
      isOpen = false
      continue
    }
    path += `${isOpen ? 'L' : 'M'}${xOf(scale, tsMs[i]!)} ${yOf(scale, values[i]!)}`
    isOpen = true
  }
  return path
}

/** What lies between the line and `base`. */
export function areaPath(scale: Scale, tsMs: ArrayLike<number>, values: ArrayLike<number>, base: number): string {
  let path = ''
  for (let from = 0; from < values.length; ) {
    if (Number.isNaN(values[from]!)) {
      from++
      continue
    }
    let to = from
    while (to < values.length && !Number.isNaN(values[to]!)) to++
    path += `M${xOf(scale, tsMs[from]!)} ${yOf(scale, base)}`
    for (let i = from; i < to; i++) path += `L${xOf(scale, tsMs[i]!)} ${yOf(scale, values[i]!)}`
    path += `L${xOf(scale, tsMs[to - 1]!)} ${yOf(scale, base)}Z`
    from = to
  }
  return path
}

/** Every k-th row, and always the last, so that a path stays small. */
export function thinned(rows: number, rowsMax: number): number[] {
  const stride = Math.max(1, Math.ceil(rows / rowsMax))
  const kept: number[] = []
  for (let row = 0; row < rows; row += stride) kept.push(row)
  if (rows > 0 && kept.at(-1) !== rows - 1) kept.push(rows - 1)
  return kept
}
