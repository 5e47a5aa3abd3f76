import { register } from 'node:module'

// Benchmarks run from their sources, whose types Node 20 cannot strip by itself.
register('./loadTypeScript.mjs', import.meta.url)
await import('./main.ts')
