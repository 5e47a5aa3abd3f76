import { Fault } from '../fault.ts'
import type { Feature } from './feature.ts'
import { basisFeatures } from './set/basis.ts'
import { flowFeatures, spotFlowFeatures } from './set/flow.ts'
import { fundingFeatures } from './set/funding.ts'
import { settlementFeatures } from './set/masks.ts'
import { openInterestFeatures } from './set/openInterest.ts'
import { priceFeatures } from './set/prices.ts'

/** All features that come with the program. A user's are added to these by the project. */
export const featureSet: readonly Feature[] = [
  ...priceFeatures,
  ...basisFeatures,
  ...fundingFeatures,
  ...openInterestFeatures,
  ...flowFeatures,
  ...spotFlowFeatures,
  ...settlementFeatures,
]

/** The features a strategy declares, by name. */
export function pickFeatures(names: readonly string[], from: readonly Feature[] = featureSet): Feature[] {
  return names.map((name) => {
    const feature = from.find((candidate) => candidate.name === name)
    if (feature !== undefined) return feature
    throw new Fault({
      code: 'usage',
      what: `there is no feature "${name}"`,
      todo: `choose among ${from.map((candidate) => candidate.name).join(', ')}, or define it`,
    })
  })
}
