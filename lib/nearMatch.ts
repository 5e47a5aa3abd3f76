/** The candidate a person most likely meant, or nothing when none is close: one slip in a short name, another for every
 *  four letters of a long one, or a name that goes on where the text ends. More would find in any symbol another, since all
 *  of them end alike. */
export function nearMatch(text: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined
  let bestDistance = Math.min(text.length - 1, Math.max(1, Math.floor(text.length / 4))) + 1
  for (const candidate of candidates) {
    const distance = isBeginning(text, candidate)
      ? 1
      : editDistance(text.toLowerCase(), candidate.toLowerCase(), bestDistance)
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/** `klin` of `klines`. Two letters are the beginning of much. */
const isBeginning = (text: string, candidate: string): boolean =>
  text.length > 2 && candidate.toLowerCase().startsWith(text.toLowerCase()) && candidate.length > text.length

/** `; did you mean "x"?`, or nothing. */
export function didYouMean(text: string, candidates: Iterable<string>): string {
  const match = nearMatch(text, candidates)
  return match === undefined ? '' : `; did you mean "${match}"?`
}

/** How many letters were left out, put in, mistaken or swapped with the next; given up as soon as it must reach `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit
  let beforePrevious: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    let rowMin = i
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      const swapped = isSwap ? beforePrevious[j - 2]! + 1 : limit
      const distance = Math.min(previous[j]! + 1, row[j - 1]! + 1, previous[j - 1]! + cost, swapped)
      row.push(distance)
      rowMin = Math.min(rowMin, distance)
    }
    // A swap reaches back two rows, and costs one more than stood there.
    if (rowMin >= limit && Math.min(...previous) + 1 >= limit) return limit
    beforePrevious = previous
    previous = row
  }
  return previous[b.length]!
}
