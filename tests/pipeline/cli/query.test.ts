import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { digestOf } from '../../../cas/digest.ts'
import { openStore } from '../../../cas/store.ts'
import { encodeFeatures } from '../../../lib/tables/features.ts'
import { encodeTable } from '../../../lib/tables/parquet.ts'
import { bool, decimal, defineTable, f64, i64, nullable, tsMs, utf8 } from '../../../lib/tables/schema.ts'
import { makeTable } from '../../../lib/tables/table.ts'
import type { Process } from '../../../pipeline/cli/dispatch.ts'
import { type Said, say } from './fakeProcess.ts'
import { type MadeNode, type QueryRoot, queryRoot } from './queryRoot.ts'

const folder = mkdtempSync(join(tmpdir(), 'tickpipe-query-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const prices = defineTable({
  name: 'prices',
  version: 1,
  columns: {
    symbol: utf8(),
    tsMs: tsMs(),
    px: decimal(8, 18, { unit: 'quote' }),
    id: i64(),
    ratio: f64(),
    isLast: nullable(bool()),
  },
  sortKey: ['symbol', 'tsMs'],
})

function pricesOf(symbol: string, rowCount: number): Uint8Array {
  return encodeTable(
    makeTable(prices, {
      symbol: new Array<string>(rowCount).fill(symbol),
      tsMs: Float64Array.from({ length: rowCount }, (_, i) => 1_704_067_200_000 + i * 60_000),
      px: BigInt64Array.from({ length: rowCount }, (_, i) => 123_456_789_012_345_678n + BigInt(i)),
      id: BigInt64Array.from({ length: rowCount }, (_, i) => 9_007_199_254_740_993n + BigInt(i)),
      ratio: Float64Array.from({ length: rowCount }, (_, i) => (i === 0 ? Number.NaN : i / 2)),
      isLast: { values: new Uint8Array(rowCount), valid: new Uint8Array(rowCount).fill(1, 1) },
    }),
  )
}

function equityOf(scale: number, units: bigint): Uint8Array {
  const table = defineTable({
    name: 'equity',
    version: 1,
    columns: { tsMs: tsMs(), cash: decimal(scale, 18, { unit: 'USDT' }) },
    sortKey: ['tsMs'],
  })
  return encodeTable(makeTable(table, { tsMs: Float64Array.of(0), cash: BigInt64Array.of(units) }))
}

const qaValue = {
  symbol: 'BTC',
  days: [
    { day: '2024-01-01', findings: [{ kind: 'gap', fromMs: 1, toMs: 2, knownAtMs: 3, bars: 4 }] },
    { day: '2024-01-02', findings: [{ kind: 'stale', fromMs: 5, toMs: 6, knownAtMs: 7, bars: 8, worst: 0.5 }] },
  ],
}
const momentum = encodeFeatures('BTC', Float64Array.of(0, 60_000), { momentum: Float64Array.of(0.5, 1) })
const carry = encodeFeatures('BTC', Float64Array.of(0), { carry: Float64Array.of(2) })

const made: MadeNode[] = [
  {
    address: 'ingest[BTC]',
    task: 'ingest',
    type: 'prices',
    params: { symbol: 'BTC' },
    files: { 'table.parquet': pricesOf('BTC', 3) },
  },
  {
    address: 'ingest[ETH]',
    task: 'ingest',
    type: 'prices',
    params: { symbol: 'ETH' },
    files: { 'table.parquet': pricesOf('ETH', 200) },
  },
  // The same bytes as another node's: one object, two nodes.
  { address: 'ingest[copy]', task: 'ingest', type: 'prices', files: { 'table.parquet': pricesOf('BTC', 3) } },
  {
    address: 'backtest[a]',
    task: 'backtest',
    type: 'backtestRun',
    files: { 'equity.parquet': equityOf(2, 125n), 'run.json': '{}' },
  },
  {
    address: 'backtest[b]',
    task: 'backtest',
    type: 'backtestRun',
    files: { 'equity.parquet': equityOf(8, 112_345_678n) },
  },
  {
    address: 'features[momentum]',
    task: 'features',
    type: 'features',
    files: { [momentum.name]: momentum.bytes, 'ETH.parquet': momentum.bytes },
  },
  { address: 'features[carry]', task: 'features', type: 'features', files: { [carry.name]: carry.bytes } },
  { address: 'qa[BTC]', task: 'qa', type: 'qa', files: { 'value.json': JSON.stringify(qaValue) } },
]

let root: QueryRoot
const ask = (words: readonly string[], at = root, host: Partial<Process> = {}): Promise<Said> => {
  const openRoot: Process['openRoot'] = async (_surroundings, options) => {
    const store = openStore(at.root, { readOnly: options?.readOnly === true })
    return { root: at.root, rootFrom: 'named', store, close: () => store.close() }
  }
  return say(['query', ...words], { openRoot, cwd: folder, ...host })
}
const rows = async (sql: string): Promise<unknown[]> => {
  const { stdout, stderr, status } = await ask([sql, '--json'])
  expect({ stderr, status }).toEqual({ stderr: '', status: 'ok' })
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown)
}

beforeAll(async () => {
  // Signs that SQL or a glob would take for their own.
  root = await queryRoot(join(folder, "it's [a] *root?"), made)
})

describe('pipe query', () => {
  test('reads every table under its name, of the last finished run, and says of which', async () => {
    const { stdout, stderr } = await ask(['select symbol, count(*) as n from prices group by all order by all'])
    expect(stdout).toBe('symbol    n\nBTC       6\nETH     200\n')
    expect(stderr).toMatch(/^run 20240301-000000000-made of made, [0-9a-f]{12}\n$/)
  })

  test('tells of each row which node it comes from, also where two nodes share the bytes', async () => {
    expect(await rows('select node, count(*) as n from prices group by all order by all')).toEqual([
      { node: 'ingest[BTC]', n: 3 },
      { node: 'ingest[ETH]', n: 200 },
      { node: 'ingest[copy]', n: 3 },
    ])
  })

  test('joins nodes with their params', async () => {
    const sql = `select p.symbol, n.params->>'$.symbol' as asked, count(*) as n from prices p join nodes n using (node) group by all order by all`
    expect(await rows(sql)).toEqual([
      { symbol: 'BTC', asked: 'BTC', n: 3 },
      { symbol: 'BTC', asked: null, n: 3 },
      { symbol: 'ETH', asked: 'ETH', n: 200 },
    ])
  })

  test('tells bars of different lengths and markets apart that stand in one table', async () => {
    const bars = (address: string, interval: string, market?: string) => ({
      address,
      task: 'ingest',
      type: 'prices',
      params: { interval, ...(market === undefined ? {} : { market }) },
      files: { 'table.parquet': pricesOf('BTC', interval === '1d' ? 1 : 3) },
    })
    const at = await queryRoot(join(folder, 'intervals'), [
      bars('ingest[1d]', '1d'),
      bars('ingest[1m]', '1m'),
      bars('ingest[spot,1m]', '1m', 'spot'),
    ])
    const sql = 'select market, barInterval, count(*) as n from prices group by all order by all'
    const { stdout } = await ask([sql, '--csv'], at)
    expect(stdout).toBe('market,barInterval,n\nspot,1m,3\nusdm,1d,1\nusdm,1m,3\n')
  })

  test('keeps every digit of files that differ in digits', async () => {
    expect(await rows('select cash, node from equity order by node')).toEqual([
      { cash: '1.25000000', node: 'backtest[a]' },
      { cash: '1.12345678', node: 'backtest[b]' },
    ])
  })

  test('puts files with other columns below each other, and names the file', async () => {
    expect(await rows('select momentum, carry, file, node from features order by all')).toEqual([
      { momentum: 0.5, carry: null, file: 'BTC', node: 'features[momentum]' },
      { momentum: 0.5, carry: null, file: 'ETH', node: 'features[momentum]' },
      { momentum: 1, carry: null, file: 'BTC', node: 'features[momentum]' },
      { momentum: 1, carry: null, file: 'ETH', node: 'features[momentum]' },
      { momentum: null, carry: 2, file: 'BTC', node: 'features[carry]' },
    ])
  })

  test('has JSON artifacts as values, and findings as rows', async () => {
    expect(await rows(`select value->>'$.symbol' as symbol, node from qa`)).toEqual([
      { symbol: 'BTC', node: 'qa[BTC]' },
    ])
    expect(await rows('select symbol, kind, bars, worst from qaFindings order by fromMs')).toEqual([
      { symbol: 'BTC', kind: 'gap', bars: 4, worst: null },
      { symbol: 'BTC', kind: 'stale', bars: 8, worst: 0.5 },
    ])
  })

  test('lists the tables, with units and rows', async () => {
    const { stdout } = await ask(['--tables', '--json'])
    const tables = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { table: string; rowCount: number; columns: unknown[] })
    expect(tables.map(({ table, rowCount }) => [table, rowCount])).toEqual([
      ['equity', 2],
      ['features', 5],
      ['nodes', 8],
      ['prices', 206],
      ['qa', 1],
      ['qaFindings', 2],
    ])
    expect(tables[3]!.columns).toContainEqual({ name: 'px', type: 'DECIMAL(18,8)', unit: 'quote' })
    expect((await ask(['--tables'])).stdout).toContain('prices  206 rows in 3 files\n  symbol  VARCHAR\n')
  })
})

describe('rows without an ORDER BY', () => {
  test('come by node, and as they are stored, of which node there are few or many', async () => {
    const got = (await rows('select node, id from prices')) as { node: string; id: string }[]
    const want = ['ingest[BTC]', 'ingest[ETH]', 'ingest[copy]'].flatMap((node) =>
      Array.from({ length: node === 'ingest[ETH]' ? 200 : 3 }, (_, i) => ({
        node,
        id: String(9_007_199_254_740_993n + BigInt(i)),
      })),
    )
    expect(got).toEqual(want)
    expect(await rows('select id from prices where id > 9007199254740993 limit 3')).toEqual(
      [1, 2, 1].map((i) => ({ id: String(9_007_199_254_740_993n + BigInt(i)) })),
    )
  })

  test('also of a single small file of two nodes', async () => {
    const small = await queryRoot(
      join(folder, 'small'),
      made.filter(({ address }) => address === 'ingest[BTC]' || address === 'ingest[copy]'),
    )
    const { stdout } = await ask(['select node, id % 10 as id from prices', '--csv'], small)
    expect(stdout).toBe(
      `node,id\n${['BTC', 'copy'].flatMap((name) => [3, 4, 5].map((id) => `ingest[${name}],${id}\n`)).join('')}`,
    )
  })

  test('and make the same file each time', async () => {
    const many = await queryRoot(
      join(folder, 'many'),
      Array.from({ length: 6 }, (_, i) => ({
        address: `ingest[S${i}]`,
        task: 'ingest',
        type: 'prices',
        files: { 'table.parquet': pricesOf(`S${i}`, i === 0 ? 1 : 130_000) },
      })),
    )
    const files = new Set<string>()
    for (let i = 0; i < 4; i++) {
      await ask(['from prices where id % 3 = 0', '--parquet', 'same.parquet', '--overwrite'], many)
      files.add(digestOf(readFileSync(join(folder, 'same.parquet'))))
    }
    rmSync(join(folder, 'same.parquet'))
    expect(files.size).toBe(1)
  })
})

describe('a table that variants of a node made as well', () => {
  const runs = [
    { address: 'backtest', task: 'backtest', type: 'backtestRun', files: { 'equity.parquet': equityOf(2, 1n) } },
    ...['fees,none', 'fees,double'].map((at, i) => ({
      address: `backtest[${at}]`,
      task: 'backtest',
      type: 'backtestRun',
      files: { 'equity.parquet': equityOf(2, BigInt(i + 2)) },
    })),
  ]

  test('means the node, and is there with all of them beside it; what a report hands on is no copy', async () => {
    const other = await queryRoot(join(folder, 'variants'), [
      ...runs,
      {
        address: 'report',
        task: 'report',
        type: 'report',
        reads: ['backtest'],
        files: { 'equity.parquet': equityOf(2, 1n), 'report.html': '<p>' },
      },
    ])
    expect((await ask(['select node, cash from equity', '--csv'], other)).stdout).toBe('node,cash\nbacktest,0.01\n')
    expect((await ask(['select node, cash from equity_all', '--csv'], other)).stdout).toBe(
      'node,cash\nbacktest,0.01\n"backtest[fees,double]",0.03\n"backtest[fees,none]",0.02\n',
    )
  })

  test('is refused where the node itself is lost, and is there where only a variant is', async () => {
    const lose = async (address: string): Promise<QueryRoot> => {
      const other = await queryRoot(join(folder, `lost ${address}`), runs)
      rmSync(other.objectOf(address, 'equity.parquet'))
      return other
    }
    expect((await ask(['from equity'], await lose('backtest'))).status).toBe('corrupt')
    const other = await lose('backtest[fees,none]')
    expect((await ask(['from equity'], other)).status).toBe('ok')
    expect((await ask(['from equity_all'], other)).status).toBe('corrupt')
  })
})

describe('a value', () => {
  test('loses no digit in JSON: decimals and large integers are text, times are UTC, missing doubles null', async () => {
    expect(await rows('select * exclude (node) from prices order by symbol, tsMs limit 2 offset 1')).toEqual(
      [
        {
          symbol: 'BTC',
          tsMs: '2024-01-01T00:00:00.000Z',
          px: '1234567890.12345678',
          id: '9007199254740993',
          ratio: null,
          isLast: null,
        },
        {
          symbol: 'BTC',
          tsMs: '2024-01-01T00:01:00.000Z',
          px: '1234567890.12345679',
          id: '9007199254740994',
          ratio: 0.5,
          isLast: false,
        },
      ].slice(0, 2),
    )
  })

  const cases: [sql: string, want: unknown][] = [
    [`timestamptz '2024-03-01 00:00:00.123456+02'`, '2024-02-29T22:00:00.123456Z'],
    [`timestamp '1969-12-31 23:59:59.999'`, '1969-12-31T23:59:59.999'],
    [`timestamptz '9999-12-31 23:59:59.999999+00'`, '9999-12-31T23:59:59.999999Z'],
    [`timestamp_ns '2024-03-01 00:00:00.000000001'`, '2024-03-01T00:00:00.000000001'],
    [`timestamp_s '1900-03-01 00:00:01'`, '1900-03-01T00:00:01.000'],
    [`timestamptz 'infinity'`, 'infinity'],
    [`date '2024-03-01'`, '2024-03-01'],
    [`'infinity'::double`, 'Infinity'],
    [`'nan'::double`, 'NaN'],
    [`sum(1)`, 1],
    [`170141183460469231731687303715884105727::hugeint`, '170141183460469231731687303715884105727'],
    [`-0.05::decimal(4, 2)`, '-0.05'],
    [`[1, null]`, [1, null]],
    [`{a: 1.50::decimal(4,2), b: {c: true}}`, { a: '1.50', b: { c: true } }],
    [`map {'a': 1}`, [{ key: 'a', value: 1 }]],
    [`'\\xAB'::blob`, 'ab'],
    [`'{"a": [1]}'::json`, { a: [1] }],
    [`'{"a": 12345678901234567890}'::json`, '{"a": 12345678901234567890}'],
    [`interval 1 day`, '1 day'],
    [`'é\u{1f600}'`, 'é\u{1f600}'],
  ]
  for (const [sql, want] of cases) {
    test(`${sql} is ${JSON.stringify(want)}`, async () =>
      expect(await rows(`select ${sql} as x`)).toEqual([{ x: want }]))
  }

  test('of two columns with one name keeps both', async () => {
    expect(await rows('select 1 as a, 2 as a')).toEqual([{ a: 1, 'a:1': 2 }])
  })

  test('in CSV: nothing is empty, an empty text is quoted', async () => {
    const { stdout } = await ask([`select null as a, '' as b, 'x,"y"' as c, 1.5::decimal(3,1) as d`, '--csv'])
    expect(stdout).toBe('a,b,c,d\n,"","x,""y""",1.5\n')
  })
})

describe('the output', () => {
  test('cuts long cells on a terminal, and never for whatever reads them behind a pipe', async () => {
    const sql = `select '${'{"a":1},'.repeat(40)}' as long`
    expect((await ask([sql])).stdout).toContain('{"a":1},'.repeat(40))
    const { stdout } = await ask([sql], root, { isTerminal: { stdout: true, stderr: false } })
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100)
  })

  test('on a terminal ends with how many rows are left out', async () => {
    const { stdout } = await ask(['from prices', '--rows', '2'])
    expect(stdout.trimEnd().split('\n')).toHaveLength(4)
    expect(stdout).toContain('… 204 more rows; --rows 0 shows all')
    expect((await ask(['from prices', '-n', '0'])).stdout.trimEnd().split('\n')).toHaveLength(207)
  })

  test('as CSV and JSON is every row', async () => {
    expect((await ask(['from prices', '--csv'])).stdout.trimEnd().split('\n')).toHaveLength(207)
    expect(await rows('from prices')).toHaveLength(206)
  })

  test('as Parquet goes to one file, with exact types, and nothing is left beside it', async () => {
    const file = join(folder, 'out', 'prices.parquet')
    expect((await ask(['from prices', '--parquet', file])).stderr).toContain('there is no such folder')
    const { status, stdout } = await ask(['select symbol, px, tsMs from prices -- all', '--parquet', 'prices.parquet'])
    expect({ status, stdout }).toMatchObject({
      status: 'ok',
      stdout: expect.stringMatching(/prices\.parquet {2}206 rows/),
    })
    expect(readdirSync(folder).filter((name) => name.includes('.parquet'))).toEqual(['prices.parquet'])
    const again = await ask(['from prices', '--parquet', 'prices.parquet'])
    expect(again.status).toBe('refused')
    expect((await ask(['from prices;', '--parquet', 'prices.parquet', '--overwrite'])).status).toBe('ok')
    expect(readFileSync(join(folder, 'prices.parquet')).subarray(0, 4).toString()).toBe('PAR1')
  })

  test('of a query that fails is no file', async () => {
    const { status } = await ask([`select error('no') from prices`, '--parquet', 'never.parquet'])
    expect(status).toBe('usage')
    expect(readdirSync(folder).filter((name) => name.includes('never'))).toEqual([])
  })

  test('of EXPLAIN is drawn', async () => {
    expect((await ask(['explain select 1'])).stdout).toContain('┌────')
    expect((await ask(['explain analyze select count(*) from prices'])).stdout).toContain('READ_PARQUET')
  })
})

describe('a query comes', () => {
  test('from a file', async () => {
    writeFileSync(join(folder, 'q.sql'), 'select count(*) as n\nfrom prices\n')
    expect((await ask(['--file', 'q.sql', '--csv'])).stdout).toBe('n\n206\n')
  })

  test('with tables, macros and PIVOT of its own', async () => {
    expect(await rows('create macro twice(a) as 2 * a; select twice(21) as x')).toEqual([{ x: 42 }])
    expect(await rows('pivot (select symbol from prices) on symbol using count(*)')).toEqual([{ BTC: 6, ETH: 200 }])
  })

  const mistakes: [says: string, words: string[], stderr: RegExp][] = [
    ['that is empty', [''], /the query is empty/],
    ['of a comment only', ['/* nothing */ ; -- nothing'], /the query is empty/],
    ['that is nowhere', [], /there is no query[\s\S]*--tables/],
    ['twice', ['select 1', '--file', 'q.sql'], /there are two queries/],
    ['to two places', ['select 1', '--csv', '--parquet', 'x.parquet'], /one way only/],
    [
      'with a misspelt table',
      ['select *\nfrom  price'],
      /no table "price"; did you mean "prices"\?[\s\S]*line 2, column 7/,
    ],
    ['with a misspelt column', ['select pxx from prices'], /"pxx" not found[\s\S]*line 1, column 8/],
    ['with a syntax error', ['selec 1'], /syntax error at or near "selec"[\s\S]*line 1, column 1/],
    ['of a snapshot that is not here', ['select 1', '--snapshot', 'nosuch'], /nothing here is called "nosuch"/],
  ]
  for (const [says, words, stderr] of mistakes) {
    test(`${says}, and the mistake is named`, async () => {
      const said = await ask(words)
      expect(said.stderr).toMatch(stderr)
      expect(said.status).toBe('usage')
    })
  }
})

describe('a hostile query', () => {
  let object: string
  beforeAll(() => {
    object = root.objectOf('ingest[BTC]')
  })
  const attempts: [says: string, sql: (at: string) => string][] = [
    ['reads a file', () => `from read_text('/etc/passwd')`],
    ['reads a file by its name', () => `from '/etc/passwd'`],
    ['reads CSV', () => `from read_csv('/etc/passwd', header = false)`],
    ['lists a folder', () => `from glob('/etc/*')`],
    ['reads beside an object', (at) => `from read_text('${at}/../../../FORMAT')`],
    ['reads from the network', () => `from 'https://example.com/a.parquet'`],
    ['writes a file', () => `copy (select 1) to '${folder}/written.csv'`],
    ['writes over an object', (at) => `copy (select 1) to '${at}' (format csv, use_tmp_file false)`],
    ['writes while it explains', (at) => `explain analyze copy (select 1) to '${at}' (format csv, use_tmp_file false)`],
    [
      'writes behind an EXPLAIN',
      (at) => `explain select 1; copy (select 1) to '${at}' (format csv, use_tmp_file false)`,
    ],
    ['writes behind a SELECT', (at) => `select 1; copy (select 1) to '${at}' (format csv, use_tmp_file false)`],
    ['attaches a database', () => `attach '${folder}/written.db' as x`],
    ['installs an extension', () => 'install httpfs'],
    ['loads one', () => 'load httpfs'],
    ['opens the door again', () => 'set enable_external_access = true'],
    ['keeps a secret', () => `create persistent secret s (type s3); select 1`],
    ['writes a log', () => `call enable_logging(storage = 'file', storage_path = '${folder}/written')`],
    ['profiles into a file', () => `pragma profiling_output = '${folder}/written.json'`],
    ['exports everything', () => `export database '${folder}/written'`],
    ['drops a table', () => 'drop view prices'],
    ['prepares something else', () => `prepare x as copy (select 1) to '${folder}/written.csv'`],
  ]
  for (const [says, sql] of attempts) {
    test(`that ${says} is refused`, async () => {
      const before = readFileSync(object)
      const { status, stdout } = await ask([sql(object.replaceAll("'", "''"))])
      expect(['refused', 'usage']).toContain(status)
      expect(stdout).toBe('')
      expect(readFileSync(object).equals(before)).toBe(true)
      expect(readdirSync(folder).filter((name) => name.startsWith('written'))).toEqual([])
    })
  }

  test('cannot break out of the parentheses that --parquet puts around it', async () => {
    const sql = `select 1) to '${folder}/written.csv'; copy (select 1`
    expect((await ask([sql, '--parquet', 'x.parquet'])).status).toBe('usage')
    expect(existsSync(join(folder, 'written.csv'))).toBe(false)
  })
})

describe('bytes that are damaged', () => {
  const damaged = async (name: string, spoil: (path: string) => void): Promise<QueryRoot> => {
    const other = await queryRoot(join(folder, name), made)
    const path = other.objectOf('ingest[ETH]')
    chmodSync(path, 0o644)
    spoil(path)
    return other
  }

  test('are named, with the status of damage, where DuckDB stumbles over them', async () => {
    const other = await damaged('torn', (path) => {
      const bytes = readFileSync(path)
      writeFileSync(path, bytes.fill(0xff, bytes.length - 200, bytes.length - 8))
    })
    const { status, stderr } = await ask(['from prices'], other)
    expect(status).toBe('corrupt')
    expect(stderr).toMatch(/object [0-9a-f]+ is damaged[\s\S]*ingest\[ETH\]/)
    expect((await ask(['from equity'], other)).status).toBe('ok')
  })

  test('that still read are found by --check', async () => {
    const other = await damaged('flipped', (path) => {
      const bytes = readFileSync(path)
      bytes[bytes.indexOf(Buffer.from('ETH'))] = 'F'.charCodeAt(0)
      writeFileSync(path, bytes)
    })
    expect((await ask(['from prices', '--check'], other)).status).toBe('corrupt')
    expect((await ask(['from equity', '--check'], other)).status).toBe('ok')
    // Nobody looks for damage where the words of the query are wrong.
    for (const sql of [
      'selec symbol from prices',
      'select from from prices',
      "select 'prices",
      'select no from prices',
    ]) {
      expect((await ask([sql], other)).status).toBe('usage')
    }
  })

  test('or cut off or gone make a table incomplete, which is refused, and hinder no other', async () => {
    const other = await damaged('cut', (path) => writeFileSync(path, readFileSync(path).subarray(0, 50)))
    const { status, stderr } = await ask(['from prices'], other)
    expect(status).toBe('corrupt')
    expect(stderr).toMatch(/rows of prices are not here[\s\S]*ingest\[ETH\][\s\S]*pipe run 'ingest\[ETH\]'/)
    expect((await ask(['from equity'], other)).status).toBe('ok')
    expect((await ask(['from nodes'], other)).status).toBe('ok')
    expect((await ask(['--tables'], other)).stderr).toContain('prices is left out')
  })
})

test('an interrupt ends a query', async () => {
  let interrupt = (): void => {}
  const openRoot: Process['openRoot'] = async () => {
    const store = openStore(root.root, { readOnly: true })
    return { root: root.root, rootFrom: 'named', store, close: () => store.close() }
  }
  const said = say(
    ['query', 'select count(*) from range(1000000000) a, range(1000000000) b where a.range + b.range = 7'],
    {
      openRoot,
      cwd: folder,
      signals: {
        onStop(listener) {
          interrupt = () => listener('SIGINT', 1)
          return () => {}
        },
      },
    },
  )
  const timer = setInterval(() => interrupt(), 20)
  const { status } = await said
  clearInterval(timer)
  expect(status).toBe('interrupted')
})
