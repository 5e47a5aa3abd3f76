import { describe, expect, test } from 'vitest'
import type { Digest } from '../../cas/digest.ts'
import { diffManifests } from '../../snapshots/diff.ts'
import type { Manifest, ManifestNode } from '../../snapshots/manifest.ts'
import { digest, sampleList, sampleManifest, sampleNodes } from './sampleManifest.ts'

/** The sample with some nodes replaced, dropped (undefined) or added. */
function withNodes(change: Readonly<Record<string, Partial<ManifestNode> | undefined>>): Manifest {
  const nodes = sampleNodes().flatMap((node) => {
    if (!(node.address in change)) return [node]
    const edit = change[node.address]
    return edit === undefined ? [] : [{ ...node, ...edit } as ManifestNode]
  })
  for (const [address, node] of Object.entries(change)) {
    if (!nodes.some((known) => known.address === address) && node?.task !== undefined) nodes.push(node as ManifestNode)
  }
  return sampleManifest({ nodes: nodes.sort((a, b) => (a.address < b.address ? -1 : 1)) })
}

const before = sampleManifest()
const compare = (after: Manifest, lists: Readonly<Record<string, readonly Digest[]>> = {}) =>
  diffManifests(before, after, (list) => lists[list] ?? sampleList(list))

describe('diffManifests', () => {
  test('a manifest is the same as itself', () => {
    expect(compare(sampleManifest())).toMatchObject({ same: true, changed: [], onlyInA: [], onlyInB: [] })
    expect(compare(sampleManifest()).unchangedNodes).toBe(4)
  })

  test('new source bytes are the root, and everything below follows from them', () => {
    const diff = compare(
      withNodes({
        fetch: { artifact: digest('raw 2') },
        'parse[BTC]': { inputs: { raw: digest('raw 2') }, artifact: digest('BTC 2') },
        'parse[ETH]': { inputs: { raw: digest('raw 2') } },
        collect: { inputs: { tables: { list: digest('list 2') }, extra: null }, artifact: digest('collect 2') },
      }),
      { [digest('list 2')]: [digest('BTC 2'), digest('ETH artifact')] },
    )
    expect(diff.changed.map(({ address, root, after, bytesChanged }) => [address, root, after, bytesChanged])).toEqual([
      ['collect', false, ['parse[BTC]'], true],
      ['fetch', true, [], true],
      ['parse[BTC]', false, ['fetch'], true],
      ['parse[ETH]', false, ['fetch'], false], // cut off: it came out the same
    ])
    expect(diff.changed[1]?.causes).toEqual([{ kind: 'source bytes' }])
  })

  test('params, code, code ports and as-of instants are told apart, with both values', () => {
    const diff = compare(
      withNodes({
        collect: {
          code: { run: digest('c2'), ports: { strategy: digest('s2') } },
          params: { sizes: [1, 3], lots: 10n },
        },
        fetch: { code: { version: 2 }, asOfMs: 5 },
      }),
    )
    expect(diff.changed[0]).toMatchObject({
      root: true,
      causes: [
        { kind: 'code', before: digest('collect code'), after: digest('c2') },
        { kind: 'code port', port: 'strategy', after: digest('s2') },
        { kind: 'params', changes: [{ path: 'sizes[1]', before: 2, after: 3 }] },
      ],
    })
    expect(diff.changed[1]?.causes.map(({ kind }) => kind)).toEqual(['version', 'as of'])
  })

  test('the same key with other bytes is a root of its own kind', () => {
    const diff = compare(withNodes({ 'parse[BTC]': { artifact: digest('BTC 2') } }))
    expect(diff.changed).toMatchObject([{ root: true, causes: [{ kind: 'same key, other bytes' }] }])
  })

  test('an input wired to another unchanged node is a root, not a cascade', () => {
    const diff = compare(withNodes({ 'parse[BTC]': { inputs: { raw: digest('ETH artifact') } } }))
    expect(diff.changed).toMatchObject([{ address: 'parse[BTC]', root: true, after: [] }])
  })

  test('a list with one changed and one rewired item is a root: the change does not explain all of it', () => {
    const both = withNodes({
      'parse[BTC]': { params: { symbol: 'XBT' }, artifact: digest('BTC 2') },
      collect: { inputs: { tables: { list: digest('mixed') }, extra: null } },
    })
    const mixed = [digest('BTC 2'), digest('raw artifact')]
    expect(compare(both, { [digest('mixed')]: mixed }).changed[0]).toMatchObject({ address: 'collect', root: true })
  })

  test('a fan-out that grew explains its collector', () => {
    const sol = { ...sampleNodes()[2]!, address: 'parse[SOL]', artifact: digest('SOL artifact') }
    const grown = withNodes({
      'parse[SOL]': sol,
      collect: { inputs: { tables: { list: digest('list 3') }, extra: null } },
    })
    const diff = compare(grown, {
      [digest('list 3')]: [digest('BTC artifact'), digest('ETH artifact'), digest('SOL artifact')],
    })
    expect(diff.onlyInB).toEqual(['parse[SOL]'])
    expect(diff.changed).toMatchObject([{ address: 'collect', root: false, after: ['parse[SOL]'] }])
  })

  test('a list that cannot be read, or only changed its order, counts as a root', () => {
    const other = withNodes({ collect: { inputs: { tables: { list: digest('?') }, extra: null } } })
    expect(compare(other).changed).toMatchObject([{ root: true }])
    const turned = compare(other, { [digest('?')]: [digest('ETH artifact'), digest('BTC artifact')] })
    expect(turned.changed).toMatchObject([{ root: true }])
  })

  test('config, targets, pipeline and as-of instant of the run are compared too', () => {
    const diff = compare(sampleManifest({ config: { months: ['2024-02'] }, targets: [], pipeline: 'other', asOfMs: 1 }))
    expect(diff).toMatchObject({
      same: false,
      config: [{ path: 'months[0]', before: '2024-01', after: '2024-02' }],
      targets: [{ path: 'report', before: ['collect'] }],
      pipeline: { a: 'demo', b: 'other' },
      asOf: { aMs: 1_700_000_000_000, bMs: 1 },
    })
  })

  test('nodes of one side only are named', () => {
    const diff = compare(withNodes({ 'parse[ETH]': undefined }))
    expect(diff).toMatchObject({ onlyInA: ['parse[ETH]'], onlyInB: [], unchangedNodes: 3 })
  })
})
