/** One replacement in a text. */
export interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
}

/** A piece of a text with some of it replaced, which still knows where each part came from. */
export interface EditedText {
  readonly text: string
  /** Runs of characters taken over unchanged, in order. */
  readonly kept: readonly { readonly at: number; readonly from: number; readonly length: number }[]
}

/** Applies edits to the part of a text from `start` to `end`. They must not overlap; those outside it do not count. */
export function editText(source: string, start: number, end: number, edits: readonly Edit[]): EditedText {
  const inside = edits.filter((edit) => edit.start >= start && edit.end <= end).sort((a, b) => a.start - b.start)
  const kept: { at: number; from: number; length: number }[] = []
  let text = ''
  let from = start
  const keepUntil = (to: number) => {
    if (to > from) kept.push({ at: text.length, from, length: to - from })
    text += source.slice(from, to)
  }
  for (const edit of inside) {
    keepUntil(edit.start)
    text += edit.text
    from = edit.end
  }
  keepUntil(end)
  return { text, kept }
}
