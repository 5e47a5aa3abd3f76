import { statSync } from 'node:fs'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import type { Digest } from '../../cas/digest.ts'
import { generationOf, grewAlone, segmentSizes } from '../../cas/generation.ts'
import type { Fault } from '../../lib/fault.ts'
import { type Manifest, manifestId } from '../../snapshots/manifest.ts'
import { pinSnapshot } from '../../snapshots/pin.ts'
import { type Snapshot, snapshotFolder } from '../../snapshots/snapshotFolder.ts'
import { FileLook } from '../engine/code/fileMarks.ts'
import type { FinishedRun } from '../engine/engine.ts'
import type { AskValues } from './ask.ts'
import type { Status } from './command.ts'
import { rememberProject } from './completion/rememberProject.ts'
import type { Context } from './context.ts'
import { fetchNotesOf } from './fetchNotes.ts'
import type { Following } from './followRun.ts'
import { cleanText, leaksJson, readChecks, renderLeaks } from './leakReport.ts'
import { printVerdict } from './printVerdict.ts'
import { faultIn, faultJson, renderFault } from './renderFault.ts'
import { packObjects, rememberRun } from './runMemo.ts'
import { type RunSummary, runFolder, writeRunSummary } from './storedRuns.ts'
import { targetsToLookAt } from './targetsToLookAt.ts'
import { universeNote } from './universeNote.ts'
import { version } from './version.ts'
import type { RunVerdict } from './views/verdictBlock.ts'
import type { World } from './world.ts'

export interface EndedRun {
  readonly context: Context
  readonly values: AskValues
  readonly world: World
  readonly finished: FinishedRun
  /** The snapshot it was frozen to. */
  readonly frozen: Snapshot | undefined
  /** The name asked for. */
  readonly snapshot: string | undefined
  readonly following: Following
  readonly startedMs: number
  /** By the monotonic clock. */
  readonly startMs: number
  readonly targets: readonly string[]
}

/** After the last node: pin the snapshot, keep the run's summary, print the verdict. */
export async function endRun(ended: EndedRun): Promise<Status> {
  const { context, world, finished, following } = ended
  const { root } = world
  const pinned = await pin(ended)
  following.close()
  await following.finishLog()

  const wallMs = performance.now() - ended.startMs
  const { checked, leaks } = leaksJson(
    finished.manifest === undefined ? [] : readChecks(world.store, finished.manifest),
  )
  const looksAhead = finished.outcome === 'ok' && leaks.length > 0
  // A check that found something did its work, and whoever asked for it has failed it: as "check-lookahead" has it.
  const outcome = looksAhead ? 'failed' : finished.outcome
  const status = pinned.fault?.code ?? (looksAhead ? 'failed' : finished.status)
  const notes = [pinned.note, checked.length > 0 && leaks.length === 0 ? cleanText(checked) : undefined]
  const note = notes.filter((text) => text !== undefined).join('\n')
  const summary: RunSummary = {
    run: finished.runId,
    pipeline: world.pipeline.name,
    targets: ended.targets,
    asOfMs: ended.frozen?.manifest.asOfMs ?? world.asOfMs,
    startedMs: ended.startedMs,
    wallMs: Math.round(wallMs),
    outcome,
    counts: finished.counts,
    manifestId: finished.manifestId ?? null,
    snapshot: pinned.snapshot?.name ?? null,
    commandLine: context.commandLine,
  }
  writeRunSummary(root, summary)
  if (finished.manifest !== undefined && finished.counts.executed > 0) {
    await rememberProject(
      context,
      world,
      finished.manifest.nodes.map((node) => node.address),
    )
  }

  const verdict: RunVerdict = {
    outcome,
    counts: finished.counts,
    wallMs,
    runId: finished.runId,
    runFolder: runFolder(root, finished.runId),
    ...(finished.manifestId === undefined ? {} : { manifestId: finished.manifestId }),
    ...(finished.manifest === undefined ? {} : { manifest: finished.manifest }),
    ...(pinned.snapshot === undefined ? {} : { snapshot: pinned.snapshot }),
    ...(note === '' ? {} : { note }),
    failures: finished.failures.map(({ address }) => address),
    survivorship: universeNote(world.store, finished.manifest?.nodes ?? []),
    ...targetsToLookAt(finished, world.store, runFolder(root, finished.runId)),
  }
  const { out } = context
  if (leaks.length > 0) {
    out.print(renderLeaks(checked, leaks, out.style))
    out.printJsonLine({ kind: 'leaks', checked, leaks })
  }
  printVerdict(out, verdict, status)
  if (pinned.fault) {
    out.printJsonLine(faultJson(pinned.fault))
    if (!out.json) out.error(renderFault(pinned.fault, out.errStyle))
  }
  if (status === 'ok' && pinned.note === undefined) remember(ended, verdict)
  return status
}

/** The same command has the same answer until something it rests on changes. */
function remember({ context, values, world, finished, frozen }: EndedRun, verdict: RunVerdict): void {
  const { manifest } = finished
  if (manifest === undefined || world.project.inputs === undefined || world.watch.looksOutside) return
  // What others recorded meanwhile is not in this answer.
  const segments = segmentSizes(world.root)
  if (!grewAlone(world.segments, segments, finished.counts.executed > 0)) return
  const artifacts = new Map(manifest.nodes.map(({ address, artifact }) => [address, artifact]))
  const addresses = manifest.targets.flatMap((target) => target.addresses)
  const { store } = world
  const outputs = addresses.flatMap((address) => {
    const artifact = artifacts.get(address)
    return artifact === undefined ? [] : store.readDescriptor(artifact).files
  })
  const { total } = verdict.counts
  const named = verdict.snapshot === undefined ? [] : [join(verdict.snapshot.folder, 'manifest.json')]
  // Its age does not matter where its bytes are known to be the snapshot's.
  const marks = new FileLook().markAll(named, { absent: [], links: [] }, Number.POSITIVE_INFINITY)
  if (marks === undefined || marks.some(({ digest }) => digest !== verdict.snapshot?.id)) return
  rememberRun(
    context,
    values,
    {
      ...verdict,
      counts: { total, cached: total, executed: 0, unchanged: 0, failed: 0, skipped: 0 },
      manifest: { targets: manifest.targets, nodes: namedNodes(manifest) },
      ...(verdict.snapshot === undefined ? {} : { snapshot: { ...verdict.snapshot, frozen: true } }),
    },
    {
      files: [...world.project.inputs, ...marks],
      root: world.root,
      generation: generationOf(segments),
      ...(world.asOfGridMs === undefined || frozen !== undefined || verdict.snapshot !== undefined
        ? {}
        : { asOf: { ms: world.asOfMs, gridMs: world.asOfGridMs } }),
      ...(finished.nextRecheckAtMs === undefined || verdict.snapshot !== undefined
        ? {}
        : { validUntilMs: finished.nextRecheckAtMs }),
      pages: (verdict.pages ?? []).map((page) => [page, statSync(page).size]),
      objects: packObjects(store.objectsDir, outputs),
    },
  )
}

/** Of a target of many nodes the verdict says how many there are; of a single one it names the artifact. */
function namedNodes({ targets, nodes }: Manifest): { address: string; artifact: Digest }[] {
  const named = new Set(targets.flatMap(({ addresses }) => (addresses.length === 1 ? addresses : [])))
  return nodes.filter(({ address }) => named.has(address)).map(({ address, artifact }) => ({ address, artifact }))
}

interface Pinned {
  readonly snapshot?: NonNullable<RunVerdict['snapshot']>
  readonly note?: string
  readonly fault?: Fault
}

/** A finished run gets the name asked for. A frozen one had it before: here it is only said whether it is the same. */
async function pin(ended: EndedRun): Promise<Pinned> {
  const { finished, frozen, snapshot, world, following } = ended
  const { manifest } = finished
  if (snapshot === undefined || manifest === undefined) return {}
  if (frozen) {
    const same = manifestId(manifest) === frozen.id
    const folder = snapshotFolder(world.root, snapshot)
    if (same) return { snapshot: { name: snapshot, id: frozen.id, folder, frozen: true } }
    return {
      note: `this run is not the snapshot ${snapshot}: targets, config, code or results differ; see "pipe diff ${snapshot} last". The snapshot is as it was`,
    }
  }
  // A disputed run has a manifest and may not be pinned; the verdict says so already.
  if (finished.outcome !== 'ok') return {}
  try {
    const { id } = await pinSnapshot(world.store, {
      name: snapshot,
      manifest,
      provenance: provenanceOf(ended, manifest),
    })
    following.emit({ kind: 'snapshot pinned', elapsedMs: following.elapsedMs(), name: snapshot, id })
    return { snapshot: { name: snapshot, id, folder: snapshotFolder(world.root, snapshot), frozen: false } }
  } catch (error) {
    const fault = faultIn(error)
    if (!fault) throw error
    return { fault }
  }
}

/** When, where and how long: beside the snapshot, in no id. */
function provenanceOf(
  { context, finished, world, startedMs, startMs, following }: EndedRun,
  manifest: Manifest,
): unknown {
  return {
    run: finished.runId,
    startedAt: new Date(startedMs).toISOString(),
    wallMs: Math.round(performance.now() - startMs),
    commandLine: context.commandLine,
    tickpipe: version,
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    pipeline: world.pipeline.name,
    counts: { ...finished.counts },
    executed: following.executions(),
    fetched: fetchNotesOf(world.store, manifest),
  }
}
