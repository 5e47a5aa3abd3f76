import { constants, createInflateRaw } from 'node:zlib'
import { BadDeflate, inflateRaw } from './inflate.ts'

const outputBytes = 1 << 18

/** What `inflateRawSync` itself works with. Node does not document it, so it is looked for before it is used. */
type Internals = {
  readonly _handle: {
    writeSync(
      flush: number,
      input: Uint8Array,
      inputAt: number,
      inputBytes: number,
      output: Uint8Array,
      outputAt: number,
      outputBytes: number,
    ): void
  } | null
  /** Room that is left in the output, and bytes of the input that were not taken. */
  readonly _writeState: Uint32Array
}

/**
 * Unpacks a raw deflate stream piece by piece with the inflater inside Node, which is some times as fast as ours. What
 * comes out of a deflate stream is fixed, whoever unpacks it. Its documented forms either take the whole file at once or
 * call back, and a pure task cannot wait; where the form in between is not there, ours steps in. Pieces are views of one
 * buffer: use each before asking for the next.
 */
export function* inflatePieces(input: Iterable<Uint8Array>): Generator<Uint8Array, void, undefined> {
  const stream = createInflateRaw()
  try {
    const { _handle: handle, _writeState: state } = stream as unknown as Partial<Internals>
    if (typeof handle?.writeSync === 'function' && state instanceof Uint32Array && state.length >= 2)
      yield* inflateBy(stream, handle, state, input)
    else yield* inflateRaw(input)
  } finally {
    stream.close()
  }
}

function* inflateBy(
  stream: ReturnType<typeof createInflateRaw>,
  handle: NonNullable<Internals['_handle']>,
  state: Uint32Array,
  input: Iterable<Uint8Array>,
): Generator<Uint8Array, void, undefined> {
  // Whoever does not listen is ended by an error; what it says is read from the stream, right after the call.
  stream.on('error', () => {})
  const out = new Uint8Array(outputBytes)
  const unpack = function* (piece: Uint8Array, flush: number): Generator<Uint8Array, void, undefined> {
    for (let at = 0; ; ) {
      handle.writeSync(flush, piece, at, piece.length - at, out, 0, out.length)
      if (stream.destroyed) throw new BadDeflate(stream.errored?.message ?? 'it is no deflate stream')
      const [room, left] = state as unknown as [number, number]
      at = piece.length - left
      if (room < out.length) yield out.subarray(0, out.length - room)
      if (room > 0) return
    }
  }
  for (const piece of input) yield* unpack(piece, constants.Z_NO_FLUSH)
  yield* unpack(new Uint8Array(0), constants.Z_FINISH)
}
