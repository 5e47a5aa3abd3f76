import { register } from 'node:module'

// It runs from its sources, whose types Node 20 cannot strip by itself.
register('../bench/loadTypeScript.mjs', import.meta.url)
await import('./main.ts')
