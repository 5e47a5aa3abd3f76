/** The one line of a `.CHECKSUM` file, as sha256sum writes it; undefined where it is something else. */
export function parseChecksum(bytes: Uint8Array): { readonly sha256: string; readonly name: string } | undefined {
  // Old ones lack the line end.
  const match = /^([0-9a-fA-F]{64}) [ *]([^\s/\\]+)\r?\n?$/.exec(new TextDecoder().decode(bytes.subarray(0, 4096)))
  return match === null ? undefined : { sha256: match[1]!.toLowerCase(), name: match[2]! }
}

/** Whether this may be the beginning of such a line, or nothing: a file that the venue has not written to its end. A few
 *  digits may be somebody else's, such as a status. */
export const isCutChecksum = (bytes: Uint8Array): boolean =>
  /^([0-9a-f]{16,64})?$/i.test(new TextDecoder().decode(bytes).trimEnd())
