/** Bounds for what one node may write to its log: it is held in memory, and shown whole when the node fails. */
const limits = { lines: 1000, characters: 256 * 1024, lineCharacters: 8 * 1024 } as const

/** The lines of one job, the first ones when there are too many. */
export class JobLog {
  readonly #lines: string[] = []
  #characters = 0
  #dropped = 0

  write(message: string): void {
    const line = message.length > limits.lineCharacters ? `${message.slice(0, limits.lineCharacters)} …` : message
    if (this.#lines.length >= limits.lines || this.#characters + line.length > limits.characters) {
      this.#dropped++
      return
    }
    this.#lines.push(line)
    this.#characters += line.length
  }

  lines(): readonly string[] {
    return this.#dropped === 0 ? this.#lines : [...this.#lines, `(${this.#dropped} more lines were dropped)`]
  }
}
