import { filesArtifact } from '../../artifact.ts'

/** Bytes exactly as a venue sent them. Each kind is its own type, so that none can be wired in another's place. */
export const exchangeInfo = filesArtifact('exchangeInfo')
export const ticker = filesArtifact('ticker')
export const present = filesArtifact('present')
export const archiveListing = filesArtifact('archiveListing')
/** Archives of bars (a zip and its checksum), or pages of the API (JSON). */
export const rawBars = filesArtifact('rawBars')
export const rawFunding = filesArtifact('rawFunding')
export const rawTrades = filesArtifact('rawTrades')
export const rawMetrics = filesArtifact('rawMetrics')
export const rawOpenInterest = filesArtifact('rawOpenInterest')
export const rawTakerVolume = filesArtifact('rawTakerVolume')
