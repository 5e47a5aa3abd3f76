/** A way to place a node that several others read: the first who asks places it, and everybody gets the same. */
export function placedOnce<Item, Placed>(
  keyOf: (item: Item) => readonly (string | number)[],
  place: (item: Item) => Placed,
): (item: Item) => Placed {
  const placed = new Map<string, Placed>()
  return (item) => {
    const key = keyOf(item).join(',')
    const known = placed.get(key)
    if (known !== undefined) return known
    const made = place(item)
    placed.set(key, made)
    return made
  }
}
