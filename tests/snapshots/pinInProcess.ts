import { openStore } from '../../cas/store.ts'
import { Fault } from '../../lib/fault.ts'
import { pinSnapshot } from '../../snapshots/pin.ts'
import { sampleRun } from './sampleRun.ts'

/** A process that makes the sample run and pins it as X, for tests of two at once. */
const [root = '', variant = ''] = process.argv.slice(2)
const store = openStore(root, { create: true })
const manifest = await sampleRun(store, variant === 'other' ? { raw: 'BTC,9\nETH,2\n' } : {})
try {
  const { id, alreadyThere } = await pinSnapshot(store, { name: 'X', manifest, provenance: { variant } })
  console.log(alreadyThere ? 'there' : 'pinned', id)
} catch (error) {
  console.log(error instanceof Fault ? `${error.code} ${String(error.details['there'])}` : error)
}
await store.close()
