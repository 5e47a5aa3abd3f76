import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const lib = fileURLToPath(new URL('../../lib', import.meta.url))

/** What a module keeps between calls: a variable of the module, or a container that begins empty or grows. */
const keepsState =
  /^(?:export )?(?:(?:let|var) (\w+)|const (\w+)(?:: [^=]+)? = (?:new (?:Weak)?(?:Map|Set)(?:<.*>)?\(\)|\[\w*\]$))/gm

/** Values that depend on nothing but the question: whoever asked before, the answer is the same. */
const harmless = new Set([
  // Scratch: written before it is read, in one call.
  'math.ts: reduced',
  'math.ts: reducedTail',
  // Made once, from nothing.
  'inflate.ts: fixed',
  'market/plan/slices.ts: monthStarts',
])

/** Clients of the outside world are no part of pure tasks, and remember whom they asked. */
const isOutward = (file: string): boolean => /^(http|venues|sim)\//.test(file)

test('modules that the nodes of a task share keep nothing a result could depend on', () => {
  const found = readdirSync(lib, { recursive: true, encoding: 'utf8' })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => file.endsWith('.ts') && !isOutward(file))
    .flatMap((file) =>
      [...readFileSync(join(lib, file), 'utf8').matchAll(keepsState)].map(
        ([, variable, constant]) => `${file}: ${variable ?? constant}`,
      ),
    )
  expect(found.filter((one) => !harmless.has(one))).toEqual([])
  expect([...harmless].filter((one) => !found.includes(one))).toEqual([])
})
