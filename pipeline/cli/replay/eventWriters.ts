import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { Fault } from '../../../lib/fault.ts'
import { eventTable, eventValues } from '../../../lib/tables/events.ts'
import { tableWriter } from '../../../lib/tables/parquetWriter.ts'
import type { TableOf } from '../../../lib/tables/table.ts'
import type { Out } from '../out.ts'
import { cannotWrite } from '../writeAsked.ts'

type Events = TableOf<typeof eventTable>

/** Takes events in their order, a block at a time, and keeps none of them. */
export interface EventWriter {
  write(events: Events): Promise<void>
  /** How big it became. */
  finish(): { readonly sizeBytes: number }
  /** Leaves nothing behind. */
  abort(): void
  /** Nobody reads any further. */
  readonly closed: boolean
}

/** To a file whose ending says the form, or as lines to standard output. */
export function openEventWriter(path: string | '-', overwrite: boolean, out: Out): EventWriter {
  if (path === '-') return linesTo(out)
  const form = /\.(parquet|jsonl)$/.exec(path)?.[1]
  if (form === undefined) {
    throw new Fault({
      code: 'usage',
      what: `"${path}" says no form`,
      where: '--out',
      todo: 'end it in .parquet or .jsonl, or write - for lines to standard output',
    })
  }
  if (existsSync(path) && !overwrite) {
    throw new Fault({
      code: 'refused',
      what: 'the file is there already',
      where: path,
      todo: 'name another, or say --overwrite',
    })
  }
  const file = openPartial(path)
  if (form === 'jsonl') {
    return { ...file, closed: false, write: async (events) => file.add(Buffer.from(linesOf(events))) }
  }
  const table = tableWriter(eventTable, file.add)
  return {
    ...file,
    closed: false,
    write: async (events) => table.append(events),
    finish: () => {
      table.finish()
      return file.finish()
    },
  }
}

/** A file under another name until it is whole: half a stream is never taken for one. */
function openPartial(path: string) {
  const partial = `${path}.partial`
  const fd = openFile(partial)
  let sizeBytes = 0
  return {
    add(bytes: Uint8Array): void {
      orFault(path, () => {
        for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done)
      })
      sizeBytes += bytes.length
    },
    finish() {
      orFault(path, () => {
        fsyncSync(fd)
        closeSync(fd)
        renameSync(partial, path)
      })
      return { sizeBytes }
    },
    abort() {
      closeSync(fd)
      rmSync(partial, { force: true })
    },
  }
}

function orFault(path: string, write: () => void): void {
  try {
    write()
  } catch (error) {
    throw cannotWrite(path, error)
  }
}

function openFile(path: string): number {
  try {
    return openSync(path, 'w')
  } catch (error) {
    throw new Fault({
      code: 'usage',
      what: `it cannot be written: ${(error as Error).message}`,
      where: '--out',
      cause: error,
    })
  }
}

function linesTo(out: Out): EventWriter {
  let sizeBytes = 0
  return {
    async write(events) {
      const bytes = Buffer.from(linesOf(events))
      sizeBytes += bytes.length
      out.write(bytes)
      // Whoever reads sets the pace: what a slow reader has not taken must not pile up here.
      await out.flush()
    },
    finish: () => ({ sizeBytes }),
    abort() {},
    get closed() {
      return out.closed
    },
  }
}

/** One JSON object a line, with the values its class has. */
function linesOf({ columns, rowCount }: Events): string {
  const values = eventValues.map((name) => ({ key: `,"${name}":`, of: columns[name] }))
  // A few classes and sources are on millions of lines: their text is made once.
  const heads = new Map<string, string>()
  const headOf = (kind: string, source: string, rank: number): string => {
    const id = `${kind} ${source}`
    const known = heads.get(id)
    if (known !== undefined) return known
    const head = `,"rank":${rank},"class":${JSON.stringify(kind)},"source":${JSON.stringify(source)}`
    heads.set(id, head)
    return head
  }
  let text = ''
  for (let row = 0; row < rowCount; row++) {
    text += `{"tsMs":${columns.tsMs[row]}${headOf(columns.class[row]!, columns.source[row]!, columns.rank[row]!)}`
    const sequence = columns.sequence[row]!
    if (!Number.isNaN(sequence)) text += `,"sequence":${sequence}`
    for (const { key, of } of values) {
      const value = of[row]!
      if (!Number.isNaN(value)) text += key + value
    }
    text += '}\n'
  }
  return text
}
