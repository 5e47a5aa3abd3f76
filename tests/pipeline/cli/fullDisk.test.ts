import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { afterAll, describe, expect, test } from 'vitest'
import { fileOut } from '../../../pipeline/cli/fileOut.ts'
import { cannotWrite, diskFault, writeAsked } from '../../../pipeline/cli/writeAsked.ts'
import { Sink, say } from './fakeProcess.ts'

const folder = mkdtempSync(join(tmpdir(), 'tickpipe-full-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const errno = (code: string): Error => Object.assign(new Error(`${code}: write`), { code })
const failing = (code: string): Writable =>
  new Writable({ write: (_chunk, _encoding, done) => void process.nextTick(() => done(errno(code))) })

describe('standard output', () => {
  test('that cannot take a result fails the command, however small it is', async () => {
    const stderr = new Sink()
    const { status } = await say(['--version'], { stdout: failing('ENOSPC'), stderr })
    expect(status).toBe('failed')
    expect(stderr.text).toMatch(
      /^error {2}it could not be written to its end: the disk is full\nwhere {2}standard output\n/,
    )
    expect((await say(['help', 'gc'], { stdout: failing('EIO') })).status).toBe('failed')
  })

  test('whose reader went away is no failure, and nothing is said', async () => {
    const stderr = new Sink()
    expect((await say(['--version'], { stdout: failing('EPIPE'), stderr })).status).toBe('ok')
    expect(stderr.text).toBe('')
  })

  test('keeps the status of a command that failed on its own', async () => {
    expect((await say(['nosuch'], { stdout: failing('ENOSPC') })).status).toBe('usage')
  })
})

describe.skipIf(!existsSync('/dev/full'))('a file as standard output', () => {
  test('gets every byte, and says when it is full', async () => {
    const path = join(folder, 'out')
    const fd = openSync(path, 'w')
    const out = fileOut(fd)!
    await new Promise((done) => out.write('text\n', done))
    await new Promise((done) => out.write(new Uint8Array(100_000), done))
    closeSync(fd)
    expect(readFileSync(path)).toHaveLength(100_005)
    const full = openSync('/dev/full', 'w')
    const error = await new Promise((done) => {
      const stream = fileOut(full)!
      stream.on('error', done)
      stream.write('x')
    })
    closeSync(full)
    expect(error).toMatchObject({ code: 'ENOSPC' })
  })
})

describe('a file that was asked for', () => {
  test('in no folder, in place of a folder, or on a full disk is told', () => {
    expect(() => writeAsked(join(folder, 'none', 'x'), '')).toThrow('there is no such folder')
    expect(() => writeAsked(folder, '')).toThrow('it is a folder')
    expect(cannotWrite('x', errno('EFBIG'))).toMatchObject({ code: 'failed', todo: 'make room, or write elsewhere' })
    expect(cannotWrite('x', errno('EWHAT')).what).toBe('it cannot be written: EWHAT: write')
  })

  test('wherever a full disk is noticed, that is no bug', () => {
    expect(diskFault(errno('ENOSPC'))).toMatchObject({ code: 'failed' })
    expect(diskFault(errno('ENOENT'))).toBeUndefined()
    expect(diskFault('ENOSPC')).toBeUndefined()
  })
})
