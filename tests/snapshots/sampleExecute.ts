import { readFileSync } from 'node:fs'
import { stageBytes } from '../../cas/staging.ts'
import type { ManifestNode } from '../../snapshots/manifest.ts'
import type { RebuildInput, Rebuilt } from '../../snapshots/verifyLevel.ts'
import { computed } from './sampleRun.ts'

/** Runs a node of the sample run as the engine would: only its params and the bytes it is handed count. */
export function sampleExecute(stagingDir: string, change: (node: ManifestNode, text: string) => string = (_, t) => t) {
  return async (node: ManifestNode, inputs: Readonly<Record<string, RebuildInput>>): Promise<Rebuilt> => {
    const texts: Record<string, string[]> = {}
    for (const [port, input] of Object.entries(inputs)) {
      const artifacts = input.kind === 'one' ? [input.artifact] : input.kind === 'many' ? input.artifacts : []
      if (input.kind === 'absent') continue
      texts[port] = artifacts.map(({ files }) => readFileSync(files[0]!.path, 'utf8'))
    }
    if (node.task === 'parse') {
      const { symbol } = node.params as { symbol: string }
      texts['raw'] = [texts['raw']![0]!.split('\n').find((line) => line.startsWith(symbol)) ?? '']
    }
    const text = change(node, computed(node.task, node.params, texts))
    const [type, name] = node.task === 'report' ? ['report', 'report.json'] : ['klines', 'value.json']
    return { type, files: [{ name, staged: stageBytes(stagingDir, text) }] }
  }
}
