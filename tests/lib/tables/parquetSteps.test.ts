import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ByteSink, ByteSource } from '../../../lib/tables/byteSink.ts'
import { int64Words } from '../../../lib/tables/columnChecks.ts'
import { decodeDelta } from '../../../lib/tables/parquetDelta.ts'
import { encodeSteps } from '../../../lib/tables/parquetSteps.ts'

function encoded(values: BigInt64Array): Uint8Array | undefined {
  const sink = new ByteSink(16)
  return encodeSteps(int64Words(values), sink) ? sink.written().slice() : undefined
}

function decoded(bytes: Uint8Array, count: number): BigInt64Array {
  const values = new BigInt64Array(count)
  decodeDelta(new ByteSource(bytes), { kind: 'words', words: int64Words(values) })
  return values
}

/** Values from the first one on by steps. */
function walk(first: bigint, steps: readonly bigint[]): BigInt64Array {
  let value = first
  return BigInt64Array.from([first, ...steps.map((step) => (value += step))])
}

const limit = 2n ** 47n

describe('steps on whole bytes', () => {
  test('come back, however wide', () => {
    const step = fc
      .integer({ min: 0, max: 47 })
      .chain((bits) => fc.bigInt({ min: -(2n ** BigInt(bits)), max: 2n ** BigInt(bits) - 1n }))
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(2n ** 55n), max: 2n ** 55n }),
        fc.array(step, { maxLength: 400 }),
        (first, steps) => {
          const values = walk(first, steps)
          expect(decoded(encoded(values)!, values.length)).toEqual(values)
        },
      ),
      { numRuns: 150, seed: 5 },
    )
    expect(decoded(encoded(new BigInt64Array(0))!, 0)).toHaveLength(0)
  })

  test('at the ends of each width take that width, and one more the next', () => {
    for (let bytes = 1n; bytes <= 5n; bytes++) {
      const half = 2n ** (8n * bytes - 1n)
      for (const [steps, width] of [
        [[half - 1n, -half], bytes],
        [[half, -1n], bytes + 1n],
        [[1n, -half - 1n], bytes + 1n],
        [[2n * half - 1n, 0n], bytes],
        [[2n * half, 0n], bytes + 1n],
      ] as const) {
        const values = walk(7n, steps)
        const packed = encoded(values)!
        expect(decoded(packed, 3)).toEqual(values)
        // Behind the smallest step come the widths of four parts, of which the last three hold nothing.
        expect([
          ...packed.subarray(packed.length - Number(width) * 32 - 4, packed.length - Number(width) * 32),
        ]).toEqual([Number(width) * 8, 0, 0, 0])
      }
    }
  })

  test('of one size are the same bytes in every block', () => {
    const steps = Array.from({ length: 1024 }, (_, i) => BigInt((i % 2 === 0 ? 1 : -1) * 1_000_000))
    const packed = encoded(walk(1n, steps))!
    const blockBytes = Math.floor(packed.length / 8)
    const blocks = [3, 2, 1].map((back) =>
      Buffer.from(packed.subarray(packed.length - back * blockBytes, packed.length - (back - 1) * blockBytes)),
    )
    expect(blocks[0]!.equals(blocks[1]!) && blocks[1]!.equals(blocks[2]!)).toBe(true)
  })

  test('that are too large for it are left to the fewest bits', () => {
    expect(encoded(walk(0n, [limit]))).toBeUndefined()
    expect(encoded(walk(0n, [-limit - 1n]))).toBeUndefined()
    expect(encoded(walk(0n, [limit - 1n, -limit]))).toBeDefined()
  })
})
