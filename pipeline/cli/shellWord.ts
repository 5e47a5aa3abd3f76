/** A word as a shell takes it for itself: addresses are full of brackets, which shells take for patterns. */
export const shellWord = (word: string): string =>
  /^[A-Za-z0-9_./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
