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

const refused = (what: string): Fault =>
  new Fault({
    code: 'failed',
    what: `this is not a listing of the archive: ${what}`,
    todo: 'check the base URL of the listing in the config',
  })

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }
const plain = (text: string): string =>
  text.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(amp|lt|gt|quot|apos));/gi, (all, decimal, hex, name) => {
    if (name !== undefined) return entities[name.toLowerCase()]!
    const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal)
    if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) throw refused(`${all} is no character`)
    return String.fromCodePoint(code)
  })

/** What stands in the first element of a name; nothing where there is none. */
function textOf(xml: string, tag: string): string | undefined {
  const match = new RegExp(`<${tag}(?:\\s[^>]*)?>(?:<!\\[CDATA\\[(.*?)\\]\\]>|([^<]*))</${tag}>`, 's').exec(xml)
  if (match !== null) return match[1] ?? plain(match[2]!)
  if (new RegExp(`<${tag}[\\s>]`).test(xml)) throw refused(`its ${tag} holds more than text`)
  return undefined
}

/** What stands in all elements of a name, none of which may be left out unseen. */
function elementsOf(xml: string, tag: string): string[] {
  const found = [...xml.matchAll(new RegExp(`<${tag}(?:\\s[^>]*)?>(.*?)</${tag}>`, 'gs'))].map(([, inner]) => inner!)
  const opened = xml.match(new RegExp(`<${tag}[\\s/>]`, 'g'))?.length ?? 0
  if (opened !== found.length) throw refused(`a ${tag} does not end`)
  return found
}

function nameOf(entry: string, tag: string): string {
  const name = textOf(entry, tag)
  if (name === undefined || name === '') throw refused(`an entry has no ${tag}`)
  return name
}

/** One page of a bucket's listing (version 1 of the protocol). Whatever it may mean is read, or refused: a folder that is
 *  overlooked would be a smaller universe, and nobody would know. */
export function parseListing(bytes: Uint8Array): ListedPage {
  const xml = new TextDecoder().decode(bytes)
  if (!xml.includes('<ListBucketResult')) throw refused('it is another document')
  if (!xml.trimEnd().endsWith('</ListBucketResult>')) throw refused('it is cut off')
  if (xml.includes('<!--')) throw refused('it holds a comment')
  const isTruncated = textOf(xml, 'IsTruncated')?.trim().toLowerCase()
  if (isTruncated !== 'true' && isTruncated !== 'false') throw refused('it does not say whether it is all')
  const keys = elementsOf(xml, 'Contents').map((entry) => ({
    key: nameOf(entry, 'Key'),
    sizeBytes: Number(textOf(entry, 'Size') ?? Number.NaN),
    lastModified: textOf(entry, 'LastModified') ?? '',
    etag: (textOf(entry, 'ETag') ?? '').replaceAll('"', ''),
  }))
  const folders = elementsOf(xml, 'CommonPrefixes').map((entry) => nameOf(entry, 'Prefix'))
  if (isTruncated === 'false') return { keys, folders, next: undefined }
  // Without a NextMarker the last name of the page is the marker.
  const last = [...keys.map(({ key }) => key), ...folders].sort().at(-1)
  const next = textOf(xml, 'NextMarker') || last
  if (next === undefined) throw refused('it goes on and does not say where')
  return { keys, folders, next }
}
