import { causeText, nodeCauses } from './nodeChange.ts'
import type { LevelContext, LevelResult } from './verifyLevel.ts'
import type { Finding } from './verifyReport.ts'

/** Compares the snapshot with what today's code and config would make. Nothing in it is wrong for being old, so these
 *  findings are for information. */
export async function verifyCurrentLevel({ snapshot, options }: LevelContext): Promise<LevelResult> {
  if (options.current === undefined) throw new TypeError('the current level needs current')
  const { manifest } = snapshot
  const today = new Map((await options.current(manifest)).map((node) => [node.address, node]))
  const findings: Finding[] = []
  const tell = (node: string, what: string): void =>
    void findings.push({ severity: 'info', kind: 'changed', node, what })
  for (const node of manifest.nodes) {
    const now = today.get(node.address)
    today.delete(node.address)
    if (now === undefined)
      tell(node.address, 'today’s pipeline does not have this node, or cannot know it before a run')
    else for (const cause of nodeCauses(node, now)) tell(node.address, causeText(cause))
  }
  for (const address of [...today.keys()].sort()) tell(address, 'today’s pipeline has this node besides')
  const total = manifest.nodes.length
  options.onProgress?.({ level: 'current', done: total, total })
  return { findings, counts: { total, checked: total, notSampled: 0, resumed: 0, evicted: 0 }, interrupted: false }
}
