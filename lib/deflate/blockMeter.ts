import { type BlockSink, distanceBits, endOfBlock, lengthBits, putCodes, tokensInBlock } from './blockWriter.ts'
import { huffman } from './huffman.ts'

/** Takes what a block writer takes and says how many bytes it would have written. How often everything comes is all that
 *  the length of a block depends on: not a token is looked at. */
export function createBlockMeter(): BlockSink<number> {
  const literalUse = new Uint32Array(286)
  const distanceUse = new Uint32Array(30)
  let bitCount = 0

  const count = (_value: number, bits: number): void => {
    bitCount += bits
  }

  return {
    tokens: new Int32Array(tokensInBlock),
    literalUse,
    distanceUse,
    begin() {
      bitCount = 0
      literalUse.fill(0)
      distanceUse.fill(0)
    },
    endBlock(tokenCount) {
      if (tokenCount === 0) return
      literalUse[endOfBlock]!++
      const literals = huffman(literalUse, 15).lengths
      const distances = huffman(distanceUse, 15).lengths
      bitCount += 3
      putCodes(count, literals, distances)
      for (let symbol = 0; symbol < literalUse.length; symbol++) {
        const extra = symbol > endOfBlock ? lengthBits[symbol - 257]! : 0
        bitCount += literalUse[symbol]! * (literals[symbol]! + extra)
      }
      for (let symbol = 0; symbol < distanceUse.length; symbol++)
        bitCount += distanceUse[symbol]! * (distances[symbol]! + distanceBits[symbol]!)
      literalUse.fill(0)
      distanceUse.fill(0)
    },
    // The last block is empty and takes ten bits.
    finish: () => Math.ceil((bitCount + 10) / 8),
  }
}
