import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { dailyBarsOf } from '../../../../lib/market/universe/dailyBars.ts'
import { csvPieces } from '../../../../lib/sim/archive/csv.ts'
import { parseKey } from '../../../../lib/sim/archive/keys.ts'
import { zipOf } from '../../../../lib/sim/archive/zip.ts'
import { defaultWorld } from '../../../../lib/sim/defaultWorld.ts'
import { createMarket } from '../../../../lib/sim/market.ts'
import { parseUtc } from '../../../../lib/time.ts'
import { fileSet } from '../../../support/rawFiles.ts'

const market = createMarket(defaultWorld)
const period = { fromTsMs: parseUtc('2026-05-01')!, toTsMs: parseUtc('2026-06-01')! }

/** A month of daily bars as the archive has it: zip and checksum. */
function archive(symbol: string) {
  const stem = `${symbol}-1d-2026-05`
  const file = parseKey(`data/futures/um/monthly/klines/${symbol}/1d/${stem}.zip`)!
  const zip = zipOf(`${stem}.csv`, csvPieces(market, market.find('usdm', symbol)!, file))
  const digest = createHash('sha256').update(zip).digest('hex')
  return { [`${stem}.zip`]: zip, [`${stem}.zip.CHECKSUM`]: Buffer.from(`${digest}  ${stem}.zip\n`) }
}

test('a month of everybody is one table, by symbol and day, in whatever order the archives come', () => {
  const raw = ['SOLUSDT', 'BTCUSDT', 'XRPUSDT'].map((symbol) => fileSet(archive(symbol)))
  const all = dailyBarsOf(raw, period)
  expect(all.rowCount).toBe(3 * 31)
  expect([...new Set(all.columns.symbol)]).toEqual(['BTCUSDT', 'SOLUSDT', 'XRPUSDT'])
  expect(dailyBarsOf(raw.reverse(), period)).toEqual(all)
  const alone = dailyBarsOf([fileSet(archive('SOLUSDT'))], period)
  expect(all.columns.close.slice(31, 62)).toEqual(alone.columns.close)
  expect(all.columns.openTsMs.slice(31, 62)).toEqual(alone.columns.openTsMs)
})

test('who has no archive has no rows and takes nobody else’s', () => {
  const absent = { 'absent.json': Buffer.from('{"reason":"the archive has none"}') }
  const { columns } = dailyBarsOf([fileSet(absent), fileSet(archive('BTCUSDT'))], period)
  expect([...new Set(columns.symbol)]).toEqual(['BTCUSDT'])
  expect(dailyBarsOf([], period).rowCount).toBe(0)
})

test.each([
  ['is no zip', { 'XRPUSDT-1d-2026-05.zip': Buffer.from('PK no zip') }],
  ['is empty', { 'XRPUSDT-1d-2026-05.zip': Buffer.alloc(0) }],
  ['has an empty checksum', { 'XRPUSDT-1d-2026-05.zip.CHECKSUM': Buffer.alloc(0) }],
])('nobody is left out because an archive %s: it is said whose, and what to do', (_, files) => {
  const raw = [fileSet(archive('BTCUSDT')), fileSet({ ...archive('XRPUSDT'), ...files })]
  expect(() => dailyBarsOf(raw, period)).toThrow(/whether XRPUSDT belongs to the universe/)
  expect(() => dailyBarsOf(raw, period)).toThrow(
    expect.objectContaining({ todo: expect.stringContaining("'fetchBars[universe,XRPUSDT,2026-05]'") }),
  )
})
