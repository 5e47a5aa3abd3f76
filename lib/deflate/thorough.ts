import {
  type BlockWriter,
  createBlockWriter,
  distanceBits,
  distanceMost,
  distanceSymbol,
  lengthBits,
  lengthSymbol,
  matchMost,
} from './blockWriter.ts'

// Small tables have few rows to learn a code from and no time to save: for them matches are looked for everywhere, and a
// match is taken for what it saves, not for how long it is. In columns of numbers that is another thing: half of the bytes
// are noise, in which three bytes that came before cost more to point at than to write again.

const hashBitsMost = 15
const matchLeast = 3
/** How many earlier places that begin alike are tried, and how long a match ends the search. */
const triesMost = 32
const longEnough = 130
/** Blocks are smaller than they may be: the costs of the last one are what the next one is judged by. */
const tokensAtOnce = 1 << 14
/** How much is parsed once for its costs alone before anything is written. */
const rehearsedBytes = 1 << 14

/** What each literal, length and distance costs, in sixteenths of a bit, extra bits included. */
type Costs = { readonly literals: Int32Array; readonly lengths: Int32Array; readonly distances: Int32Array }

export function deflateThoroughly(input: Uint8Array): Uint8Array {
  const rehearsed = input.subarray(0, rehearsedBytes)
  const [eager, wary] = [eagerCosts(), waryCosts(rehearsed)]
  const writer = createBlockWriter()
  const costs = rehearse(rehearsed, eager, writer) <= rehearse(rehearsed, wary, writer) ? eager : wary
  parse(input, costs, writer, (tokenCount) => {
    learn(costs, writer)
    writer.endBlock(tokenCount)
  })
  return writer.finish()
}

/** Takes any match, and so finds out what they are worth where most of the bytes are in one. */
const eagerCosts = (): Costs => costsFrom(new Int32Array(256).fill(16 * 7), 16 * 3, 16 * 3)

/** Takes a match only where it costs less than its literals do by themselves. */
function waryCosts(input: Uint8Array): Costs {
  const use = new Uint32Array(256)
  for (const byte of input) use[byte]!++
  return costsFrom(shareCosts(use), 16 * 5, 16 * 4)
}

/** What matches of one symbol cost to begin with: extra bits come on top. */
const costsFrom = (literals: Int32Array, length: number, distance: number): Costs => ({
  literals,
  lengths: Int32Array.from(lengthSymbol, (symbol) => length + 16 * lengthBits[symbol]!),
  distances: Int32Array.from(distanceBits, (bits) => distance + 16 * bits),
})

/** Learns costs from a first parse, and returns what the parse would cost at them. */
function rehearse(input: Uint8Array, costs: Costs, writer: BlockWriter): number {
  let sum = 0
  parse(input, costs, writer, (tokenCount) => {
    if (tokenCount === 0) return
    learn(costs, writer)
    const { literalUse, distanceUse } = writer
    for (let byte = 0; byte < 256; byte++) sum += literalUse[byte]! * costs.literals[byte]!
    for (let length = matchLeast; length <= matchMost; length++) {
      // Lengths of one symbol count once, at the first of them.
      const symbol = lengthSymbol[length]!
      if (symbol !== lengthSymbol[length - 1] || length === matchLeast)
        sum += literalUse[257 + symbol]! * costs.lengths[length]!
    }
    for (let symbol = 0; symbol < distanceBits.length; symbol++) sum += distanceUse[symbol]! * costs.distances[symbol]!
    literalUse.fill(0)
    distanceUse.fill(0)
  })
  return sum
}

function learn({ literals, lengths, distances }: Costs, { literalUse, distanceUse }: BlockWriter): void {
  const ofLiteral = shareCosts(literalUse)
  literals.set(ofLiteral.subarray(0, 256))
  for (let length = matchLeast; length <= matchMost; length++) {
    const symbol = lengthSymbol[length]!
    lengths[length] = ofLiteral[257 + symbol]! + 16 * lengthBits[symbol]!
  }
  distances.set(shareCosts(distanceUse).map((cost, symbol) => cost + 16 * distanceBits[symbol]!))
}

/** What never came is taken to have come half a time. No code is shorter than a bit. */
function shareCosts(use: Uint32Array): Int32Array {
  const all = logarithm(2 * use.reduce((sum, count) => sum + count, 1))
  return Int32Array.from(use, (count) => Math.max(16, Math.min(16 * 15, all - logarithm(2 * count + 1))))
}

/** To the base of two, in sixteenths, straight between powers: integers only, since bytes of files depend on it. */
function logarithm(value: number): number {
  const whole = 31 - Math.clz32(value)
  return 16 * whole + (((value << (31 - whole)) >>> 27) & 15)
}

/** Queues tokens, and says so whenever there is a block of them. A match waits one byte: a better one may begin there. */
function parse(input: Uint8Array, costs: Costs, writer: BlockWriter, onBlock: (tokenCount: number) => void): void {
  const { tokens, literalUse, distanceUse } = writer
  const { literals, lengths, distances } = costs
  const size = input.length
  const last = size - matchLeast
  // Small pages are many, and empty tables for large ones would take longer than the rest.
  const hashBits = Math.min(hashBitsMost, 33 - Math.clz32(size))
  const heads = new Int32Array(1 << hashBits).fill(-distanceMost)
  const before = new Int32Array(Math.min(distanceMost, size))
  let count = 0
  // The match that begins at the byte before, and what it saves. Nothing waits at the start and behind a match.
  let [heldLength, heldDistance, heldGain] = [0, 0, 0]
  let isWaiting = false
  for (let at = 0; at < size; at++) {
    let [length, distance, gain] = [0, 0, 0]
    if (at <= last) {
      const first = input[at]!
      const second = input[at + 1]!
      const slot = Math.imul(first | (second << 8) | (input[at + 2]! << 16), 0x9e3779b1) >>> (32 - hashBits)
      let candidate = heads[slot]!
      before[at & (distanceMost - 1)] = candidate
      heads[slot] = at
      const most = Math.min(matchMost, size - at)
      // What is shorter than the one that waits, less the byte it has ahead, cannot be better.
      let longest = Math.max(matchLeast - 1, heldLength - 2)
      let tries = heldLength >= longEnough || longest >= most ? 0 : triesMost
      for (; candidate > at - distanceMost && tries > 0; tries--) {
        if (
          input[candidate + longest] === input[at + longest] &&
          input[candidate] === first &&
          input[candidate + 1] === second
        ) {
          let alike = 2
          let plain = literals[first]! + literals[second]!
          while (alike < most && input[candidate + alike] === input[at + alike])
            plain += literals[input[at + alike++]!]!
          if (alike > longest) {
            const saved = plain - lengths[alike]! - distances[distanceSymbol(at - candidate)]!
            if (saved > gain) {
              longest = length = alike
              distance = at - candidate
              gain = saved
              if (alike >= longEnough || alike === most) break
            }
          }
        }
        const next = before[candidate & (distanceMost - 1)]!
        if (next >= candidate) break
        candidate = next
      }
    }
    if (heldLength > 0 && gain <= heldGain) {
      tokens[count++] = (heldLength << 16) | heldDistance
      literalUse[257 + lengthSymbol[heldLength]!]!++
      distanceUse[distanceSymbol(heldDistance)]!++
      const end = at - 1 + heldLength
      const known = Math.min(end, last + 1)
      for (at++; at < known; at++) {
        const bytes = input[at]! | (input[at + 1]! << 8) | (input[at + 2]! << 16)
        const slot = Math.imul(bytes, 0x9e3779b1) >>> (32 - hashBits)
        before[at & (distanceMost - 1)] = heads[slot]!
        heads[slot] = at
      }
      at = end - 1
      heldLength = 0
      isWaiting = false
    } else {
      if (isWaiting) {
        const byte = input[at - 1]!
        tokens[count++] = byte
        literalUse[byte]!++
      }
      isWaiting = true
      heldLength = length
      heldDistance = distance
      heldGain = gain
    }
    if (count === tokensAtOnce) {
      onBlock(count)
      count = 0
    }
  }
  if (isWaiting) {
    // Fewer bytes than a match needs are left.
    const byte = input[size - 1]!
    tokens[count++] = byte
    literalUse[byte]!++
  }
  onBlock(count)
}
