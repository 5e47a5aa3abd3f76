/** A terminal in memory: enough of one to see what a person would. */
export class FakeTerminal {
  columns: number
  rows: number
  written = ''
  cursorVisible = true
  private lines: string[] = ['']
  private row = 0
  private column = 0
  private scrolledOff: string[] = []
  private listeners = new Set<() => void>()

  constructor(columns: number, rows: number) {
    this.columns = columns
    this.rows = rows
  }

  write(text: string): void {
    this.written += text
    for (let i = 0; i < text.length; ) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with a control character
      const sequence = /^\x1b\[(\??)([0-9;]*)([A-Za-z])/.exec(text.slice(i, i + 16))
      if (sequence) {
        this.obey(sequence[1]!, sequence[2]!, sequence[3]!)
        i += sequence[0].length
      } else this.put(text[i++]!)
    }
  }

  onResize(listener: () => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  resize(columns: number, rows: number): void {
    this.columns = columns
    this.rows = rows
    for (const listener of this.listeners) listener()
  }

  screen(): string[] {
    return this.lines.map((line) => line.trimEnd())
  }

  everything(): string[] {
    return [...this.scrolledOff, ...this.screen()]
  }

  private obey(query: string, digits: string, letter: string): void {
    const count = Number(digits || 1)
    if (query === '?') {
      if (digits === '25') this.cursorVisible = letter === 'h'
    } else if (letter === 'A') this.row = Math.max(0, this.row - count)
    else if (letter === 'K') this.lines[this.row] = this.line().slice(0, this.column)
    else if (letter === 'J') {
      this.lines[this.row] = this.line().slice(0, this.column)
      this.lines.length = this.row + 1
    } else if (letter !== 'm') throw new Error(`the fake terminal does not know ${letter}`)
  }

  private put(character: string): void {
    if (character === '\r') this.column = 0
    else if (character === '\n') {
      this.row++
      while (this.lines.length <= this.row) this.lines.push('')
      while (this.lines.length > this.rows) {
        this.scrolledOff.push(this.lines.shift()!)
        this.row--
      }
    } else {
      if (this.column >= this.columns) throw new Error('the line wrapped: the view wrote past the last column')
      const line = this.line().padEnd(this.column)
      this.lines[this.row] = line.slice(0, this.column) + character + line.slice(this.column + 1)
      this.column++
    }
  }

  private line(): string {
    return this.lines[this.row] ?? ''
  }
}
