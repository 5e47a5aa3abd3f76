/** For each module that the entry leads to, its imports in the order they run: by id, so that the order of import
 *  lines changes nothing. Only modules of one cycle keep the order they had, after the others, for there it decides
 *  which of them finds the other one half done. */
export function importOrder(
  entry: string,
  importsOf: (id: string) => readonly string[],
): Map<string, readonly string[]> {
  const cycleOf = findCycles(entry, importsOf)
  return new Map(
    [...cycleOf.keys()].map((id) => {
      const imports = [...new Set(importsOf(id))]
      const inCycle = (other: string) => other !== id && cycleOf.get(other) === cycleOf.get(id)
      return [id, [...imports.filter((other) => !inCycle(other)).sort(), ...imports.filter(inCycle)]]
    }),
  )
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
