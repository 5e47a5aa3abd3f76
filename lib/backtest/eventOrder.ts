/** The one total order of everything that happens, here and in the replay: by instant, then by these ranks, then by
 *  venue sequence, source and row. A rank that comes earlier is true before what follows at the same instant:
 *
 *  resting     orders that rested through the bar ending now: they filled before this instant, if the account outlived
 *              the bar's worse side on what it held before them (asked where an order of a held symbol was reached)
 *  mark        the mark price of the bar ending now
 *  funding     settles on the position held before this instant's fills
 *  liquidation judged on the mark's extremes, after funding was paid
 *  universe    membership, delistings and QA masks in force from now
 *  trade       public trades stamped now
 *  barClose    the bar ending now becomes known
 *  strategy    decides on all of the above
 *  barOpen     the bar starting now: only fills may look at it */
export const eventRanks = {
  resting: 0,
  mark: 1,
  funding: 2,
  liquidation: 3,
  universe: 4,
  trade: 5,
  barClose: 6,
  strategy: 7,
  barOpen: 8,
} as const

export type EventClass = keyof typeof eventRanks
