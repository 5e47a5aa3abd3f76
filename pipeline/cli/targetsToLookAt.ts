import { mkdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { parseCanonicalJson } from '../../cas/canonicalJson.ts'
import { metricsSchema, metrics as metricsType } from '../../lib/market/runs/backtestOutputs.ts'
import { verdictTable } from '../../lib/report/verdictTable.ts'
import type { FinishedRun } from '../engine/engine.ts'
import type { Store } from './context.ts'
import type { RunVerdict } from './views/verdictBlock.ts'

/** More are not for opening one by one. */
const pagesMax = 4

/** Tables a page links to are laid beside it, unless they are this large: the artifact has them. */
const besideMaxBytes = 64 * 1024 * 1024

/** What a person wants to see of the targets at once: pages, laid beside the run with the tables they link to, and the
 *  numbers of a backtest. */
export function targetsToLookAt(
  { manifest }: FinishedRun,
  store: Store,
  folder: string,
): Pick<RunVerdict, 'pages' | 'numbers'> {
  const nodes = new Map(manifest?.nodes.map((node) => [node.address, node]))
  const nothingToSee = new Set<string>()
  const pages = new Set<string>()
  const laid = new Map<string, Uint8Array>()
  let numbers: string[][] | undefined
  for (const address of new Set(manifest?.targets.flatMap(({ addresses }) => addresses) ?? [])) {
    const node = nodes.get(address)
    if (node === undefined || nothingToSee.has(node.task) || store.artifactPresence(node.artifact) !== 'present')
      continue
    const { type, files } = store.readDescriptor(node.artifact)
    // Tables and values are one file of a fixed name: whatever else the task made is no page either, however much it is.
    if (files.every(({ name }) => name === 'table.parquet' || name === 'value.json') && type !== metricsType.name) {
      nothingToSee.add(node.task)
      continue
    }
    const page = files.find(({ name }) => name.endsWith('.html'))
    if (page !== undefined && pages.size < pagesMax) {
      const path = join(folder, basename(page.name))
      const beside = files.filter((file) => /\.(csv|parquet)$/.test(file.name) && file.sizeBytes <= besideMaxBytes)
      for (const { name, digest } of pages.has(path) ? [] : [page, ...beside]) {
        const place = join(folder, basename(name))
        if (!laid.has(place)) laid.set(place, store.readObject(digest))
      }
      pages.add(path)
    }
    if (type !== metricsType.name || numbers !== undefined) continue
    // A project may have metrics of its own under that name.
    const text = new TextDecoder().decode(store.readObject(files[0]!.digest))
    const parsed = metricsSchema.safeParse(parseCanonicalJson(text))
    if (parsed.success) numbers = verdictTable(parsed.data)
  }
  if (laid.size > 0) mkdirSync(folder, { recursive: true })
  for (const [path, bytes] of laid) writeFileSync(path, bytes)
  return { pages: [...pages], ...(numbers === undefined ? {} : { numbers }) }
}
