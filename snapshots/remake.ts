/** The command that makes again what one node gave. Addresses are full of brackets, which shells take for patterns. */
export function remakeCommand(
  address: string,
  more: { readonly snapshot?: string; readonly isForced?: boolean } = {},
): string {
  const word = `'${address.replaceAll("'", `'\\''`)}'`
  const force = more.isForced === true ? ` --force ${word}` : ''
  const snapshot = more.snapshot === undefined ? '' : ` --snapshot ${more.snapshot}`
  return `pipe run ${word}${force}${snapshot}`
}
