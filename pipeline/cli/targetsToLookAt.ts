import { mkdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { parseCanonicalJson } from '../../cas/canonicalJson.ts'
import { metricsSchema, metrics as metricsType } from '../../lib/market/runs/backtestOutputs.ts'
import { sweepTable } from '../../lib/report/sweepTable.ts'
import { verdictTable } from '../../lib/report/verdictTable.ts'
import { walkForwardTable } from '../../lib/report/walkForwardTable.ts'
import { sweepSummary, walkForward as walkForwardType } from '../../lib/sweep/outputs.ts'
import type { FinishedRun } from '../engine/engine.ts'
import type { Store } from './context.ts'
import type { RunVerdict } from './views/verdictBlock.ts'

/** More are not for opening one by one. */
const pagesMax = 4

/** Tables a page links to are laid beside it, unless they are this large: the artifact has them. */
const besideMaxBytes = 64 * 1024 * 1024

/** Values whose numbers are printed. */
const isShown = (type: string): boolean => shownTypes.has(type)
const shownTypes: ReadonlySet<string> = new Set([metricsType.name, sweepSummary.name, walkForwardType.name])

/** What a person wants to see of the targets at once: pages, laid beside the run with the tables they link to, and the
 *  numbers of a backtest, a sweep and a walk-forward. */
export function targetsToLookAt(
  { manifest }: FinishedRun,
  store: Store,
  folder: string,
): Pick<RunVerdict, 'pages' | 'numbers' | 'sweep' | 'walkForward'> {
  const nodes = new Map(manifest?.nodes.map((node) => [node.address, node]))
  const nothingToSee = new Set<string>()
  const pages = new Set<string>()
  const laid = new Map<string, Uint8Array>()
  let numbers: string[][] | undefined
  let sweep: string[][] | undefined
  let walkForward: string[][] | undefined
  for (const address of new Set(manifest?.targets.flatMap(({ addresses }) => addresses) ?? [])) {
    const node = nodes.get(address)
    if (node === undefined || nothingToSee.has(node.task) || store.artifactPresence(node.artifact) !== 'present')
      continue
    const { type, files } = store.readDescriptor(node.artifact)
    // Tables and values are one file of a fixed name: whatever else the task made is no page either, however much it is.
    if (files.every(({ name }) => name === 'table.parquet' || name === 'value.json') && !isShown(type)) {
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
    if (!isShown(type)) continue
    // A project may have values of its own under these names.
    const value = parseCanonicalJson(new TextDecoder().decode(store.readObject(files[0]!.digest)))
    if (type === metricsType.name) {
      const parsed = metricsSchema.safeParse(value)
      if (parsed.success) numbers ??= verdictTable(parsed.data)
    } else if (type === walkForwardType.name) {
      const parsed = walkForwardType.schema.safeParse(value)
      if (parsed.success) walkForward ??= walkForwardTable(parsed.data)
    } else {
      const parsed = sweepSummary.schema.safeParse(value)
      if (parsed.success) sweep ??= sweepTable(parsed.data)
    }
  }
  if (laid.size > 0) mkdirSync(folder, { recursive: true })
  for (const [path, bytes] of laid) writeFileSync(path, bytes)
  return {
    pages: [...pages],
    ...(numbers === undefined ? {} : { numbers }),
    ...(sweep === undefined ? {} : { sweep }),
    ...(walkForward === undefined ? {} : { walkForward }),
  }
}
