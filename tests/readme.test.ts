import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { exitStatuses } from '../lib/fault.ts'
import * as column from '../lib/features/column.ts'
import { commandNames } from '../pipeline/cli/commands.ts'
import { strategyExample } from '../pipeline/cli/init/strategyExample.ts'

const top = fileURLToPath(new URL('..', import.meta.url))
const readme = readFileSync(join(top, 'README.md'), 'utf8')

describe('the README', () => {
  test('has the table of exit statuses the program uses', () => {
    const rows = [...readme.matchAll(/^\| (\d+) \| (\w+) \|/gm)].map(([, status, name]) => [name, Number(status)])
    expect(Object.fromEntries(rows)).toEqual(exitStatuses)
  })

  test('shows the files that "pipe init" writes, as they are', () => {
    for (const [path, text] of Object.entries(strategyExample)) {
      expect(readme).toContain(`\`\`\`ts\n// ${path}\n${text}\`\`\``)
    }
  })

  test('names every command', () => {
    const firstWords = new Set(commandNames.filter((name) => !name.startsWith('_')).map((name) => name.split(' ')[0]!))
    expect([...firstWords].filter((name) => !readme.includes(name))).toEqual([])
  })

  test('names all that a strategy can do, and every operator of a feature', () => {
    const does = ['setWeights', 'setWeight', 'order', 'cancel', 'cancelAll', 'random', 'log', 'state']
    expect(does.filter((name) => !readme.includes(`ctx.${name}`))).toEqual([])
    const hooks = ['initialState', 'onBar', 'onFunding', 'onUniverse']
    expect(hooks.filter((name) => !readme.includes(`\`${name}(`))).toEqual([])
    // What takes a column apart is no operator.
    const operators = Object.keys(column).filter((name) => name !== 'operandsOf')
    expect(operators.filter((name) => !readme.includes(`\`${name}`))).toEqual([])
  })

  for (const file of ['README.md', 'pipeline/ARCHITECTURE.md', 'cas/FORMAT.md', 'snapshots/FORMAT.md']) {
    test(`${file} links only to files that are here`, () => {
      const links = [...readFileSync(join(top, file), 'utf8').matchAll(/\]\((?!https?:)([^)#]+)/g)].map(
        ([, link]) => link!,
      )
      expect(links.filter((link) => !existsSync(join(top, dirname(file), link)))).toEqual([])
    })
  }
})
