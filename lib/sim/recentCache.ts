/** Keeps the `size` values used last; any other is made again when asked for. */
export function recentCache<T>(size: number): (key: string, make: () => T) => T {
  const kept = new Map<string, T>()
  return (key, make) => {
    const found = kept.get(key)
    if (found !== undefined) {
      kept.delete(key)
      kept.set(key, found)
      return found
    }
    const made = make()
    kept.set(key, made)
    if (kept.size > size) kept.delete(kept.keys().next().value!)
    return made
  }
}
