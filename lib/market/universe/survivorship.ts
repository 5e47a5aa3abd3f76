import type { Choice } from './selectUniverse.ts'
import type { SurvivorshipGap } from './universe.ts'

type MembersGap = Extract<SurvivorshipGap, { basis: 'members' }>

/** How a universe of today differs from the one of the time, date by date. */
export function survivorshipGapOf(
  liveFrom: MembersGap['liveFrom'],
  historical: readonly Choice[],
  liveAt: (date: number) => readonly string[],
): MembersGap {
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
    basis: 'members',
    liveFrom,
    onlyHistorical: [...onlyHistorical].sort(),
    onlyLive: [...onlyLive].sort(),
    volumeShare: whole === 0 ? 0 : lacking / whole,
  }
}

/** Whom the archive knows and nobody can trade today: without their bars nobody says who of them was a member. */
export const namesGapOf = (archived: readonly string[], tradable: ReadonlySet<string>): SurvivorshipGap => ({
  basis: 'names',
  archived: archived.length,
  gone: archived.filter((symbol) => !tradable.has(symbol)).sort(),
})

/** The gap in one sentence. */
export function survivorshipText(gap: SurvivorshipGap): string {
  if (gap.basis === 'unknown') return `survivorship gap: not known, for ${gap.why}`
  if (gap.basis === 'names') {
    const { archived, gone } = gap
    if (gone.length === 0) return `survivorship gap: none, all ${archived} contracts the archive knows are traded today`
    return `survivorship gap: today's list lacks ${gone.length} of the ${archived} contracts the archive knows, any of which may have been a member: ${named(gone)}; "universe.mode": "historical" tells who was`
  }
  const { liveFrom, onlyHistorical, onlyLive } = gap
  const live = liveFrom === 'ticker' ? "by today's ticker" : 'only from what is still listed today'
  if (onlyHistorical.length === 0 && onlyLive.length === 0) {
    return `survivorship gap: none, chosen ${live} the members would be the same`
  }
  return `survivorship gap: chosen ${live}, the universe would have ${differenceText(gap)}`
}

function differenceText({ onlyHistorical, onlyLive, volumeShare }: MembersGap): string {
  if (onlyHistorical.length === 0) return `held ${named(onlyLive)} as well`
  const missed = `missed ${named(onlyHistorical)} (${(100 * volumeShare).toFixed(1)} % of the members' volume)`
  if (onlyLive.length === 0) return missed
  const place = onlyHistorical.length === 1 ? 'in its place' : 'in their place'
  // One who is gone leaves a place at each date, and whoever would have come next is not always the same.
  return onlyLive.length > onlyHistorical.length
    ? `${missed} and held ${place} now one, now another of ${named(onlyLive)}`
    : `${missed} and held ${named(onlyLive)} ${place}`
}

const namesMax = 12

function named(symbols: readonly string[]): string {
  if (symbols.length === 0) return 'nobody'
  const more = symbols.length - namesMax
  return symbols.slice(0, namesMax).join(', ') + (more > 0 ? ` and ${more} more` : '')
}
