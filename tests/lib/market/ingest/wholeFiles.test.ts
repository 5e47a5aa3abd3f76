import { describe, expect, test } from 'vitest'
import type { FileSet } from '../../../../lib/artifact.ts'
import { assertAccepted } from '../../../../lib/audit/assertAccepted.ts'
import type { Policy } from '../../../../lib/audit/finding.ts'
import { readNotes } from '../../../../lib/audit/tableNotes.ts'
import { tradeBars } from '../../../../lib/market/ingest/bars.ts'
import { settlementsOf } from '../../../../lib/market/ingest/settlements.ts'
import { venueMetricsOf } from '../../../../lib/market/ingest/venueMetrics.ts'
import { aggTradeForm } from '../../../../lib/market/trades/tradeForms.ts'
import { auditTrades, tradesOf } from '../../../../lib/market/trades/tradeStream.ts'
import { DAY_MS, dayStart, formatUtc, HOUR_MS, monthStart } from '../../../../lib/time.ts'
import { findTradeTail } from '../../../../tasks/ingest/aggTrades/findTradeTail.ts'
import { ingestAggTrades } from '../../../../tasks/ingest/aggTrades/ingestAggTrades.ts'
import { findBarGaps } from '../../../../tasks/ingest/klines/findBarGaps.ts'
import { collected, tableBytes } from '../../../support/batches.ts'
import { archiveFiles, fileSet } from '../../../support/rawFiles.ts'

const day = '2026-03-05'
const from = dayStart(day)
const span = { symbol: 'BTCUSDT', fromTsMs: from, toTsMs: from + DAY_MS }
const text = (head: string, rows: readonly string[]): string => [head, ...rows, ''].join('\n')
const hours = Array.from({ length: 24 }, (_, i) => from + i * HOUR_MS)

const contexts = { seed: (stream: string) => stream, log: () => {} }

/** One endpoint of the archive: how its clean file looks, and how many rows are read of it. */
const endpoints: {
  name: string
  stem: string
  csv: string
  rows: number
  read(files: FileSet, policy: Policy): { rows: number; findings: readonly { kind: string; severity: string }[] }
}[] = [
  {
    name: 'bars',
    stem: `BTCUSDT-1h-${day}`,
    csv: text(
      'open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore',
      hours.map((at) => `${at},100,101,99,100,2,${at + HOUR_MS - 1},200,3,1,100,0`),
    ),
    rows: 24,
    read(files, policy) {
      const { table, findings } = tradeBars(
        [files],
        { ...span, market: 'usdm', kind: 'klines', interval: '1h' },
        policy,
      )
      return { rows: table.rowCount, findings }
    },
  },
  {
    name: 'settlements',
    stem: 'BTCUSDT-fundingRate-2026-03',
    csv: text(
      'calc_time,funding_interval_hours,last_funding_rate',
      Array.from({ length: 93 }, (_, i) => `${monthStart('2026-03') + i * 8 * HOUR_MS},8,0.0001`),
    ),
    rows: 93,
    read(files, policy) {
      const month = { ...span, fromTsMs: monthStart('2026-03'), toTsMs: monthStart('2026-04') }
      const { table, findings } = settlementsOf([files], month, policy)
      return { rows: table.rowCount, findings }
    },
  },
  {
    name: 'metrics',
    stem: `BTCUSDT-metrics-${day}`,
    csv: text(
      'create_time,symbol,sum_open_interest,sum_open_interest_value,count_toptrader_long_short_ratio,sum_toptrader_long_short_ratio,count_long_short_ratio,sum_taker_long_short_vol_ratio',
      Array.from({ length: 288 }, (_, i) => {
        const at = formatUtc(from + (i + 1) * 300_000)
        return `${at.slice(0, 10)} ${at.slice(11, 19)},BTCUSDT,80000.123,9876543210.1,1.5,1.1,1,0.9`
      }),
    ),
    rows: 288,
    read(files, policy) {
      const { table, findings } = venueMetricsOf([files], span, policy)
      return { rows: table.rowCount, findings }
    },
  },
  {
    name: 'aggregate trades',
    stem: `BTCUSDT-aggTrades-${day}`,
    csv: text(
      'agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker',
      Array.from({ length: 500 }, (_, i) => `${1000 + i},60000.1,0.001,${2 * i},${2 * i + 1},${from + i * 17},true`),
    ),
    rows: 500,
    read(files, policy) {
      const { tables, notes } = collected(tradesOf(files, aggTradeForm(from), span, policy))
      const stored = fileSet({ 'table.parquet': tableBytes(aggTradeForm(from), tables, notes) })
      const noted = readNotes(stored)
      expect(auditTrades(files, aggTradeForm(from), span, policy)).toEqual(noted)
      return noted
    },
  },
]

describe('a file that is readable and not the one that was asked for', () => {
  for (const { name, stem, csv, rows, read } of endpoints) {
    const lies = {
      wrongName: archiveFiles(stem, csv, { member: `${stem.replace('BTC', 'ETH')}.csv` }),
      checksumMismatch: archiveFiles(stem, csv, { checksum: 'ab'.repeat(32) }),
    }
    const sums = {
      ...lies,
      'wrongName by its checksum': fileSet({
        [`${stem}.zip`]: archiveFiles(stem, csv).read(`${stem}.zip`),
        [`${stem}.zip.CHECKSUM`]: Buffer.from(
          Buffer.from(archiveFiles(stem, csv).read(`${stem}.zip.CHECKSUM`))
            .toString()
            .replace('BTC', 'ETH'),
        ),
      }),
    }
    for (const [lie, files] of Object.entries(sums)) {
      const kind = lie.split(' ')[0]!
      test(`${name}, ${lie}: gives nothing under quarantine, and all of it, marked, under tag; reject ends the run`, () => {
        const out = read(files, 'quarantine')
        expect(out.rows).toBe(0)
        expect(out.findings).toContainEqual(expect.objectContaining({ kind, severity: 'QUARANTINE' }))
        expect(out.findings.map((one) => one.kind)).toContain('missingRows')
        const kept = read(files, 'tag')
        expect(kept.rows).toBe(rows)
        expect(kept.findings).toContainEqual(expect.objectContaining({ kind, severity: 'WARN' }))
        expect(() => {
          const { findings } = read(files, 'reject')
          assertAccepted(findings as never, { ...span, policy: 'reject' })
        }).toThrow(`${kind}: `)
      })
    }
    test(`${name}, the right file: is taken whole, and nothing is found`, () => {
      expect(read(archiveFiles(stem, csv), 'quarantine')).toMatchObject({ rows, findings: [] })
    })
  }

  test('is no file to whoever looks for bars elsewhere', () => {
    const { stem, csv } = endpoints[0]!
    const gaps = (files: FileSet) =>
      findBarGaps.run(
        { archive: files },
        findBarGaps.params.parse({ ...span, interval: '1h', next: 'slices', rowsPerSlice: 499 }),
        contexts as never,
      ) as { slices: unknown[] }
    expect(gaps(archiveFiles(stem, csv)).slices).toEqual([])
    expect(gaps(archiveFiles(stem, csv, { member: `ETHUSDT-1h-${day}.csv` })).slices.length).toBe(1)
    expect(gaps(archiveFiles(stem, csv, { checksum: 'ab'.repeat(32) })).slices.length).toBe(1)
  })

  test('leaves a young day of trades to the API, and the table says why', () => {
    const { stem, csv } = endpoints[3]!
    const slice = { key: 'k', id: 'i', fromTsMs: from, toTsMs: from + HOUR_MS - 1, limit: 1000 }
    const stored = (files: FileSet) => ({ files, read: () => files })
    const tail = (files: FileSet, policy: Policy) =>
      findTradeTail.run(
        { archive: stored(files) },
        findTradeTail.params.parse({ slices: [slice], policy }),
        contexts as never,
      )
    const wrong = archiveFiles(stem, csv, { member: `ETHUSDT-aggTrades-${day}.csv` })
    expect(tail(archiveFiles(stem, csv), 'quarantine')).toEqual({ slices: [] })
    expect(tail(wrong, 'quarantine')).toEqual({ slices: [slice] })
    expect(tail(wrong, 'tag')).toEqual({ slices: [] })
    expect(tail(wrong, 'reject')).toEqual({ slices: [] })

    const page = fileSet({
      'BTCUSDT-1.json': JSON.stringify([{ a: 7, p: '1', q: '2', f: 1, l: 2, T: from + 5, m: false }]),
    })
    const { tables, notes } = collected(
      ingestAggTrades.run(
        { archive: stored(wrong), pages: [page] },
        ingestAggTrades.params.parse({ ...span }),
        contexts as never,
      ) as never,
    )
    expect(tables.reduce((sum, { rowCount }) => sum + rowCount, 0)).toBe(1)
    expect(notes).toContain('wrongName')
  })
})
