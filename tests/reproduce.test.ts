import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type BuiltPipe, buildPipe } from './pipeline/cli/builtPipe.ts'
import { Reproduction, type Subject } from './reproduce/reproduce.ts'
import { otherNodes } from './support/otherNodes.ts'
import { tinyProjectFiles } from './support/tinyProject/writeTinyProject.ts'

let pipe: BuiltPipe
beforeAll(async () => {
  pipe = await buildPipe()
})
afterAll(() => pipe.remove())

const order = (...symbols: string[]) => `symbols=${JSON.stringify(symbols)}`
const subject: Subject = {
  project: tinyProjectFiles({ pipeline: 'tiny', config: {} }),
  target: 'report',
  asOf: '2026-04-01',
  set: [order('AAAUSDT', 'BBBUSDT', 'CCCUSDT')],
  shuffled: [order('CCCUSDT', 'AAAUSDT', 'BBBUSDT')],
}
// The newest is enough here; the script takes all there are.
const others = otherNodes().slice(-1)

describe('two people on two machines', () => {
  test(`get the same ids (${others.length === 0 ? 'no other Node is here to try' : `Node ${others.map(({ version }) => version).join(', ')} too`})`, () => {
    const reproduction = new Reproduction(pipe, subject)
    const isSame = reproduction.run(others)
    expect(reproduction.steps.filter(({ same }) => !same)).toEqual([])
    expect(isSame).toBe(true)
    expect(reproduction.steps.map(({ name }) => name)).toEqual([
      'built',
      'exported',
      'imported elsewhere',
      'verified to rebuild',
      'run there, frozen',
      'exported again',
      'built with 1 worker',
      'another time zone and language',
      ...others.map(() => 'another Node'),
      'symbols in another order',
    ])
  }, 300_000)

  test('and who gets others is told where: here the order of symbols goes into a result', () => {
    const pipeline = readFileSync(join(import.meta.dirname, 'support/tinyProject/tinyPipeline.ts'), 'utf8')
    const careless = pipeline
      .replace('[...symbols].sort().map(', 'symbols.map(')
      .replace("from 'zod'", "from 'tickpipe'")
      .replaceAll("from '../../../", `from '${join(import.meta.dirname, '..')}/`)
    expect(careless).not.toBe(pipeline)
    const project = {
      'tinyPipeline.ts': careless,
      'pipe.config.ts': tinyProjectFiles({ pipeline: 'tiny', config: {} })['pipe.config.ts'].replace(
        /from ".*tinyPipeline\.ts"/,
        "from './tinyPipeline.ts'",
      ),
    }
    const reproduction = new Reproduction(pipe, { ...subject, project })
    const first = reproduction.builds({ name: 'built' })
    reproduction.builds(reproduction.shuffled, first)
    expect(reproduction.steps.map(({ name, same, says }) => [name, same, says])).toEqual([
      ['built', true, expect.anything()],
      ['symbols in another order', false, '1 differ: listSymbols'],
    ])
  }, 300_000)
})
