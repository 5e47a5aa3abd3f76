import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { digestOf } from '../../cas/digest.ts'
import {
  decodeSeal,
  encodeGroup,
  encodeSeal,
  entryPayload,
  groupAt,
  type RawEntry,
  segmentMagic,
} from '../../cas/segment.ts'
import { scanGroups } from '../../cas/segmentScan.ts'

const raw = (name: string, options: { artifact?: boolean; payload?: string } = {}): RawEntry => ({
  kind: 1,
  sequence: name.length,
  recordedAtMs: 1_700_000_000_000,
  key: Buffer.from(digestOf(name), 'hex'),
  artifact: options.artifact ? Buffer.from(digestOf(`artifact of ${name}`), 'hex') : undefined,
  payload: options.payload === undefined ? undefined : Buffer.from(options.payload),
})

/** Groups of one to three entries, as a writer would append them. */
function segmentOf(names: readonly string[]): { bytes: Buffer; groupEnds: number[] } {
  const groups: Buffer[] = []
  for (let i = 0; i < names.length; ) {
    const count = 1 + (i % 3)
    const entries = names.slice(i, i + count).map((name) => raw(name, { artifact: i % 2 === 0, payload: `"${name}"` }))
    groups.push(encodeGroup(entries, groups.length))
    i += count
  }
  let end = 0
  return { bytes: Buffer.concat(groups), groupEnds: groups.map((group) => (end += group.length)) }
}

function namesIn(bytes: Buffer, sealed: boolean): { names: string[]; damage: number; end: number } {
  const names: string[] = []
  const scan = scanGroups(bytes, { from: 0, groupIndex: 0, sealed }, (at, length) => {
    names.push(JSON.parse(entryPayload(bytes, at, length)!.toString()) as string)
  })
  return { names, damage: scan.damage.length, end: scan.end }
}

const someNames = fc.uniqueArray(
  fc.string({ minLength: 1, maxLength: 40 }).filter((name) => !/["\\]/.test(name)),
  { minLength: 1, maxLength: 30 },
)

describe('a record segment', () => {
  test('gives back what was appended', () => {
    fc.assert(
      fc.property(someNames, fc.boolean(), (names, sealed) => {
        const { bytes } = segmentOf(names)
        expect(namesIn(bytes, sealed)).toEqual({ names, damage: 0, end: bytes.length })
      }),
    )
  })

  test('cut anywhere, gives all groups before the cut, and no damage while it is unsealed', () => {
    fc.assert(
      fc.property(someNames, fc.double({ min: 0, max: 1, noNaN: true }), (names, share) => {
        const { bytes, groupEnds } = segmentOf(names)
        const cut = Math.floor(bytes.length * share)
        const end = groupEnds.filter((each) => each <= cut).at(-1) ?? 0
        const whole = namesIn(bytes.subarray(0, end), false).names
        expect(namesIn(bytes.subarray(0, cut), false)).toEqual({ names: whole, damage: 0, end })
        expect(namesIn(bytes.subarray(0, cut), true).damage).toBe(cut === end ? 0 : 1)
      }),
    )
  })

  test('with the end of an append lost as zeros, as a power cut leaves it, is not called damaged', () => {
    const { bytes, groupEnds } = segmentOf(['a', 'b', 'c', 'd', 'e', 'f'])
    const start = groupEnds.at(-2)!
    bytes.fill(0, start + 30)
    expect(namesIn(bytes, false)).toMatchObject({ damage: 0, end: start })
  })

  test('with flipped bits, never gives a wrong entry, loses at most what was hit, and says so', () => {
    fc.assert(
      fc.property(someNames, fc.nat(), fc.integer({ min: 1, max: 255 }), (names, where, flip) => {
        const { bytes, groupEnds } = segmentOf(names)
        const at = where % bytes.length
        bytes[at]! ^= flip
        const found = namesIn(bytes, false)
        const expected = new Set(names)
        for (const name of found.names) expect(expected.has(name)).toBe(true)
        const inLastGroup = at >= (groupEnds.at(-2) ?? 0)
        // A bad last group of an unsealed segment is an append that did not finish.
        if (!inLastGroup) {
          expect(found.damage).toBe(1)
          // One flip hits one entry, or none; but an entry whose length is hit may hide those behind it in its group.
          expect(found.names.length).toBeGreaterThanOrEqual(names.length - 3)
        }
        expect(namesIn(bytes, true).damage).toBe(1)
      }),
      { numRuns: 500 },
    )
  })

  test('saves the good entries of a damaged group', () => {
    const group = encodeGroup(
      ['a', 'b', 'c'].map((name) => raw(name, { payload: `"${name}"` })),
      0,
    )
    group[24 + 10]! ^= 1 // inside the digest of the first entry
    expect(namesIn(group, true)).toMatchObject({ names: ['b', 'c'], damage: 1 })
  })

  test('notices a group that was cut out', () => {
    const { bytes, groupEnds } = segmentOf(['a', 'b', 'c', 'd', 'e', 'f', 'g'])
    const gap = Buffer.concat([bytes.subarray(0, groupEnds[0]), bytes.subarray(groupEnds[1])])
    expect(namesIn(gap, false).damage).toBe(1)
  })

  test('made of noise, gives nothing and does not hang', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 20_000 }), (sizeBytes) => {
        expect(namesIn(randomBytes(sizeBytes), false).names).toEqual([])
      }),
      { numRuns: 30 },
    )
  })

  test('has a seal that is whole or nothing', () => {
    const seal = { sizeBytes: 12345, groupCount: 7, sha256: randomBytes(32) }
    const preamble = Buffer.concat([segmentMagic, encodeSeal(seal)])
    expect(decodeSeal(preamble)).toEqual(seal)
    expect(decodeSeal(Buffer.concat([segmentMagic, Buffer.alloc(64)]))).toBe('unsealed')
    fc.assert(
      fc.property(fc.integer({ min: 16, max: 79 }), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const bent = Buffer.from(preamble)
        bent[at]! ^= flip
        expect(decodeSeal(bent)).toBe('damaged')
      }),
    )
  })

  test('has no group where a length points beyond the end', () => {
    const { bytes } = segmentOf(['a'])
    bytes.writeUInt32LE(0xffffffff, 12)
    expect(groupAt(bytes, 0)).toBeUndefined()
  })
})
