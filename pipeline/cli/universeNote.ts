import type { z } from 'zod'
import { parseCanonicalJson } from '../../cas/canonicalJson.ts'
import { survivorshipText } from '../../lib/market/universe/survivorship.ts'
import { universe } from '../../lib/market/universe/universe.ts'
import type { Store } from './context.ts'
import { type StoredNode, TypesByTask } from './storedPlan.ts'

/** What a run's universe says of survivors and of those it could not take, in a line or two: everything made of it rests on
 *  that. */
export function universeNote(store: Store, nodes: Iterable<StoredNode>): string | undefined {
  const types = new TypesByTask(store)
  const lines = new Set<string>()
  for (const node of nodes) {
    if (types.of(node) !== universe.name) continue
    const chosen = universeOf(store, node)
    const selection = chosen?.selection
    // A list that somebody wrote: whoever is not taken from it was meant to be.
    if (chosen !== undefined && selection === undefined && chosen.rejected.length > 0) {
      lines.add(
        `left out of those named: ${chosen.rejected.map(({ symbol, reason }) => `${symbol}, ${reason}`).join('; ')}`,
      )
    }
    if (selection?.hasSurvivorship === true) {
      lines.add(
        'survivorship was allowed: a universe of today stands for the past, and nothing made of it is a fair test',
      )
    }
    if (selection?.survivorshipGap !== undefined) lines.add(survivorshipText(selection.survivorshipGap))
  }
  return lines.size === 0 ? undefined : [...lines].join('\n')
}

function universeOf(store: Store, { artifact }: StoredNode): z.output<typeof universe.schema> | undefined {
  try {
    const { files } = store.readDescriptor(artifact)
    const value = parseCanonicalJson(Buffer.from(store.peekObject(files[0]!.digest)).toString())
    const parsed = universe.schema.safeParse(value)
    return parsed.success ? parsed.data : undefined
  } catch {
    return undefined // its bytes are gone
  }
}
