import { rmSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { Digest } from '../../../cas/digest.ts'
import { objectPath } from '../../../cas/layout.ts'
import { jsonArtifact } from '../../../lib/artifact.ts'
import type { FinishedRun } from '../../../pipeline/engine/engine.ts'
import { definePipeline, type NodeHandle, type Pipeline } from '../../../pipeline/engine/graph.ts'
import { defineTask, many } from '../../../pipeline/engine/task.ts'
import type { Plan, Reason } from '../../../pipeline/engine/verdict.ts'
import { keyOfSpec, specOf } from '../../../snapshots/manifest.ts'
import { EngineLab } from '../../support/engineLab.ts'

/** Each history is a random graph and up to three edits, with a plan and a run after each: over 1,000 pairs in all. */
const histories = 400

const list = jsonArtifact('list', z.array(z.number()))

interface Spec {
  readonly sources: readonly number[][]
  /** Layered nodes: each reads some of what stands before it, and rounds what it makes, so that cut-offs happen. */
  readonly nodes: readonly {
    readonly task: number
    readonly param: number
    readonly reads: readonly number[]
    readonly fansOut: boolean
    readonly nested: boolean
  }[]
}

type Edit =
  | { readonly kind: 'code'; readonly task: number }
  | { readonly kind: 'param'; readonly node: number; readonly value: number }
  | { readonly kind: 'source'; readonly source: number; readonly values: readonly number[] }
  | { readonly kind: 'force'; readonly task: number }
  | { readonly kind: 'lose'; readonly node: number; readonly evicted: boolean }
  | { readonly kind: 'nothing' }

const taskCount = 4

const specs: fc.Arbitrary<Spec> = fc.record({
  sources: fc.array(fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 3 }), { minLength: 1, maxLength: 3 }),
  nodes: fc.array(
    fc.record({
      task: fc.nat(taskCount - 1),
      param: fc.nat(2),
      reads: fc.array(fc.nat(20), { minLength: 1, maxLength: 3 }),
      fansOut: fc.boolean(),
      nested: fc.boolean(),
    }),
    { minLength: 1, maxLength: 6 },
  ),
})

const edits: fc.Arbitrary<Edit> = fc.oneof(
  fc.record({ kind: fc.constant('code' as const), task: fc.nat(taskCount - 1) }),
  fc.record({ kind: fc.constant('param' as const), node: fc.nat(10), value: fc.nat(4) }),
  fc.record({
    kind: fc.constant('source' as const),
    source: fc.nat(5),
    values: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 3 }),
  }),
  fc.record({ kind: fc.constant('force' as const), task: fc.nat(taskCount - 1) }),
  fc.record({ kind: fc.constant('lose' as const), node: fc.nat(30), evicted: fc.boolean() }),
  fc.record({ kind: fc.constant('nothing' as const) }),
)

function pipelineOf(spec: Spec, values: readonly (readonly number[])[], history: string): Pipeline {
  const fetchList = defineTask({
    name: 'fetchList',
    kind: 'source',
    version: 1,
    params: z.object({ source: z.number(), history: z.string() }),
    output: list,
    run: async (_, { source }) => [...values[source]!],
  })
  const combiners = Array.from({ length: taskCount }, (_, t) =>
    defineTask({
      name: `combine${t}`,
      kind: 'pure',
      params: z.object({ param: z.number() }),
      inputs: { lists: many(list) },
      output: list,
      // Coarse on purpose: most changes of an input come out the same.
      run: ({ lists }, { param }) =>
        Array.from({ length: (lists.flat().reduce((a, b) => a + b, 0) + param + t) % 3 }, (_, i) => i),
    }),
  )
  return definePipeline('random', z.object({}), (graph) => {
    const placed: NodeHandle<typeof list>[] = spec.sources.map((_, source) =>
      graph.add(fetchList, { at: [source], params: { source, history } }),
    )
    for (const [n, node] of spec.nodes.entries()) {
      const combine = combiners[node.task]!
      const reads = node.reads.map((read) => placed[read % placed.length]!)
      const leaf = (at: (string | number)[], param: number) =>
        graph.add(combine, { at, params: { param }, inputs: { lists: reads } })
      if (!node.fansOut) {
        placed.push(leaf([n], node.param))
        continue
      }
      const grown = graph.each(
        reads[0]!,
        (items) => [...new Set(items)],
        (item) => {
          const inner = leaf([n, 'item', item], node.param + item)
          if (!node.nested) return inner
          return graph.each(
            inner,
            (items) => items,
            (deep) => leaf([n, 'deep', item, deep], deep),
          )
        },
      )
      placed.push(graph.add(combine, { at: [n], params: { param: node.param }, inputs: { lists: [grown, reads[0]!] } }))
    }
    graph.target('last', placed.at(-1)!)
  })
}

/** What a plan said against what the run then did. */
function disagreements(plan: Plan, run: FinishedRun, lab: EngineLab): string[] {
  const started = new Set(lab.events.flatMap((event) => (event.kind === 'node started' ? [event.address] : [])))
  // Two placements of one computation share a key, and it is executed once: a promise to run is kept by key.
  const keys = new Map(run.manifest!.nodes.map((node) => [node.address, keyOfSpec(specOf(node))]))
  const executed = new Set([...started].map((address) => keys.get(address)))
  const touched = new Set(run.manifest!.nodes.map(({ address }) => address))
  const planned = new Map(plan.nodes.map((node) => [node.address, node.verdict]))
  // Lost bytes need not be made again by their own node when another one happens to make the same.
  const artifacts = new Map(run.manifest!.nodes.map((node) => [node.address, node.artifact]))
  const made = new Set([...started].map((address) => artifacts.get(address)))
  const broughtBack = (address: string, because: readonly Reason[]): boolean =>
    because.every(({ kind }) => kind === 'missing' || kind === 'evicted') && made.has(artifacts.get(address))
  const found: string[] = []
  for (const [address, verdict] of planned) {
    if (verdict.kind === 'cached' && started.has(address)) found.push(`${address}: planned cached, executed`)
    if (verdict.kind === 'will run' && !executed.has(keys.get(address)) && !broughtBack(address, verdict.because))
      found.push(`${address}: planned to run, did not`)
    if (verdict.kind === 'blocked') found.push(`${address}: blocked`)
    if (verdict.kind !== 'unknown' && !touched.has(address)) found.push(`${address}: planned, but not in the run`)
  }
  const hasUnknown = [...planned.values()].some(({ kind }) => kind === 'unknown')
  for (const address of touched)
    if (!planned.has(address) && !hasUnknown) found.push(`${address}: in the run, but not planned`)
  return found
}

describe('plan and run', () => {
  test(`never disagree, over 1,000 random graphs and edits`, { timeout: 300_000 }, async () => {
    await using labs = new Labs()
    await fc.assert(
      fc.asyncProperty(specs, fc.array(edits, { minLength: 1, maxLength: 3 }), async (firstSpec, history) => {
        const lab = await labs.fresh()
        let spec = firstSpec
        let edits = 0
        const values = spec.sources.map((source) => [...source])
        let last: FinishedRun | undefined
        for (const edit of [{ kind: 'nothing' } as Edit, ...history]) {
          let force: string[] = []
          switch (edit.kind) {
            case 'code':
              lab.code.set(`combine${edit.task}`, `edit ${edits++}`)
              break
            case 'param': {
              const node = edit.node % spec.nodes.length
              spec = { ...spec, nodes: spec.nodes.map((old, n) => (n === node ? { ...old, param: edit.value } : old)) }
              break
            }
            case 'source':
              values[edit.source % values.length] = [...edit.values]
              force = [`fetchList[[]${edit.source % values.length}[]]`, 'fetchList']
              break
            case 'force':
              force = [`combine${edit.task}`]
              break
            case 'lose': {
              // What a source fetched cannot be made again; losing it is another story (see run.test.ts).
              const fetched = new Set(
                last!.manifest!.nodes.flatMap(({ kind, artifact }) => (kind === 'source' ? [artifact] : [])),
              )
              const nodes = last!.manifest!.nodes.filter(({ artifact }) => !fetched.has(artifact))
              if (nodes.length > 0) await lose(lab, nodes[edit.node % nodes.length]!.artifact, edit.evicted)
            }
          }
          const pipeline = pipelineOf(spec, values, lab.generation)
          const plan = await lab.plan(pipeline, ['last'], { force })
          const run = await lab.run(pipeline, ['last'], { force })
          expect([run.status, ...run.failures]).toEqual(['ok'])
          expect(disagreements(plan, run, lab)).toEqual([])
          last = run
        }
      }),
      { numRuns: histories, seed: 20240101 },
    )
  })
})

/** Takes an artifact's bytes away: on purpose and recorded, or as damage. */
async function lose(lab: EngineLab, artifact: Digest, evicted: boolean): Promise<void> {
  const { files } = lab.store.readDescriptor(artifact)
  if (evicted) await lab.store.commit({ staged: [], records: [{ kind: 'evicted', key: artifact }] })
  for (const { digest } of files) rmSync(objectPath(lab.store.objectsDir, digest), { force: true })
}

/** Making a root costs more than a history: histories share one, each with code identities of its own. */
class Labs {
  private lab = new EngineLab()
  private used = 0

  async fresh(): Promise<EngineLab> {
    if (this.used++ % 50 === 0) {
      await this.lab[Symbol.asyncDispose]()
      this.lab = new EngineLab()
    }
    this.lab.generation = `history ${this.used}`
    this.lab.code.clear()
    return this.lab
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.lab[Symbol.asyncDispose]()
  }
}
