import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalJson, parseCanonicalJson } from '../../cas/canonicalJson.ts'
import { digestOf, parseDigest, short } from '../../cas/digest.ts'
import { Fault } from '../../lib/fault.ts'

describe('canonicalJson', () => {
  const cases: { says: string; value: unknown; want: string }[] = [
    {
      says: 'sorts keys by code unit',
      value: { b: 1, a: 2, B: 3, '€': 4, '\r': 5, '1': 6 },
      want: '{"\\r":5,"1":6,"B":3,"a":2,"b":1,"€":4}',
    },
    {
      says: 'prints numbers as JavaScript does',
      value: [1e21, 1e-7, 0.1, -0, 1 / 3],
      want: '[1e+21,1e-7,0.1,0,0.3333333333333333]',
    },
    {
      says: 'tags bigints',
      value: { n: -12345678901234567890n, zero: 0n },
      want: '{"n":{"$bigint":"-12345678901234567890"},"zero":{"$bigint":"0"}}',
    },
    { says: 'escapes only what must be', value: 'a"\\\n\u001f/é\u2028😀', want: '"a\\"\\\\\\n\\u001f/é\u2028😀"' },
    {
      says: 'takes objects without a prototype',
      value: Object.assign(Object.create(null), { a: null }),
      want: '{"a":null}',
    },
    { says: 'keeps a key named __proto__', value: JSON.parse('{"__proto__":{"x":1}}'), want: '{"__proto__":{"x":1}}' },
  ]
  for (const { says, value, want } of cases) test(says, () => expect(canonicalJson(value)).toBe(want))

  const refused: { what: string; value: unknown; where: string }[] = [
    { what: 'undefined', value: { a: [1, { b: undefined }] }, where: '$.a[1].b' },
    { what: 'a hole', value: new Array<number>(2).fill(1, 0, 1), where: '$[1]' },
    { what: 'NaN', value: { 'odd key': Number.NaN }, where: '$["odd key"]' },
    { what: 'Infinity', value: [Number.NEGATIVE_INFINITY], where: '$[0]' },
    { what: 'Date', value: { at: new Date(0) }, where: '$.at' },
    { what: 'a function', value: { run: () => 1 }, where: '$.run' },
    { what: 'a symbol', value: [Symbol('s')], where: '$[0]' },
    { what: 'a Map', value: { m: new Map() }, where: '$.m' },
    { what: 'a typed array', value: { t: new Float64Array(2) }, where: '$.t' },
    { what: 'an instance', value: { e: new (class Box {})() }, where: '$.e' },
    { what: 'half a surrogate pair', value: { s: 'a\ud800' }, where: '$.s' },
    { what: 'half a pair in a key', value: { '\udc00': 1 }, where: '$["\\udc00"]' },
    { what: 'the reserved key', value: { $bigint: '1' }, where: '$["$bigint"]' },
  ]
  for (const { what, value, where } of refused) {
    test(`refuses ${what} and says where`, () => {
      const error = thrown(() => canonicalJson(value))
      expect(error).toMatchObject({ code: 'usage', where })
    })
  }

  test('refuses a value that contains itself', () => {
    const ring: Record<string, unknown> = {}
    ring['again'] = ring
    expect(thrown(() => canonicalJson(ring)).what).toContain('contains itself')
  })

  test('refuses a forged bigint tag', () => {
    for (const text of ['{"$bigint":1}', '{"$bigint":"01"}', '{"$bigint":"1","more":2}', '{"$bigint":"-0"}']) {
      expect(thrown(() => parseCanonicalJson(text)).code).toBe('corrupt')
    }
  })

  const anyKey = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constant('__proto__')).filter((key) => key !== '$bigint')
  const { value: anyValue } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom(null, true, false),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => x + 0),
      fc.bigInt(),
      fc.string({ unit: 'grapheme' }),
      fc.array(tie('value')),
      fc.array(fc.tuple(anyKey, tie('value'))).map((pairs) => Object.fromEntries(pairs)),
    ),
  }))

  test('comes back as it was', () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        const text = canonicalJson(value)
        expect(canonicalJson(parseCanonicalJson(text))).toBe(text)
        expect(parseCanonicalJson(text)).toEqual(value)
      }),
      { numRuns: 300 },
    )
  })

  test('does not depend on the order in which keys were set', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(anyKey, anyValue), { selector: ([key]) => key }),
        fc.infiniteStream(fc.nat()),
        (pairs, dice) => {
          const shuffled = pairs.map((pair) => ({ pair, at: dice.next().value as number })).sort((a, b) => a.at - b.at)
          expect(canonicalJson(Object.fromEntries(shuffled.map(({ pair }) => pair)))).toBe(
            canonicalJson(Object.fromEntries(pairs)),
          )
        },
      ),
      { numRuns: 200 },
    )
  })
})

describe('a digest', () => {
  test('is made by hashing or by parsing 64 lower-case hex digits', () => {
    const digest = digestOf('abc')
    expect(digest).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
    expect(parseDigest(digest)).toBe(digest)
    expect(short(digest)).toBe('ba7816bf8f01')
    for (const text of ['', 'abc', digest.toUpperCase(), `${digest} `, `${digest}0`]) {
      expect(thrown(() => parseDigest(text)).code).toBe('usage')
    }
  })
})

function thrown(run: () => unknown): Fault {
  try {
    run()
  } catch (error) {
    if (error instanceof Fault) return error
    throw error
  }
  throw new Error('nothing was thrown')
}
