import type { FeatureGroup } from '../../../lib/features/feature.ts'
import { basisFeatures } from '../../../lib/features/set/basis.ts'
import { flowFeatures, spotFlowFeatures } from '../../../lib/features/set/flow.ts'
import { fundingFeatures } from '../../../lib/features/set/funding.ts'
import { calendarGroup, settlementFeatures } from '../../../lib/features/set/masks.ts'
import { openInterestFeatures } from '../../../lib/features/set/openInterest.ts'
import { priceFeatures } from '../../../lib/features/set/prices.ts'

/** The groups that come with the program. */
export const standardGroups: Readonly<Record<string, FeatureGroup>> = {
  prices: priceFeatures,
  basis: basisFeatures,
  funding: fundingFeatures,
  openInterest: openInterestFeatures,
  flow: flowFeatures,
  spotFlow: spotFlowFeatures,
  masks: settlementFeatures,
  calendar: calendarGroup,
}
