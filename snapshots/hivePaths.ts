import { parseAddress } from './address.ts'
import type { ManifestNode } from './manifest.ts'

/** Where each node's files go in a tree that DuckDB, Polars and pandas read as Hive partitions:
 *  `klines[BTCUSDT,2024-01]` is `klines/symbol=BTCUSDT/month=2024-01`. A value is named after the param that holds it in
 *  every node of the family (a partition column must have one name throughout), and `p1`, `p2` … otherwise. */
export function hivePaths(nodes: readonly ManifestNode[]): Map<string, string> {
  const families = new Map<string, Placed[]>()
  for (const node of nodes) {
    const { family, values } = parseAddress(node.address)
    // Nodes of one family with another number of values cannot share a partition scheme.
    const group = `${family}/${values.length}`
    const placed = families.get(group)
    if (placed === undefined) families.set(group, [{ node, family, values }])
    else placed.push({ node, family, values })
  }
  const depths = new Map<string, number>()
  for (const placed of families.values()) {
    const { family } = placed[0]!
    depths.set(family, (depths.get(family) ?? 0) + 1)
  }

  const paths = new Map<string, string>()
  for (const placed of families.values()) {
    const { family, values } = placed[0]!
    const names = partitionNames(placed, values.length)
    // A glob over a folder takes in all that is below it, so two schemes of one family get folders of their own: the
    // node without values the family's name, its variants that and how many values set them apart.
    const isAlone = depths.get(family) === 1 || values.length === 0
    const folder = isAlone ? hiveValue(family) : `${hiveValue(family)}.${values.length}`
    for (const { node, values } of placed) {
      const steps = values.map((value, i) => `${names[i]}=${hiveValue(value)}`)
      paths.set(node.address, [folder, ...steps].join('/'))
    }
  }
  return paths
}

interface Placed {
  readonly node: ManifestNode
  readonly family: string
  readonly values: readonly string[]
}

function partitionNames(placed: readonly Placed[], count: number): string[] {
  const names: string[] = []
  for (let i = 0; i < count; i++) {
    const candidates = Object.keys(paramsOf(placed[0]!.node)).sort()
    const name = candidates.find(
      (key) =>
        columnName.test(key) &&
        !names.includes(key) &&
        placed.every(({ node, values }) => textOf(paramsOf(node)[key]) === values[i]),
    )
    names.push(name ?? `p${i + 1}`)
  }
  return names
}

// Not `p1`, which stands for a value without a name.
const columnName = /^(?!p\d+$)[A-Za-z_]\w{0,63}$/

function paramsOf(node: ManifestNode): Readonly<Record<string, unknown>> {
  const { params } = node
  return typeof params === 'object' && params !== null && !Array.isArray(params)
    ? (params as Readonly<Record<string, unknown>>)
    : {}
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint' ? String(value) : undefined
}

/** Hive's own escape for what a folder name cannot hold everywhere. Different values stay different, and none steps out
 *  of its folder: `=` stands before it. */
function hiveValue(value: string): string {
  return value.replace(/[^\p{L}\p{N}_.@+-]|\.$/gu, (unit) =>
    [...Buffer.from(unit)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  )
}
