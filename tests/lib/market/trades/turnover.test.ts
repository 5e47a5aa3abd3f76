import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { tradeForm } from '../../../../lib/market/trades/tradeForms.ts'
import { auditTrades, tradesOf } from '../../../../lib/market/trades/tradeStream.ts'
import { turnoverOf, wrongTurnovers } from '../../../../lib/market/trades/turnover.ts'
import { DAY_MS } from '../../../../lib/time.ts'
import { collected } from '../../../support/batches.ts'
import { archiveFiles } from '../../../support/rawFiles.ts'

const ofOne = (price: bigint, qty: bigint) => turnoverOf(BigInt64Array.of(price), BigInt64Array.of(qty))[0]

describe('the turnover of a trade', () => {
  test('is price times quantity to the last of eight decimals, whatever their size', () => {
    const scaled = (max: bigint) =>
      fc
        .tuple(fc.bigInt({ min: 0n, max }), fc.integer({ min: 0, max: 8 }))
        .map(([n, zeros]) => n - (n % 10n ** BigInt(zeros)))
    fc.assert(
      fc.property(scaled(10n ** 14n), scaled(10n ** 11n), (price, qty) => {
        expect(ofOne(price, qty)).toBe((price * qty) / 10n ** 8n)
      }),
      { numRuns: 3000, seed: 7 },
    )
    expect(ofOne(6_312_340_000_000n, 200_000n)).toBe(12_624_680_000n)
    expect(ofOne(1n, 1n)).toBe(0n)
  })

  const wrong = (price: bigint, qty: bigint, stated: bigint) =>
    [...wrongTurnovers(BigInt64Array.of(price), BigInt64Array.of(qty), BigInt64Array.of(stated))].length > 0

  test('may be stated cut off or rounded, to cents at the coarsest', () => {
    // 4.00000100 × 12, which a venue has printed as 48.00.
    for (const stated of [4_800_001_200n, 4_800_001_000n, 4_800_000_000n]) {
      expect(wrong(400_000_100n, 1_200_000_000n, stated), String(stated)).toBe(false)
    }
    for (const stated of [4_800_001_300n, 4_802_000_000n, 4_798_000_000n, 0n]) {
      expect(wrong(400_000_100n, 1_200_000_000n, stated), String(stated)).toBe(true)
    }
  })
})

describe('a day of single trades', () => {
  const from = Date.UTC(2026, 5, 1)
  const span = { symbol: 'BTCUSDT', fromTsMs: from, toTsMs: from + DAY_MS }
  const rows = Array.from({ length: 50 }, (_, i) => `${1000 + i},60000.5,0.002,120.001,${from + i},true`)
  const read = (lines: readonly string[]) => {
    const text = `id,price,qty,quote_qty,time,is_buyer_maker\n${lines.join('\n')}\n`
    const files = archiveFiles('BTCUSDT-trades-2026-06-01', text)
    const { findings } = auditTrades(files, tradeForm(from), span, 'quarantine')
    const { tables } = collected(tradesOf(files, tradeForm(from), span, 'quarantine'))
    return { findings, columns: Object.keys(tables[0]!.columns), rows: tables.reduce((sum, t) => sum + t.rowCount, 0) }
  }

  test('keeps no turnover, for it says nothing that price and quantity do not', () => {
    expect(read(rows)).toEqual({
      findings: [],
      columns: ['symbol', 'tradeId', 'price', 'qty', 'tsMs', 'isBuyerMaker'],
      rows: 50,
    })
  })

  test('tells of a turnover that is another number, in order or not', () => {
    const odd = rows.with(7, `1007,60000.5,0.002,121.001,${from + 7},true`)
    const found = { kind: 'wrongTurnover', severity: 'WARN', rows: 1, fromTsMs: from + 7 }
    expect(read(odd).findings).toMatchObject([found])
    const { findings, rows: count } = read([...odd.slice(20), ...odd.slice(0, 20)])
    expect(findings).toMatchObject([{ kind: 'outOfOrder' }, found])
    expect(count).toBe(50)
  })
})
