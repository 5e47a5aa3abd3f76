import { createHash } from 'node:crypto'
import { inflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatScaled } from '../../../lib/decimal.ts'
import { createDeflater } from '../../../lib/sim/archive/deflate.ts'
import type { TextPiece } from '../../../lib/sim/archive/textPiece.ts'
import { createTextWriter, gridFormat } from '../../../lib/sim/archive/textWriter.ts'
import { zipOf } from '../../../lib/sim/archive/zip.ts'

const roundTrip = (...pieces: Uint8Array[]): Buffer => inflated(pieces.map((bytes) => ({ bytes })))
const inflated = (pieces: TextPiece[]): Buffer => {
  const deflater = createDeflater()
  for (const piece of pieces) deflater.add(piece)
  return inflateRawSync(deflater.finish())
}
const csvLike = fc
  .array(fc.array(fc.stringMatching(/^[0-9.]{0,12}$/), { minLength: 1, maxLength: 5 }), { maxLength: 200 })
  .map((rows) => Buffer.from(rows.map((row) => row.join(',')).join('\n')))

describe('the deflater', () => {
  test('gives any bytes back', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 4 }), (pieces) => {
        expect(roundTrip(...pieces)).toEqual(Buffer.concat(pieces))
      }),
    )
  })

  test('gives tables back, also with ragged rows, long repeats and blocks that fill up', () => {
    fc.assert(
      fc.property(csvLike, (csv) => {
        expect(roundTrip(csv)).toEqual(csv)
      }),
    )
    const same = Buffer.from('1,2,3\n'.repeat(50_000))
    expect(roundTrip(same)).toEqual(same)
    const noise = Buffer.from(Array.from({ length: 100_000 }, (_, i) => Math.imul(i, 2654435761) >>> 24))
    expect(roundTrip(noise, same)).toEqual(Buffer.concat([noise, same]))
    const wide = Buffer.from(`${'7'.repeat(40_000)},1\n${'7'.repeat(40_000)},1\n`)
    expect(roundTrip(wide)).toEqual(wide)
  })

  test('a hint that leads nowhere does no harm', () => {
    const echoes = (length: number) =>
      fc
        .uniqueArray(fc.tuple(fc.integer({ min: 1, max: length - 1 }), fc.nat()), { selector: ([at]) => at })
        .map((pairs) => pairs.sort(([a], [b]) => a - b))
        .map((pairs) => Int32Array.from(pairs.flatMap(([at, from]) => [at, from % at])))
    const hinted = fc
      .array(fc.constantFrom(44, 48, 49, 255), { minLength: 2, maxLength: 3000 })
      .chain((bytes) => fc.record({ bytes: fc.constant(Uint8Array.from(bytes)), echoes: echoes(bytes.length) }))
    fc.assert(
      fc.property(fc.array(hinted, { maxLength: 4 }), (pieces) => {
        expect(inflated(pieces)).toEqual(Buffer.concat(pieces.map(({ bytes }) => bytes)))
      }),
    )
    const far = Uint8Array.from({ length: 70_000 }, (_, i) => i >> 7)
    const everywhere = Int32Array.of(32_767, 0, 32_768, 0, 32_769, 0, 69_999, 1)
    expect(inflated([{ bytes: far, echoes: everywhere }])).toEqual(Buffer.from(far))
  })

  test('text unlike what the codes were made for comes back too', () => {
    const digits = Buffer.from('1'.repeat(60_000))
    const rare = Uint8Array.from({ length: 20_000 }, (_, i) => i)
    expect(roundTrip(digits, rare, digits, rare)).toEqual(Buffer.concat([digits, rare, digits, rare]))
  })

  test('a header alone does not spoil the codes of the rows behind it', () => {
    const rows = Buffer.from(Array.from({ length: 5_000 }, (_, i) => `${Math.imul(i, 2654435761) >>> 0}\n`).join(''))
    const size = (...pieces: Uint8Array[]) => {
      const deflater = createDeflater()
      for (const bytes of pieces) deflater.add({ bytes })
      return deflater.finish().length
    }
    expect(size(Buffer.from('open_time,open,high\n'), rows)).toBeLessThan(size(rows) + 200)
  })

  test('a skewed alphabet still fits codes of 15 bits', () => {
    const bytes: number[] = []
    for (let symbol = 0, count = 1; symbol < 24; symbol++, count = Math.ceil(count * 1.6)) {
      for (let i = 0; i < count; i++) bytes.push(symbol + 60)
    }
    expect(roundTrip(Uint8Array.from(bytes))).toEqual(Buffer.from(bytes))
  })
})

test('a zip is the same bytes on every machine', () => {
  const zip = zipOf('a.csv', [{ bytes: Buffer.from('1,2.50,3\n2,2.51,3\n'.repeat(999)) }])
  expect(createHash('sha256').update(zip).digest('hex')).toMatchInlineSnapshot(
    `"a6fff2b70ca958c9ac7eb355a218b672d83c9047a6f0cffd6115984de88ca58a"`,
  )
})

describe('the text writer', () => {
  test('writes integers on a grid as the decimal library does', () => {
    const writer = createTextWriter()
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.integer({ min: 0, max: 12 }), (value, decimals) => {
        writer.number(value, gridFormat(1, decimals))
        expect(Buffer.from(writer.take().bytes).toString()).toBe(formatScaled(value, decimals))
      }),
    )
  })

  test('a tick that is a power of ten of its last digit keeps its trailing zeros', () => {
    const writer = createTextWriter()
    writer.number(675_781, gridFormat(10, 2))
    writer.byte(44)
    writer.number(5, gridFormat(1, 0, 8))
    writer.byte(44)
    writer.number(3, gridFormat(5, 2))
    expect(Buffer.from(writer.take().bytes).toString()).toBe('67578.10,5.00000000,0.15')
  })
})
