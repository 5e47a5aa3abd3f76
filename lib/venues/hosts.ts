import { z } from 'zod'
import { hasCredentials } from '../secret.ts'

/** The hosts of the venue, by what they serve. */
export const hostNames = ['usdm', 'spot', 'archive', 'listing'] as const
export type HostName = (typeof hostNames)[number]

const publicUrls: Readonly<Record<HostName, string>> = {
  usdm: 'https://fapi.binance.com',
  spot: 'https://api.binance.com',
  archive: 'https://data.binance.vision',
  // The bucket behind the archive: only it lists.
  listing: 'https://s3-ap-northeast-1.amazonaws.com/data.binance.vision',
}

/** For mirrors that serve the venue's own bytes: an address taken from here is in no key. Where the bytes may be others,
 *  as on a simulated exchange, the address belongs into the config, and so into the keys. */
export const hostVariables: Readonly<Record<HostName, string>> = {
  usdm: 'TICKPIPE_USDM_URL',
  spot: 'TICKPIPE_SPOT_URL',
  archive: 'TICKPIPE_ARCHIVE_URL',
  listing: 'TICKPIPE_LISTING_URL',
}

const url = z
  .url({ protocol: /^https?$/ })
  .refine((text) => !hasCredentials(text), 'a user or a password would stand in every manifest')
  .refine((text) => !/[?#]/.test(text), 'a query would stand in every manifest, and amid the address that is asked')
  .optional()
export const baseUrls = z.strictObject({ usdm: url, spot: url, archive: url, listing: url })
export type BaseUrls = z.output<typeof baseUrls>

/** What every source says about where it asks. */
export const venueParams = {
  venue: z.enum(['sim', 'binance']).default('sim'),
  baseUrls: baseUrls.optional(),
} as const
export type VenueChoice = { readonly venue: 'sim' | 'binance'; readonly baseUrls?: BaseUrls | undefined }

export function baseUrlOf(
  host: HostName,
  given: BaseUrls | undefined,
  env: Readonly<Record<string, string | undefined>>,
): string {
  const text = given?.[host] ?? env[hostVariables[host]] ?? publicUrls[host]
  return text.replace(/\/+$/, '')
}
