import { describe, expect, test } from 'vitest'
import { Fault } from '../../../lib/fault.ts'
import { defineCommand } from '../../../pipeline/cli/command.ts'
import { commandNames, loadAll, loadCommand } from '../../../pipeline/cli/commands.ts'
import { arg, flag } from '../../../pipeline/cli/flag.ts'
import { parseCommandLine, splitCommandName } from '../../../pipeline/cli/parse.ts'
import { say } from './fakeProcess.ts'

describe('help', () => {
  test('lists every command', async () => {
    const { stdout, status } = await say(['--help'])
    expect(status).toBe('ok')
    await expect(stdout.replace(/^pipe \S+:/, 'pipe VERSION:')).toMatchFileSnapshot('../../golden/help.txt')
  })

  for (const name of commandNames.filter((candidate) => !candidate.startsWith('__'))) {
    test(`of ${name}`, async () => {
      const { stdout, status } = await say([...name.split(' '), '--help'])
      expect(status).toBe('ok')
      await expect(stdout).toMatchFileSnapshot(`../../golden/help-${name.replace(' ', '-')}.txt`)
    })
  }

  test('comes by "pipe help run" as by "pipe run --help"', async () => {
    expect(await say(['help', 'run'])).toEqual(await say(['run', '--help']))
  })

  test('of a group is shown by its first word, with and without --help', async () => {
    const { stdout, status } = await say(['snapshot'])
    expect(status).toBe('ok')
    await expect(stdout).toMatchFileSnapshot('../../golden/help-snapshot.txt')
    expect(await say(['snapshot', '--help'])).toEqual({ status, stdout, stderr: '' })
    expect(await say(['help', 'snapshot'])).toEqual({ status, stdout, stderr: '' })
  })

  test('is shown when nothing is asked, with the status of a usage error', async () => {
    const { stdout, status } = await say([])
    expect(status).toBe('usage')
    expect(stdout).toContain('usage: pipe <command>')
  })

  test('every command has examples that its own flags parse', async () => {
    for (const command of await loadAll()) {
      expect(command.examples.length, command.name).toBeGreaterThan(0)
      for (const { line } of command.examples) {
        const own = line
          .split(/ && | \| /)
          .find((part) => part.replace(/^source <\(/, '').startsWith(`pipe ${command.name}`))
        if (own === undefined) continue
        const words = own
          .replace(/^source <\(/, '')
          .replace(/\)?( >.*)?$/, '')
          .match(/'[^']*'|\S+/g)!
          .slice(1 + command.name.split(' ').length)
          .map((word) => word.replace(/^'(.*)'$/, '$1'))
        expect(() => parseCommandLine(command, words), line).not.toThrow()
      }
    }
  })

  test('no flag hides a global one, and no two share a letter', async () => {
    for (const command of await loadAll()) {
      const { globalFlags } = await import('../../../pipeline/cli/globals.ts')
      for (const key of Object.keys(command.flags)) expect(Object.keys(globalFlags), command.name).not.toContain(key)
      const letters = Object.values({ ...globalFlags, ...command.flags }).flatMap(({ short }) => short ?? [])
      expect(new Set(letters).size, command.name).toBe(letters.length)
    }
  })
})

describe('a mistake', () => {
  const cases: { says: string; argv: string[]; stderr: RegExp }[] = [
    { says: 'in a command', argv: ['plam'], stderr: /no command "plam"[\s\S]*did you mean "pipe plan"/ },
    { says: 'in a flag', argv: ['run', '--keep-goin'], stderr: /no flag --keep-goin[\s\S]*did you mean --keep-going/ },
    { says: 'in a flag of no command', argv: ['--jsn'], stderr: /no flag --jsn[\s\S]*--json/ },
    { says: 'in a letter', argv: ['run', '-z'], stderr: /no flag -z/ },
    {
      says: 'in half a command',
      argv: ['snapshot', 'exprt'],
      stderr: /no command "snapshot exprt"; did you mean "export"\?[\s\S]*ls, show/,
    },
    { says: 'a value that is missing', argv: ['run', '--set'], stderr: /--set[\s\S]*write --set <path=value>/ },
    { says: 'a value that is no number', argv: ['runs', '-n', 'x'], stderr: /"x" is not a whole number[\s\S]*--limit/ },
    { says: 'a number out of range', argv: ['run', '--workers', '0'], stderr: /0 is less than 1/ },
    { says: 'a choice that is none', argv: ['graph', '--format', 'png'], stderr: /not one of mermaid, dot, svg, html/ },
    { says: 'an argument that is missing', argv: ['show'], stderr: /<what> is missing/ },
    { says: 'an argument too many', argv: ['show', 'a', 'b'], stderr: /"b" is one argument too many/ },
    { says: 'a negated flag that takes a value', argv: ['run', '--no-set'], stderr: /a value is missing/ },
  ]
  for (const { says, argv, stderr } of cases) {
    test(`${says} is named, with the way on`, async () => {
      const said = await say(argv)
      expect(said.status).toBe('usage')
      expect(said.stderr).toMatch(stderr)
      expect(said.stdout).toBe('')
    })
  }

  test('is one JSON document with --json', async () => {
    const { stdout, stderr, status } = await say(['plan', '--nope', '--json'])
    expect(JSON.parse(stdout)).toMatchObject({
      error: { code: 'usage', exitStatus: 2, what: 'there is no flag --nope' },
    })
    expect(stderr).toBe('')
    expect(status).toBe('usage')
  })

  test('of our own prints its stack and asks for a report', async () => {
    const { stderr, status } = await say(['runs'])
    expect(status).toBe('internal')
    expect(stderr).toMatch(/internal error[\s\S]*this test opens no store[\s\S]*at [\s\S]*Please report it/)
  })

  test('that was wrapped still shows the fault inside', async () => {
    const fault = new Fault({ code: 'noStore', what: 'there is no store', where: '/x', todo: 'make one' })
    const openRoot = () => Promise.reject(new Error('while opening', { cause: fault }))
    const { stderr, status } = await say(['runs'], { openRoot })
    expect(status).toBe('noStore')
    expect(stderr).toBe('error  there is no store\nwhere  /x\ntodo   make one\n')
  })
})

describe('a command line', () => {
  const probe = defineCommand({
    name: 'probe',
    summary: '',
    args: { first: arg.one('First'), rest: arg.many('Rest') },
    flags: {
      dryRun: flag.boolean('Dry', { short: 'n' }),
      set: flag.texts('Set', { short: 's' }),
      allow: flag.adding('set', 'rules.allow=true', 'Allow'),
      keep: flag.integerOr('Keep', 20),
      size: flag.sizeBytes('Size'),
      level: flag.someOf('Level', ['a', 'b', 'c'], ['a']),
    },
    examples: [],
    json: '',
    run: async () => 'ok' as const,
  })
  const values = (...words: string[]) => parseCommandLine(probe, words).values

  test('gives defaults', () => {
    expect(values('x')).toEqual({
      dryRun: false,
      set: [],
      allow: false,
      keep: 20,
      size: undefined,
      level: ['a'],
      first: 'x',
      rest: [],
    })
  })
  test('mixes flags and arguments in any order', () => {
    expect(values('-n', 'x', '--set', 'a=1', 'y', '--set=b=2', '-s', 'c', 'z')).toMatchObject({
      dryRun: true,
      set: ['a=1', 'b=2', 'c'],
      first: 'x',
      rest: ['y', 'z'],
    })
  })
  test('lets a flag stand for a value of another', () => {
    expect(values('x', '--allow', '--set', 'a=1')).toMatchObject({ set: ['a=1', 'rules.allow=true'] })
    expect(values('x', '--allow', '--no-allow')).toMatchObject({ set: [] })
  })
  test('takes words behind -- as they are', () =>
    expect(values('--', '-n', '--x')).toMatchObject({ dryRun: false, first: '-n', rest: ['--x'] }))
  test('keeps numbers that are names as text', () =>
    expect(values('007', '1e3')).toMatchObject({ first: '007', rest: ['1e3'] }))
  test('lets the last word win', () =>
    expect(values('x', '--keep', '1', '--keep', '2', '--dry-run', '--no-dry-run')).toMatchObject({
      keep: 2,
      dryRun: false,
    }))
  test('keeps dots in values and names apart', () =>
    expect(values('x', '--set', 'a.b.c=1.50')).toMatchObject({ set: ['a.b.c=1.50'] }))
  test('reads sizes and sets', () =>
    expect(values('x', '--size', '2KiB', '--level', 'c,a')).toMatchObject({ size: 2048, level: ['a', 'c'] }))
  test('keeps negative numbers for values', () => expect(values('x', '--keep', '-5')).toMatchObject({ keep: -5 }))

  test('finds the command behind global flags and their values', () => {
    expect(splitCommandName(['--root', 'run', '--json', 'plan', 'x'], ['run', 'plan'])).toEqual({
      name: 'plan',
      rest: ['--root', 'run', '--json', 'x'],
    })
    expect(splitCommandName(['snapshot', 'ls'], ['snapshot ls'])).toEqual({ name: 'snapshot ls', rest: [] })
  })
})

test('a command is loaded by its name only', async () => {
  for (const name of commandNames) expect((await loadCommand(name)).name).toBe(name)
  await expect(loadCommand('constructor')).rejects.toThrow(/no command/)
})
