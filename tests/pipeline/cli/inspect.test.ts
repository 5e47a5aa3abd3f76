import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { WebSocket } from 'undici'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type BuiltPipe, buildPipe } from './builtPipe.ts'
import { writeStrategyProject } from './strategyProject.ts'

const strategy = `import { z } from 'tickpipe'

// A comment and a type, which the code that runs has lost.
interface Params { readonly weight: number }

const weightOf = (params: Params): number => params.weight / 2

export const strategy = {
  name: 'mine',
  params: z.object({ weight: z.number().default(1) }),
  decisionEvery: '4h',
  onBar(ctx: any) {
    const weight = weightOf(ctx.params)
    ctx.setWeights({ S00USDT: weight })
  },
}
`
const lineOf = (text: string) => strategy.split('\n').findIndex((line) => line.includes(text)) + 1

describe('pipe run --inspect', () => {
  let built: BuiltPipe
  let dir: string
  beforeAll(async () => {
    built = await buildPipe()
    dir = join(built.dir, 'project')
    writeStrategyProject(dir, { mine: strategy })
  })
  afterAll(() => built.remove())

  const artifactIn = (json: string): string => {
    const done = json.split('\n').find((line) => line.includes('"node done"') && line.includes('"backtest"'))
    return (JSON.parse(done ?? '{}') as { artifact: string }).artifact
  }

  test('stops in the strategy as it was written, goes on when told, and makes what a run makes', async () => {
    const started = built.start(['run', 'backtest', '--json', '--inspect', '--inspect-port', '0'], { cwd: dir })
    await started.says(/ws:\/\/127\.0\.0\.1:\d+\/\S+/)
    expect(started.printed()).toContain('chrome://inspect')
    const debug = await debuggerAt(/ws:\/\/127\.0\.0\.1:\d+\/[\w-]+/.exec(started.printed())![0])
    await debug.ask('Debugger.enable')
    await debug.ask('Runtime.runIfWaitingForDebugger')
    const top = await debug.paused()
    expect(top.file).toBe(pathToFileURL(join(dir, 'strategies', 'mine.ts')).href)
    expect(top.text).toBe(strategy)
    expect(top.line).toBe(lineOf('const weightOf'))

    // A breakpoint on a line of the source, by way of the map.
    await debug.breakAt(lineOf('ctx.setWeights'))
    void debug.ask('Debugger.resume')
    const inHook = await debug.paused()
    expect(inHook.line).toBe(lineOf('ctx.setWeights'))
    expect(await debug.valueOf('weight')).toBe(0.5)
    await debug.ask('Debugger.disable')
    const { status, stdout } = await started.ended
    expect(status).toBe(0)

    const again = built.run(['run', 'backtest', '--json', '--force', 'backtest'], { cwd: dir })
    expect(artifactIn(again.stdout)).toBe(artifactIn(stdout))
    expect(artifactIn(stdout)).toMatch(/^[0-9a-f]{64}$/)
  })

  test('runs a recorded node again, that one and none of its family, and before all others', async () => {
    built.run(['run', 'backtest'], { cwd: dir })
    const started = built.start(['run', 'backtest', '--json', '--inspect', '--inspect-port', '0'], { cwd: dir })
    await started.says(/ws:\/\/127\.0\.0\.1:\d+\/\S+/)
    const debug = await debuggerAt(/ws:\/\/127\.0\.0\.1:\d+\/[\w-]+/.exec(started.printed())![0])
    await debug.ask('Runtime.runIfWaitingForDebugger')
    const { status, stdout } = await started.ended
    expect(status).toBe(0)
    const addresses = stdout.split('\n').flatMap((line) => /"node started".*?"address":"([^"]+)"/.exec(line)?.[1] ?? [])
    expect(addresses).toEqual(['backtest'])
  })
})

interface Place {
  readonly file: string
  readonly text: string
  readonly line: number
}

/** As much of a debugger as a person uses: it knows source maps. */
async function debuggerAt(url: string) {
  const socket = new WebSocket(url)
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve)
    socket.addEventListener('error', reject)
  })
  const answers = new Map<number, (result: unknown) => void>()
  const maps = new Map<string, { sources: string[]; sourcesContent: string[]; mappings: string }>()
  const stops: Stop[] = []
  let onStop: (() => void) | undefined
  let current: Stop | undefined
  socket.addEventListener('message', ({ data }) => {
    const said = JSON.parse(String(data)) as { id?: number; result?: unknown; method?: string; params?: never }
    if (said.id !== undefined) answers.get(said.id)!(said.result)
    if (said.method === 'Debugger.scriptParsed') {
      const { scriptId, sourceMapURL } = said.params! as { scriptId: string; sourceMapURL: string }
      const json = /^data:application\/json;base64,(.*)$/.exec(sourceMapURL)?.[1]
      if (json !== undefined) maps.set(scriptId, JSON.parse(Buffer.from(json, 'base64').toString()))
    }
    if (said.method === 'Debugger.paused') {
      stops.push(said.params! as Stop)
      onStop?.()
    }
  })
  let count = 0
  const ask = (method: string, params: object = {}): Promise<unknown> =>
    new Promise((resolve) => {
      answers.set(++count, resolve)
      socket.send(JSON.stringify({ id: count, method, params }))
    })
  return {
    ask,
    async paused(): Promise<Place> {
      if (stops.length === 0) await new Promise<void>((resolve) => (onStop = resolve))
      current = stops.shift()!
      const { scriptId, lineNumber, columnNumber } = current.callFrames[0]!.location
      const map = maps.get(scriptId)!
      const segments = decoded(map.mappings)[lineNumber]!.filter(({ column }) => column <= columnNumber)
      return { file: map.sources[0]!, text: map.sourcesContent[0]!, line: segments.at(-1)!.line + 1 }
    },
    async breakAt(line: number): Promise<void> {
      const { scriptId } = current!.callFrames[0]!.location
      const rows = decoded(maps.get(scriptId)!.mappings)
      const lineNumber = rows.findIndex((segments) => segments.some((segment) => segment.line === line - 1))
      const { column } = rows[lineNumber]!.find((segment) => segment.line === line - 1)!
      await ask('Debugger.setBreakpoint', { location: { scriptId, lineNumber, columnNumber: column } })
    },
    async valueOf(expression: string): Promise<unknown> {
      const { callFrameId } = current!.callFrames[0]!
      const answer = await ask('Debugger.evaluateOnCallFrame', { callFrameId, expression })
      return (answer as { result: { value: unknown } }).result.value
    },
  }
}

interface Stop {
  readonly callFrames: readonly {
    readonly callFrameId: string
    readonly location: { readonly scriptId: string; readonly lineNumber: number; readonly columnNumber: number }
  }[]
}

/** Segments of a source map by generated line, decoded by the letter of the standard. */
function decoded(mappings: string): { column: number; line: number }[][] {
  const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
  let line = 0
  return mappings.split(';').map((row) => {
    let column = 0
    return row.split(',').flatMap((segment) => {
      const fields: number[] = []
      let [value, shift] = [0, 0]
      for (const char of segment) {
        const digit = digits.indexOf(char)
        value += (digit & 31) << shift
        shift += 5
        if (digit & 32) continue
        fields.push(value & 1 ? -(value >> 1) : value >> 1)
        value = shift = 0
      }
      if (fields.length < 4) return []
      column += fields[0]!
      line += fields[2]!
      return [{ column, line }]
    })
  })
}
