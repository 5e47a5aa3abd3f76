import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type ArtifactFile, describeArtifact, nameCollision, nameProblem, parseDescriptor } from '../../cas/artifact.ts'
import { digestOf } from '../../cas/digest.ts'

const file = (name: string): ArtifactFile => ({ name, digest: digestOf(name), sizeBytes: name.length })

describe('an artifact', () => {
  test('has the hash of its descriptor as id, whatever order its files come in', () => {
    const files = [{ ...file('b.csv'), rows: 3 }, file('a/x.csv'), file('a.csv')]
    const { id, bytes, descriptor } = describeArtifact('rawTrades', files)
    expect(id).toBe(digestOf(bytes))
    expect(descriptor.files.map((each) => each.name)).toEqual(['a.csv', 'a/x.csv', 'b.csv'])
    expect(describeArtifact('rawTrades', [...files].reverse()).id).toBe(id)
    expect(parseDescriptor(bytes)).toEqual(descriptor)
  })

  test('may have no files, and files of no bytes', () => {
    const { bytes } = describeArtifact('nothing', [])
    expect(parseDescriptor(bytes).files).toEqual([])
    expect(
      describeArtifact('empty', [{ name: 'e', digest: digestOf(''), sizeBytes: 0 }]).descriptor.files,
    ).toHaveLength(1)
  })

  const badNames = [
    '',
    '/etc/passwd',
    'a//b',
    'a/',
    '..',
    'a/../b',
    './a',
    'a\\b',
    'C:x',
    'a\nb',
    'a\0b',
    'nul',
    'x/COM1.txt',
    'a.',
    'a ',
    ' a',
    'what?',
    'e\u0301',
    'a\u202eb',
    'x'.repeat(300),
    `${'ab/'.repeat(400)}c`,
  ]
  for (const name of badNames) {
    test(`refuses the file name ${JSON.stringify(name.slice(0, 20))}`, () => {
      expect(nameProblem(name)).toBeDefined()
      expect(() => describeArtifact('t', [file(name)])).toThrow(/cannot be an artifact/)
    })
  }

  const goodNames = [
    'table.parquet',
    'BTCUSDT-1m-2024-01.zip',
    'a/b/c.json',
    '.hidden',
    'with space.csv',
    'price=1/x',
    'é.csv',
    'console',
    'x'.repeat(240),
  ]
  for (const name of goodNames)
    test(`takes the file name ${JSON.stringify(name.slice(0, 20))}`, () => expect(nameProblem(name)).toBeUndefined())

  const collisions: [string, string[]][] = [
    ['names that differ in case', ['a.csv', 'A.csv']],
    ['the sharp s and its capitals', ['straße', 'STRASSE']],
    ['a file that is a folder of another', ['a', 'a/b']],
    ['the same across case', ['A', 'a/b']],
    ['folders that differ in case', ['a/x', 'A/y']],
    ['a name twice', ['a', 'a']],
  ]
  for (const [what, names] of collisions) {
    test(`refuses ${what}`, () => {
      expect(nameCollision(names)).toBeDefined()
      expect(() => describeArtifact('t', names.map(file))).toThrow()
    })
  }

  const good = describeArtifact('t', [file('a'), file('b')])
  const text = Buffer.from(good.bytes).toString()
  const forged: [string, string][] = [
    ['other spacing', text.replace(':1,', ': 1,')],
    ['other key order', `{"format":1,${text.slice(1).replace(',"format":1', '')}`],
    ['a newer format', text.replace('"format":1', '"format":2')],
    ['an extra field', text.replace('"format":1', '"format":1,"more":2')],
    ['unsorted files', text.replace('"name":"a"', '"name":"z"')],
    ['a path that escapes', text.replace('"name":"a"', '"name":"../a"')],
    ['a negative size', text.replace('"sizeBytes":1', '"sizeBytes":-1')],
    ['a size beyond counting', text.replace('"sizeBytes":1', '"sizeBytes":1e300')],
    ['a size in quotes', text.replace('"sizeBytes":1', '"sizeBytes":"1"')],
    ['a shortened digest', text.replace(digestOf('a'), digestOf('a').slice(1))],
    ['a strange type', text.replace('"type":"t"', '"type":"t\\n"')],
    ['no JSON', text.slice(1)],
    ['nothing', ''],
    ['a list', '[]'],
  ]
  for (const [what, bytes] of forged) {
    test(`a descriptor with ${what} is not trusted`, () => {
      expect(bytes).not.toBe(text)
      expect(() => parseDescriptor(Buffer.from(bytes))).toThrow(/not an artifact's descriptor/)
    })
  }

  test('no damaged descriptor passes for another one', () => {
    fc.assert(
      fc.property(fc.nat(good.bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const bytes = Buffer.from(good.bytes)
        bytes[at]! ^= flip
        try {
          // A flip inside a name, a digit or a type can be a descriptor again, but then it is that one exactly.
          const { type, files } = parseDescriptor(bytes)
          expect(Buffer.from(describeArtifact(type, files).bytes).equals(bytes)).toBe(true)
        } catch (error) {
          expect(error).toMatchObject({ code: 'corrupt' })
        }
      }),
      { numRuns: 400 },
    )
  })
})
