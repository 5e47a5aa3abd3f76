import { blockSizeBytes, paddingSizeBytes, tarHeader, trailerSizeBytes } from '../../snapshots/tar.ts'

/** The entries of a bundle, to be put together in other ways. */
export function entriesOf(content: Buffer): { path: string; header: Buffer; body: Buffer }[] {
  const entries = []
  for (let at = 0; content[at] !== 0; ) {
    const header = content.subarray(at, at + blockSizeBytes)
    const size = Number.parseInt(header.toString('latin1', 124, 135), 8)
    const path = header.toString('latin1', 0, header.indexOf(0))
    entries.push({ path, header, body: content.subarray(at + blockSizeBytes, at + blockSizeBytes + size) })
    at += blockSizeBytes + size + paddingSizeBytes(size)
  }
  return entries
}

/** Entries as an archive: with right headers, whatever is in them. */
export function tarOf(entries: readonly { path: string; body: Uint8Array }[]): Buffer {
  return Buffer.concat([
    ...entries.flatMap(({ path, body }) => [
      tarHeader({ path, sizeBytes: body.length }),
      body,
      Buffer.alloc(paddingSizeBytes(body.length)),
    ]),
    Buffer.alloc(trailerSizeBytes),
  ])
}
