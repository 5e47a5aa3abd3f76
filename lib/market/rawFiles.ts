import { filesArtifact } from '../artifact.ts'

/** Bytes exactly as a venue sent them. Each kind is its own type, so that none can be wired in another's place. */
export const exchangeInfo = filesArtifact('exchangeInfo')
export const klineArchive = filesArtifact('klineArchive')
export const fundingArchive = filesArtifact('fundingArchive')
