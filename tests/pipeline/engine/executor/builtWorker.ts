import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { rolldown } from 'rolldown'

export interface BuiltWorker {
  readonly workerUrl: URL
  readonly isolateUrl: URL
  remove(): void
}

/** Builds the entries of worker threads and children as the release does: they cannot run from TypeScript. */
export async function buildWorker(): Promise<BuiltWorker> {
  const dir = mkdtempSync(join(tmpdir(), 'tickpipe-worker-'))
  const executor = fileURLToPath(new URL('../../../../pipeline/engine/executor/', import.meta.url))
  const build = await rolldown({
    input: { worker: join(executor, 'worker.ts'), isolate: join(executor, 'isolate.ts') },
    platform: 'node',
  })
  await build.write({ dir, format: 'esm', entryFileNames: '[name].mjs', chunkFileNames: '[name].mjs' })
  await build.close()
  return {
    workerUrl: pathToFileURL(join(dir, 'worker.mjs')),
    isolateUrl: pathToFileURL(join(dir, 'isolate.mjs')),
    remove: () => rmSync(dir, { recursive: true, force: true }),
  }
}
