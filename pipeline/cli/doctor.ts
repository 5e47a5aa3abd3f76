import { accessSync, constants, existsSync, statfsSync } from 'node:fs'
import { availableParallelism, totalmem } from 'node:os'
import { dirname } from 'node:path'
import { Fault, type FaultCode } from '../../lib/fault.ts'
import { listSnapshots, readSnapshot } from '../../snapshots/snapshotFolder.ts'
import { defineCommand } from './command.ts'
import type { Context, Digest, Store } from './context.ts'
import { plural, sizeText } from './human.ts'
import { type Check, renderChecks } from './renderChecks.ts'
import { faultIn } from './renderFault.ts'
import { listRunIds, readRunSummary } from './storedRuns.ts'

export const doctor = defineCommand({
  name: 'doctor',
  summary: 'Check the environment and the health of the store',
  about:
    'Each check is ok, a warning or a failure, and says what to do. It changes nothing. For the bytes themselves see "pipe verify".',
  args: {},
  flags: {},
  examples: [
    { line: 'pipe doctor', says: 'everything at a glance' },
    { line: 'pipe doctor --root /data/pipe', says: 'another store' },
  ],
  json: '{"checks": [{"name", "state": "ok"|"warn"|"fail", "says", "todo"}], "ok"}',
  async run(context) {
    const checks = [...checkRuntime(), ...(await checkProject(context)), ...(await checkRoot(context))]
    context.out.print(renderChecks(checks, context.out.style))
    const failed = checks.find((check) => check.state === 'fail')
    context.out.printJson({
      checks: checks.map(({ name, state, says, todo }) => ({ name, state, says, todo: todo ?? null })),
      ok: failed === undefined,
    })
    return failed?.code ?? 'ok'
  },
})

function checkRuntime(): Check[] {
  const [major, minor] = process.versions.node.split('.').map(Number) as [number, number]
  const supported = major > 20 || (major === 20 && minor >= 19)
  const memoryBytes = totalmem()
  return [
    supported
      ? { name: 'node', state: 'ok', says: process.version }
      : {
          name: 'node',
          state: 'fail',
          code: 'usage',
          says: `${process.version} is older than 20.19`,
          todo: 'install Node 20.19 or newer',
        },
    {
      name: 'machine',
      state: memoryBytes < 2 * 2 ** 30 ? 'warn' : 'ok',
      says: `${plural(availableParallelism(), 'core')}, ${sizeText(memoryBytes)} of memory, ${process.platform}-${process.arch}`,
      ...(memoryBytes < 2 * 2 ** 30
        ? { todo: 'set memoryMb in pipe.config.ts low enough, and run with --workers 1' }
        : {}),
    },
  ]
}

async function checkProject(context: Context): Promise<Check[]> {
  try {
    const world = await context.openWorld({ readOnly: true })
    try {
      const targets = await world.engine.targets()
      return [
        { name: 'project', state: 'ok', says: world.project.configFile },
        {
          name: 'pipeline',
          state: 'ok',
          says: `${world.pipeline.name}, ${plural(targets.length, 'target')}: ${targets.slice(0, 6).join(', ')}`,
        },
      ]
    } finally {
      await world.close()
    }
  } catch (error) {
    const fault = faultIn(error)
    if (!fault) throw error
    if (fault.code === 'noStore') return [] // the store's own checks say it better
    const isAbsent = fault.what.startsWith('there is no pipe.config')
    return [{ name: 'project', state: isAbsent ? 'warn' : 'fail', ...fromFault(fault) }]
  }
}

async function checkRoot(context: Context): Promise<Check[]> {
  try {
    const { store, root, close } = await context.openRoot({ readOnly: true })
    try {
      return [
        { name: 'store', state: 'ok', says: root },
        ...checkDisk(root),
        ...checkRecords(store),
        ...checkSnapshots(store),
        ...checkRuns(root),
      ]
    } finally {
      await close()
    }
  } catch (error) {
    const fault = faultIn(error)
    if (!fault) throw error
    const isAbsent = fault.code === 'noStore' && fault.where !== undefined && !existsSync(fault.where)
    return [{ name: 'store', state: isAbsent ? 'warn' : 'fail', ...fromFault(fault) }]
  }
}

function fromFault(fault: Fault): Omit<Check, 'name' | 'state'> {
  const says = fault.where === undefined ? fault.what : `${fault.what}: ${fault.where}`
  return { says, code: fault.code, ...(fault.todo === undefined ? {} : { todo: fault.todo }) }
}

const littleSpaceBytes = 2 * 2 ** 30

function checkDisk(root: string): Check[] {
  const disk = statfsSync(root)
  const freeBytes = disk.bavail * disk.bsize
  const checks: Check[] = [
    freeBytes < littleSpaceBytes
      ? {
          name: 'disk',
          state: 'warn',
          says: `only ${sizeText(freeBytes)} free`,
          todo: '"pipe gc --dry-run" shows what the store can give back',
        }
      : { name: 'disk', state: 'ok', says: `${sizeText(freeBytes)} free` },
  ]
  if (disk.files > 0 && disk.ffree < 100_000) {
    checks.push({
      name: 'inodes',
      state: 'warn',
      says: `only ${plural(disk.ffree, 'file')} more fit on this disk`,
      todo: 'free some with "pipe gc", or move the store',
    })
  }
  try {
    accessSync(root, constants.W_OK)
  } catch {
    checks.push({
      name: 'rights',
      state: 'warn',
      says: 'the store can be read and not written',
      todo: `run as its owner, or name another store with --root: ${dirname(root)}`,
    })
  }
  return checks
}

function checkRecords(store: Store): Check[] {
  const { records } = store
  const damage = records.damage()
  const disputes = records.disputes()
  const quarantined = stillQuarantined(store)
  const leases = store.leases.live(undefined)
  return [
    damage.length === 0
      ? { name: 'records', state: 'ok', says: plural(records.count, 'record') }
      : {
          name: 'records',
          state: 'fail',
          code: 'corrupt',
          says: `${plural(damage.length, 'stretch', 'stretches')} of the record files ${damage.length === 1 ? 'is' : 'are'} damaged; the rest serves`,
          todo: 'what was recorded there runs again; check the disk',
        },
    disputes.length === 0
      ? { name: 'determinism', state: 'ok', says: 'no key is disputed' }
      : {
          name: 'determinism',
          state: 'warn',
          says: plural(disputes.length, 'disputed key'),
          todo: '"pipe resolve" lists them',
        },
    quarantined === 0
      ? { name: 'quarantine', state: 'ok', says: 'nothing damaged is missing' }
      : {
          name: 'quarantine',
          state: 'warn',
          says: `${plural(quarantined, 'object')} found damaged and not made again`,
          todo: '"pipe verify" says what they hit; "pipe run" makes again what can be made',
        },
    {
      name: 'leases',
      state: 'ok',
      says:
        leases.length === 0
          ? 'nobody else is at work'
          : leases.map((lease) => `${lease.purpose} (pid ${lease.owner?.pid ?? '?'})`).join(', '),
    },
  ]
}

/** Objects that were moved aside and are not back in their place. */
function stillQuarantined(store: Store): number {
  const found = new Set<Digest>()
  store.records.scan('quarantined', (record) => found.add(record.key))
  return [...found].filter((digest) => !store.hasObject(digest)).length
}

function checkSnapshots(store: Store): Check[] {
  const names = listSnapshots(store.root)
  const damaged: string[] = []
  for (const name of names) {
    try {
      readSnapshot(store.root, name)
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      damaged.push(name)
    }
  }
  if (damaged.length === 0) return [{ name: 'snapshots', state: 'ok', says: plural(names.length, 'snapshot') }]
  const code: FaultCode = 'corrupt'
  return [
    {
      name: 'snapshots',
      state: 'fail',
      code,
      says: `damaged: ${damaged.join(', ')}`,
      todo: `see "pipe verify ${damaged[0]}"; import a bundle of it again, or give it up with "pipe snapshot rm"`,
    },
  ]
}

function checkRuns(root: string): Check[] {
  const ids = listRunIds(root)
  const newest = ids[0] === undefined ? undefined : readRunSummary(root, ids[0])
  if (newest === undefined) return [{ name: 'runs', state: 'ok', says: 'no run yet' }]
  const says = `${plural(ids.length, 'run')}, the newest ended ${newest.outcome}`
  if (newest.outcome === 'ok') return [{ name: 'runs', state: 'ok', says }]
  return [{ name: 'runs', state: 'warn', says, todo: 'run the same command again: what is finished is kept' }]
}
