import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { defineConfig } from 'rolldown'

/** The command, the public entry, the two scripts that execute pure tasks, and the thread of `pipe sim serve`. Packages stay outside: npm installs them.
 *  Only the parser of yargs is taken in: the package around it costs every command 60 ms of start-up. */
export default defineConfig({
  input: {
    cli: 'pipeline/cli/main.ts',
    index: 'pipeline/index.ts',
    worker: 'pipeline/engine/executor/worker.ts',
    isolate: 'pipeline/engine/executor/isolate.ts',
    simServer: 'pipeline/cli/sim/serveWorker.ts',
  },
  platform: 'node',
  external: [/^node:/, /^(?!yargs(-parser|\/helpers)$)[^./]/],
  treeshake: { moduleSideEffects: (id) => !id.includes('/node_modules/') },
  output: {
    dir: 'dist',
    format: 'esm',
    entryFileNames: '[name].js',
    // Beside the entries: code finds the worker's script by its own place.
    chunkFileNames: '[name]-[hash].js',
    cleanDir: true,
  },
  plugins: [
    {
      // npm links the command to this very file: without the bit, `npx pipe` fails after every rebuild.
      name: 'executable-command',
      writeBundle: ({ dir }) => chmodSync(join(dir, 'cli.js'), 0o755),
    },
  ],
})
