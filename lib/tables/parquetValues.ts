import type { Column } from './schema.ts'
import { type AnyValues, allocateValues, countOf } from './table.ts'
import { type BigInts, copyBigs, narrowest, wideInts } from './wideInts.ts'

/** The values that are there, and which rows have one (undefined: all). A double is there unless it is NaN. */
export function presentValues(
  column: Column,
  values: AnyValues,
  valid: Uint8Array | undefined,
): { values: AnyValues; valid: Uint8Array | undefined } {
  const flags = column.kind === 'f64' ? numbersIn(values as Float64Array) : valid
  if (flags === undefined) return { values, valid: undefined }
  let count = 0
  for (let row = 0; row < flags.length; row++) count += flags[row]!
  if (count === countOf(values)) return { values, valid: undefined }
  if (column.kind === 'wide') return { values: presentBigs(values as BigInts, flags, count), valid: flags }
  const present = allocateValues(column, count) as unknown[]
  const source = values as readonly unknown[]
  for (let row = 0, at = 0; row < flags.length; row++) if (flags[row] === 1) present[at++] = source[row]
  return { values: present as AnyValues, valid: flags }
}

function presentBigs(values: BigInts, flags: Uint8Array, count: number): BigInts {
  const present = wideInts(count)
  for (let row = 0, at = 0; row < flags.length; row++) {
    if (flags[row] === 1) copyBigs(values, row, row + 1, present, at++)
  }
  return narrowest(present)
}

/** 1 for every number and 0 for every NaN, or undefined where there is no NaN. */
function numbersIn(values: Float64Array): Uint8Array | undefined {
  let row = 0
  while (row < values.length && !Number.isNaN(values[row])) row++
  if (row === values.length) return undefined
  const flags = new Uint8Array(values.length)
  for (let i = 0; i < values.length; i++) flags[i] = Number.isNaN(values[i]) ? 0 : 1
  return flags
}

const largestDictionary = 1 << 16
// Scratch, written before it is read, in one call: a column without a dictionary is found out late, and making room for one
// would take longer than looking for it.
const slots = new Int32Array(8 * largestDictionary)
const found = new Int32Array(2 * largestDictionary)

/** Distinct values of 64 bits, given as little-endian halves, in order of appearance, and for every row which of them it
 *  holds; undefined where too few repeat to be worth it. Doubles are told apart by their bits. */
export function dictionaryOf(words: Int32Array): { entries: Int32Array; indices: Int32Array } | undefined {
  const rowCount = words.length >>> 1
  const limit = Math.min(largestDictionary, rowCount >>> 1)
  if (limit === 0) return undefined
  const slotCount = 2 ** (34 - Math.clz32(limit))
  const mask = slotCount - 1
  slots.fill(0, 0, slotCount)
  const entries = found
  const indices = new Int32Array(rowCount)
  let size = 0
  for (let row = 0; row < rowCount; row++) {
    const low = words[2 * row]!
    const high = words[2 * row + 1]!
    const hash = Math.imul(low ^ Math.imul(high, 0x9e3779b1), 0x85ebca6b)
    let slot = (hash ^ (hash >>> 15)) & mask
    for (;;) {
      const entry = slots[slot]! - 1
      if (entry < 0) {
        if (size >= limit) return undefined
        entries[2 * size] = low
        entries[2 * size + 1] = high
        indices[row] = size
        slots[slot] = ++size
        break
      }
      if (entries[2 * entry] === low && entries[2 * entry + 1] === high) {
        indices[row] = entry
        break
      }
      slot = (slot + 1) & mask
    }
  }
  return { entries: entries.slice(0, 2 * size), indices }
}
