import { describe, expect, test } from 'vitest'
import { linkCode } from '../../../../pipeline/engine/code/linkCode.ts'
import { tempProject } from './tempProject.ts'

/** A value port that uses zod; each call of `instances` gives what one node would see. */
async function instances(body: string): Promise<() => { value: { get(input?: unknown): unknown } }> {
  const project = tempProject({
    'pipe.config.ts': `import { value } from './value.ts'\nexport default { values: { value } }`,
    'value.ts': `import { z } from 'zod'\n${body}`,
  })
  const { bytes } = (await project.codes())['value']!
  const linked = linkCode(bytes, {
    requireBuiltin: () => expect.fail('no built-in'),
    requirePackage: () => expect.fail('no package'),
  })
  return () => linked.instantiate() as { value: { get(input?: unknown): unknown } }
}

describe('zod, which nodes share', () => {
  test('parses, fails, lazily builds and describes the same for every node', async () => {
    const node = await instances(`
const deep = z.object({ a: z.array(z.union([z.string(), z.number().int().min(3)])), when: z.coerce.date().optional() }).refine((v) => v.a.length < 4, 'too many')
export const value = { get: (input) => { const { success, data, error } = deep.safeParse(input); return success ? data : error.issues.map(({ message }) => message) } }`)
    const inputs = [{ a: ['x', 5] }, { a: [1] }, { a: ['1', '2', '3', '4'] }, 7]
    const first = inputs.map((input) => node().value.get(input))
    expect(first[0]).toEqual({ a: ['x', 5] })
    expect(first[2]).toEqual(['too many'])
    for (let i = 0; i < 3; i++) expect(inputs.map((input) => node().value.get(input))).toEqual(first)
  })

  test('keeps nothing that a node did to its registry or config', async () => {
    const node = await instances(`
let seen = 0
export const value = { get: () => {
  const before = [z.config().customError === undefined, z.globalRegistry._idmap.size, seen++]
  z.config({ customError: () => 'mine' })
  z.globalRegistry.add(z.string(), { id: 'left behind' })
  return before
} }`)
    expect([node().value.get(), node().value.get(), node().value.get()]).toEqual([
      [true, 0, 0],
      [true, 0, 0],
      [true, 0, 0],
    ])
  })

  test('cannot be changed by a node: its functions and classes are frozen, and what was in use is too', async () => {
    const node = await instances(`
const used = z.string()
export const value = { get: () => [
  () => { used.constructor.prototype.leak = 1 },
  () => { z.string.leak = 1 },
  () => { z.ZodType.leak = 1 },
].map((change) => { try { change(); return 'changed' } catch (error) { return error.constructor.name } }) }`)
    node()
    expect(node().value.get()).toEqual(['TypeError', 'TypeError', 'TypeError'])
  })

  test('is loaded afresh when a node put something into a class that was not in use yet', async () => {
    const node = await instances(`
export const value = { get: () => {
  const before = z.ZodEmail.prototype.leak
  z.ZodEmail.prototype.leak = 1
  return before ?? 'clean'
} }`)
    expect([node().value.get(), node().value.get(), node().value.get()]).toEqual(['clean', 'clean', 'clean'])
  })

  test('serves classes that are first used inside a run', async () => {
    const node = await instances(`
export const value = { get: (input) => z.object({ mail: z.email(), tags: z.record(z.string(), z.array(z.int())) }).safeParse(input).success }`)
    for (let i = 0; i < 3; i++) expect(node().value.get({ mail: 'a@b.co', tags: { x: [1] } })).toBe(true)
    expect(node().value.get({ mail: 'nobody' })).toBe(false)
  })
})
