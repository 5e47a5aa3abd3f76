/** Tells from looks at how often a job has said how far it came whether it stood still between two of them. A job that
 *  never says it is not held to saying it. */
export class SilenceWatch {
  readonly #startCount: number
  #seen: number

  constructor(startCount: number) {
    this.#startCount = startCount
    this.#seen = startCount
  }

  stoodStill(count: number): boolean {
    const isStill = count === this.#seen && count !== this.#startCount
    this.#seen = count
    return isStill
  }
}
