import { z } from 'zod'
import { Fault } from '../fault.ts'
import type { ListedSymbol, RejectedSymbol } from '../market/universe/universe.ts'

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

export type ExchangeInfo = {
  readonly tradable: readonly ListedSymbol[]
  readonly rejected: readonly RejectedSymbol[]
  /** Of the rejected those that are another kind of contract altogether, whenever one looks. */
  readonly foreign: readonly RejectedSymbol[]
}

/** Every symbol the venue lists, each with its rules, or with the reason why it is no perpetual one can trade. */
export function parseExchangeInfo(bytes: Uint8Array): ExchangeInfo {
  const parsed = answer.safeParse(JSON.parse(new TextDecoder().decode(bytes)))
  if (!parsed.success) {
    throw new Fault({
      code: 'failed',
      what: `this is not the venue's exchange info: ${parsed.error.issues[0]!.path.join('.')}: ${parsed.error.issues[0]!.message}`,
      todo: 'fetch it again with --refresh',
    })
  }
  const tradable: ListedSymbol[] = []
  const rejected: RejectedSymbol[] = []
  const foreign: RejectedSymbol[] = []
  for (const entry of parsed.data.symbols) {
    const { symbol: name } = entry
    const kind = whyForeign(entry)
    if (kind !== undefined) foreign.push({ symbol: name, reason: kind })
    // New statuses appear without notice: what is not known is not tradable.
    const reason = kind ?? (entry.status === 'TRADING' ? undefined : `its status is ${entry.status}`)
    if (reason === undefined) tradable.push(listed(entry))
    else rejected.push({ symbol: name, reason })
  }
  return { tradable, rejected, foreign }
}

/** New contract types appear without notice; one that is not open yet has none. */
function whyForeign({ contractType, quoteAsset, underlyingType }: z.infer<typeof symbol>): string | undefined {
  if (contractType !== 'PERPETUAL') return `its contract type is ${contractType || 'empty'}`
  if (quoteAsset !== 'USDT') return `it is quoted in ${quoteAsset}`
  if (underlyingType !== undefined && underlyingType !== 'COIN') return `what underlies it is ${underlyingType}`
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
