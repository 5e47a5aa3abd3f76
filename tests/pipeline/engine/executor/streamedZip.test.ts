import { afterAll, beforeAll, expect, test } from 'vitest'
import { zipOfOne } from '../../../support/rawFiles.ts'
import { bundledTask } from './bundledTask.ts'
import { type ExecutorRig, executorRig } from './executorRig.ts'

let rig: ExecutorRig
beforeAll(async () => {
  rig = await executorRig({ workers: 1 })
})
afterAll(() => rig.close())

test('a pure task may unpack a zip piece by piece, as every task does that takes in trades', async () => {
  const code = rig.code(
    await bundledTask(`
import { z } from 'zod'
import { filesArtifact, jsonArtifact } from 'lib/artifact.ts'
import { openZip } from 'lib/market/ingest/fileDoubts.ts'
import { defineTask, stored } from 'pipeline/engine/task.ts'
export const task = defineTask({
  name: 'x', kind: 'pure', params: z.object({}), inputs: { raw: stored(filesArtifact('raw')) },
  output: jsonArtifact('sizes', z.array(z.number())),
  run: ({ raw }) => raw.files.names.map((name) => {
    let sizeBytes = 0
    for (const piece of openZip(raw.files, name).pieces()) sizeBytes += piece.length
    return sizeBytes
  }),
})`),
  )
  const raw = rig.artifact('raw', { 'a.zip': zipOfOne('a.csv', 'x'.repeat(300_000)), 'b.zip': zipOfOne('b.csv', 'y') })
  expect(await rig.value(code, { inputs: { raw: { kind: 'one', artifact: raw } } })).toEqual([300_000, 1])
})
