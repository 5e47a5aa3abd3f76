import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { FileSet } from '../../../lib/artifact.ts'
import { type FindingKind, findingKinds, isStructural, type Policy, verdictOf } from '../../../lib/audit/finding.ts'
import { renderAudit } from '../../../lib/audit/report.ts'
import { readNotes } from '../../../lib/audit/tableNotes.ts'
import { type BarPartition, priceBars, tradeBars } from '../../../lib/market/ingest/bars.ts'
import { settlementsOf } from '../../../lib/market/ingest/settlements.ts'
import { openInterestOf, takerVolumeOf } from '../../../lib/market/ingest/statistics.ts'
import { venueMetricsOf } from '../../../lib/market/ingest/venueMetrics.ts'
import { aggTradeForm } from '../../../lib/market/trades/tradeForms.ts'
import { auditTrades, tradesOf } from '../../../lib/market/trades/tradeStream.ts'
import { assertSorted } from '../../../lib/tables/order.ts'
import { bigAt } from '../../../lib/tables/wideInts.ts'
import { DAY_MS, dayStart, formatUtc, HOUR_MS, MINUTE_MS, monthStart } from '../../../lib/time.ts'
import { collected, tableBytes } from '../../support/batches.ts'
import { archiveFiles, fileSet } from '../../support/rawFiles.ts'

const day = '2026-03-05'
const from = dayStart(day)
const stem = `BTCUSDT-1m-${day}`
const header =
  'open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore'
const partition: BarPartition = {
  market: 'usdm',
  kind: 'klines',
  symbol: 'BTCUSDT',
  interval: '1m',
  fromTsMs: from,
  toTsMs: from + DAY_MS,
}

/** One clean minute. */
const bar = (i: number, fromTsMs = from): string => {
  const open = 60_000 + ((i * 37) % 91) - 45
  const close = 60_000 + ((i * 53) % 87) - 43
  const at = fromTsMs + i * MINUTE_MS
  return `${at},${open}.10,${Math.max(open, close) + 5}.00,${Math.min(open, close) - 5}.50,${close}.20,${1 + (i % 7)}.250,${at + MINUTE_MS - 1},${((open + 0.1) * (1.25 + (i % 7))).toFixed(3)},${3 + (i % 11)},0.500,30000.1,0`
}
const clean = (): string[] => Array.from({ length: 1440 }, (_, i) => bar(i))
const text = (rows: readonly string[], head = header): string =>
  [...(head === '' ? [] : [head]), ...rows, ''].join('\n')
const flat = (row: string): string => {
  const cells = row.split(',')
  return [cells[0], '60000.00', '60000.00', '60000.00', '60000.00', '0', cells[6], '0', '0', '0', '0', '0'].join(',')
}
const changed = (row: string, column: number, value: string): string => row.split(',').with(column, value).join(',')

const kindsOf = (raw: FileSet | readonly FileSet[], more: Partial<BarPartition> = {}): FindingKind[] => {
  const { findings } = tradeBars(Array.isArray(raw) ? raw : [raw as FileSet], { ...partition, ...more }, 'quarantine')
  return [...new Set(findings.map(({ kind }) => kind))].sort()
}

type Plant = { says: string; kinds: FindingKind[]; raw: () => FileSet; rows: number }

const plants: Plant[] = [
  { says: 'a clean day', kinds: [], raw: () => archiveFiles(stem, text(clean())), rows: 1440 },
  {
    says: 'minutes missing under a checksum that is right',
    kinds: ['missingRows'],
    raw: () => archiveFiles(stem, text(clean().toSpliced(700, 5))),
    rows: 1435,
  },
  {
    says: 'a row twice',
    kinds: ['duplicateRows'],
    raw: () => archiveFiles(stem, text(clean().toSpliced(9, 0, bar(8)))),
    rows: 1440,
  },
  {
    says: 'two rows of one minute that disagree',
    kinds: ['conflictingRows', 'missingRows'],
    raw: () => archiveFiles(stem, text(clean().toSpliced(9, 0, changed(bar(8), 8, '99')))),
    rows: 1439,
  },
  {
    says: 'interleaved rows',
    kinds: ['outOfOrder'],
    raw: () =>
      archiveFiles(stem, text([...clean().filter((_, i) => i % 2 === 0), ...clean().filter((_, i) => i % 2 === 1)])),
    rows: 1440,
  },
  {
    says: 'a bar off the grid',
    kinds: ['missingRows', 'offGrid'],
    raw: () => archiveFiles(stem, text(clean().with(30, changed(bar(30), 0, String(from + 30 * MINUTE_MS + 789))))),
    rows: 1439,
  },
  {
    says: 'a bar that closes at another time',
    kinds: ['missingRows', 'wrongCloseTime'],
    raw: () => archiveFiles(stem, text(clean().with(30, changed(bar(30), 6, String(from + 32 * MINUTE_MS - 1))))),
    rows: 1439,
  },
  {
    says: 'time travel: a bar of another year',
    kinds: ['missingRows', 'outsidePeriod', 'outOfOrder'],
    raw: () => archiveFiles(stem, text(clean().with(30, bar(30, monthStart('2031-01'))))),
    rows: 1439,
  },
  {
    says: 'a low above the high',
    kinds: ['impossibleRow', 'missingRows'],
    raw: () => archiveFiles(stem, text(clean().with(30, changed(bar(30), 3, '70000')))),
    rows: 1439,
  },
  {
    says: 'takers who bought more than was traded',
    kinds: ['impossibleRow', 'missingRows'],
    raw: () => archiveFiles(stem, text(clean().with(30, changed(bar(30), 9, '700')))),
    rows: 1439,
  },
  {
    says: 'takers who paid more than was turned over',
    kinds: ['impossibleRow', 'missingRows'],
    raw: () => archiveFiles(stem, text(clean().with(30, changed(bar(30), 10, '9000000')))),
    rows: 1439,
  },
  {
    says: 'prices of nothing',
    kinds: ['impossibleRow', 'missingRows'],
    raw: () =>
      archiveFiles(
        stem,
        text(
          clean().with(
            30,
            [1, 2, 3, 4].reduce((row, at) => changed(row, at, '0'), bar(30)),
          ),
        ),
      ),
    rows: 1439,
  },
  {
    says: 'a turnover ten times too large',
    kinds: ['wrongTurnover'],
    raw: () => archiveFiles(stem, text(clean().with(30, changed(bar(30), 7, `${Number(bar(30).split(',')[7]) * 10}`)))),
    rows: 1440,
  },
  {
    says: 'a turnover too small for the lowest price',
    kinds: ['wrongTurnover'],
    raw: () => archiveFiles(stem, text(clean().with(30, changed(bar(30), 7, '70000')))),
    rows: 1440,
  },
  {
    says: 'a turnover without a volume',
    kinds: ['wrongTurnover'],
    raw: () =>
      archiveFiles(stem, text(clean().with(30, changed(changed(flat(bar(30)), 7, '0.00000001'), 4, '60000.00')))),
    rows: 1440,
  },
  {
    says: 'an outage shown as flat minutes',
    kinds: ['flatRun'],
    raw: () => archiveFiles(stem, text(clean().map((row, i) => (i >= 600 && i < 640 ? flat(row) : row)))),
    rows: 1440,
  },
  {
    says: 'no header where there should be one',
    kinds: ['missingHeader'],
    raw: () => archiveFiles(stem, text(clean(), '')),
    rows: 1440,
  },
  {
    says: 'times in microseconds where milliseconds belong',
    kinds: ['unexpectedTimeUnit'],
    raw: () =>
      archiveFiles(
        stem,
        text(clean().map((row) => changed(changed(row, 0, `${row.slice(0, 13)}000`), 6, `${row.split(',')[6]}999`))),
      ),
    rows: 1440,
  },
  {
    says: 'a unit that changes in the middle',
    kinds: ['mixedTimeUnits'],
    raw: () =>
      archiveFiles(stem, text(clean().map((row, i) => (i < 700 ? row : changed(row, 0, `${row.slice(0, 13)}000`))))),
    rows: 1440,
  },
  {
    says: 'a checksum of other bytes',
    kinds: ['checksumMismatch', 'missingRows'],
    raw: () => archiveFiles(stem, text(clean()), { checksum: 'ab'.repeat(32) }),
    rows: 0,
  },
  {
    says: 'a checksum file that is a page',
    kinds: ['checksumMismatch', 'missingRows'],
    raw: () =>
      fileSet({
        ...Object.fromEntries(
          archiveFiles(stem, text(clean())).names.map((name) => [
            name,
            name.endsWith('CHECKSUM') ? '<html>' : archiveFiles(stem, text(clean())).read(name),
          ]),
        ),
      }),
    rows: 0,
  },
  {
    says: 'another symbol inside the zip',
    kinds: ['missingRows', 'wrongName'],
    raw: () => archiveFiles(stem, text(clean()), { member: `ETHUSDT-1m-${day}.csv` }),
    rows: 0,
  },
  {
    says: 'a zip cut in half',
    kinds: ['missingRows', 'unreadableFile'],
    raw: () => halved(archiveFiles(stem, text(clean()))),
    rows: 0,
  },
  {
    says: 'a file of 0 bytes',
    kinds: ['missingRows', 'unreadableFile'],
    raw: () => fileSet({ [`${stem}.zip`]: '' }),
    rows: 0,
  },
  {
    says: 'an empty csv in a sound zip',
    kinds: ['badCell', 'missingRows'],
    raw: () => archiveFiles(stem, ''),
    rows: 0,
  },
  {
    says: 'a column more',
    kinds: ['missingRows', 'schemaDrift'],
    raw: () =>
      archiveFiles(
        stem,
        text(
          clean().map((row) => `${row},1`),
          `${header},rpi_volume`,
        ),
      ),
    rows: 0,
  },
  {
    says: 'a column of another name',
    kinds: ['missingRows', 'schemaDrift'],
    raw: () => archiveFiles(stem, text(clean(), header.replace('quote_volume', 'base_volume'))),
    rows: 0,
  },
  {
    says: 'a byte order mark',
    kinds: ['byteOrderMark'],
    raw: () => archiveFiles(stem, `\ufeff${text(clean())}`),
    rows: 1440,
  },
  {
    says: 'carriage returns',
    kinds: ['carriageReturns'],
    raw: () => archiveFiles(stem, text(clean()).replaceAll('\n', '\r\n')),
    rows: 1440,
  },
  {
    says: 'a last line that does not end',
    kinds: ['noFinalNewline'],
    raw: () => archiveFiles(stem, text(clean()).slice(0, -1)),
    rows: 1440,
  },
  {
    says: 'NaN',
    kinds: ['badCell', 'missingRows'],
    raw: () => archiveFiles(stem, text(clean().with(30, changed(bar(30), 4, 'NaN')))),
    rows: 1439,
  },
  {
    says: 'a negative volume',
    kinds: ['badCell', 'missingRows'],
    raw: () => archiveFiles(stem, text(clean().with(30, changed(bar(30), 5, '-1.5')))),
    rows: 1439,
  },
  {
    says: 'a number of thirty digits',
    kinds: ['badCell', 'missingRows'],
    raw: () => archiveFiles(stem, text(clean().with(30, changed(bar(30), 4, '123456789012345678901234567890')))),
    rows: 1439,
  },
  {
    says: 'a line cut short',
    kinds: ['badCell', 'missingRows'],
    raw: () => archiveFiles(stem, text(clean().with(30, bar(30).slice(0, 40)))),
    rows: 1439,
  },
  {
    says: 'a price that leaps away and comes back, which markets do',
    kinds: ['priceSpike'],
    raw: () => archiveFiles(stem, text(clean().with(30, changed(changed(bar(30), 4, '150000'), 2, '150001')))),
    rows: 1440,
  },
]

function halved(files: FileSet): FileSet {
  return fileSet({ [`${stem}.zip`]: files.read(`${stem}.zip`).slice(0, 9000) })
}

describe('bars', () => {
  for (const { says, kinds, raw, rows } of plants) {
    test(`${says}: ${kinds.length === 0 ? 'nothing is found' : kinds.join(' and ')}`, () => {
      expect(kindsOf(raw())).toEqual([...kinds].sort())
      const { table } = tradeBars([raw()], partition, 'quarantine')
      expect(table.rowCount).toBe(rows)
      assertSorted(table)
    })
  }

  test('exponent notation is a number like any other', () => {
    const { table, findings } = tradeBars(
      [archiveFiles(stem, text(clean().with(30, changed(changed(bar(30), 5, '1.5e1'), 7, '899596.5'))))],
      partition,
      'quarantine',
    )
    expect(findings).toEqual([])
    expect(bigAt(table.columns.volume, 30)).toBe(1_500_000_000n)
  })

  test('turnovers that the venue rounds trade by trade are no finding, one unit more is', () => {
    // Three trades of 0.1 at 0.00000005: each turns over half a unit, and the venue says one or nothing of each.
    const row = (quote: string) =>
      `${from + 30 * MINUTE_MS},0.00000005,0.00000005,0.00000005,0.00000005,0.3,${from + 31 * MINUTE_MS - 1},${quote},3,0.1,0,0`
    const found = (quote: string) =>
      kindsOf(archiveFiles(stem, text(clean().with(30, row(quote))))).filter((kind) => kind !== 'priceSpike')
    expect(found('0')).toEqual([])
    expect(found('0.00000003')).toEqual([])
    expect(found('0.00000006')).toEqual(['wrongTurnover'])
  })

  test('a premium may be nothing, or below', () => {
    const rows = clean().map((_, i) => {
      const at = from + i * MINUTE_MS
      return `${at},0,0.0001,-0.0001,${i % 2 === 0 ? '0' : '-0.00005'},0,${at + MINUTE_MS - 1},0,12,0,0,0`
    })
    const kinds = (kind: 'premiumIndexKlines' | 'markPriceKlines') =>
      new Set(
        priceBars([archiveFiles(stem, text(rows))], { ...partition, kind }, 'quarantine').findings.map(
          (one) => one.kind,
        ),
      )
    expect(kinds('premiumIndexKlines')).toEqual(new Set())
    expect(kinds('markPriceKlines')).toEqual(new Set(['impossibleRow', 'missingRows']))
  })

  test('a bad cell is told with file, line, column and byte', () => {
    const csv = text(clean().with(30, changed(bar(30), 4, 'NaN')))
    const found = tradeBars([archiveFiles(stem, csv)], partition, 'quarantine').findings.find(
      ({ kind }) => kind === 'badCell',
    )!
    expect(found).toMatchObject({ file: `${stem}.zip/${stem}.csv`, line: 32, column: 'close' })
    expect(csv.slice(found.byteOffset, found.byteOffset! + 3)).toBe('NaN')
  })

  test('prices frozen after a delisting are told apart from an outage', () => {
    const month = monthStart('2026-03')
    const rows = Array.from({ length: 744 }, (_, i) => bar(0, month + i * HOUR_MS)).map((row, i) =>
      changed(i < 400 ? row : flat(row), 6, String(month + (i + 1) * HOUR_MS - 1)),
    )
    const raw = archiveFiles('LUNAUSDT-1h-2026-03', text(rows))
    const kinds = kindsOf(raw, { interval: '1h', fromTsMs: month, toTsMs: monthStart('2026-04'), symbol: 'LUNAUSDT' })
    expect(kinds).toEqual(['frozenPrice'])
  })

  test('minutes missing from a mark-price day are found', () => {
    const raw = archiveFiles(
      stem,
      text(
        clean()
          .map((row) => [...row.split(',').slice(0, 5), '0', row.split(',')[6], '0', '60', '0', '0', '0'].join(','))
          .toSpliced(100, 3),
      ),
    )
    const { findings } = priceBars([raw], { ...partition, kind: 'markPriceKlines' }, 'quarantine')
    expect(findings.map(({ kind }) => kind)).toEqual(['missingRows'])
    expect(findings[0]).toMatchObject({ fromTsMs: from + 100 * MINUTE_MS, toTsMs: from + 103 * MINUTE_MS })
  })

  test('four days missing from a month are filled by the daily files, and nothing else changes', () => {
    const month = monthStart('2026-03')
    const hours = Array.from({ length: 744 }, (_, i) =>
      changed(bar(0, month + i * HOUR_MS), 6, String(month + (i + 1) * HOUR_MS - 1)),
    )
    const span = { interval: '1h' as const, fromTsMs: month, toTsMs: monthStart('2026-04') }
    const whole = archiveFiles('BTCUSDT-1h-2026-03', text(hours))
    const monthly = archiveFiles('BTCUSDT-1h-2026-03', text(hours.toSpliced(240, 96)))
    const days = [11, 12, 13, 14].map((d) =>
      archiveFiles(`BTCUSDT-1h-2026-03-${d}`, text(hours.slice((d - 1) * 24, d * 24))),
    )
    expect(kindsOf([monthly], span)).toEqual(['missingRows'])
    expect(kindsOf([monthly, ...days], span)).toEqual([])
    const read = (raw: FileSet[]) => tradeBars(raw, { ...partition, ...span }, 'quarantine').table.columns
    expect(read([...days.toReversed(), monthly])).toEqual(read([whole]))
  })

  describe('a file whose clock is shifted', () => {
    const month = monthStart('2026-03')
    const span = { ...partition, interval: '1h' as const, fromTsMs: month, toTsMs: monthStart('2026-04') }
    const hours = (shiftHours: number, fromHour = 0, toHour = 744) =>
      Array.from({ length: toHour - fromHour }, (_, i) => {
        const at = month + (fromHour + i + shiftHours) * HOUR_MS
        return changed(changed(bar(i), 0, String(at)), 6, String(at + HOUR_MS - 1))
      })
    const file = (rows: string[], stem_ = 'BTCUSDT-1h-2026-03') => archiveFiles(stem_, text(rows))

    test.each([3, -5, 1, 14])('by %i hours is found at its edges, and nothing of it is taken', (shift) => {
      const { table, findings } = tradeBars([file(hours(shift))], span, 'quarantine')
      expect(findings.map(({ kind, severity }) => [kind, severity])).toEqual([
        ['shiftedClock', 'QUARANTINE'],
        ['missingRows', 'WARN'],
      ])
      expect(findings[0]!.what).toContain(`${Math.abs(shift)} h ${shift > 0 ? 'late' : 'early'}`)
      expect(table.rowCount).toBe(0)
      const tagged = tradeBars([file(hours(shift))], span, 'tag')
      expect(tagged.table.rowCount).toBe(744 - Math.abs(shift))
      expect(tagged.findings).toContainEqual(expect.objectContaining({ kind: 'shiftedClock', severity: 'WARN' }))
    })

    test('makes room for whoever has the right one', () => {
      const { table, findings } = tradeBars(
        [file(hours(3)), file(hours(0, 0, 24), 'BTCUSDT-1h-2026-03-01')],
        span,
        'quarantine',
      )
      expect([...table.columns.openTsMs]).toEqual(Array.from({ length: 24 }, (_, i) => month + i * HOUR_MS))
      expect(findings.map(({ kind }) => kind)).toEqual(['shiftedClock', 'missingRows'])
    })

    test('of a day, and of a contract that began within the month, is found as well', () => {
      const days = tradeBars(
        [file(hours(2, 0, 24), 'BTCUSDT-1h-2026-03-01')],
        { ...span, toTsMs: month + DAY_MS },
        'quarantine',
      )
      expect(days.findings.map(({ kind }) => kind)).toEqual(['shiftedClock', 'missingRows'])
      const young = tradeBars([file(hours(3, 300))], { ...span, fromTsMs: month + 300 * HOUR_MS }, 'quarantine')
      expect(young.findings.map(({ kind }) => kind)).toEqual(['shiftedClock', 'missingRows'])
    })

    test('is not what a hole at an end is, nor a stray row of the next month, nor a late beginning', () => {
      const kinds = (rows: string[], more: object = {}) => kindsOf(file(rows), { ...span, ...more })
      expect(kinds(hours(0, 3))).toEqual(['missingRows'])
      expect(kinds(hours(0, 0, 740))).toEqual(['missingRows'])
      expect(kinds(hours(0, 0, 745))).toEqual(['outsidePeriod'])
      expect(kinds(hours(0, 300, 745), { fromTsMs: month + 300 * HOUR_MS })).toEqual(['outsidePeriod'])
    })
  })

  test('where archive and API differ the archive serves, and the difference is told', () => {
    const page = fileSet({
      'BTCUSDT-page.json': JSON.stringify(
        clean()
          .slice(0, 3)
          .map((row) =>
            row
              .split(',')
              .map((cell, i) => ([0, 6, 8].includes(i) ? Number(cell) : i === 9 && row === bar(1) ? '0.499' : cell)),
          ),
      ),
    })
    const { table, findings } = tradeBars([page, archiveFiles(stem, text(clean()))], partition, 'quarantine')
    expect(findings.map(({ kind, severity, rows }) => ({ kind, severity, rows }))).toEqual([
      { kind: 'revisedRows', severity: 'WARN', rows: 1 },
    ])
    expect(bigAt(table.columns.takerBuyVolume, 1)).toBe(50_000_000n)
  })

  test('the last row of a page that is still open is no bar', () => {
    const page = fileSet({
      'BTCUSDT-page.json': JSON.stringify(
        clean()
          .slice(0, 10)
          .map((row) => row.split(',').map((cell, i) => ([0, 6, 8].includes(i) ? Number(cell) : cell))),
      ),
    })
    const read = (closedBeforeTsMs: number) =>
      tradeBars([page], { ...partition, closedBeforeTsMs }, 'quarantine').table.rowCount
    expect(read(from + 10 * MINUTE_MS)).toBe(10)
    expect(read(from + 10 * MINUTE_MS - 1)).toBe(9)
    expect(read(from + 9 * MINUTE_MS + 1)).toBe(9)
  })
})

describe('policies', () => {
  const offGrid = () =>
    archiveFiles(stem, text(clean().with(30, changed(bar(30), 0, String(from + 30 * MINUTE_MS + 789)))))

  test('tag keeps the row and says so; quarantine leaves it out; both name it', () => {
    const kept = tradeBars([offGrid()], partition, 'tag')
    const cut = tradeBars([offGrid()], partition, 'quarantine')
    expect(kept.table.rowCount).toBe(1440)
    expect(cut.table.rowCount).toBe(1439)
    expect(kept.findings.find(({ kind }) => kind === 'offGrid')?.severity).toBe('WARN')
    expect(cut.findings.find(({ kind }) => kind === 'offGrid')?.severity).toBe('QUARANTINE')
    expect(verdictOf(tradeBars([offGrid()], partition, 'reject').findings)).toBe('FAIL')
  })

  test('what is only statistical never costs a row, under any policy', () => {
    const spike = plants.find(({ kinds }) => kinds[0] === 'priceSpike')!.raw
    for (const policy of ['tag', 'quarantine', 'reject'] as const) {
      const { table, findings } = tradeBars([spike()], partition, policy)
      expect(table.rowCount).toBe(1440)
      expect(findings.map(({ severity }) => severity)).toEqual(['WARN'])
    }
  })
})

describe('settlements', () => {
  const month = monthStart('2026-03')
  const head = 'calc_time,funding_interval_hours,last_funding_rate'
  const rows = (hours: number[] = Array.from({ length: 93 }, () => 8)) => {
    let at = month
    return hours.map((interval, i) => {
      const row = `${at + (i % 30)},${interval},${i % 5 === 0 ? '-' : ''}0.0000${1000 + i}`
      at += (hours[i + 1] ?? 8) * HOUR_MS
      return row
    })
  }
  const read = (lines: string[], policy: Policy = 'quarantine') =>
    settlementsOf(
      [archiveFiles('BTCUSDT-fundingRate-2026-03', text(lines, head))],
      { symbol: 'BTCUSDT', fromTsMs: month, toTsMs: monthStart('2026-04') },
      policy,
    )

  test('stamps that come up to 29 ms late are snapped, and kept as they came', () => {
    const { table, findings } = read(rows())
    expect(findings).toEqual([])
    expect(table.columns.settledTsMs.every((at) => at % (8 * HOUR_MS) === 0)).toBe(true)
    expect(table.columns.tsMs[29]).toBe(month + 29 * 8 * HOUR_MS + 29)
    expect(table.columns.markPrice.valid.every((flag) => flag === 0)).toBe(true)
  })

  test('an interval that changes from 8 to 4 hours is no gap', () => {
    const hours = [...Array.from({ length: 30 }, () => 8), ...Array.from({ length: 127 }, () => 4)]
    expect(read(rows(hours)).findings).toEqual([])
  })

  test('a settlement that is missing is a gap, one off the minute is off the grid', () => {
    expect(read(rows().toSpliced(40, 1)).findings.map(({ kind }) => kind)).toEqual(['missingRows'])
    expect(
      read(rows().with(40, rows()[40]!.replace(/^(\d{8})\d{5}/, '$112345'))).findings.map(({ kind }) => kind),
    ).toContain('offGrid')
  })

  test('times of another zone that nobody declares are told', () => {
    const lines = rows()
      .map((row) => row.replace(/^\d+/, (at) => String(Number(at) + 3 * HOUR_MS)))
      .slice(0, -1)
    const { table, findings } = read(lines)
    expect(findings.map(({ kind, severity, what }) => [kind, severity, /lies 3 h/.test(what)])).toEqual([
      ['missingRows', 'WARN', false],
      ['shiftedClock', 'QUARANTINE', true],
    ])
    expect(table.rowCount).toBe(0)
    expect(read(lines, 'tag').table.rowCount).toBe(92)
  })

  test('a month that nobody has is a gap from end to end, one that begins late or ends early is one there', () => {
    const none = settlementsOf([], { symbol: 'BTCUSDT', fromTsMs: month, toTsMs: monthStart('2026-04') }, 'quarantine')
    expect(none.findings).toMatchObject([
      { kind: 'missingRows', fromTsMs: month, toTsMs: monthStart('2026-04'), what: 'no settlement in 744 hours' },
    ])
    expect(read(rows().slice(3)).findings).toMatchObject([{ kind: 'missingRows', fromTsMs: month }])
    expect(read(rows().slice(0, -3)).findings).toMatchObject([{ kind: 'missingRows', toTsMs: monthStart('2026-04') }])
  })

  test('percents in place of shares are tagged, and kept', () => {
    const percents = rows().map((row) => row.replace(/0\.0000/, '0.1'))
    const { table, findings } = read(percents)
    expect(findings.map(({ kind, severity, rows: n }) => [kind, severity, n])).toEqual([['rateBeyondCap', 'WARN', 93]])
    expect(table.rowCount).toBe(93)
    expect(read(rows().with(5, rows()[5]!.replace(/-?0\.0000\d+/, '-0.03'))).findings).toEqual([])
  })

  test('a page of the API gives marks, and intervals by distance; a mark of zero or none is absent', () => {
    const page = fileSet({
      'BTCUSDT-1.json': JSON.stringify([
        {
          symbol: 'BTCUSDT',
          fundingTime: month + 5,
          fundingRate: '-0.03750000',
          markPrice: '34287.54619963',
          rateType: 'Regular',
        },
        { symbol: 'BTCUSDT', fundingTime: month + 4 * HOUR_MS, fundingRate: '0.00010000', markPrice: '' },
        { symbol: 'BTCUSDT', fundingTime: month + 8 * HOUR_MS, fundingRate: '0.00010000' },
      ]),
    })
    const { table, findings } = settlementsOf(
      [page],
      { symbol: 'BTCUSDT', fromTsMs: month, toTsMs: month + 12 * HOUR_MS },
      'quarantine',
    )
    // The venue's own example of old has a rate that no cap allows today.
    expect(findings.map(({ kind }) => kind)).toEqual(['rateBeyondCap'])
    expect([...table.columns.intervalHours.values]).toEqual([4, 4, 4])
    expect([...table.columns.markPrice.valid]).toEqual([1, 0, 0])
    expect(table.columns.markPrice.values[0]).toBe(3_428_754_619_963n)
  })
})

describe('metrics', () => {
  const head =
    'create_time,symbol,sum_open_interest,sum_open_interest_value,count_toptrader_long_short_ratio,sum_toptrader_long_short_ratio,count_long_short_ratio,sum_taker_long_short_vol_ratio'
  const rowsOf = (dayName: string, byEnd: boolean) =>
    Array.from({ length: 288 }, (_, i) => {
      const at = formatUtc(dayStart(dayName) + (i + (byEnd ? 1 : 0)) * 300_000)
      return `${at.slice(0, 10)} ${at.slice(11, 19)},BTCUSDT,${80_000 + i}.123,9876543210.1234,1.5,1.1,"",0.9`
    })
  const read = (dayName: string, lines: string[]) =>
    venueMetricsOf(
      [archiveFiles(`BTCUSDT-metrics-${dayName}`, text(lines, head))],
      { symbol: 'BTCUSDT', fromTsMs: dayStart(dayName), toTsMs: dayStart(dayName) + DAY_MS },
      'quarantine',
    )

  test('the label that moved on 2026-06-25 makes no difference, and leaves neither gap nor double', () => {
    const before = read('2026-06-24', rowsOf('2026-06-24', true))
    const after = read('2026-06-25', rowsOf('2026-06-25', false))
    expect([...before.findings, ...after.findings]).toEqual([])
    const starts = [...before.table.columns.fromTsMs, ...after.table.columns.fromTsMs]
    expect(starts).toEqual(Array.from({ length: 576 }, (_, i) => dayStart('2026-06-24') + i * 300_000))
  })

  test('a file named the other way round is put right, and told', () => {
    const { table, findings } = read('2026-07-01', rowsOf('2026-07-01', true))
    expect(findings.map(({ kind }) => kind)).toEqual(['movedLabels'])
    expect(table.columns.fromTsMs[0]).toBe(dayStart('2026-07-01'))
  })

  test('rows in no order are how the venue writes them; missing, doubled and foreign ones are told', () => {
    const rows = rowsOf('2026-07-01', false)
    expect(read('2026-07-01', rows.toReversed()).findings).toEqual([])
    expect(read('2026-07-01', rows.toSpliced(100, 125)).findings.map(({ kind, rows: n }) => [kind, n])).toEqual([
      ['missingRows', 125],
    ])
    expect(read('2026-07-01', rows.toSpliced(100, 0, rows[99]!)).findings.map(({ kind }) => kind)).toEqual([
      'duplicateRows',
    ])
    expect(
      read('2026-07-01', rows.with(7, rows[7]!.replace('BTCUSDT', 'ETHUSDT'))).findings.map(({ kind }) => kind),
    ).toEqual(['wrongSymbol', 'missingRows'])
    expect(
      read(
        '2026-07-01',
        rows.with(7, rows[7]!.replace('2026-07-01 00:35:00', '2026-07-01T03:35:00+03:00')),
      ).findings.map(({ kind }) => kind),
    ).toEqual(['badCell', 'missingRows'])
  })
})

describe('open interest and taker volume', () => {
  const from2 = dayStart('2026-07-01')
  const span = { symbol: 'BTCUSDT', fromTsMs: from2, toTsMs: from2 + DAY_MS }
  const page = (rows: readonly object[], n = 0) => fileSet({ [`BTCUSDT-${from2 + n}.json`]: JSON.stringify(rows) })
  type Row = Record<string, unknown> & { timestamp: number }
  const stocks = (count = 288): Row[] =>
    Array.from({ length: count }, (_, i) => ({
      symbol: 'BTCUSDT',
      sumOpenInterest: `${80_000 + i}.123`,
      sumOpenInterestValue: '9876543210.1234',
      timestamp: from2 + (i + 1) * 300_000,
    }))
  const flows = (count = 288): Row[] =>
    Array.from({ length: count }, (_, i) => ({
      buySellRatio: '1.5',
      buyVol: `${300 + i}.33`,
      sellVol: '248.503',
      timestamp: from2 + i * 300_000,
    }))
  const kinds = [
    {
      name: 'open interest',
      rows: stocks,
      value: 'sumOpenInterest',
      read: (raw: FileSet[], more: object = {}) => openInterestOf([], raw, { ...span, ...more }, 'quarantine'),
    },
    {
      name: 'taker volume',
      rows: flows,
      value: 'buyVol',
      read: (raw: FileSet[], more: object = {}) => takerVolumeOf(raw, { ...span, ...more }, 'quarantine'),
    },
  ]
  for (const { name, rows, value, read } of kinds) {
    const found = (list: readonly object[], more?: object) =>
      read([page(list)], more).findings.map(({ kind, rows: n }) => [kind, n])

    test(`${name}: nothing is found in a clean day, in pages that overlap, or in one that still fills up`, () => {
      expect(found(rows())).toEqual([])
      const [a, b] = [page(rows().slice(0, 200)), page(rows().slice(150), 1)]
      expect(read([b, a]).findings).toEqual([])
      expect(read([b, a]).table.rowCount).toBe(288)
      // The API is late with its newest rows.
      expect(found(rows(98), { closedBeforeTsMs: from2 + 100 * 300_000 })).toEqual([])
    })

    const plants: { says: string; plant: (list: Row[]) => object[]; want: [FindingKind, number?][] }[] = [
      { says: 'a hole', plant: (list) => list.toSpliced(100, 25), want: [['missingRows', 25]] },
      { says: 'a late beginning', plant: (list) => list.slice(10), want: [['missingRows', 10]] },
      { says: 'an early end', plant: (list) => list.slice(0, -1), want: [['missingRows', 1]] },
      { says: 'nothing at all', plant: () => [], want: [['missingRows', 288]] },
      { says: 'a row twice', plant: (list) => list.toSpliced(9, 0, list[8]!), want: [['duplicateRows', 1]] },
      {
        says: 'two rows of one instant that disagree',
        plant: (list) => list.toSpliced(9, 0, { ...list[8]!, [value]: '7' }),
        want: [
          ['conflictingRows', 1],
          ['missingRows', 1],
        ],
      },
      { says: 'disorder', plant: (list) => list.with(3, list[4]!).with(4, list[3]!), want: [['outOfOrder', 1]] },
      {
        says: 'a row off the grid',
        plant: (list) => list.with(7, { ...list[7]!, timestamp: list[7]!.timestamp + 42_378 }),
        want: [
          ['offGrid', 1],
          ['missingRows', 1],
        ],
      },
      {
        says: 'a value below nothing',
        plant: (list) => list.with(7, { ...list[7]!, [value]: '-1' }),
        want: [
          ['badCell', undefined],
          ['missingRows', 1],
        ],
      },
      {
        says: 'a value that is no number',
        plant: (list) => list.with(7, { ...list[7]!, [value]: 'NaN' }),
        want: [
          ['badCell', undefined],
          ['missingRows', 1],
        ],
      },
    ]
    for (const { says, plant, want } of plants) {
      test(`${name}: ${says} is found, and nothing else`, () => expect(found(plant(rows()))).toEqual(want))
    }
  }

  test('open interest of another symbol is found; rows of zero stand for not known', () => {
    const list = stocks()
    const read = (rows: object[]) => openInterestOf([], [page(rows)], span, 'quarantine')
    expect(read(list.with(7, { ...list[7]!, symbol: 'ETHUSDT' })).findings.map(({ kind }) => kind)).toEqual([
      'wrongSymbol',
      'missingRows',
    ])
    expect(read(list.with(7, { ...list[7]!, sumOpenInterest: '0' })).findings.map(({ kind }) => kind)).toEqual([
      'missingRows',
    ])
  })

  test('open interest of the archive: the label that moved makes no difference, and the other end is put right and told', () => {
    const head =
      'create_time,symbol,sum_open_interest,sum_open_interest_value,count_toptrader_long_short_ratio,sum_toptrader_long_short_ratio,count_long_short_ratio,sum_taker_long_short_vol_ratio'
    const read = (dayName: string, byEnd: boolean) => {
      const start = dayStart(dayName)
      const lines = Array.from({ length: 288 }, (_, i) => {
        const at = formatUtc(start + (i + (byEnd ? 1 : 0)) * 300_000)
        return `${at.slice(0, 10)} ${at.slice(11, 19)},BTCUSDT,${80_000 + i}.123,9876543210.1234,1.5,1.1,1,0.9`
      })
      const files = archiveFiles(`BTCUSDT-metrics-${dayName}`, text(lines, head))
      const day2 = { symbol: 'BTCUSDT', fromTsMs: start, toTsMs: start + DAY_MS }
      const { table, findings } = openInterestOf([files], [], day2, 'quarantine')
      return { stamps: [...table.columns.tsMs].map((at) => (at - start) / 300_000), kinds: findings.map((f) => f.kind) }
    }
    // Measured at the end of each five minutes, whatever the row was named by.
    const stamps = Array.from({ length: 288 }, (_, i) => i + 1)
    expect(read('2026-06-24', true)).toEqual({ stamps, kinds: [] })
    expect(read('2026-06-25', false)).toEqual({ stamps, kinds: [] })
    expect(read('2026-06-24', false)).toEqual({ stamps, kinds: ['movedLabels'] })
    expect(read('2026-07-01', true)).toEqual({ stamps, kinds: ['movedLabels'] })
  })
})

describe('aggregate trades', () => {
  const head = 'agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker'
  const name = `BTCUSDT-aggTrades-${day}`
  const rows = (count = 5000) =>
    Array.from(
      { length: count },
      (_, i) => `${1000 + i},60000.${i % 10},0.00${1 + (i % 9)},${2 * i},${2 * i + 1},${from + i * 17},${i % 3 === 0}`,
    )
  const span = { symbol: 'BTCUSDT', fromTsMs: from, toTsMs: from + DAY_MS }
  const read = (lines: string[], head_ = head) => {
    const files = archiveFiles(name, text(lines, head_))
    const { tables, notes } = collected(tradesOf(files, aggTradeForm(from), span, 'quarantine'))
    for (const table of tables) assertSorted(table)
    const stored = { 'table.parquet': tableBytes(aggTradeForm(from), tables, notes) }
    const { rows: n, findings } = readNotes(fileSet(stored))
    expect(auditTrades(files, aggTradeForm(from), span, 'quarantine')).toEqual({ rows: n, findings })
    return {
      n,
      kinds: findings.map(({ kind }) => kind),
      count: tables.reduce((sum, { rowCount }) => sum + rowCount, 0),
    }
  }
  const cases: { says: string; lines: string[]; kinds: FindingKind[]; count: number }[] = [
    { says: 'a clean day', lines: rows(), kinds: [], count: 5000 },
    {
      says: 'rows out of order',
      lines: [...rows().slice(10), ...rows().slice(0, 10)],
      kinds: ['outOfOrder'],
      count: 5000,
    },
    { says: 'ids that are missing', lines: rows().toSpliced(70, 3), kinds: ['missingIds'], count: 4997 },
    { says: 'a row twice', lines: rows().toSpliced(70, 0, rows()[69]!), kinds: ['duplicateRows'], count: 5000 },
    {
      says: 'a cell that is no number',
      lines: rows().with(7, changed(rows()[7]!, 1, 'x')),
      kinds: ['badCell'],
      count: 4999,
    },
    {
      says: 'a trade of yesterday',
      lines: rows().with(0, changed(rows()[0]!, 5, String(from - 1))),
      kinds: ['outsidePeriod'],
      count: 4999,
    },
  ]
  for (const { says, lines, kinds, count } of cases) {
    test(`${says}: ${kinds.join() || 'nothing is found'}`, () => {
      expect(read(lines)).toEqual({ n: count, kinds, count })
    })
  }
  test('a header more or less is told and read over', () => {
    expect(read(rows(), '')).toMatchObject({ kinds: ['missingHeader'], count: 5000 })
  })
})

test('every defect has a plant or a test that names it', () => {
  const planted = new Set<string>(plants.flatMap(({ kinds }) => kinds))
  for (const kind of [
    'frozenPrice',
    'revisedRows',
    'movedLabels',
    'wrongSymbol',
    'missingIds',
    'wrongTurnover',
    'shiftedClock',
    'rateBeyondCap',
  ] as const)
    planted.add(kind)
  // A header where none belongs is a matter of spot files: see the real ones.
  planted.add('unexpectedHeader')
  expect(Object.keys(findingKinds).filter((kind) => !planted.has(kind))).toEqual([])
})

test('whatever is done to a clean day, the rows that come out are rows that went in, and less only with a reason', () => {
  const rows = clean().slice(0, 200)
  const span = { ...partition, toTsMs: from + 200 * MINUTE_MS }
  fc.assert(
    fc.property(
      fc.array(fc.record({ at: fc.nat(199), what: fc.constantFrom('cut', 'double', 'swap', 'shift') }), {
        maxLength: 6,
      }),
      (edits) => {
        const lines = [...rows]
        for (const { at, what } of edits) {
          const i = at % lines.length
          if (what === 'cut') lines.splice(i, 1)
          if (what === 'double') lines.splice(i, 0, lines[i]!)
          if (what === 'swap') [lines[0], lines[i]] = [lines[i]!, lines[0]!]
          if (what === 'shift') lines[i] = changed(lines[i]!, 0, String(Number(lines[i]!.split(',')[0]) + 7))
        }
        const { table, findings } = tradeBars([archiveFiles(stem, text(lines))], span, 'quarantine')
        assertSorted(table)
        const given = new Set(lines.map((line) => Number(line.split(',')[0])))
        expect([...table.columns.openTsMs].every((at) => given.has(at) && (at - from) % MINUTE_MS === 0)).toBe(true)
        const missing = findings
          .filter(({ kind }) => kind === 'missingRows')
          .reduce((sum, gap) => sum + (gap.toTsMs! - gap.fromTsMs!) / MINUTE_MS, 0)
        expect(table.rowCount + missing).toBe(200)
        if (lines.join() !== rows.join()) expect(findings.length).toBeGreaterThan(0)
      },
    ),
    { numRuns: 60, seed: 9 },
  )
})

test('the report counts verdicts and shows each partition that is not clean', () => {
  const { table, findings } = tradeBars([plants[1]!.raw()], partition, 'quarantine')
  const report = {
    artifactType: 'klines',
    partition: `BTCUSDT,1m,${day}`,
    verdict: verdictOf(findings),
    rows: table.rowCount,
    findings,
  }
  expect(renderAudit([report, { ...report, verdict: 'PASS', findings: [] }])).toBe(
    '2 partitions: 1 PASS, 1 WARN, 0 FAIL, 0 QUARANTINE\n\n' +
      'WARN  klines BTCUSDT,1m,2026-03-05 (1435 rows)\n' +
      '  WARN missingRows: no bars from 2026-03-05T11:40:00.000Z [2026-03-05T11:40:00.000Z to 2026-03-05T11:45:00.000Z)\n',
  )
  expect(isStructural('offGrid')).toBe(true)
})
