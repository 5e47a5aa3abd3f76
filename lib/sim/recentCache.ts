/** Keeps the values used last, up to a total weight of `room` (by default: that many values, the newest always). Any
 *  other is made again when asked for. */
export function recentCache<T>(room: number, weightOf: (value: T) => number = () => 1) {
  const kept = new Map<string, T>()
  let weight = 0
  const get = (key: string, make: () => T): T => {
    const found = kept.get(key)
    if (found !== undefined) {
      kept.delete(key)
      kept.set(key, found)
      return found
    }
    const made = make()
    kept.set(key, made)
    weight += weightOf(made)
    for (const [oldest, value] of kept) {
      if (weight <= room || oldest === key) break
      kept.delete(oldest)
      weight -= weightOf(value)
    }
    return made
  }
  return Object.assign(get, { has: (key: string): boolean => kept.has(key) })
}
