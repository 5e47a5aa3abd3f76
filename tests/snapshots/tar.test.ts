import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Fault } from '../../lib/fault.ts'
import { blockSizeBytes, paddingSizeBytes, parseTarHeader, tarHeader, trailerSizeBytes } from '../../snapshots/tar.ts'

describe('tar', () => {
  for (const sizeBytes of [0, 1, 511, 512, 8 * 2 ** 30 - 1, 8 * 2 ** 30, 2 ** 50]) {
    test(`a header of ${sizeBytes} bytes reads back`, () => {
      const entry = { path: 'objects/ab/cdef', sizeBytes }
      expect(parseTarHeader(tarHeader(entry), 'b.tar')).toEqual(entry)
    })
  }

  test('a header with any bit flipped is refused or names another path or size', () => {
    const entry = { path: 'objects/ab/cdef', sizeBytes: 1234 }
    const header = tarHeader(entry)
    for (let bit = 0; bit < blockSizeBytes * 8; bit++) {
      const damaged = Buffer.from(header)
      damaged[bit >> 3]! ^= 1 << (bit & 7)
      expect(() => parseTarHeader(damaged, 'b.tar')).toThrow(Fault)
    }
  })

  test('links, folders and long-name extensions are refused even with a right checksum', () => {
    for (const type of ['1', '2', '5', 'L', 'x', 'g', 'S']) {
      const header = tarHeader({ path: 'a', sizeBytes: 0 })
      header.write(type, 156, 'latin1')
      header.write('        ', 148, 'latin1')
      header.write(
        `${header
          .reduce((sum, byte) => sum + byte, 0)
          .toString(8)
          .padStart(6, '0')}\0 `,
        148,
        'latin1',
      )
      expect(() => parseTarHeader(header, 'b.tar')).toThrow(/not written by/)
    }
  })

  test('the tar command extracts it without a warning', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tickpipe-tar-'))
    try {
      const bytes = Buffer.from('hello')
      const file = join(folder, 'b.tar')
      const header = tarHeader({ path: 'deep/er/hello.txt', sizeBytes: bytes.length })
      const rest = Buffer.alloc(paddingSizeBytes(bytes.length) + trailerSizeBytes)
      writeFileSync(file, Buffer.concat([header, bytes, rest]))
      const printed = execFileSync('sh', ['-c', `tar -xvf "${file}" -C "${folder}" 2>&1`]).toString()
      expect(printed).toBe('deep/er/hello.txt\n')
      expect(readFileSync(join(folder, 'deep/er/hello.txt'))).toEqual(bytes)
      expect(statSync(join(folder, 'deep/er/hello.txt')).mode & 0o222).toBe(0)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
