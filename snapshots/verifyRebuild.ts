import { describeArtifact } from '../cas/artifact.ts'
import { type Digest, short } from '../cas/digest.ts'
import { discardStaged } from '../cas/staging.ts'
import { verifyObjects } from '../cas/verify.ts'
import { Fault } from '../lib/fault.ts'
import type { ManifestNode } from './manifest.ts'
import { planRebuild, type RebuildStep } from './rebuildPlan.ts'
import { parseList } from './references.ts'
import {
  type LevelContext,
  type LevelResult,
  type RebuildInput,
  type Rebuilt,
  type StoredArtifact,
  storedArtifact,
} from './verifyLevel.ts'
import { isSampled } from './verifyProgress.ts'
import type { Finding } from './verifyReport.ts'

/** Executes every pure node again, by its stored code, from its recorded inputs, and compares the bytes. It goes on
 *  after a mismatch: since no node takes another's rebuilt output in place of a recorded one, each that differs is a
 *  root of its own. */
export async function verifyRebuildLevel(context: LevelContext): Promise<LevelResult> {
  const { snapshot, options } = context
  if (options.execute === undefined) throw new TypeError('the rebuild level needs execute')
  if (!snapshot.origin.trusted && options.trustCode !== true) throw untrusted(snapshot.name)
  return new Rebuild(context).run()
}

/** `stopped`: by the signal, before it could be judged. */
type Outcome = 'same' | 'not' | 'stopped'

class Rebuild {
  private readonly context: LevelContext
  private readonly findings: Finding[]
  private readonly lists = new Map<Digest, readonly Digest[] | undefined>()
  /** Evicted artifacts that were made again and came out as recorded. */
  private readonly remade = new Map<Digest, StoredArtifact>()
  private readonly staged = new Set<string>()
  private readonly outcomes = new Map<ManifestNode, Promise<Outcome>>()
  private stopped = false
  private checked = 0
  private total = 0

  constructor(context: LevelContext) {
    this.context = context
    this.findings = [...context.progress.findings]
  }

  async run(): Promise<LevelResult> {
    const { snapshot, options, progress, store } = this.context
    const pure = snapshot.manifest.nodes.filter(({ kind }) => kind === 'pure')
    const sampled = pure.filter(({ address }) => isSampled(address, options.sample))
    const open = sampled.filter(({ address }) => !progress.has(address))
    this.total = sampled.length
    this.checked = sampled.length - open.length
    const wanted = new Set(open)
    const plan = planRebuild(
      snapshot.manifest,
      (node) => wanted.has(node),
      (artifact) => store.artifactPresence(artifact) === 'present',
      (list) => this.readList(list),
    )
    try {
      await this.runSteps(plan.steps, plan.impossible)
    } finally {
      for (const path of this.staged) discardStaged(path)
    }
    return {
      findings: this.findings.sort((a, b) => ((a.node ?? '') < (b.node ?? '') ? -1 : 1)),
      counts: {
        total: pure.length,
        checked: this.checked,
        notSampled: pure.length - sampled.length,
        resumed: sampled.length - open.length,
        evicted: 0,
      },
      interrupted: this.stopped || this.outcomes.size < plan.steps.length,
    }
  }

  /** A few steps at a time; one that waits for another holds its place, and the other stands before it in the order. */
  private async runSteps(steps: readonly RebuildStep[], impossible: ReadonlyMap<ManifestNode, string>): Promise<void> {
    const { options } = this.context
    let next = 0
    const runner = async (): Promise<void> => {
      while (next < steps.length && options.signal?.aborted !== true) {
        const step = steps[next++]!
        const outcome = this.runStep(step, impossible.get(step.node))
        this.outcomes.set(step.node, outcome)
        await outcome
      }
    }
    await Promise.all(Array.from({ length: Math.min(options.workers ?? 2, steps.length) }, runner))
  }

  private async runStep({ node, wanted, after }: RebuildStep, impossible: string | undefined): Promise<Outcome> {
    const found: Finding[] = []
    const outcome = impossible === undefined ? await this.judge(node, after, found) : 'not'
    if (outcome === 'stopped') {
      this.stopped = true
      return outcome
    }
    if (impossible !== undefined) found.push(unverifiable(node, impossible))
    if (wanted) {
      this.findings.push(...found)
      this.checked++
      this.context.progress.note(node.address, found)
      const { checked: done, total } = this
      this.context.options.onProgress?.({ level: 'rebuild', done, total, node: node.address })
    } else {
      // Not asked for, but what hangs on it was: a divergence here is a root all the same.
      this.findings.push(...found.filter(({ node: at }) => !this.findings.some((known) => known.node === at)))
    }
    return outcome
  }

  private async judge(node: ManifestNode, after: readonly ManifestNode[], found: Finding[]): Promise<Outcome> {
    const { store, options } = this.context
    for (const earlier of after) {
      const outcome = await this.outcomes.get(earlier)
      if (outcome === 'stopped') return outcome
      if (outcome === 'same') continue
      found.push(unverifiable(node, `an input was evicted, and ${earlier.address} did not make the same bytes again`))
      return 'not'
    }
    const lacking = codeOf(node).find((digest) => !store.hasObject(digest))
    if (lacking !== undefined) {
      found.push(unverifiable(node, `its code object ${short(lacking)} is not here`))
      return 'not'
    }
    const inputs = this.inputsOf(node)
    let rebuilt: Rebuilt
    try {
      rebuilt = await options.execute!(node, inputs)
    } catch (error) {
      if (options.signal?.aborted) return 'stopped'
      found.push({
        severity: 'error',
        kind: 'failed',
        node: node.address,
        digest: node.artifact,
        what: `its stored code failed: ${error instanceof Error ? error.message : String(error)}`,
        todo: 'it worked when it was recorded: compare the runtime with the one in the provenance',
      })
      return 'not'
    }
    const artifact = describeRebuilt(rebuilt)
    const same = artifact.id === node.artifact
    const isHere = store.artifactPresence(node.artifact) === 'present'
    if (same && !isHere) {
      this.remade.set(node.artifact, artifact)
      for (const { path } of artifact.files) this.staged.add(path)
      return 'same'
    }
    try {
      if (!same) found.push(await this.divergence(node, inputs, artifact))
    } finally {
      for (const { path } of artifact.files) discardStaged(path)
    }
    return same ? 'same' : 'not'
  }

  private inputsOf(node: ManifestNode): Record<string, RebuildInput> {
    const take = (id: Digest): StoredArtifact => {
      const artifact = storedArtifact(this.context.store, id) ?? this.remade.get(id)
      if (artifact !== undefined) return artifact
      throw new Fault({
        code: 'unverifiable',
        what: `the bytes of ${short(id)} went away during the verify`,
        where: node.address,
        todo: 'run the same command again',
      })
    }
    const inputs: Record<string, RebuildInput> = {}
    for (const [port, input] of Object.entries(node.inputs)) {
      if (input === null) inputs[port] = { kind: 'absent' }
      else if (typeof input === 'string') inputs[port] = { kind: 'one', artifact: take(input) }
      else inputs[port] = { kind: 'many', artifacts: (this.readList(input.list) ?? []).map(take) }
    }
    return inputs
  }

  /** Damaged inputs give other bytes with the best of code, so they are looked at before the code is blamed. */
  private async divergence(
    node: ManifestNode,
    inputs: Readonly<Record<string, RebuildInput>>,
    rebuilt: StoredArtifact,
  ): Promise<Finding> {
    const { store, options } = this.context
    const read = Object.values(inputs).flatMap((input) =>
      input.kind === 'one' ? [input.artifact] : input.kind === 'many' ? input.artifacts : [],
    )
    const files = read.flatMap(({ descriptor }) => descriptor.files.map(({ digest }) => digest))
    const digests = [...files, ...codeOf(node)].filter((digest) => store.hasObject(digest))
    const damaged = (await verifyObjects(store, { digests, workers: 1 })).findings.find(({ kind }) => kind === 'bytes')
    if (damaged?.digest !== undefined) {
      return unverifiable(node, `an object it reads, ${short(damaged.digest)}, is damaged`)
    }
    const recorded = storedArtifact(store, node.artifact)
    const difference =
      recorded === undefined
        ? 'the recorded bytes were evicted, so the place cannot be shown'
        : ((await options.diffArtifacts?.(recorded, rebuilt)) ?? describeDifference(recorded, rebuilt))
    return {
      severity: 'error',
      kind: 'differs',
      node: node.address,
      digest: node.artifact,
      what: `rebuilt, it is ${short(rebuilt.id)} and not ${short(node.artifact)}: ${difference}`,
      todo: `its code reads something that is no input, or depends on the machine: "pipe why ${node.address}" names the code`,
    }
  }

  private readList(list: Digest): readonly Digest[] | undefined {
    if (!this.lists.has(list)) {
      try {
        this.lists.set(list, parseList(list, this.context.store.readObject(list)))
      } catch (error) {
        if (!(error instanceof Fault)) throw error
        this.lists.set(list, undefined)
      }
    }
    return this.lists.get(list)
  }
}

function describeRebuilt({ type, files }: Rebuilt): StoredArtifact {
  const { id, descriptor } = describeArtifact(
    type,
    files.map(({ name, rows, staged: { digest, sizeBytes } }) => ({
      name,
      digest,
      sizeBytes,
      ...(rows === undefined ? {} : { rows }),
    })),
  )
  const stored = files.map(({ name, rows, staged: { stagedPath, sizeBytes } }) => ({
    name,
    path: stagedPath,
    sizeBytes,
    ...(rows === undefined ? {} : { rows }),
  }))
  return { id, type, descriptor, files: stored }
}

function describeDifference(recorded: StoredArtifact, rebuilt: StoredArtifact): string {
  if (recorded.type !== rebuilt.type) return `it has the type ${rebuilt.type}, recorded was ${recorded.type}`
  const after = new Map(rebuilt.descriptor.files.map((file) => [file.name, file]))
  for (const file of recorded.descriptor.files) {
    const other = after.get(file.name)
    if (other === undefined) return `it lacks the file ${file.name}`
    if (other.digest !== file.digest) {
      return `its file ${file.name} has ${other.sizeBytes} other bytes, recorded were ${file.sizeBytes}`
    }
    if (other.rows !== file.rows) return `its file ${file.name} counts ${other.rows} rows, recorded were ${file.rows}`
  }
  return `it has ${rebuilt.files.length} files, recorded were ${recorded.files.length}`
}

function codeOf({ code }: ManifestNode): readonly Digest[] {
  return 'run' in code ? [code.run, ...Object.values(code.ports ?? {})] : []
}

function unverifiable(node: ManifestNode, why: string): Finding {
  return {
    severity: 'error',
    kind: 'unverifiable',
    node: node.address,
    digest: node.artifact,
    what: `it cannot be rebuilt: ${why}`,
    todo: 'settle what is reported above it first',
  }
}

function untrusted(name: string): Fault {
  return new Fault({
    code: 'refused',
    what: 'somebody else made this snapshot, and a rebuild runs the code inside it, which can do what you can',
    where: `snapshots/${name}`,
    todo: 'if you trust its maker, say so with --trust-code',
  })
}
