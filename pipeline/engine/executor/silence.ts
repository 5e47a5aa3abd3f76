/** How many looks make up the time that a job may be silent. One that is stopped was so for this long, and for no longer
 *  than one look more. */
export const looksPerSilence = 40

/** Tells from looks at how often a job has said how far it came whether it stands still. A job that never says it is not
 *  held to saying it. Looks are counted and no clock is read: a machine that slept gives no job away. */
export class SilenceWatch {
  readonly #startCount: number
  #seen: number
  #stillFor = 0

  constructor(startCount: number) {
    this.#startCount = startCount
    this.#seen = startCount
  }

  stoodStill(count: number): boolean {
    this.#stillFor = count === this.#seen ? this.#stillFor + 1 : 0
    this.#seen = count
    return count !== this.#startCount && this.#stillFor >= looksPerSilence
  }
}
