import assert from 'node:assert/strict'
import type { JsonArtifact } from '../../../lib/artifact.ts'
import { Fault } from '../../../lib/fault.ts'
import { universe } from '../../../lib/market/universe/universe.ts'
import { membershipOf } from '../../../lib/replay/membership.ts'
import { openSources, type ReplayDay, type ReplaySources, replayDays } from '../../../lib/replay/replayDays.ts'
import { type ReplaySummary, replay as replayArtifact } from '../../../lib/tables/events.ts'
import { funding } from '../../../lib/tables/funding.ts'
import { minute } from '../../../lib/tables/minute.ts'
import { decodeTable } from '../../../lib/tables/parquet.ts'
import { qa } from '../../../lib/tables/qa.ts'
import { trades } from '../../../lib/tables/trades.ts'
import { DAY_MS, dayStart } from '../../../lib/time.ts'
import type { Manifest, ManifestNode } from '../../../snapshots/manifest.ts'
import type { Digest, Store } from '../context.ts'
import { StoredFiles } from '../storedFiles.ts'

/** A replay of a finished run: its nodes in the order of time, each going on from the one before, and what all of them
 *  together say of the stream. */
export interface StoredReplay {
  readonly address: string
  readonly nodes: readonly ReplayNode[]
  readonly summary: ReplaySummary
}

interface ReplayNode {
  readonly node: ManifestNode
  readonly summary: ReplaySummary
  readonly inputs: readonly Digest[]
}

/** Finds a replay by a target or address; without one it is what the target `replay` stands for, or the only replay. */
export function findReplay(store: Store, manifest: Manifest, label: string, asked: string | undefined): StoredReplay {
  const files = new StoredFiles(store)
  try {
    const readNode = (node: ManifestNode): ReplayNode => ({
      node,
      summary: summaryOf(files.json(node.artifact), node.address),
      inputs: Object.values(node.inputs).flatMap((input) => artifactsOf(store, input)),
    })
    const named = nodesNamed(manifest, asked)
    const nodes = named.filter(({ artifact }) => files.typeOf(artifact) === replayArtifact.name).map(readNode)
    // What another goes on from is a part of it.
    const before = new Set(nodes.flatMap(({ inputs }) => inputs))
    const ends = nodes.filter(({ node }) => !before.has(node.artifact))
    if (ends.length !== 1) throw noSingleReplay(ends, label, asked)
    const chain = [ends[0]!]
    for (let at: ReplayNode | undefined = chain[0]; at !== undefined; ) {
      const earlier = at.inputs.find((artifact) => files.typeOf(artifact) === replayArtifact.name)
      const found = earlier && manifest.nodes.find(({ artifact }) => artifact === earlier)
      at = found && readNode(found)
      if (at !== undefined) chain.unshift(at)
    }
    const last = chain.at(-1)!.summary
    const days = chain.flatMap(({ summary }) => summary.days)
    const symbols = [...new Set(chain.flatMap(({ summary }) => summary.symbols))].sort()
    const summary = { ...last, fromMs: chain[0]!.summary.fromMs, symbols, days }
    return { address: ends[0]!.node.address, nodes: chain, summary }
  } finally {
    files.close()
  }
}

function nodesNamed({ targets, nodes }: Manifest, asked: string | undefined): readonly ManifestNode[] {
  const target = targets.find(({ name }) => name === (asked ?? 'replay'))
  const addresses = target?.addresses ?? (asked === undefined ? undefined : [asked])
  return addresses === undefined
    ? nodes.filter(({ task }) => task === 'replay')
    : nodes.filter(({ address }) => addresses.includes(address))
}

function noSingleReplay(ends: readonly ReplayNode[], label: string, asked: string | undefined): Fault {
  const known = ends.map(({ node }) => node.address)
  return new Fault({
    code: 'usage',
    what:
      ends.length === 0
        ? `${asked === undefined ? 'there is no replay in it' : `"${asked}" names no replay in it`}`
        : `it has ${ends.length} replays: ${known.slice(0, 4).join(', ')}`,
    where: label,
    todo: ends.length === 0 ? 'make one with "pipe run replay --snapshot <new name>"' : 'name one of them',
  })
}

function artifactsOf(store: Store, input: ManifestNode['inputs'][string]): readonly Digest[] {
  if (input === null) return []
  if (typeof input === 'string') return [input]
  return JSON.parse(Buffer.from(store.readObject(input.list)).toString()) as Digest[]
}

/**
 * Makes the stream anew from the tables the replay was made of, a day at a time; nothing of it is stored anywhere. Each day
 * is compared with what the replay says of it before anybody sees one of its events. It can begin at any day, because every
 * day's chain is a checkpoint.
 */
export function* followReplay(
  store: Store,
  { nodes, address }: StoredReplay,
  range: { readonly fromMs: number; readonly toMs: number },
): Generator<ReplayDay> {
  for (const [i, { summary, inputs }] of nodes.entries()) {
    const fromMs = Math.max(range.fromMs, summary.fromMs)
    const toMs = Math.min(range.toMs, summary.toMs)
    if (fromMs >= toMs) continue
    const recorded = new Map(summary.days.map((day) => [day.day, day]))
    const dayBefore = summary.days.find(({ day }) => dayStart(day) === fromMs - DAY_MS)
    const chainBefore = dayBefore?.chain ?? nodes[i - 1]?.summary.digest
    const files = new StoredFiles(store)
    try {
      const sources = openSources(sourcesOf(files, inputs))
      for (const day of replayDays(sources, { fromMs, toMs, intervalMs: summary.intervalMs }, chainBefore)) {
        const { digest, chain } = recorded.get(day.day) ?? {}
        if (day.digest !== digest || day.chain !== chain) throw otherStream(address, day, digest)
        yield day
      }
    } finally {
      files.close()
    }
  }
}

/** What was stored before a replay said where its chain begins told of itself alone. */
function summaryOf(stored: unknown, where: string): ReplaySummary {
  const value = objectOf(stored)
  return fitted(replayArtifact, { chainFromMs: value['fromMs'], ...value }, where)
}

const objectOf = (stored: unknown): Readonly<Record<string, unknown>> => (stored ?? {}) as Record<string, unknown>

/** A snapshot outlives the program that made it: what it says otherwise than today's is a fact, and no bug. */
function fitted<Value>(type: JsonArtifact<Value>, stored: unknown, where: string): Value {
  const checked = type.schema.safeParse(stored)
  if (checked.success) return checked.data
  const [issue] = checked.error.issues
  throw new Fault({
    code: 'refused',
    what: `the artifact of type ${type.name} is of another version of tickpipe than this one: ${issue?.path.join('.')}: ${issue?.message}`,
    where,
    todo: 'use the version that made it, or make it again: "pipe run replay --snapshot <new name>"',
  })
}

/** Ports are told apart by what is wired to them: their names belong to the task. */
function sourcesOf(files: StoredFiles, inputs: readonly Digest[]): ReplaySources {
  const of = (type: string) => inputs.filter((artifact) => files.typeOf(artifact) === type)
  const stored = (type: string) => of(type).map((artifact) => ({ files: files.files(artifact) }))
  const [members, ...others] = of(universe.name)
  assert.ok(members !== undefined && others.length === 0, 'a replay has one universe')
  return {
    minutes: stored(minute.name),
    trades: stored(trades.name),
    funding: of(funding.name).map((artifact) =>
      decodeTable(funding.schema, files.files(artifact).read('table.parquet')),
    ),
    // Reports of before there was such a list say nothing of what began earlier, and the stream has nothing of it.
    quality: of(qa.name).map((artifact) => fitted(qa, { carried: [], ...objectOf(files.json(artifact)) }, artifact)),
    universe: membershipOf(fitted(universe, files.json(members), members)),
  }
}

/** Every object was hashed on its way in, so the tables are those of the replay, and what puts them in order is not. */
function otherStream(address: string, day: ReplayDay, recorded: string | undefined): Fault {
  return new Fault({
    code: 'notReproducible',
    what: `the stored tables give another stream of events on ${day.day}: ${day.digest.slice(0, 12)}, and ${recorded?.slice(0, 12) ?? 'nothing'} is recorded`,
    where: address,
    todo: 'see "pipe verify <snapshot> --level rebuild" and "--level current": the code of this program is not that of the replay',
    details: { day: day.day, digest: day.digest, recorded: recorded ?? null },
  })
}
