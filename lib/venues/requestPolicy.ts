import { z } from 'zod'
import type { VenueRequest } from './ask.ts'
import { fundingRequests, spotWeight, statisticsRequests, usdmWeight } from './budgets.ts'
import { spotAggTradesPerRequest, spotAggTradesRequest, spotBarsPerRequest, spotBarsRequest } from './spot.ts'
import {
  aggTradesPerRequest,
  aggTradesRequest,
  barKinds,
  barsPerRequest,
  barsRequest,
  exchangeInfoRequest,
  fundingRateRequest,
  fundingRatesPerRequest,
  serverTimeRequest,
  statisticsKinds,
  statisticsPerRequest,
  statisticsRequest,
  tickerRequest,
} from './usdm.ts'

const query = (limit: number) => ({ symbol: 'X', fromTsMs: 0, toTsMs: 0, limit })

/** What is asked, out of the very requests that ask it: the description cannot fall behind. */
function endpoint({ host, path, headers, budget }: VenueRequest, paging: string, rowsPerPage?: number) {
  const [name, params = ''] = path.split('?')
  return {
    host,
    path: name!,
    params: [...new URLSearchParams(params).keys()],
    paging,
    ...(headers === undefined ? {} : { headers }),
    ...(rowsPerPage === undefined ? {} : { rowsPerPage }),
    ...(budget === undefined ? {} : { budget: budget.pool.name, weight: budget.weight }),
  }
}

const whole = 'one answer'
const slices = 'slices of a fixed grid that is anchored at the epoch'
const hours = 'hours, and within them on by id'
const files = 'one file a month or a day, its checksum first'
const bars = query(barsPerRequest)

const described = {
  endpoints: [
    endpoint(serverTimeRequest, whole),
    endpoint(exchangeInfoRequest, whole),
    endpoint(tickerRequest, whole),
    ...barKinds.map((kind) => endpoint(barsRequest(kind, '1m', bars), slices, barsPerRequest)),
    endpoint(spotBarsRequest('1m', query(spotBarsPerRequest)), slices, spotBarsPerRequest),
    endpoint(fundingRateRequest(query(fundingRatesPerRequest)), slices, fundingRatesPerRequest),
    ...statisticsKinds.map((kind) =>
      endpoint(statisticsRequest(kind, '5m', query(statisticsPerRequest)), slices, statisticsPerRequest),
    ),
    endpoint(aggTradesRequest(query(aggTradesPerRequest)), hours, aggTradesPerRequest),
    endpoint(spotAggTradesRequest(query(spotAggTradesPerRequest)), hours, spotAggTradesPerRequest),
    endpoint(
      { host: 'listing', path: '/?delimiter=&prefix=&marker=', expects: 'xml' },
      'on by marker until the last page',
    ),
    endpoint({ host: 'archive', path: '/data/', expects: 'bytes' }, files),
  ],
  /** As the venue documents them, per address; the share that is used stands in the http policy. */
  limits: [usdmWeight, spotWeight, fundingRequests, statisticsRequests].map(({ name, limit, windowMs }) => ({
    name,
    limit,
    windowMs,
  })),
  retry:
    'network failures, 408, 5xx, cut or wrong bodies: with full jitter, between the two backoffs, doubling; 429 and 418: after what the venue says, 403: after a pause that doubles, and none of them sooner than after a second, doubling; 400, 404 and 451: never',
}

/**
 * How the venues are asked, beside the patience that can be set: part of a pipeline's config and so of every manifest, for
 * whoever wants to know where rows came from. Nothing can be set here.
 */
export const requestPolicy = z
  .undefined()
  .optional()
  .transform(() => described)
