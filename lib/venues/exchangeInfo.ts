import { z } from 'zod'
import { Fault } from '../fault.ts'
import type { ListedSymbol } from '../market/universe.ts'

/** The venue's word for "no end announced". */
const noDelivery = 4_133_404_800_000

const filter = z.looseObject({ filterType: z.string() })
const symbol = z.looseObject({
  symbol: z.string(),
  contractType: z.string(),
  status: z.string(),
  underlyingType: z.string().optional(),
  quoteAsset: z.string(),
  onboardDate: z.number(),
  deliveryDate: z.number(),
  filters: z.array(filter),
})
const answer = z.looseObject({ symbols: z.array(symbol) })

/** Every symbol the venue lists, each with its rules, or with the reason why it is no perpetual one can trade. */
export function parseExchangeInfo(bytes: Uint8Array): {
  readonly tradable: readonly ListedSymbol[]
  readonly rejected: readonly { symbol: string; reason: string }[]
} {
  const parsed = answer.safeParse(JSON.parse(new TextDecoder().decode(bytes)))
  if (!parsed.success) {
    throw new Fault({
      code: 'failed',
      what: `this is not the venue's exchange info: ${parsed.error.issues[0]!.path.join('.')}: ${parsed.error.issues[0]!.message}`,
      todo: 'fetch it again with --refresh',
    })
  }
  const tradable: ListedSymbol[] = []
  const rejected: { symbol: string; reason: string }[] = []
  for (const entry of parsed.data.symbols) {
    const reason = whyNot(entry)
    if (reason === undefined) tradable.push(listed(entry))
    else rejected.push({ symbol: entry.symbol, reason })
  }
  return { tradable, rejected }
}

/** New contract types and statuses appear without notice: what is not known is not tradable. */
function whyNot({ contractType, status, quoteAsset, underlyingType }: z.infer<typeof symbol>): string | undefined {
  if (contractType !== 'PERPETUAL') return `its contract type is ${contractType || 'empty'}`
  if (quoteAsset !== 'USDT') return `it is quoted in ${quoteAsset}`
  if (underlyingType !== undefined && underlyingType !== 'COIN') return `what underlies it is ${underlyingType}`
  if (status !== 'TRADING') return `its status is ${status}`
  return undefined
}

function listed(entry: z.infer<typeof symbol>): ListedSymbol {
  const value = (filterType: string, key: string): string => {
    const found = entry.filters.find((candidate) => candidate.filterType === filterType)?.[key]
    if (typeof found === 'string') return found
    throw new Fault({
      code: 'failed',
      what: `the venue gives no ${key}`,
      where: entry.symbol,
      todo: 'leave the symbol out with the deny list',
    })
  }
  return {
    symbol: entry.symbol,
    tickSize: value('PRICE_FILTER', 'tickSize'),
    stepSize: value('LOT_SIZE', 'stepSize'),
    minNotional: value('MIN_NOTIONAL', 'notional'),
    onboardTsMs: entry.onboardDate,
    ...(entry.deliveryDate === noDelivery ? {} : { deliveryTsMs: entry.deliveryDate }),
  }
}
