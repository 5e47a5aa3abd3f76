import { parseFaultPoints } from '../../cas/faultPoints.ts'
import { openStore } from '../../cas/store.ts'
import { importSnapshot } from '../../snapshots/importBundle.ts'

/** A process that imports a bundle and is killed at a fault point of the store, for tests of crashes. */
const [root = '', bundle = '', faults = ''] = process.argv.slice(2)
const store = openStore(root, { create: true, faults: parseFaultPoints(faults) })
await importSnapshot(store, bundle, { trustCode: true })
await store.close()
