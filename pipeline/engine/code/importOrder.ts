/** For each module that the entry leads to, its imports in the order they run. Those that only declare come first, by
 *  id, so that the order of their import lines changes nothing. Those that do something, or lead to one that does, keep
 *  the order they had; and so, behind the others, do modules of one cycle, for there it decides which of them finds
 *  the other one half done. */
export function importOrder(
  entry: string,
  importsOf: (id: string) => readonly string[],
  hasEffects: (id: string) => boolean,
): Map<string, readonly string[]> {
  const cycleOf = findCycles(entry, importsOf)
  const effectful = leadingTo([...cycleOf.keys()].filter(hasEffects), [...cycleOf.keys()], importsOf)
  return new Map(
    [...cycleOf.keys()].map((id) => {
      const imports = [...new Set(importsOf(id))]
      const inCycle = (other: string) => other !== id && cycleOf.get(other) === cycleOf.get(id)
      const outside = imports.filter((other) => !inCycle(other))
      const pure = outside.filter((other) => !effectful.has(other)).sort()
      return [id, [...pure, ...outside.filter((other) => effectful.has(other)), ...imports.filter(inCycle)]]
    }),
  )
}

/** The targets, and every module from which imports lead to one. */
function leadingTo(
  targets: readonly string[],
  ids: readonly string[],
  importsOf: (id: string) => readonly string[],
): ReadonlySet<string> {
  const importers = new Map<string, string[]>()
  for (const id of ids) {
    for (const other of importsOf(id)) importers.set(other, [...(importers.get(other) ?? []), id])
  }
  const found = new Set(targets)
  for (const id of found) for (const importer of importers.get(id) ?? []) found.add(importer)
  return found
}

/** Numbers the strongly connected components (Tarjan's algorithm, without recursion: imports go deep). */
function findCycles(entry: string, importsOf: (id: string) => readonly string[]): Map<string, number> {
  const component = new Map<string, number>()
  const index = new Map<string, number>()
  const low = new Map<string, number>()
  const stack: string[] = []
  let components = 0

  const work = [{ id: entry, next: 0 }]
  while (work.length > 0) {
    const frame = work.at(-1)!
    const { id } = frame
    if (frame.next === 0) {
      index.set(id, index.size)
      low.set(id, index.get(id)!)
      stack.push(id)
    }
    const child = importsOf(id)[frame.next++]
    if (child !== undefined) {
      if (!index.has(child)) work.push({ id: child, next: 0 })
      else if (!component.has(child)) low.set(id, Math.min(low.get(id)!, index.get(child)!))
      continue
    }
    work.pop()
    const parent = work.at(-1)?.id
    if (parent !== undefined) low.set(parent, Math.min(low.get(parent)!, low.get(id)!))
    if (low.get(id) === index.get(id)) {
      for (let member = ''; member !== id; ) {
        member = stack.pop()!
        component.set(member, components)
      }
      components++
    }
  }
  return component
}
