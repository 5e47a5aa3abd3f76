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
}

/** A zip by hand, so that it can lie about everything. */
function zip(content: Uint8Array, lies: Lies = {}): Buffer {
  const name = Buffer.from(lies.name ?? 'BTCUSDT-1m-2026-01.csv')
  const method = lies.method ?? 8
  const packed = method === 8 ? deflateRawSync(content) : content
  const local = Buffer.alloc(30)
  local.writeUInt32LE(0x04034b50, 0)
  local.writeUInt16LE(method, 8)
  local.writeUInt16LE(name.length, 26)
  const entry = Buffer.alloc(46)
  entry.writeUInt32LE(0x02014b50, 0)
  entry.writeUInt16LE(lies.flags ?? 0, 8)
  entry.writeUInt16LE(method, 10)
  entry.writeUInt32LE(lies.crc ?? crc32(content), 16)
  entry.writeUInt32LE(lies.packedSizeBytes ?? packed.length, 20)
  entry.writeUInt32LE(lies.sizeBytes ?? content.length, 24)
  entry.writeUInt16LE(name.length, 28)
  entry.writeUInt32LE(lies.local ?? 0, 42)
  const comment = Buffer.from(lies.comment ?? '')
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(lies.entries ?? 1, 8)
  end.writeUInt16LE(lies.entries ?? 1, 10)
  end.writeUInt32LE(46 + name.length, 12)
  end.writeUInt32LE(30 + name.length + packed.length, 16)
  end.writeUInt16LE(comment.length, 20)
  return Buffer.concat([local, name, packed, entry, name, end, comment])
}

const rows = Buffer.from('1,2,3\n'.repeat(5000))

/** Every way a zip is read. */
const inPieces = (atOnceMax: number) => (bytes: Uint8Array, max?: number) => {
  const file = openSingleFileZip(bytesSource(bytes), 'x.zip', max, atOnceMax)
  return { name: file.name, bytes: Buffer.concat([...copies(file.pieces())]) }
}
const readers = {
  'all at once': (bytes: Uint8Array, max?: number) => readSingleFileZip(bytes, 'x.zip', max),
  'in pieces': inPieces(2 ** 27),
  'in pieces, in flat memory': inPieces(0),
}
function* copies(pieces: Iterable<Uint8Array>): Generator<Uint8Array> {
  for (const piece of pieces) yield Uint8Array.from(piece)
}

for (const [how, read] of Object.entries(readers)) {
  describe(`a zip read ${how}`, () => {
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

    const hostile: { says: string; bytes: () => Uint8Array; why: RegExp; max?: number }[] = [
      { says: 'nothing', bytes: () => Buffer.alloc(0), why: /no directory/ },
      { says: 'a page', bytes: () => Buffer.from('<html>not found</html>'), why: /no directory/ },
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
      { says: 'sizes of more than 4 GB', bytes: () => zip(rows, { sizeBytes: 0xffffffff }), why: /more than 4 GB/ },
    ]
    for (const { says, bytes, why, max } of hostile) {
      test(`is refused when it is or holds ${says}`, () => {
        expect(() => read(bytes(), max)).toThrow(why)
        expect(() => read(bytes(), max)).toThrow(Fault)
      })
    }

    test('with any byte changed is refused, or says what it said', () => {
      const right = zip(rows)
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
