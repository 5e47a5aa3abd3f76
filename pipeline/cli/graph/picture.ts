import type { PlanNode, Verdict } from '../../engine/verdict.ts'
import { countText } from '../human.ts'

/** What is drawn: boxes and arrows, whatever the format. A box stands for a node, or for a family of nodes that differ
 *  only in the bracketed part of their address. */
export interface Picture {
  readonly title: string
  readonly boxes: readonly Box[]
  readonly arrows: readonly Arrow[]
}

export interface Box {
  readonly id: string
  readonly label: string
  /** The second line: state and, for a family, how many of each. */
  readonly note: string
  readonly state: Verdict['kind']
  readonly kind: PlanNode['kind']
  readonly count: number
}

interface Arrow {
  readonly from: string
  readonly to: string
  /** Edges it stands for. */
  readonly count: number
}

export type Families = 'auto' | 'always' | 'never'

const wideFamily = 6 // more boxes of one kind side by side say nothing more
/** The state of a family is the one of its members that a reader must know of first. */
const mostTelling: readonly Verdict['kind'][] = ['blocked', 'will run', 'may run', 'unknown', 'cached']

export function pictureOf(title: string, nodes: readonly PlanNode[], families: Families): Picture {
  const members = new Map<string, PlanNode[]>()
  for (const node of nodes) {
    const family = familyOf(node.address)
    const group = members.get(family)
    if (group) group.push(node)
    else members.set(family, [node])
  }
  const isCollapsed = (family: string): boolean => {
    const count = members.get(family)!.length
    return families === 'always' ? count > 1 : families === 'auto' && count > wideFamily
  }

  const boxOf = new Map<string, string>()
  const boxes: Box[] = []
  for (const [family, group] of members) {
    const groups = isCollapsed(family) ? [group] : group.map((node) => [node])
    for (const shown of groups) {
      const id = `n${boxes.length}`
      for (const node of shown) boxOf.set(node.address, id)
      boxes.push(boxFor(id, family, shown))
    }
  }

  const arrows = new Map<string, { from: string; to: string; count: number }>()
  for (const node of nodes) {
    const to = boxOf.get(node.address)!
    for (const input of node.inputs) {
      const from = boxOf.get(input)
      // A family may read from itself (a chain of months): an arrow onto itself would only be in the way.
      if (from === undefined || from === to) continue
      const arrow = arrows.get(`${from} ${to}`)
      if (arrow) arrow.count++
      else arrows.set(`${from} ${to}`, { from, to, count: 1 })
    }
  }
  return { title, boxes, arrows: [...arrows.values()] }
}

export const familyOf = (address: string): string => {
  const bracket = address.indexOf('[')
  return bracket === -1 ? address : address.slice(0, bracket)
}

function boxFor(id: string, family: string, nodes: readonly PlanNode[]): Box {
  const counts = new Map<Verdict['kind'], number>()
  for (const node of nodes) counts.set(node.verdict.kind, (counts.get(node.verdict.kind) ?? 0) + 1)
  const present = mostTelling.filter((state) => counts.has(state))
  const first = nodes[0]!
  const single = nodes.length === 1
  return {
    id,
    label: single ? first.address : `${family}[…] × ${countText(nodes.length)}`,
    note: single ? first.verdict.kind : present.map((state) => `${countText(counts.get(state)!)} ${state}`).join(', '),
    state: present[0]!,
    kind: first.kind,
    count: nodes.length,
  }
}
