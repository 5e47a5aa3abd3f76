import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalJson } from '../../cas/canonicalJson.ts'
import { Fault } from '../../lib/fault.ts'
import { manifestBytes, manifestId } from '../../snapshots/manifest.ts'
import { manifestLimits, nestingOf, parseManifest } from '../../snapshots/parseManifest.ts'
import { digest, sampleManifest, sampleNodes } from './sampleManifest.ts'

const text = manifestBytes(sampleManifest())

/** The sample with one spot of its text changed. */
function edited(find: string, put: string): string {
  expect(text).toContain(find)
  return text.replace(find, put)
}

function faultOf(work: () => unknown): Fault {
  try {
    work()
  } catch (error) {
    expect(error).toBeInstanceOf(Fault)
    return error as Fault
  }
  throw new Error('it was accepted')
}

describe('the text of a manifest', () => {
  test.each([0, 1, 99, 100, 101, 250])('is its canonical JSON, of %i nodes too', (count) => {
    const [node] = sampleNodes()
    const nodes = Array.from({ length: count }, (_, i) => ({
      ...node!,
      address: `fetch[${String(i).padStart(3, '0')}]`,
    }))
    const manifest = sampleManifest({ nodes, targets: [] })
    expect(manifestBytes(manifest)).toBe(canonicalJson(manifest))
  })
})

describe('parseManifest', () => {
  test('gives back what was written, from text and from bytes, with the same id', () => {
    expect(parseManifest(text)).toEqual(sampleManifest())
    expect(manifestId(parseManifest(Buffer.from(text)))).toBe(manifestId(sampleManifest()))
  })

  test('a bigint in the params survives', () => {
    expect(parseManifest(text).nodes[0]?.params).toEqual({ sizes: [1, 2], lots: 10n })
  })

  test('a newer format is refused with the way on', () => {
    const fault = faultOf(() => parseManifest(edited('"format":1', '"format":2')))
    expect(fault.code).toBe('refused')
    expect(fault.todo).toContain('newer tickpipe')
  })

  const cases: readonly { says: string; bytes: string | Uint8Array; what: RegExp }[] = [
    { says: 'nothing', bytes: '', what: /not JSON/ },
    { says: 'half of it', bytes: text.slice(0, text.length / 2), what: /not JSON/ },
    { says: 'something behind it', bytes: `${text}\n`, what: /canonical/ },
    { says: 'bytes that are not UTF-8', bytes: Buffer.from([0x7b, 0xff, 0x7d]), what: /UTF-8/ },
    { says: 'a byte order mark', bytes: `\ufeff${text}`, what: /not JSON/ },
    { says: 'a list', bytes: '[]', what: /not an object/ },
    { says: 'a format that is no number', bytes: edited('"format":1', '"format":"1"'), what: /format/ },
    { says: 'format 0', bytes: edited('"format":1', '"format":0'), what: /format/ },
    { says: 'an unknown key', bytes: edited('"pipeline"', '"extra":1,"pipeline"'), what: /unknown key "extra"/ },
    { says: 'a missing key', bytes: edited('"pipeline":"demo",', ''), what: /lacks pipeline/ },
    { says: 'a key that is there twice', bytes: edited('"format":1', '"format":1,"format":1'), what: /canonical/ },
    { says: 'spaces', bytes: edited('"format":1', '"format": 1'), what: /canonical/ },
    { says: 'a number in another spelling', bytes: edited('[1,2]', '[1,2e0]'), what: /canonical/ },
    { says: 'minus zero', bytes: edited('[1,2]', '[-0,2]'), what: /canonical/ },
    { says: 'an escape where none is needed', bytes: edited('"demo"', '"d\\u0065mo"'), what: /canonical/ },
    { says: 'half a surrogate pair', bytes: edited('"2024-01"', '"\\ud800"'), what: /canonical JSON cannot/ },
    { says: 'an address twice', bytes: edited('"parse[ETH]"', '"parse[BTC]"'), what: /twice/ },
    { says: 'nodes out of order', bytes: edited('"address":"fetch"', '"address":"zzz"'), what: /not sorted/ },
    { says: 'an address that walks up', bytes: edited('"parse[ETH]"', '"parse[../x,..]"'), what: /not an address/ },
    { says: 'an address with a control character', bytes: edited('parse[ETH]', 'parse[\\u001b]'), what: /not an addr/ },
    { says: 'an endless address', bytes: edited('[ETH]', `[${'E'.repeat(2000)}]`), what: /not an address/ },
    { says: 'a kind we do not know', bytes: edited('"kind":"source"', '"kind":"sink"'), what: /kind of fetch/ },
    { says: 'a source with pure code', bytes: edited('{"version":1}', `{"run":"${digest('x')}"}`), what: /lacks ver/ },
    { says: 'a negative version', bytes: edited('"version":1', '"version":-1'), what: /version of fetch/ },
    { says: 'a short digest', bytes: edited(digest('BTC artifact'), 'abc'), what: /not a SHA-256/ },
    {
      says: 'an upper-case digest',
      bytes: edited(digest('list'), digest('list').toUpperCase()),
      what: /not a SHA-256/,
    },
    { says: 'a path for a digest', bytes: edited(digest('strategy code'), '../../etc/passwd'), what: /not a SHA-256/ },
    { says: 'an input that is a number', bytes: edited('"extra":null', '"extra":7'), what: /not an object/ },
    { says: 'a port named __proto__', bytes: edited('"extra"', '"__proto__"'), what: /odd name/ },
    { says: 'a target without its node', bytes: edited('["collect"]', '["colect"]'), what: /which it lacks/ },
    { says: 'a target twice on a node', bytes: edited('["collect"]', '["collect","collect"]'), what: /twice/ },
    { says: 'an instant that is none', bytes: edited('"asOfMs":1700000000000,', '"asOfMs":1.5,'), what: /no instant/ },
    { says: 'a name with markup', bytes: edited('"pipeline":"demo"', '"pipeline":"<demo>"'), what: /name of the pip/ },
    {
      says: 'a bigint tag that holds something else',
      bytes: edited('{"$bigint":"10"}', '{"$bigint":"ten"}'),
      what: /not JSON/,
    },
    {
      says: 'deep nesting, before anything recursive sees it',
      bytes: edited('"sizes":[1,2]', `"sizes":${'['.repeat(100_000)}${']'.repeat(100_000)}`),
      what: /nests deeper/,
    },
  ]
  for (const { says, bytes, what } of cases) {
    test(`refuses ${says}`, () => {
      const fault = faultOf(() => parseManifest(bytes))
      expect(fault.code).toBe('corrupt')
      expect(fault.what).toMatch(what)
    })
  }

  test('refuses unsorted targets and more bytes than the limit', () => {
    const targets = [
      { name: 'b', addresses: [] },
      { name: 'a', addresses: [] },
    ]
    expect(faultOf(() => parseManifest(manifestBytes(sampleManifest({ targets })))).what).toMatch(/not sorted at a/)
    const large = new Uint8Array(manifestLimits.sizeBytes + 1)
    expect(faultOf(() => parseManifest(large)).what).toMatch(/may have/)
  })

  test('law: whatever byte is changed, it is refused or it has another id', () => {
    const bytes = Buffer.from(text)
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const damaged = Buffer.from(bytes)
        damaged[at]! ^= flip
        try {
          expect(manifestId(parseManifest(damaged))).not.toBe(manifestId(sampleManifest()))
        } catch (error) {
          expect(error).toBeInstanceOf(Fault)
        }
      }),
      { numRuns: 500, seed: 7 },
    )
  })

  test('nesting counts brackets outside strings only', () => {
    expect(nestingOf('{"a":"[[[[\\"[[","b":[[]]}')).toBe(3)
  })

  test('a target may be called by an address, and names may be of any script', () => {
    const targets = [{ name: 'parse[BTC]', addresses: ['parse[BTC]'] }]
    const manifest = sampleManifest({ targets, pipeline: 'größe' })
    expect(parseManifest(manifestBytes(manifest))).toEqual(manifest)
  })

  test('takes a manifest without nodes', () => {
    expect(parseManifest(manifestBytes(sampleManifest({ nodes: [], targets: [] }))).nodes).toEqual([])
    expect(sampleNodes().length).toBe(4)
  })
})
