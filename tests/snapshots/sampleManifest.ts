import { type Digest, digestOf } from '../../cas/digest.ts'
import type { Manifest, ManifestNode } from '../../snapshots/manifest.ts'

export const digest = (name: string): Digest => digestOf(name)

/** A small run: one source, two parsers of it, a collector over both. */
export function sampleNodes(): ManifestNode[] {
  const parse = (symbol: string): ManifestNode => ({
    address: `parse[${symbol}]`,
    task: 'parse',
    kind: 'pure',
    code: { run: digest('parse code') },
    params: { symbol },
    inputs: { raw: digest('raw artifact') },
    artifact: digest(`${symbol} artifact`),
  })
  return [
    {
      address: 'collect',
      task: 'collect',
      kind: 'pure',
      code: { run: digest('collect code'), ports: { strategy: digest('strategy code') } },
      params: { sizes: [1, 2], lots: 10n },
      inputs: { tables: { list: digest('list') }, extra: null },
      artifact: digest('collect artifact'),
    },
    {
      address: 'fetch',
      task: 'fetch',
      kind: 'source',
      code: { version: 1 },
      params: {},
      inputs: {},
      asOfMs: 1_700_000_000_000,
      artifact: digest('raw artifact'),
    },
    parse('BTC'),
    parse('ETH'),
  ]
}

export function sampleManifest(change: Partial<Manifest> = {}): Manifest {
  return {
    format: 1,
    pipeline: 'demo',
    targets: [{ name: 'report', addresses: ['collect'] }],
    config: { months: ['2024-01'] },
    asOfMs: 1_700_000_000_000,
    nodes: sampleNodes(),
    ...change,
  }
}

export const sampleList = (list: Digest): readonly Digest[] | undefined =>
  list === digest('list') ? [digest('BTC artifact'), digest('ETH artifact')] : undefined
