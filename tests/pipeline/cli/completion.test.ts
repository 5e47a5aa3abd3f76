import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { commandNames, loadCommand } from '../../../pipeline/cli/commands.ts'
import { candidatesFor, type KnownNames } from '../../../pipeline/cli/completion/candidates.ts'
import { type BuiltPipe, buildPipe } from './builtPipe.ts'

const known: KnownNames = {
  pipelines: ['usdm', 'alerts'],
  targets: ['report', 'results'],
  addresses: ['report', 'klines[BTC,1m]', 'klines[ETH,1m]'],
  settings: [
    { path: 'universe.size', takes: 'whole number' },
    { path: 'universe.deny', takes: 'list of string' },
    { path: 'from', takes: 'string' },
    { path: 'fees', takes: 'list' },
    { path: 'fees.0.from', takes: 'here "2020-01-01"' },
    { path: 'fees.0.tiers.vip.takerBps', takes: 'here 4' },
  ],
  snapshots: ['demo', 'demo-2'],
  runs: ['20240301-120005-abcd'],
}

const offered = async (line: string, names: KnownNames = known): Promise<string[]> => {
  const words = line.split(' ')
  const found = await candidatesFor(words.slice(0, -1), words.at(-1)!, commandNames, loadCommand, () => names)
  return found.map((candidate) => candidate.text)
}

describe('completion offers', () => {
  const cases: { says: string; line: string; want: string[] }[] = [
    { says: 'commands', line: 'gr', want: ['graph'] },
    { says: 'the first word of a pair once', line: 'sn', want: ['snapshot'] },
    { says: 'the second words of a pair', line: 'snapshot e', want: ['export'] },
    { says: 'targets and addresses', line: 'run re', want: ['report', 'results'] },
    { says: 'addresses with brackets', line: 'show kl', want: ['klines[BTC,1m]', 'klines[ETH,1m]'] },
    { says: 'flags', line: 'run --ke', want: ['--keep-going'] },
    { says: 'global flags', line: 'run --ro', want: ['--root'] },
    { says: 'snapshots behind their flag', line: 'run --snapshot d', want: ['demo', 'demo-2'] },
    { says: 'snapshots of a replay', line: 'replay --snapshot d', want: ['demo', 'demo-2'] },
    { says: 'what the embedded exchange can be asked', line: 'sim ', want: ['describe', 'serve'] },
    { says: 'targets to check', line: 'check-lookahead rep', want: ['report'] },
    { says: 'values behind an equals sign', line: 'graph --format=s', want: ['--format=svg'] },
    { says: 'values of a short flag', line: 'run -p ', want: ['usdm', 'alerts'] },
    { says: 'settings', line: 'run --set universe.', want: ['universe.size=', 'universe.deny='] },
    { says: 'a list, and that it has elements', line: 'run --set fee', want: ['fees=', 'fees.'] },
    {
      says: 'what is in the elements of a list',
      line: 'run --set fees.',
      want: ['fees.0.from=', 'fees.0.tiers.vip.takerBps='],
    },
    { says: 'choices', line: 'completion ', want: ['bash', 'zsh', 'fish'] },
    { says: 'the second of two arguments', line: 'diff demo de', want: ['demo', 'demo-2'] },
    { says: 'more of a list of arguments', line: 'run report res', want: ['results'] },
    { says: 'nothing where a file is meant', line: 'snapshot import ', want: [] },
    { says: 'nothing behind the last argument', line: 'completion bash ', want: [] },
    { says: 'the command behind global flags', line: '--root /x pla', want: ['plan'] },
  ]
  for (const { says, line, want } of cases) test(says, async () => expect(await offered(line)).toEqual(want))

  test('families where there are too many addresses', async () => {
    const addresses = Array.from({ length: 500 }, (_, i) => `klines[S${i % 50},${i}]`)
    const many = { ...known, addresses: [...addresses, 'report'] }
    expect(await offered('show ', many)).toEqual(['klines[', 'report'])
    expect(await offered('show klines[S1', many)).toHaveLength(11)
  })
})

describe('in a real bash', () => {
  let pipe: BuiltPipe
  let project: string

  beforeAll(async () => {
    pipe = await buildPipe()
    project = join(pipe.dir, 'project')
    mkdirSync(project)
    for (const args of [
      ['init', '--tasks'],
      ['run', '--snapshot', 'demo'],
    ]) {
      const { status, stderr } = pipe.run(args, { cwd: project })
      if (status !== 0) throw new Error(stderr)
    }
  })
  afterAll(() => pipe.remove())

  /** What readline would be handed for a command line with the cursor at its end. */
  function completed(...words: string[]): string[] {
    const list = ['pipe', ...words].map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ')
    const script = [
      'source <(pipe completion bash)',
      'complete -p pipe >/dev/null || exit 9',
      `COMP_WORDS=(${list}); COMP_CWORD=${words.length}`,
      '_pipe_complete',
      `printf '%s\\n' "\${COMPREPLY[@]}"`,
    ].join('\n')
    const { stdout, stderr, status } = spawnSync('bash', ['--norc', '-c', script], {
      cwd: project,
      env: pipe.env,
      encoding: 'utf8',
    })
    expect(stderr).toBe('')
    expect(status).toBe(0)
    return stdout.split('\n').filter((line) => line !== '')
  }

  test('commands are offered', () => expect(completed('ver')).toEqual(['verify']))
  test('targets of the project are offered', () => expect(completed('run', 're')).toEqual(['results', 'report']))
  test('addresses are offered so that bash takes them as they are', () => {
    expect(completed('show', 'backtest')).toEqual(['backtest\\[BTC\\]', 'backtest\\[ETH\\]', 'backtest\\[SOL\\]'])
    expect(completed('show', 'backtest\\[B')).toEqual(['backtest\\[BTC\\]'])
    expect(completed('show', "'backtest[B")).toEqual(['backtest[BTC]'])
  })
  test('snapshots are offered', () => expect(completed('snapshot', 'show', '')).toEqual(['demo']))
  test('compgen takes what is answered for words', () => {
    const script = 'compgen -W "$(pipe __complete bash -- snap)" -- sna'
    const { stdout } = spawnSync('bash', ['--norc', '-c', script], { cwd: project, env: pipe.env, encoding: 'utf8' })
    expect(stdout).toBe('snapshot\n')
  })
  test('settings of the config are offered', () => expect(completed('plan', '--set', 'sy')).toEqual(['symbols=']))
  test('a command that sees a part of the graph makes the rest of it no less known', () => {
    const { status } = pipe.run(['plan', 'backtest[BTC]'], { cwd: project })
    expect(status).toBe(0)
    expect(completed('show', 'backtest')).toHaveLength(3)
  })
  test('nothing breaks where no project is', () => {
    const { stdout, status } = pipe.run(['__complete', 'fish', '--', 'run', ''])
    expect(stdout).toBe('')
    expect(status).toBe(0)
  })
  test('zsh and fish get descriptions', () => {
    expect(pipe.run(['__complete', 'zsh', '--', 'gr'], { cwd: project }).stdout).toMatch(/^graph:Draw /)
    expect(pipe.run(['__complete', 'fish', '--', 'gr'], { cwd: project }).stdout).toMatch(/^graph\tDraw /)
  })
})
