import assert from 'node:assert'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of the running tickpipe: its repository, or where it was installed. The sources are in both. */
export const tickpipeDir: string = findTickpipeDir(dirname(fileURLToPath(import.meta.url)))

/** What `import … from 'tickpipe'` means in a project, whichever copy of the package its own folder may hold. */
export const tickpipeEntry: string = join(tickpipeDir, 'pipeline', 'index.ts')

/** Whether a file is one of tickpipe's own, and not of a package installed below it. */
export const isTickpipeFile = (file: string): boolean =>
  file.startsWith(`${tickpipeDir}${sep}`) && !file.slice(tickpipeDir.length).includes(`${sep}node_modules${sep}`)

function findTickpipeDir(startDir: string): string {
  for (let dir = startDir; ; dir = dirname(dir)) {
    const manifestFile = join(dir, 'package.json')
    if (existsSync(manifestFile)) {
      const { name } = JSON.parse(readFileSync(manifestFile, 'utf8')) as { name?: unknown }
      if (name === 'tickpipe') return dir
    }
    assert.notEqual(dirname(dir), dir, 'the package.json of tickpipe is above its files')
  }
}
