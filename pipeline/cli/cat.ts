import { closeSync, openSync, readSync } from 'node:fs'
import { Fault } from '../../lib/fault.ts'
import { didYouMean } from '../../lib/nearMatch.ts'
import { defineCommand } from './command.ts'
import type { Digest, Store } from './context.ts'
import { arg, flag } from './flag.ts'
import { shortId, sizeText } from './human.ts'
import { findArtifact } from './names.ts'
import type { Out } from './out.ts'
import type { Style } from './style.ts'
import type { TablePreview } from './tablePreview.ts'

export const cat = defineCommand({
  name: 'cat',
  summary: 'Print what an artifact holds: a preview of a table, or bytes',
  about:
    'A table is shown as text, a JSON value formatted. Of several files one must be named; --raw gives bytes as they are stored.',
  args: { what: arg.one('An address, a target, or the beginning of a hash', { completes: 'address' }) },
  flags: {
    snapshot: flag.text('Look in this snapshot', { hint: 'name', completes: 'snapshot' }),
    file: flag.text('Which file of the artifact'),
    raw: flag.boolean('The bytes as they are stored'),
    rows: flag.integerOr('Rows to show of a table, half from each end; 0 shows all', 20, { short: 'n', min: 0 }),
    columns: flag.texts('Only these columns', { short: 'c', hint: 'name' }),
  },
  examples: [
    { line: "pipe cat 'buildMinute[BTCUSDT,2026-04]'", says: 'the first and last rows of a table' },
    { line: 'pipe cat report --file report.html --raw > report.html', says: 'a file as it is' },
    { line: 'pipe cat metrics --json | jq .value', says: 'a JSON artifact for a program' },
  ],
  json: '{"artifact", "type", "file", "sizeBytes"} and one of "table": {"columns": [{"name", "kind", "unit"}], "rowCount", "rows": [[text]], "skipped"}, "value": any, "base64": text',
  async run(context, values) {
    const { store, close } = await context.openRoot({ readOnly: true })
    try {
      const { artifact } = findArtifact(store, values.what, values.snapshot)
      const file = chooseFile(store, artifact, values.file, values.what)
      const { out } = context
      if (values.raw) return copyBytes(file, out)
      await printFile(file, { mostRows: values.rows, columns: values.columns }, out)
      return 'ok'
    } finally {
      await close()
    }
  },
})

interface ChosenFile {
  readonly artifact: Digest
  readonly type: string
  readonly name: string
  readonly sizeBytes: number
  readonly path: string
}

function chooseFile(store: Store, artifact: Digest, asked: string | undefined, what: string): ChosenFile {
  const { type, files } = store.readDescriptor(artifact)
  const names = files.map((file) => file.name)
  if (asked === undefined && files.length > 1) {
    throw new Fault({
      code: 'usage',
      what: `it has ${files.length} files`,
      where: what,
      todo: `name one with --file: ${names.slice(0, 5).join(', ')}${names.length > 5 ? ', …' : ''}`,
    })
  }
  const file = asked === undefined ? files[0] : files.find((candidate) => candidate.name === asked)
  if (file === undefined) {
    throw new Fault({
      code: 'usage',
      what: asked === undefined ? 'it has no file' : `it has no file "${asked}"${didYouMean(asked, names)}`,
      where: what,
      todo: names.length === 0 ? undefined : `its files: ${names.slice(0, 5).join(', ')}`,
    })
  }
  const path = store.locate(file.digest)
  if (path !== undefined) return { artifact, type, name: file.name, sizeBytes: file.sizeBytes, path }
  const evicted = store.artifactPresence(artifact) === 'evicted'
  throw new Fault({
    code: evicted ? 'unverifiable' : 'corrupt',
    what: evicted
      ? 'its bytes were evicted'
      : `the bytes of ${file.name} are gone, and nothing says that they were evicted`,
    where: what,
    todo: 'name it as a target, which brings them back: pipe run <address>',
  })
}

async function printFile(
  file: ChosenFile,
  preview: { readonly mostRows: number; readonly columns: readonly string[] },
  out: Out,
): Promise<void> {
  const about = { artifact: file.artifact, type: file.type, file: file.name, sizeBytes: file.sizeBytes }
  if (file.name.endsWith('.parquet')) {
    const { previewTable, renderPreview } = await import('./tablePreview.ts')
    const readAt = fileReader(file.path)
    try {
      const table: TablePreview = previewTable({ sizeBytes: file.sizeBytes, readAt: readAt.read }, preview)
      out.print(renderPreview(table, out.style))
      out.printJson({ ...about, table })
    } finally {
      readAt.close()
    }
    return
  }
  const bytes = readWhole(file)
  if (file.name.endsWith('.json')) {
    const value = JSON.parse(new TextDecoder().decode(bytes)) as unknown
    out.print(JSON.stringify(value, null, 2))
    out.printJson({ ...about, value })
    return
  }
  out.printJson({ ...about, base64: Buffer.from(bytes).toString('base64') })
  if (!out.json) printText(bytes, file, out, out.style)
}

/** Text is printed; what would garble a terminal is named instead. */
function printText(bytes: Uint8Array, file: ChosenFile, out: Out, style: Style): void {
  const text = new TextDecoder('utf-8', { fatal: true })
  try {
    const decoded = text.decode(bytes)
    if (!decoded.includes('\0')) {
      out.writeText(decoded)
      return
    }
  } catch {
    // Not text.
  }
  out.print(`${file.name}: ${sizeText(file.sizeBytes)} of bytes that are no text, in ${shortId(file.artifact)}`)
  out.print(style.dim('--raw writes them as they are'))
}

const chunkSizeBytes = 1 << 20

function copyBytes(file: ChosenFile, out: Out): 'ok' {
  const reader = fileReader(file.path)
  try {
    for (let offset = 0; offset < file.sizeBytes && !out.closed; offset += chunkSizeBytes) {
      out.write(reader.read(offset, Math.min(chunkSizeBytes, file.sizeBytes - offset)))
    }
  } finally {
    reader.close()
  }
  return 'ok'
}

const largestPrinted = 256 << 20

function readWhole(file: ChosenFile): Uint8Array {
  if (file.sizeBytes > largestPrinted) {
    throw new Fault({
      code: 'usage',
      what: `${file.name} has ${sizeText(file.sizeBytes)}, too much to print`,
      todo: `write it to a file: pipe cat ${shortId(file.artifact)} --file ${file.name} --raw > ${file.name}`,
    })
  }
  const reader = fileReader(file.path)
  try {
    return reader.read(0, file.sizeBytes)
  } finally {
    reader.close()
  }
}

function fileReader(path: string): { read(offset: number, length: number): Uint8Array; close(): void } {
  const fd = openSync(path, 'r')
  return {
    read(offset, length) {
      const bytes = new Uint8Array(length)
      for (let done = 0; done < length; ) {
        const count = readSync(fd, bytes, done, length - done, offset + done)
        if (count === 0)
          throw new Fault({ code: 'corrupt', what: 'the file ends too early', where: path, todo: 'run "pipe verify"' })
        done += count
      }
      return bytes
    },
    close: () => closeSync(fd),
  }
}
