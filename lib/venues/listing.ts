import { Fault } from '../fault.ts'

export type ListedKey = {
  readonly key: string
  readonly sizeBytes: number
  readonly lastModified: string
  readonly etag: string
}
export type ListedPage = {
  readonly keys: readonly ListedKey[]
  /** Sub-folders, with their last slash. */
  readonly folders: readonly string[]
  /** The marker of the next page, where there is one. */
  readonly next: string | undefined
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }
const plain = (text: string): string =>
  text.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(amp|lt|gt|quot|apos));/gi, (_, decimal, hex, name) =>
    name !== undefined
      ? entities[name.toLowerCase()]!
      : String.fromCodePoint(Number.parseInt(decimal ?? hex, decimal ? 10 : 16)),
  )

const textOf = (xml: string, tag: string): string | undefined => {
  const match = new RegExp(`<${tag}>([^<]*)</${tag}>`).exec(xml)
  return match === null ? undefined : plain(match[1]!)
}

/** One page of a bucket's listing (version 1 of the protocol). */
export function parseListing(bytes: Uint8Array): ListedPage {
  const xml = new TextDecoder().decode(bytes)
  const isTruncated = textOf(xml, 'IsTruncated')
  if (!xml.includes('<ListBucketResult') || isTruncated === undefined) {
    throw new Fault({
      code: 'failed',
      what: 'this is not a listing of the archive',
      todo: 'check the base URL of the listing in the config',
    })
  }
  const keys = [...xml.matchAll(/<Contents>(.*?)<\/Contents>/gs)].map(([, entry]) => ({
    key: textOf(entry!, 'Key') ?? '',
    sizeBytes: Number(textOf(entry!, 'Size') ?? Number.NaN),
    lastModified: textOf(entry!, 'LastModified') ?? '',
    etag: (textOf(entry!, 'ETag') ?? '').replaceAll('"', ''),
  }))
  const folders = [...xml.matchAll(/<CommonPrefixes>(.*?)<\/CommonPrefixes>/gs)].map(
    ([, entry]) => textOf(entry!, 'Prefix') ?? '',
  )
  if (isTruncated !== 'true') return { keys, folders, next: undefined }
  // Without a NextMarker the last name of the page is the marker.
  const last = [...keys.map(({ key }) => key), ...folders].sort().at(-1)
  return { keys, folders, next: textOf(xml, 'NextMarker') || last }
}
