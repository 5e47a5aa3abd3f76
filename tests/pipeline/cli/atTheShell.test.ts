import { rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { type BuiltPipe, buildPipe } from './builtPipe.ts'
import { writeTroubledProject } from './troubledProject.ts'

/** What a newcomer meets at a prompt, with the command as it is built. */
let pipe: BuiltPipe
let project: string
let serial = 0

beforeAll(async () => {
  pipe = await buildPipe()
})
afterAll(() => pipe.remove())
beforeEach(() => {
  project = join(pipe.dir, `project${serial++}`)
  writeTroubledProject(project)
})
afterEach(() => rmSync(project, { recursive: true }))

test('the command is built executable, as npm links to it', () => {
  expect(statSync(pipe.cli).mode & 0o111).toBe(0o111)
})
