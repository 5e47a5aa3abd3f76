import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import process from 'node:process'
import type { Manifest } from '../../snapshots/manifest.ts'
import type { BuiltPipe } from '../pipeline/cli/builtPipe.ts'
import type { NodeBinary } from '../support/otherNodes.ts'

/** What is made, and how the same can be asked for in other words. */
export interface Subject {
  /** What a folder of it holds: `pipe.config.ts` at least. */
  readonly project: Readonly<Record<string, string>>
  readonly target: string
  readonly asOf: string
  readonly set: readonly string[]
  /** The same with its symbols in another order. The config is part of a manifest, so its id is another one; every
   *  artifact must be the same. */
  readonly shuffled: readonly string[]
}

/** One line of the table. */
export interface Step {
  readonly name: string
  readonly node: string
  /** The id, or what was compared in its place. */
  readonly says: string
  readonly same: boolean
  readonly wallMs: number
}

export interface Machine {
  readonly name: string
  readonly node?: NodeBinary
  readonly workers?: number
  readonly env?: NodeJS.ProcessEnv
  readonly set?: readonly string[]
}

const ownNode: NodeBinary = { path: process.execPath, version: process.versions.node }
const snapshot = 'shown'

/** Does what two people on two machines would, each with a home, folder and store of their own, and compares the ids. */
export class Reproduction {
  readonly #pipe: BuiltPipe
  readonly #subject: Subject
  readonly #onStep: (step: Step) => void
  readonly steps: Step[] = []
  #people = 0

  constructor(pipe: BuiltPipe, subject: Subject, onStep: (step: Step) => void = () => {}) {
    this.#pipe = pipe
    this.#subject = subject
    this.#onStep = onStep
  }

  /** All of it. Says whether every id was the same. */
  run(otherNodes: readonly NodeBinary[]): boolean {
    const first = this.builds({ name: 'built', workers: 2 })
    if (first === undefined) return false
    this.handsOver(first)
    const machines: Machine[] = [
      { name: 'built with 1 worker', workers: 1 },
      {
        name: 'another time zone and language',
        env: { TZ: 'Pacific/Chatham', LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8', LANGUAGE: 'tr' },
      },
      ...otherNodes.map((node) => ({ name: 'another Node', node, workers: 1 })),
      this.shuffled,
    ]
    for (const machine of machines) this.builds(machine, first)
    return this.steps.every(({ same }) => same)
  }

  get shuffled(): Machine {
    return { name: 'symbols in another order', set: this.#subject.shuffled }
  }

  /** Builds everything from nothing, and compares it with what somebody else got. */
  builds(machine: Machine, other?: Built): Built | undefined {
    const person = this.#person(machine)
    const { target, asOf, set } = this.#subject
    const sets = [...set, ...(machine.set ?? [])].flatMap((text) => ['--set', text])
    const workers = ['--workers', String(machine.workers ?? 2)]
    const ran = person.pipe(['run', target, '--snapshot', snapshot, '--as-of', asOf, '--json', ...workers, ...sets])
    if (ran.status !== 0) return this.#failed(machine.name, ran)
    const manifest = JSON.parse(
      readFileSync(join(person.root, 'snapshots', snapshot, 'manifest.json'), 'utf8'),
    ) as Manifest
    const { id, executed } = verdictOf(ran.stdout)
    const built = { person, id, manifest }
    if (other === undefined || machine.set === undefined) {
      const same = id !== '' && (other === undefined || id === other.id)
      this.#add({ ...ran, name: machine.name, says: `${id.slice(0, 16)}  ${executed} executed`, same })
    } else {
      const differing = differences(manifest, other.manifest)
      const says =
        differing.length === 0
          ? `${manifest.nodes.length} artifacts the same`
          : `${differing.length} differ: ${differing.slice(0, 3).join(', ')}`
      // The same question would prove nothing.
      this.#add({ ...ran, name: machine.name, says, same: differing.length === 0 && id !== other.id })
    }
    return built
  }

  /** Export, import elsewhere, verify down to executing everything again, a frozen run, and the file again. */
  handsOver(first: Built): void {
    const bundle = join(first.person.root, '..', 'handed-over.tar')
    const exported = first.person.pipe(['snapshot', 'export', snapshot, bundle])
    if (exported.status !== 0) return void this.#failed('exported', exported)
    this.#add({ ...exported, name: 'exported', says: `sha256 ${sha256(bundle).slice(0, 16)}`, same: true })

    const second = this.#person({ name: 'second' })
    const imported = second.pipe(['snapshot', 'import', bundle, '--trust-code', '--json'])
    if (imported.status !== 0) return void this.#failed('imported elsewhere', imported)
    const { id } = JSON.parse(imported.stdout) as { id: string }
    this.#add({ ...imported, name: 'imported elsewhere', says: id.slice(0, 16), same: id === first.id })

    const levels = 'objects,manifest,data,rebuild'
    const verified = second.pipe(['verify', snapshot, '--level', levels, '--trust-code', '--json'])
    const { outcome, reports } = JSON.parse(verified.stdout) as {
      outcome: string
      reports: { level: string; counts: { checked: number } }[]
    }
    const rebuilt = reports.find(({ level }) => level === 'rebuild')?.counts.checked ?? 0
    const same = verified.status === 0 && rebuilt > 0
    this.#add({ ...verified, name: 'verified to rebuild', says: `${outcome}, ${rebuilt} executed again`, same })

    const { target } = this.#subject
    const frozen = second.pipe(['run', target, '--snapshot', snapshot, '--json', ...this.#sets()])
    const { id: frozenId, isFrozen, executed } = verdictOf(frozen.stdout)
    this.#add({
      ...frozen,
      name: 'run there, frozen',
      says: `${frozenId.slice(0, 16)}  ${executed} executed`,
      same: frozen.status === 0 && frozenId === first.id && isFrozen,
    })

    const again = join(second.root, '..', 'handed-back.tar')
    const back = second.pipe(['snapshot', 'export', snapshot, again])
    if (back.status !== 0) return void this.#failed('exported again', back)
    const digest = sha256(again)
    this.#add({
      ...back,
      name: 'exported again',
      says: `sha256 ${digest.slice(0, 16)}`,
      same: digest === sha256(bundle),
    })
  }

  #sets(): string[] {
    return this.#subject.set.flatMap((text) => ['--set', text])
  }

  /** Somebody with a home, a folder and a store that nobody else has. */
  #person({ node = ownNode, env = {} }: Machine): Person {
    const home = mkdtempSync(join(this.#pipe.dir, `person-${++this.#people}-`))
    const folder = join(home, `somewhere-${this.#people}`, 'project')
    const root = join(home, 'a store', 'root')
    mkdirSync(folder, { recursive: true })
    for (const [name, text] of Object.entries(this.#subject.project)) writeFileSync(join(folder, name), text)
    return {
      root,
      pipe: (args) => {
        const startMs = performance.now()
        const { status, stdout, stderr } = spawnSync(node.path, [this.#pipe.cli, ...args, '--root', root], {
          cwd: folder,
          encoding: 'utf8',
          env: { ...this.#pipe.env, HOME: home, ...env },
          maxBuffer: 256 * 2 ** 20,
        })
        return { status, stdout, stderr, node: node.version, wallMs: performance.now() - startMs }
      },
    }
  }

  #failed(name: string, { status, stdout, stderr, ...ran }: Ran): undefined {
    const says = `ended with ${status}: ${(stderr.trim() || stdout.trim()).split('\n').slice(-4).join(' / ')}`
    this.#add({ ...ran, name, says, same: false })
    return undefined
  }

  #add({ name, node, says, same, wallMs }: Step): void {
    const step = { name, node, says, same, wallMs }
    this.steps.push(step)
    this.#onStep(step)
  }
}

interface Ran {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
  readonly node: string
  readonly wallMs: number
}

interface Person {
  readonly root: string
  pipe(args: readonly string[]): Ran
}

interface Built {
  readonly person: Person
  readonly id: string
  readonly manifest: Manifest
}

/** What `pipe run --json` says last. */
function verdictOf(stdout: string): { readonly id: string; readonly isFrozen: boolean; readonly executed: number } {
  const last = stdout.trimEnd().split('\n').at(-1)!
  if (!last.startsWith('{"kind":"verdict"')) return { id: '', isFrozen: false, executed: 0 }
  const verdict = JSON.parse(last) as {
    readonly snapshot: { readonly id: string; readonly frozen: boolean } | null
    readonly counts: { readonly executed: number }
  }
  const { id = '', frozen = false } = verdict.snapshot ?? {}
  return { id, isFrozen: frozen, executed: verdict.counts.executed }
}

/** Addresses that only one has, or whose artifacts are not the same. */
function differences(a: Manifest, b: Manifest): string[] {
  const artifacts = ({ nodes }: Manifest) => new Map(nodes.map(({ address, artifact }) => [address, artifact]))
  const [x, y] = [artifacts(a), artifacts(b)]
  return [...new Set([...x.keys(), ...y.keys()])].filter((address) => x.get(address) !== y.get(address)).sort()
}

const sha256 = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex')
