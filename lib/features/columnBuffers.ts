/** Memory for the columns of one symbol, used again for the next one: fresh pages cost more than most columns do to compute.
 *  What a buffer holds when it is taken is whatever was there; whoever takes one fills every row. */
export class ColumnBuffers {
  #rows: number
  #all: Float64Array[] = []
  #taken = 0

  constructor(rows: number) {
    this.#rows = rows
  }

  take(): Float64Array {
    const buffer = this.#all[this.#taken] ?? new Float64Array(this.#rows)
    this.#all[this.#taken++] = buffer
    return buffer
  }

  takeBackAll(): void {
    this.#taken = 0
  }
}
