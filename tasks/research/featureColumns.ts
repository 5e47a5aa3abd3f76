import { z } from 'zod'
import { jsonArtifact } from '../../lib/artifact.ts'
import { defineTask } from '../../pipeline/engine/task.ts'

const said = z.object({
  baseInterval: z.string(),
  /** In the order of their groups. */
  columns: z.array(z.string()),
  leftOut: z.array(z.object({ column: z.string(), group: z.string(), why: z.string() })),
})

/** Which columns of features a config gives, which it leaves out, and why: what is absent is told in the run's log and kept
 *  beside the features. */
export const featureColumns = defineTask({
  name: 'featureColumns',
  kind: 'pure',
  params: said,
  inputs: {},
  output: jsonArtifact('featureColumns', said),
  run: (_, params, { log }) => {
    for (const { column, group, why } of params.leftOut) log(`column "${column}" of "${group}" is left out: ${why}`)
    return params
  },
})
