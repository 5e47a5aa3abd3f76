import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const root = fileURLToPath(new URL('../../../../', import.meta.url))

/** Bundles a task into one CommonJS module. Its source imports from `lib/…` and `pipeline/…` as if it lay at the root;
 *  the codecs are put in as the engine does it. */
export async function bundledTask(source: string): Promise<string> {
  const build = await rolldown({
    input: 'task.ts',
    cwd: root,
    platform: 'node',
    plugins: [
      {
        name: 'task',
        resolveId(id) {
          if (id === 'task.ts') return id
          return id.startsWith('lib/') || id.startsWith('pipeline/') ? root + id : undefined
        },
        load: (id) => (id === 'task.ts' ? source + codecs : undefined),
      },
    ],
  })
  const { output } = await build.generate({ format: 'cjs', exports: 'named' })
  await build.close()
  return output[0].code
}

const codecs = `
export { decodeTable } from 'lib/tables/parquet.ts'
export { tableWriter } from 'lib/tables/parquetWriter.ts'
export { makeTable } from 'lib/tables/table.ts'
`
