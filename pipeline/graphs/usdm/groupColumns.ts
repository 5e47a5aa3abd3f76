import { Fault } from '../../../lib/fault.ts'
import { type Feature, fitsBars, readsOf } from '../../../lib/features/feature.ts'
import { columnOf, seriesFields } from '../../../lib/minute/frames.ts'
import { didYouMean } from '../../../lib/nearMatch.ts'
import { intervalMs } from '../../../lib/time.ts'
import { baseIntervals, dataSets, inputsOff, type UsdmConfig } from './config.ts'

/** A column that cannot be made under a config. */
export interface LeftOutColumn {
  readonly column: string
  readonly group: string
  readonly why: string
  readonly todo: string
}

/** The columns of a group that can be made of the config's bars and data sets, and the others with the reason. One that
 *  could be made of none is a slip in its name, and is told before anything is fetched. */
export function columnsOfGroup(
  group: string,
  features: readonly Feature[],
  config: UsdmConfig,
): { kept: readonly Feature[]; leftOut: readonly LeftOutColumn[] } {
  for (const feature of features) refuseUnknownReads(feature, group)
  const judged = features.map((feature) => ({ feature, obstacles: obstaclesOf(feature, config) }))
  return {
    kept: judged.filter(({ obstacles }) => obstacles.length === 0).map(({ feature }) => feature),
    leftOut: judged
      .filter(({ obstacles }) => obstacles.length > 0)
      .map(({ feature, obstacles }) => ({
        column: feature.name,
        group,
        why: obstacles.map(({ why }) => why).join('; '),
        todo: obstacles.map(({ todo }) => todo).join(' and '),
      })),
  }
}

function refuseUnknownReads({ name, column }: Feature, group: string): void {
  const { inputs, series } = readsOf(column)
  const refuseOther = (what: string, asked: Iterable<string>, known: readonly string[], of = ''): void => {
    for (const one of asked) {
      if (known.includes(one)) continue
      throw new Fault({
        code: 'usage',
        what: `the feature "${name}" of the group "${group}" reads the ${what} "${one}"${of}, which there is not${didYouMean(one, known)}`,
        where: `group ${group}`,
        todo: `it can read ${known.join(', ')}`,
        details: { feature: name, group },
      })
    }
  }
  refuseOther('input', inputs, Object.keys(columnOf))
  refuseOther('series', series.keys(), Object.keys(seriesFields))
  for (const [one, fields] of series) refuseOther('field', fields, seriesFields[one]!, ` of the series "${one}"`)
}

type Obstacle = Pick<LeftOutColumn, 'why' | 'todo'>

function obstaclesOf({ column }: Feature, config: UsdmConfig): Obstacle[] {
  const obstacles: Obstacle[] = []
  const { inputs, series } = readsOf(column)
  const reads = [...inputs, ...series.keys()]
  const off = dataSets.filter((dataSet) => {
    if (config[dataSet]) return false
    const lacking = inputsOff({ ...allOn, [dataSet]: false })
    return reads.some((input) => lacking.has(input))
  })
  if (off.length > 0) {
    const names = off.map((dataSet) => `"${dataSet}"`).join(' and ')
    const [sets, are] = off.length === 1 ? ['data set', 'is'] : ['data sets', 'are']
    obstacles.push({
      why: `it is made of the ${sets} ${names}, which ${are} off`,
      todo: `switch on ${names} in the pipeline's config`,
    })
  }
  const { baseInterval } = config
  if (!fitsBars(column, intervalMs(baseInterval))) {
    const longest = baseIntervals.findLast((interval) => fitsBars(column, intervalMs(interval)))
    obstacles.push(
      longest === undefined
        ? { why: 'it is made of windows that are no whole minutes', todo: 'give it windows of whole minutes' }
        : {
            why: `it is made of windows that are no multiple of ${baseInterval}; it needs bars of ${longest} or of a part of it`,
            todo: `set baseInterval to ${longest}`,
          },
    )
  }
  return obstacles
}

const allOn = Object.fromEntries(dataSets.map((dataSet) => [dataSet, true])) as Record<(typeof dataSets)[number], true>
