import { Fault } from '../lib/fault.ts'
import type { Digest } from './digest.ts'
import { chooseEvictions } from './eviction.ts'
import { type Survey, surveyStore } from './gcSurvey.ts'
import type { Store } from './store.ts'
import { isYoung } from './young.ts'

/** Something that must stay, and what to call it when somebody asks why. */
export interface Root {
  readonly label: string
  /** An artifact, with all its files, or a plain object. */
  readonly digest: Digest
  /** Whether its files may go when the store has to become smaller, since they can be made again. Its descriptor
   *  stays in any case. */
  readonly evictable?: boolean
}

export interface GcOptions {
  readonly roots: readonly Root[]
  /** Which observed artifacts to keep although no root reaches them; all of them, if nothing is said: the outside
   *  world cannot be asked for the past again. */
  readonly keepSources?: ReadonlySet<Digest> | ((artifact: Digest) => boolean)
  /** Objects that were written or used so recently stay, and so does the trash of a collection. */
  readonly graceMs: number
  readonly maxSizeBytes?: number
  /** What making an artifact again would take; unknown ones go last. */
  readonly costOf?: (artifact: Digest) => number | undefined
  readonly nowMs: number
  /** Must be said to collect with no root at all. */
  readonly allowEmptyKeepSet?: boolean
}

export interface DoomedObject {
  readonly digest: Digest
  readonly sizeBytes: number
  /** As surveyed. A file whose time has changed since was used, and is spared. */
  readonly mtimeMs: number
}

export interface GcPlan {
  readonly options: GcOptions
  /** Objects that go to the trash. */
  readonly collect: readonly DoomedObject[]
  readonly collectedBytes: number
  /** Artifacts and plain objects that are given up, for the records. */
  readonly evicted: readonly Digest[]
  /** Of these, the ones that only had to go for `maxSizeBytes`. */
  readonly evictedForSize: readonly Digest[]
  /** Old trash that is unlinked for good. */
  readonly emptied: readonly { readonly epoch: string; readonly digest: Digest; readonly sizeBytes: number }[]
  readonly emptiedBytes: number
  /** Objects in the trash that something needs again. */
  readonly putBack: readonly { readonly epoch: string; readonly digest: Digest }[]
  /** Artifacts that were given up, and are needed and whole again by this. */
  readonly restored: readonly Digest[]
  /** Epochs whose folder may go once it is empty. */
  readonly oldEpochs: readonly string[]
  readonly keptObjects: number
  readonly keptBytes: number
  /** Of these, what only its age protects. */
  readonly youngBytes: number
  /** By how much the kept bytes exceed `maxSizeBytes` all the same. */
  readonly overBudgetBytes: number
  /** Roots whose object is not there and was not given up on purpose: damage, for `verify`. */
  readonly missingRoots: readonly Root[]
}

/** Decides what a collection would do, and changes nothing: the same value is the dry run and the order. */
export function planGc(store: Store, options: GcOptions): GcPlan {
  return decideGc(surveyStore(store, { nowMs: options.nowMs }), options)
}

/** Pure: the same survey and options give the same plan. */
function decideGc(survey: Survey, options: GcOptions): GcPlan {
  if (options.roots.length === 0 && options.allowEmptyKeepSet !== true) {
    throw new Fault({
      code: 'refused',
      what: 'nothing would be kept: there is no snapshot, no pin and no run to keep',
      todo: 'check --root; to empty the store all the same, say so with --all',
    })
  }
  const marks = markReachable(survey, options)
  const evictions = chooseEvictions(survey, marks, options)
  const isWanted = (digest: Digest) =>
    marks.firm.has(digest) || (marks.soft.has(digest) && !evictions.files.has(digest))
  const isKept = (digest: Digest) => isWanted(digest) || marks.young.has(digest)

  const collect: DoomedObject[] = []
  let keptObjects = 0
  let keptBytes = 0
  let youngBytes = 0
  for (const [digest, { sizeBytes, mtimeMs }] of survey.objects) {
    if (isKept(digest) || isYoung(mtimeMs, options)) {
      keptObjects++
      keptBytes += sizeBytes
      if (!isWanted(digest)) youngBytes += sizeBytes
    } else {
      collect.push({ digest, sizeBytes, mtimeMs })
    }
  }
  // What is put back is kept as well.
  for (const [digest, { sizeBytes }] of survey.onlyInTrash) {
    if (!isKept(digest)) continue
    keptObjects++
    keptBytes += sizeBytes
    if (!isWanted(digest)) youngBytes += sizeBytes
  }
  const trash = decideTrash(survey, options, isKept)
  const rescued = new Set(trash.putBack.map(({ digest }) => digest))
  // One whose files stay in the trash stays given up, although its descriptor comes back.
  const restored = [...marks.firm].filter((digest) => {
    if (!survey.isEvicted(digest)) return false
    const whole = [digest, ...(survey.descriptorOf(digest)?.files.map((file) => file.digest) ?? [])]
    const willBeThere = (object: Digest) => rescued.has(object) || (survey.objects.has(object) && isKept(object))
    return whole.some((object) => rescued.has(object)) && whole.every(willBeThere)
  })
  return {
    options,
    collect,
    collectedBytes: sum(collect),
    evicted: namesForRecords(survey, collect, evictions.artifacts),
    evictedForSize: evictions.artifacts,
    ...trash,
    restored: restored.sort(),
    oldEpochs: survey.trash.filter(({ ageMs }) => ageMs >= options.graceMs).map(({ name }) => name),
    emptiedBytes: sum(trash.emptied),
    keptObjects,
    keptBytes,
    youngBytes,
    overBudgetBytes: Math.max(0, keptBytes - (options.maxSizeBytes ?? Number.POSITIVE_INFINITY)),
    missingRoots: options.roots.filter(({ digest }) => isMissing(survey, digest)),
  }
}

export interface Marks {
  /** Must stay. */
  readonly firm: ReadonlySet<Digest>
  /** Reached, but only as files of evictable artifacts. */
  readonly soft: ReadonlySet<Digest>
  /** Files of artifacts that only their age protects. */
  readonly young: ReadonlySet<Digest>
  /** The evictable artifacts that are the only reason for some of `soft`. */
  readonly evictable: readonly Digest[]
}

/** Every reason for which objects stay: the given roots, then what keeps itself. */
function* allRoots(survey: Survey, options: GcOptions): Generator<Root> {
  yield* options.roots
  for (const lease of survey.leases) {
    const label = `lease of ${lease.purpose} (${lease.owner ? `${lease.owner.host}, pid ${lease.owner.pid}` : 'unknown owner'})`
    for (const digest of lease.uses) yield { label, digest }
    for (const key of lease.claims.keys()) {
      for (const digest of survey.artifactsOf(key)) yield { label: `${label}, which works on its key`, digest }
    }
  }
  const { keepSources } = options
  for (const digest of survey.sources) {
    const kept =
      keepSources === undefined || (typeof keepSources === 'function' ? keepSources(digest) : keepSources.has(digest))
    if (kept) yield { label: 'source: it cannot be made again', digest }
  }
}

/** An artifact whose descriptor is young stays as a whole. */
function* youngArtifacts(survey: Survey, options: GcOptions): Generator<Root> {
  for (const digest of survey.artifacts) {
    const there = survey.objects.get(digest)
    if (there && isYoung(there.mtimeMs, options)) yield { label: youngLabel, digest }
  }
}

const youngLabel = 'younger than the grace time'

function markReachable(survey: Survey, options: GcOptions): Marks {
  const firm = new Set<Digest>()
  const soft = new Set<Digest>()
  const evictable = new Set<Digest>()
  for (const root of allRoots(survey, options)) {
    firm.add(root.digest)
    const files = survey.descriptorOf(root.digest)?.files ?? []
    if (root.evictable) {
      // What was given up on purpose stays given up: its bytes may lie in the trash, and are not wanted back.
      if (survey.isEvicted(root.digest)) continue
      evictable.add(root.digest)
      for (const file of files) soft.add(file.digest)
    } else {
      for (const file of files) firm.add(file.digest)
    }
  }
  const young = new Set<Digest>()
  for (const { digest } of youngArtifacts(survey, options)) {
    for (const file of survey.descriptorOf(digest)?.files ?? []) young.add(file.digest)
  }
  return { firm, soft, young, evictable: [...evictable].sort() }
}

function decideTrash(
  survey: Survey,
  options: GcOptions,
  isKept: (digest: Digest) => boolean,
): Pick<GcPlan, 'emptied' | 'putBack'> {
  const emptied: { epoch: string; digest: Digest; sizeBytes: number }[] = []
  const putBack: { epoch: string; digest: Digest }[] = []
  for (const { name: epoch, ageMs, objects } of survey.trash) {
    for (const [digest, { sizeBytes, mtimeMs }] of objects) {
      if (isKept(digest)) {
        // Where the object is in its place as well, the copy in the trash is only a leftover.
        if (!survey.objects.has(digest)) putBack.push({ epoch, digest })
        else if (ageMs >= options.graceMs) emptied.push({ epoch, digest, sizeBytes })
      } else if (ageMs >= options.graceMs && !isYoung(mtimeMs, options)) {
        emptied.push({ epoch, digest, sizeBytes })
      }
    }
  }
  return { emptied, putBack }
}

/** What the records must say before anything is moved: each artifact that loses its descriptor or a file, and each
 *  object that belongs to none of them. Said again where it was said before, for somebody may be about to say that it
 *  was restored. */
function namesForRecords(survey: Survey, collect: readonly DoomedObject[], forSize: readonly Digest[]): Digest[] {
  const doomed = new Set(collect.map((object) => object.digest))
  const names = new Set<Digest>(forSize)
  const explained = new Set<Digest>()
  for (const artifact of new Set([...survey.artifacts, ...doomed])) {
    const files = survey.descriptorOf(artifact)?.files
    if (!files) continue
    if (!doomed.has(artifact) && !files.some((file) => doomed.has(file.digest))) continue
    names.add(artifact)
    for (const file of files) explained.add(file.digest)
  }
  for (const artifact of forSize)
    for (const file of survey.descriptorOf(artifact)?.files ?? []) explained.add(file.digest)
  for (const digest of doomed) if (!explained.has(digest)) names.add(digest)
  return [...names].sort()
}

function isMissing(survey: Survey, digest: Digest): boolean {
  if (survey.objects.has(digest) || survey.isEvicted(digest)) return false
  return !survey.trash.some((epoch) => epoch.objects.has(digest))
}

function sum(objects: readonly { sizeBytes: number }[]): number {
  return objects.reduce((total, { sizeBytes }) => total + sizeBytes, 0)
}

export interface WhyAlive {
  readonly label: string
  /** The artifact that holds the object as a file, where the root is not the object itself. */
  readonly through?: Digest
}

/** Every root that keeps an object. An empty list: the next collection takes it, if it is old enough. */
export function whyAlive(store: Store, options: GcOptions, digest: Digest): WhyAlive[] {
  const survey = surveyStore(store, { nowMs: options.nowMs })
  const reasons: WhyAlive[] = []
  for (const root of allRoots(survey, options)) {
    if (root.digest === digest) reasons.push({ label: root.label })
    else if (survey.descriptorOf(root.digest)?.files.some((file) => file.digest === digest)) {
      reasons.push({ label: root.label, through: root.digest })
    }
  }
  if (reasons.length > 0) return reasons
  for (const root of youngArtifacts(survey, options)) {
    if (survey.descriptorOf(root.digest)?.files.some((file) => file.digest === digest)) {
      reasons.push({ label: root.label, through: root.digest })
    }
  }
  const there = survey.objects.get(digest)
  if (there && isYoung(there.mtimeMs, options)) reasons.push({ label: youngLabel })
  return reasons
}
