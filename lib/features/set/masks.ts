import type { CalendarSpan } from '../column.ts'
import { ageOf, asOf, constant, during, minus, most, notMore, times } from '../column.ts'
import type { Feature, FeatureOptions } from '../feature.ts'
import { featureGroup } from '../feature.ts'

const hourMs = 3_600_000
const nearMs = constant(10 * 60_000)
const maxAge = '9h'

/** The next settlement is due one interval after the last one. That is known beforehand; where the venue changes the
 *  interval, the mask follows from the first settlement that shows it. */
const sinceMs = ageOf('funding', maxAge)
const untilMs = minus(times(asOf('funding', 'intervalHours', maxAge), constant(hourMs)), sinceMs)

export const settlementFeatures = featureGroup('masks', [
  {
    name: 'near_settlement',
    says: '1 within ten minutes of a funding settlement, before or after, else 0',
    column: most(notMore(sinceMs, nearMs), notMore(untilMs, nearMs)),
  },
])

/** 1 during the events of a configured calendar: releases, forks, maintenance. */
export function calendarFeatures(spans: readonly CalendarSpan[]): readonly Feature[] {
  return featureGroup('calendar', [
    { name: 'near_event', says: '1 during an announced event, else 0', column: during(spans) },
  ])
}

/** The same as a group whose calendar comes from the config. */
export const calendarGroup = ({ calendar }: FeatureOptions): readonly Feature[] => calendarFeatures(calendar)
