import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { expect, test } from 'vitest'
import { makeOut } from '../../../pipeline/cli/out.ts'
import { plainStyle } from '../../../pipeline/cli/style.ts'
import { jsonView } from '../../../pipeline/cli/views/jsonView.ts'
import { liveView } from '../../../pipeline/cli/views/liveView.ts'
import { runLog } from '../../../pipeline/cli/views/runLog.ts'
import { FakeTerminal } from './views/fakeTerminal.ts'
import { digest, started } from './views/runEvents.ts'

const count = 100_000

test('a hundred thousand events cost few writes: to the log, to a JSON reader, to the terminal', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'pipe-events-'))
  try {
    let writes = 0
    let bytes = 0
    const stdout = new Writable({
      write(chunk: Buffer, _encoding, done) {
        writes++
        bytes += chunk.length
        done()
      },
    })
    const out = makeOut(
      { stdout, stderr: stdout },
      { json: true, quiet: false, colour: { stdout: false, stderr: false }, stdoutIsTerminal: false },
    )
    const terminal = new FakeTerminal(80, 24)
    const live = liveView(terminal, plainStyle, { elapsedMs: () => 0, every: () => () => {} })
    const log = runLog({ startedMs: 0, onTrouble: (message) => expect.fail(message) })
    const json = jsonView(out)
    const views = [live, log, json]
    for (const view of views) view.see({ ...started, logPath: join(folder, 'log') } as typeof started)
    for (let i = 0; i < count; i++) {
      const address = `klines[S${i}]`
      for (const view of views) {
        view.see(
          i % 2 === 0
            ? { kind: 'node cached', elapsedMs: i, address, task: 'klines', artifact: digest('a') }
            : {
                kind: 'node done',
                elapsedMs: i,
                address,
                task: 'klines',
                artifact: digest('a'),
                wallMs: 1,
                bytesOut: 1,
                unchanged: false,
              },
        )
      }
    }
    await out.flush()
    await log.ready()
    log.close()
    live.close()

    expect(readFileSync(join(folder, 'events.jsonl'), 'utf8').split('\n')).toHaveLength(count + 2)
    expect(readFileSync(join(folder, 'log'), 'utf8').split('\n')).toHaveLength(count / 2 + 2)
    expect(bytes).toBe(statSync(join(folder, 'events.jsonl')).size)
    expect(writes).toBeLessThan(bytes / 60_000)
    // Nothing that happened has to stay on the screen, and nobody asked for a frame.
    expect(terminal.written.length).toBeLessThan(100)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
