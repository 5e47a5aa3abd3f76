import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** A project folder whose pipeline is one of those beside this file. */
export function writeTinyProject(
  dir: string,
  { pipeline, config }: { readonly pipeline: 'tiny' | 'venue'; readonly config: unknown } = {
    pipeline: 'tiny',
    config: {},
  },
): void {
  mkdirSync(dir, { recursive: true })
  const from = JSON.stringify(join(import.meta.dirname, `${pipeline}Pipeline.ts`))
  writeFileSync(
    join(dir, 'pipe.config.ts'),
    `import { defineProject, withConfig } from 'tickpipe'
import { ${pipeline} } from ${from}

export default defineProject({ root: '.pipe', pipelines: [withConfig(${pipeline}, ${JSON.stringify(config)})] })
`,
  )
}
