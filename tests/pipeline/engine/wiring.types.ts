/** Wiring mistakes are compile errors: each line under a @ts-expect-error would be one, and `npm run typecheck` fails
 *  when one of them compiles. Nothing here runs. */
import { z } from 'zod'
import {
  absent,
  codePort,
  decimal,
  definePipeline,
  defineTable,
  defineTask,
  type FileSet,
  filesArtifact,
  jsonArtifact,
  makeTable,
  many,
  optional,
  stored,
  tableArtifact,
  tsMs,
  withConfig,
} from '../../../pipeline/index.ts'

const raw = filesArtifact('raw')
const names = jsonArtifact('names', z.array(z.string()))
const total = jsonArtifact('total', z.number())
const prices = tableArtifact(
  defineTable({ name: 'prices', version: 1, columns: { tsMs: tsMs(), close: decimal(2) }, sortKey: ['tsMs'] }),
)
const volumes = tableArtifact(
  defineTable({ name: 'volumes', version: 1, columns: { tsMs: tsMs(), volume: decimal(3) }, sortKey: ['tsMs'] }),
)

interface Strategy {
  decide(close: number): number
}

const fetchRaw = defineTask({
  name: 'fetchRaw',
  kind: 'source',
  version: 1,
  params: z.object({ symbol: z.string() }),
  output: raw,
  run: async () => [],
})
const parse = defineTask({
  name: 'parse',
  kind: 'pure',
  params: z.object({ scale: z.number().default(2) }),
  inputs: { raw, hints: optional(names) },
  output: prices,
  run: ({ raw: files, hints }) => {
    const bytes: Uint8Array = files.read(files.names[0]!)
    const maybe: string[] | undefined = hints
    return makeTable(prices.schema, {
      tsMs: new Float64Array(bytes.length),
      close: new BigInt64Array(maybe?.length ?? 0),
    })
  },
})
const list = defineTask({
  name: 'list',
  kind: 'pure',
  params: z.object({}),
  inputs: { prices },
  output: names,
  run: () => ['a'],
})
const trade = defineTask({
  name: 'trade',
  kind: 'pure',
  params: z.object({ limit: z.number() }),
  inputs: { all: many(prices), big: stored(prices) },
  code: { strategy: codePort<Strategy>() },
  output: total,
  run: ({ all, big, strategy }, { limit }) => {
    const rows: number = all[0]!.rowCount + big.read().rowCount
    const files: FileSet = big.files
    return strategy.decide(rows) + limit + files.names.length
  },
})
const volumesOnly = defineTask({
  name: 'volumesOnly',
  kind: 'pure',
  params: z.object({}),
  inputs: { volumes },
  output: total,
  run: () => 1,
})
const momentum: Strategy = { decide: (close) => close }

export const good = definePipeline('good', z.object({ limit: z.number() }), (graph, { limit }) => {
  const fetched = graph.add(fetchRaw, { params: { symbol: 'BTCUSDT' } })
  const parsed = graph.add(parse, { inputs: { raw: fetched } })
  const listed = graph.add(list, { inputs: { prices: parsed } })
  const each = graph.each(
    listed,
    (value) => value,
    (name) => graph.add(parse, { at: [name], params: { scale: 3 }, inputs: { raw: fetched, hints: listed } }),
  )
  graph.target(
    'trade',
    graph.add(trade, { params: { limit }, inputs: { all: each, big: parsed }, code: { strategy: momentum } }),
  )
  graph.add(trade, {
    at: ['b'],
    params: { limit },
    inputs: { all: [parsed, each], big: parsed },
    code: { strategy: momentum },
  })

  // @ts-expect-error a missing param
  graph.add(fetchRaw, { params: {} })
  // @ts-expect-error no params at all
  graph.add(fetchRaw)
  // @ts-expect-error a param of the wrong type
  graph.add(fetchRaw, { params: { symbol: 7 } })
  // @ts-expect-error a param that does not exist
  graph.add(fetchRaw, { params: { symbol: 'BTCUSDT', sybmol: 'x' } })
  // @ts-expect-error a missing input
  graph.add(parse, { inputs: {} })
  // @ts-expect-error inputs left out
  graph.add(parse)
  // @ts-expect-error an artifact of the wrong form
  graph.add(parse, { inputs: { raw: listed } })
  // @ts-expect-error a table of the wrong schema
  graph.add(volumesOnly, { inputs: { volumes: parsed } })
  // @ts-expect-error an optional input of the wrong type
  graph.add(parse, { inputs: { raw: fetched, hints: parsed } })
  // @ts-expect-error a collection where one artifact belongs
  graph.add(list, { inputs: { prices: each } })
  // @ts-expect-error one artifact where a collection belongs
  graph.add(trade, { params: { limit }, inputs: { all: parsed, big: parsed }, code: { strategy: momentum } })
  // @ts-expect-error an empty code port
  graph.add(trade, { params: { limit }, inputs: { all: each, big: parsed } })
  graph.add(trade, {
    params: { limit },
    inputs: { all: each, big: parsed },
    // @ts-expect-error code of the wrong shape
    code: { strategy: { decide: () => 'buy' } },
  })
  graph.each(
    // @ts-expect-error fan-out over something that is not JSON
    parsed,
    () => [],
    () => parsed,
  )
})

// @ts-expect-error a config that does not fit its schema
export const badConfig = withConfig(good, { limit: 'many' })

export const badOutput = defineTask({
  name: 'badOutput',
  kind: 'pure',
  params: z.object({}),
  inputs: {},
  output: total,
  // @ts-expect-error a result of the wrong type
  run: () => 'text',
})

export const absentPure = defineTask({
  name: 'absentPure',
  kind: 'pure',
  params: z.object({}),
  inputs: {},
  output: total,
  // @ts-expect-error only a source may say that there is nothing
  run: () => absent('no'),
})
