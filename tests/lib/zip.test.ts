import { crc32, deflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Fault } from '../../lib/fault.ts'
import { bytesSource, openSingleFileZip, readSingleFileZip } from '../../lib/zip.ts'

type Lies = {
  name?: string
  method?: number
  flags?: number
  sizeBytes?: number
  packedSizeBytes?: number
  crc?: number
  entries?: number
  local?: number
  comment?: string
  /** Zip64: every number that may stand elsewhere does, and there says the truth but for these. */
  wide?: {
    sizeBytes?: bigint
    packedSizeBytes?: bigint
    local?: bigint
    entries?: bigint
    entriesHere?: bigint
    directoryAt?: bigint
    endAt?: bigint
    parts?: number
    /** Bytes of the entry's field that are there. */
    fieldSizeBytes?: number
    fieldId?: number
    /** What the plain end tells of the number of files. */
    plainEntries?: number
    hasLocator?: boolean
  }
}

/** A zip by hand, so that it can lie about everything. */
function zip(content: Uint8Array, lies: Lies = {}): Buffer {
  const { wide } = lies
  const name = Buffer.from(lies.name ?? 'BTCUSDT-1m-2026-01.csv')
  const method = lies.method ?? 8
  const packed = method === 8 ? deflateRawSync(content) : content
  const local = Buffer.alloc(30)
  local.writeUInt32LE(0x04034b50, 0)
  local.writeUInt16LE(method, 8)
  local.writeUInt16LE(name.length, 26)
  // Another program's field first, which is not ours to read.
  const fields = wide === undefined ? Buffer.alloc(0) : Buffer.alloc(8 + 4 + (wide.fieldSizeBytes ?? 24))
  if (wide !== undefined) {
    fields.writeUInt16LE(0x5455, 0)
    fields.writeUInt16LE(4, 2)
    fields.writeUInt16LE(wide.fieldId ?? 1, 8)
    fields.writeUInt16LE(fields.length - 12, 10)
    const numbers = [
      wide.sizeBytes ?? BigInt(content.length),
      wide.packedSizeBytes ?? BigInt(packed.length),
      wide.local ?? 0n,
    ]
    numbers.forEach((value, i) => {
      if (12 + 8 * i + 8 <= fields.length) fields.writeBigUInt64LE(value, 12 + 8 * i)
    })
  }
  const entry = Buffer.alloc(46)
  entry.writeUInt32LE(0x02014b50, 0)
  entry.writeUInt16LE(lies.flags ?? 0, 8)
  entry.writeUInt16LE(method, 10)
  entry.writeUInt32LE(lies.crc ?? crc32(content), 16)
  const told = wide === undefined ? undefined : 0xffffffff
  entry.writeUInt32LE(told ?? lies.packedSizeBytes ?? packed.length, 20)
  entry.writeUInt32LE(told ?? lies.sizeBytes ?? content.length, 24)
  entry.writeUInt16LE(name.length, 28)
  entry.writeUInt16LE(fields.length, 30)
  entry.writeUInt32LE(told ?? lies.local ?? 0, 42)
  const directoryAt = 30 + name.length + packed.length
  const directorySize = 46 + name.length + fields.length
  const wideEnd = Buffer.alloc(wide === undefined ? 0 : 56 + (wide.hasLocator === false ? 0 : 20))
  if (wide !== undefined) {
    wideEnd.writeUInt32LE(0x06064b50, 0)
    wideEnd.writeBigUInt64LE(44n, 4)
    wideEnd.writeBigUInt64LE(wide.entriesHere ?? wide.entries ?? 1n, 24)
    wideEnd.writeBigUInt64LE(wide.entries ?? 1n, 32)
    wideEnd.writeBigUInt64LE(BigInt(directorySize), 40)
    wideEnd.writeBigUInt64LE(wide.directoryAt ?? BigInt(directoryAt), 48)
    if (wide.hasLocator !== false) {
      wideEnd.writeUInt32LE(0x07064b50, 56)
      wideEnd.writeBigUInt64LE(wide.endAt ?? BigInt(directoryAt + directorySize), 64)
      wideEnd.writeUInt32LE(wide.parts ?? 1, 72)
    }
  }
  const comment = Buffer.from(lies.comment ?? '')
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(wide === undefined ? (lies.entries ?? 1) : (wide.plainEntries ?? 0xffff), 8)
  end.writeUInt16LE(wide === undefined ? (lies.entries ?? 1) : (wide.plainEntries ?? 0xffff), 10)
  end.writeUInt32LE(told ?? directorySize, 12)
  end.writeUInt32LE(told ?? directoryAt, 16)
  end.writeUInt16LE(comment.length, 20)
  return Buffer.concat([local, name, packed, entry, name, fields, wideEnd, end, comment])
}

const rows = Buffer.from('1,2,3\n'.repeat(5000))

/** Every way a zip is read. */
const inPieces = (bytes: Uint8Array, max?: number) => {
  const file = openSingleFileZip(bytesSource(bytes), 'x.zip', max)
  return { name: file.name, bytes: Buffer.concat([...copies(file.pieces())]) }
}
const readers = {
  'all at once': (bytes: Uint8Array, max?: number) => readSingleFileZip(bytes, 'x.zip', max),
  'in pieces, in flat memory': inPieces,
}
function* copies(pieces: Iterable<Uint8Array>): Generator<Uint8Array> {
  for (const piece of pieces) yield Uint8Array.from(piece)
}

for (const [how, read] of Object.entries(readers)) {
  describe(`a zip read ${how}`, () => {
    test('gives a file beyond the room that is set aside for one, and none that is longer than declared', () => {
      const long = Buffer.alloc(2 ** 24 + 7, 'a line that comes again and again\n')
      expect(long.equals(read(zip(long)).bytes)).toBe(true)
      for (const sizeBytes of [long.length - 1, long.length - 7, long.length - 8, 2 ** 23]) {
        expect(() => read(zip(long, { sizeBytes }))).toThrow(Fault)
      }
    })

    test('gives its one file, packed or not, with a comment behind it or none', () => {
      for (const method of [0, 8]) {
        for (const comment of ['', 'published by nobody']) {
          const { name, bytes } = read(zip(rows, { method, comment }))
          expect(name).toBe('BTCUSDT-1m-2026-01.csv')
          expect(Buffer.from(bytes).equals(rows)).toBe(true)
        }
      }
      expect(read(zip(Buffer.alloc(0))).bytes.length).toBe(0)
    })

    test('may have the form for more than 4 GB, whole or in part', () => {
      for (const comment of ['', 'published by nobody']) {
        for (const plainEntries of [0xffff, 1]) {
          const { name, bytes } = read(zip(rows, { comment, wide: { plainEntries } }))
          expect(name).toBe('BTCUSDT-1m-2026-01.csv')
          expect(Buffer.from(bytes).equals(rows)).toBe(true)
        }
      }
    })

    const hostile: { says: string; bytes: () => Uint8Array; why: RegExp; max?: number }[] = [
      { says: 'nothing', bytes: () => Buffer.alloc(0), why: /it is empty/ },
      {
        says: 'a page',
        bytes: () => Buffer.from('<html>not found</html>'),
        why: /no directory.*Its 22 bytes begin with 3c68746d6c3e6e6f7420666f756e643c/,
      },
      {
        says: 'a bomb that tells its size',
        bytes: () => zip(Buffer.alloc(5_000_000)),
        why: /unpacks to 5000000 bytes, more/,
        max: 1_000_000,
      },
      {
        says: 'a bomb that hides its size',
        bytes: () => zip(Buffer.alloc(5_000_000), { sizeBytes: 100 }),
        why: /not unpack|more than the 100/,
      },
      {
        says: 'fewer bytes than it tells',
        bytes: () => zip(rows, { sizeBytes: rows.length + 5 }),
        why: /unpacks to 30000 bytes and declares 30005/,
      },
      {
        says: 'one byte more than it tells',
        bytes: () => zip(rows, { sizeBytes: rows.length - 1 }),
        why: /unpacks to 30000 bytes|more than the 29999/,
      },
      { says: 'a path that climbs', bytes: () => zip(rows, { name: '../../etc/passwd' }), why: /names its file/ },
      { says: 'an absolute path', bytes: () => zip(rows, { name: '/etc/passwd' }), why: /names its file/ },
      { says: 'a drive', bytes: () => zip(rows, { name: 'C:\\x.csv' }), why: /names its file/ },
      { says: 'a hidden name', bytes: () => zip(rows, { name: '.profile' }), why: /names its file/ },
      { says: 'a name with a zero byte', bytes: () => zip(rows, { name: 'a.csv\0.exe' }), why: /names its file/ },
      { says: 'two files', bytes: () => zip(rows, { entries: 2 }), why: /holds 2 files/ },
      { says: 'no file', bytes: () => zip(rows, { entries: 0 }), why: /holds 0 files/ },
      { says: 'a wrong checksum', bytes: () => zip(rows, { crc: 1 }), why: /checksum of its file is wrong/ },
      { says: 'encryption', bytes: () => zip(rows, { flags: 1 }), why: /encrypted/ },
      { says: 'another packing', bytes: () => zip(rows, { method: 12 }), why: /packing method is 12/ },
      { says: 'a file that begins elsewhere', bytes: () => zip(rows, { local: 7 }), why: /does not begin where/ },
      { says: 'a file that is its own directory', bytes: () => zip(rows, { packedSizeBytes: 60_000 }), why: /cut off/ },
      { says: 'half of itself', bytes: () => zip(rows).subarray(0, 60), why: /no directory/ },
      {
        says: 'a size of more than 4 GB that stands nowhere',
        bytes: () => zip(rows, { sizeBytes: 0xffffffff }),
        why: /does not tell a size/,
      },
      {
        says: 'a large form without its field',
        bytes: () => zip(rows, { wide: { fieldId: 9 } }),
        why: /does not tell a size/,
      },
      {
        says: 'a large form whose field is cut short',
        bytes: () => zip(rows, { wide: { fieldSizeBytes: 16 } }),
        why: /does not tell a size/,
      },
      {
        says: 'more bytes than can be counted',
        bytes: () => zip(rows, { wide: { sizeBytes: 2n ** 63n } }),
        why: /a size of 9223372036854775808/,
      },
      {
        says: 'more bytes than there are in the world',
        bytes: () => zip(rows, { wide: { sizeBytes: 2n ** 52n } }),
        why: /unpacks to 4503599627370496 bytes, more/,
      },
      {
        says: 'a bomb of 5 GB in the large form',
        bytes: () => zip(rows, { wide: { sizeBytes: 5_000_000_000n } }),
        why: /cannot unpack|unpacks to 5000000000 bytes, more/,
      },
      {
        says: 'packed bytes that reach beyond it, in the large form',
        bytes: () => zip(rows, { wide: { packedSizeBytes: 2n ** 40n } }),
        why: /cut off/,
      },
      {
        says: 'a beginning beyond it, in the large form',
        bytes: () => zip(rows, { wide: { local: 2n ** 40n } }),
        why: /does not begin where/,
      },
      {
        says: 'as many files as a plain zip cannot count',
        bytes: () => zip(rows, { wide: { entries: 70_000n } }),
        why: /holds 70000 files/,
      },
      {
        says: 'two ends that contradict each other',
        bytes: () => zip(rows, { wide: { plainEntries: 1, entries: 2n } }),
        why: /contradict/,
      },
      {
        says: 'files in other parts, in the large form',
        bytes: () => zip(rows, { wide: { entriesHere: 0n } }),
        why: /one part of several/,
      },
      {
        says: 'one of several parts, in the large form',
        bytes: () => zip(rows, { wide: { parts: 2 } }),
        why: /one part of several/,
      },
      {
        says: 'a large end that is nowhere',
        bytes: () => zip(rows, { wide: { endAt: 3n } }),
        why: /end of its directory points nowhere/,
      },
      {
        says: 'a large end beyond it',
        bytes: () => zip(rows, { wide: { endAt: 2n ** 40n } }),
        why: /end of its directory points nowhere/,
      },
      {
        says: 'a large directory that is nowhere',
        bytes: () => zip(rows, { wide: { directoryAt: 5n } }),
        why: /directory points nowhere/,
      },
      {
        says: 'a large form that nothing leads to',
        bytes: () => zip(rows, { wide: { hasLocator: false } }),
        why: /nothing tells where/,
      },
    ]
    for (const { says, bytes, why, max } of hostile) {
      test(`is refused when it is or holds ${says}`, () => {
        expect(() => read(bytes(), max)).toThrow(why)
        expect(() => read(bytes(), max)).toThrow(Fault)
      })
    }

    test.each([
      ['plain', {}],
      ['large', { wide: {} }],
    ])('with any byte changed is refused, or says what it said: the %s form', (_, form) => {
      const right = zip(rows, form)
      fc.assert(
        fc.property(fc.nat(right.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
          const wrong = Buffer.from(right)
          wrong[at]! ^= flip
          let found: Uint8Array | undefined
          try {
            found = read(wrong).bytes
          } catch (error) {
            expect(error).toBeInstanceOf(Fault)
          }
          if (found !== undefined) expect(Buffer.from(found).equals(rows)).toBe(true)
        }),
        { numRuns: 400, seed: 2 },
      )
    })
  })
}

test('a file of more than 4 GB is read in pieces, from the sizes its zip tells in 64 bits', () => {
  // Only what is asked for exists: the head, a piece of the content, the directory.
  const sizeBytes = 5_000_000_000
  const name = 'BTCUSDT-trades-2026-01.csv'
  const wide = { sizeBytes: BigInt(sizeBytes), packedSizeBytes: BigInt(sizeBytes) }
  const small = zip(Buffer.alloc(0), { name, method: 0, crc: 7, wide })
  const head = small.subarray(0, 30 + name.length)
  const tail = Buffer.from(small.subarray(head.length))
  const directoryAt = head.length + sizeBytes
  const wideEnd = tail.length - 22 - 20 - 56
  tail.writeBigUInt64LE(BigInt(directoryAt), wideEnd + 48)
  tail.writeBigUInt64LE(BigInt(directoryAt + wideEnd), wideEnd + 56 + 8)
  const row = Buffer.from('0123456\n')
  const source = {
    sizeBytes: directoryAt + tail.length,
    readAt: (offset: number, lengthBytes: number) =>
      Buffer.from(Array.from({ length: lengthBytes }, (_, i) => byteAt(offset + i))),
  }
  const byteAt = (at: number): number =>
    at < head.length ? head[at]! : at < directoryAt ? row[(at - head.length) % row.length]! : tail[at - directoryAt]!
  const file = openSingleFileZip(source, 'x.zip')
  expect([file.name, file.sizeBytes]).toEqual([name, sizeBytes])
  const first = file.pieces().next().value as Uint8Array
  expect(Buffer.from(first).subarray(0, 16).toString()).toBe('0123456\n0123456\n')
  expect(() => openSingleFileZip(source, 'x.zip', 2 ** 32)).toThrow(/unpacks to 5000000000 bytes, more/)
})
