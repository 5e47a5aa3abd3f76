import { expect, test } from 'vitest'
import { makeOut } from '../../../pipeline/cli/out.ts'
import { Watch } from '../../../pipeline/cli/verify.ts'
import { Sink } from './fakeProcess.ts'

function watched(asked: { readonly quiet?: boolean; readonly json?: boolean }): string[] {
  const stderr = new Sink()
  const out = makeOut(
    { stdout: new Sink(), stderr },
    { json: false, quiet: false, colour: { stdout: false, stderr: false }, stdoutIsTerminal: false, ...asked },
  )
  let nowMs = 0
  const watch = new Watch({ terminal: undefined, out, nowMs: () => nowMs })
  for (let done = 0; done <= 30; done++) {
    nowMs = done * 1000
    watch.update({ level: 'rebuild', done, total: 30, node: `backtest[${done}]` })
  }
  watch.close()
  return stderr.text.trimEnd().split('\n')
}

test('verify into a pipe says every ten seconds how far it is, in lines of their own', () => {
  expect(watched({})).toEqual([
    'progress  rebuild: 10 of 30, 33 %  backtest[10]',
    'progress  rebuild: 20 of 30, 67 %  backtest[20]',
    'progress  rebuild: 30 of 30, 100 %  backtest[30]',
  ])
})

test('and nothing with --quiet or --json', () => {
  expect(watched({ quiet: true })).toEqual([''])
  expect(watched({ json: true })).toEqual([''])
})
