const groupBits = 5
const blockBits = 10

/**
 * A set of positions below a size: a bit each, counted by groups of 32 and blocks of 1024. Adding is a matter of three cells,
 * and the bits of a hundred thousand positions lie in the nearest cache.
 */
export class PositionSet {
  readonly #bits: Int32Array
  readonly #inGroup: Int32Array
  readonly #inBlock: Int32Array

  constructor(size: number) {
    this.#bits = new Int32Array((size >>> groupBits) + 1)
    this.#inGroup = new Int32Array((size >>> groupBits) + 1)
    this.#inBlock = new Int32Array((size >>> blockBits) + 1)
  }

  add(position: number): void {
    this.#bits[position >>> groupBits]! |= 1 << (position & 31)
    this.#inGroup[position >>> groupBits]!++
    this.#inBlock[position >>> blockBits]!++
  }

  delete(position: number): void {
    this.#bits[position >>> groupBits]! &= ~(1 << (position & 31))
    this.#inGroup[position >>> groupBits]!--
    this.#inBlock[position >>> blockBits]!--
  }

  has(position: number): boolean {
    return ((this.#bits[position >>> groupBits]! >>> (position & 31)) & 1) === 1
  }

  /** How many are below a position. */
  countBelow(position: number): number {
    const group = position >>> groupBits
    const block = position >>> blockBits
    const [bits, inGroup, inBlock] = [this.#bits, this.#inGroup, this.#inBlock]
    let count = onesIn(bits[group]! & ((1 << (position & 31)) - 1))
    for (let k = block << (blockBits - groupBits); k < group; k++) count += inGroup[k]!
    for (let k = 0; k < block; k++) count += inBlock[k]!
    return count
  }

  /** How many are from one position up to another, which lie near each other: groups between them are looked at one by one. */
  countBetween(from: number, to: number): number {
    const [first, last] = [from >>> groupBits, to >>> groupBits]
    const below = onesIn(this.#bits[first]! & ((1 << (from & 31)) - 1))
    let count = onesIn(this.#bits[last]! & ((1 << (to & 31)) - 1)) - below
    for (let group = first; group < last; group++) count += this.#inGroup[group]!
    return count
  }

  /** The nearest one above a position. There must be one. */
  next(position: number): number {
    const bits = this.#bits
    let group = (position + 1) >>> groupBits
    let word = bits[group]! & (-1 << ((position + 1) & 31))
    while (word === 0) word = bits[++group]!
    return (group << groupBits) + 31 - Math.clz32(word & -word)
  }

  /** The nearest one below a position. There must be one. */
  previous(position: number): number {
    const bits = this.#bits
    let group = position >>> groupBits
    let word = bits[group]! & ((1 << (position & 31)) - 1)
    while (word === 0) word = bits[--group]!
    return (group << groupBits) + 31 - Math.clz32(word)
  }
}

/** Pairs, nibbles and bytes are counted side by side. */
function onesIn(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555)
  const nibbles = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333)
  return Math.imul((nibbles + (nibbles >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}
