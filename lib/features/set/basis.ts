import { changeOver, constant, divide, input, minus } from '../column.ts'
import { featureGroup } from '../feature.ts'

/** How far the perpetual's mark is above its index, as a share of the index. */
const basis = minus(divide(input('mark'), input('index')), constant(1))

export const basisFeatures = featureGroup('basis', [
  { name: 'basis', says: 'mark over index, less one', column: basis },
  { name: 'dbasis_5m', says: 'change of the basis over five minutes', column: changeOver(basis, '5m') },
  { name: 'dbasis_15m', says: 'change of the basis over fifteen minutes', column: changeOver(basis, '15m') },
])
