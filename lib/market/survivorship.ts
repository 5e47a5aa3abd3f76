import type { Choice } from './selectUniverse.ts'
import type { SurvivorshipGap } from './universe.ts'

/** How a universe of today differs from the one of the time, date by date. */
export function survivorshipGapOf(
  liveFrom: SurvivorshipGap['liveFrom'],
  historical: readonly Choice[],
  liveAt: (date: number) => readonly string[],
): SurvivorshipGap {
  const onlyHistorical = new Set<string>()
  const onlyLive = new Set<string>()
  let lacking = 0
  let whole = 0
  historical.forEach(({ members }, i) => {
    const live = new Set(liveAt(i))
    for (const { symbol, volume } of members) {
      whole += volume
      if (live.delete(symbol)) continue
      onlyHistorical.add(symbol)
      lacking += volume
    }
    for (const symbol of live) onlyLive.add(symbol)
  })
  return {
    liveFrom,
    onlyHistorical: [...onlyHistorical].sort(),
    onlyLive: [...onlyLive].sort(),
    volumeShare: whole === 0 ? 0 : lacking / whole,
  }
}

/** The gap in one sentence. */
export function survivorshipText({ liveFrom, onlyHistorical, onlyLive, volumeShare }: SurvivorshipGap): string {
  const live = liveFrom === 'ticker' ? "today's ticker" : 'those still listed today'
  if (onlyHistorical.length === 0 && onlyLive.length === 0) {
    return `survivorship gap: none, the same members come out of ${live}`
  }
  const named = (symbols: readonly string[]): string => (symbols.length === 0 ? 'nobody' : symbols.join(', '))
  return `survivorship gap: a universe of ${live} lacks ${named(onlyHistorical)} (${(100 * volumeShare).toFixed(1)} % of the members' volume) and has ${named(onlyLive)} instead`
}
