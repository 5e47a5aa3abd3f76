import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

interface Chosen {
  readonly pipeline: 'tiny' | 'venue'
  readonly config: unknown
}

/** The files of a project whose pipeline is one of those beside this file. */
export function tinyProjectFiles({ pipeline, config }: Chosen): { readonly 'pipe.config.ts': string } {
  const from = JSON.stringify(join(import.meta.dirname, `${pipeline}Pipeline.ts`))
  return {
    'pipe.config.ts': `import { defineProject, withConfig } from 'tickpipe'
import { ${pipeline} } from ${from}

export default defineProject({ root: '.pipe', pipelines: [withConfig(${pipeline}, ${JSON.stringify(config)})] })
`,
  }
}

export function writeTinyProject(dir: string, chosen: Chosen = { pipeline: 'tiny', config: {} }): void {
  mkdirSync(dir, { recursive: true })
  for (const [name, text] of Object.entries(tinyProjectFiles(chosen))) writeFileSync(join(dir, name), text)
}
