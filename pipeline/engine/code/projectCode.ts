import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Digest } from '../../../cas/digest.ts'
import { type Staged, stageBytes } from '../../../cas/staging.ts'
import type { Store } from '../../../cas/store.ts'
import { Fault } from '../../../lib/fault.ts'
import type { EngineCode } from '../engine.ts'
import type { Inspection } from '../executor/inspection.ts'
import type { CodeRef, Job } from '../executor/job.ts'
import { placeOf } from '../run/objectPlace.ts'
import type { CodeChange } from '../verdict.ts'
import type { GraphNode } from '../walk/nodes.ts'
import type { NodeState } from '../walk/walk.ts'
import type { ProjectCode } from './codeCache.ts'
import type { CodeInfo } from './codeInfo.ts'
import type { CodeObjects } from './codeObjects.ts'
import { explainCode } from './explainCode.ts'
import { pause, wrapperStart } from './linkCode.ts'
import { mapStack } from './mapStack.ts'
import { sourceMapJson } from './sourceMap.ts'
import { tickpipeDir } from './tickpipePackage.ts'

/** The code of a loaded project, bundled when it is first met and stored when it first runs. */
export class StoredProjectCode implements EngineCode {
  private readonly objects: CodeObjects
  private readonly projectDir: string
  private readonly byDigest = new Map<Digest, ProjectCode>()
  private readonly stored = new Map<Digest, CodeRef>()
  /** Read from the index once, for those whose stacks are looked at. */
  private readonly infos = new Map<Digest, CodeInfo>()
  private readonly prepared = new WeakSet<object>()

  constructor(objects: CodeObjects, projectDir: string) {
    this.objects = objects
    this.projectDir = projectDir
  }

  async prepare(nodes: readonly GraphNode[]): Promise<void> {
    const fresh: Promise<ProjectCode>[] = []
    for (const { task, code } of nodes) {
      if (task.kind !== 'pure') continue
      if (!this.prepared.has(task)) {
        this.prepared.add(task)
        fresh.push(this.objects.ofTask(task))
      }
      for (const value of Object.values(code)) {
        if (this.prepared.has(value as object)) continue
        this.prepared.add(value as object)
        fresh.push(this.objects.ofValue(value))
      }
    }
    for (const code of await Promise.all(fresh)) this.byDigest.set(code.digest, code)
  }

  ofTask(task: GraphNode['task']): Digest {
    return this.objects.known(task)!.digest
  }

  ofValue(value: unknown): Digest {
    return this.objects.known(value)!.digest
  }

  async store({ node }: NodeState, store: Store): Promise<{ code: CodeRef; ports: Readonly<Record<string, CodeRef>> }> {
    const ports = Object.entries(node.code).map(
      ([port, value]) => [port, this.storeOne(this.ofValue(value), store)] as const,
    )
    return { code: this.storeOne(this.ofTask(node.task), store), ports: Object.fromEntries(ports) }
  }

  explain(store: Store, before: Digest, after: Digest): readonly CodeChange[] {
    const old = this.infoOf(store, before)
    const now = this.infoOf(store, after)
    return old === undefined || now === undefined ? [] : explainCode(old, now)
  }

  /** The folder of a package closure as it lies in today's node_modules. */
  packageDir(name: string, version: string): string {
    for (const { packageDirs } of this.byDigest.values()) {
      const dir = packageDirs[`${name}@${version}`]
      if (dir !== undefined) return dir
    }
    throw new Fault({
      code: 'unverifiable',
      what: `the package ${name}@${version} is not installed`,
      todo: 'run "npm install" in the project',
    })
  }

  mapStack(code: Digest, stack: string): string {
    return this.byDigest.has(code) ? mapStack(stack, this.infoOfKnown(code)) : stack
  }

  /** The first port is what somebody wants to look at: a task that takes a strategy is not theirs. */
  inspectionOf(job: Job): Inspection {
    const [port] = Object.values(job.ports)
    const shown = (port ?? job.code).digest
    const all = [job.code, ...Object.values(job.ports)].map(({ digest }) => [digest, this.sourceMaps(digest)] as const)
    // The root is `<module id>#<symbol>`.
    const module = this.infoOfKnown(shown).roots[0]!.split('#')[0]!
    return { pauseIn: { code: shown, module }, sourceMaps: Object.fromEntries(all) }
  }

  private sourceMaps(code: Digest): Record<string, string> {
    const { modules, roots } = this.infoOfKnown(code)
    const pausing = roots[0]!.split('#')[0]
    return Object.fromEntries(
      modules.flatMap(({ id, file, lines }) => {
        const path = [join(this.projectDir, file), file.replace(/^tickpipe/, tickpipeDir)].find((path) =>
          existsSync(path),
        )
        if (lines === undefined || path === undefined) return []
        const source = { url: pathToFileURL(path).href, text: readFileSync(path, 'utf8') }
        const shift = wrapperStart.length + (id === pausing ? pause.length : 0)
        return [[id, sourceMapJson(lines, source, shift)]]
      }),
    )
  }

  private infoOfKnown(code: Digest): CodeInfo {
    let info = this.infos.get(code)
    if (info === undefined) this.infos.set(code, (info = this.byDigest.get(code)!.info))
    return info
  }

  /** Queues the code, its packages and what is known of it; they are readable at once and durable with their group. */
  private storeOne(digest: Digest, store: Store): CodeRef {
    const known = this.stored.get(digest)
    // Stored before, unless it turned out damaged since and was moved to quarantine.
    if (known !== undefined && store.hasObject(digest)) return placeOf(store, digest)
    const code = this.byDigest.get(digest)!
    const staged: Staged[] = []
    if (!store.hasObject(digest, code.bytes.length)) staged.push(stageBytes(store.stagingDir, code.bytes))
    for (const object of code.packageObjects()) {
      if (store.hasObject(object.digest)) continue
      staged.push(stageBytes(store.stagingDir, 'bytes' in object ? object.bytes : readFileSync(object.path)))
    }
    const hasNote = store.records.of('note', digest).length > 0
    if (staged.length > 0 || !hasNote) {
      const info = stageBytes(store.stagingDir, JSON.stringify(code.info))
      staged.push(info)
      // The next commit that fails says so to everybody: this one needs no handler of its own.
      store
        .commit({ staged, records: hasNote ? [] : [{ kind: 'note', key: digest, artifact: info.digest }] })
        .catch(() => {})
    }
    const ref = placeOf(store, digest)
    this.stored.set(digest, ref)
    return ref
  }

  private infoOf(store: Store, digest: Digest): CodeInfo | undefined {
    const known = this.byDigest.get(digest)
    if (known !== undefined) return known.info
    const note = store.records.of('note', digest).at(-1)?.artifact
    if (note === undefined || !store.hasObject(note)) return undefined
    return JSON.parse(Buffer.from(store.readObject(note)).toString()) as CodeInfo
  }
}
