import { z } from 'zod'
import { archiveListing } from '../../lib/market/ingest/rawFiles.ts'
import { candidates, type RejectedSymbol } from '../../lib/market/universe/universe.ts'
import { parseListing } from '../../lib/venues/listing.ts'
import { defineTask } from '../../pipeline/engine/task.ts'

/** Every perpetual the archive ever had, dead ones included, but for those the rules leave out by name alone. */
export const listCandidates = defineTask({
  name: 'listCandidates',
  kind: 'pure',
  params: z.object({
    quoteAsset: z.string().default('USDT'),
    /** Where given, nobody else. */
    allow: z.array(z.string()).default([]),
    deny: z.array(z.string()).default([]),
  }),
  inputs: { listing: archiveListing },
  output: candidates,
  run: ({ listing }, { quoteAsset, allow, deny }) => {
    const folders = listing.names.flatMap((name) => parseListing(listing.read(name)).folders)
    const names = [...new Set(folders.map((folder) => folder.split('/').at(-2)!))].sort()
    const symbols: { symbol: string }[] = []
    const rejected: RejectedSymbol[] = []
    for (const symbol of names) {
      const reason = reasonAgainst(symbol)
      if (reason === undefined) symbols.push({ symbol })
      else rejected.push({ symbol, reason })
    }
    const missing = allow.filter((symbol) => !names.includes(symbol))
    return {
      symbols,
      rejected: [...rejected, ...missing.map((symbol) => ({ symbol, reason: 'the archive does not list it' }))],
    }

    function reasonAgainst(symbol: string): string | undefined {
      if (/_\d{6}$/.test(symbol)) return 'it has a delivery date'
      if (!symbol.endsWith(quoteAsset)) return `it is not quoted in ${quoteAsset}`
      if (deny.includes(symbol)) return 'it is on the deny list'
      if (allow.length > 0 && !allow.includes(symbol)) return 'it is not on the allow list'
      return undefined
    }
  },
})
