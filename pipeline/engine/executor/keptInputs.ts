import { Buffer } from 'node:buffer'
import { mapArrays, type Plain, sizeOf, viewed } from './plainData.ts'

interface Kept {
  readonly value: Plain
  readonly sizeBytes: number
  /** Of every typed array, with a copy that nobody else has. */
  readonly marks: readonly Mark[]
}

interface Mark {
  readonly bytes: Uint8Array
  readonly copy: Uint8Array
}

/**
 * What nodes still to come will read as well: decoded tables, such as a year of bars under a thousand parameter sets, and
 * what tasks prepare of them. It is made once for each thread. What is kept is plain data, typed arrays and texts, so that
 * nothing of one node's code lives on in another's. Nodes share the memory of typed arrays, which nobody can freeze: after
 * each node what it was handed is compared with a copy that was never lent. What a node wrote into is forgotten,
 * and the next node makes it again, so a result is the same with and without all this.
 */
export class KeptInputs {
  /** The newest stand last. */
  readonly #values = new Map<string, Kept>()
  readonly #texts = new Map<string, string>()
  /** Values whose memory the present node has. */
  readonly #lent = new Map<string, Kept>()
  readonly #sizeMaxBytes: number
  #limitBytes: number
  #sizeBytes = 0

  constructor(sizeMaxBytes: number) {
    this.#sizeMaxBytes = sizeMaxBytes
    this.#limitBytes = sizeMaxBytes
  }

  /** Before a node: gives back memory that the node may need itself. */
  begin(limitBytes: number): void {
    this.#limitBytes = Math.min(this.#sizeMaxBytes, Math.max(0, limitBytes))
    this.#shrink()
  }

  /** After a node: forgets what it wrote into. */
  end(): void {
    for (const [key, kept] of this.#lent) if (!isUntouched(kept)) this.#forget(key)
    this.#lent.clear()
  }

  /** The value of a key, which names the code that made it and all it was made of. A node that asks again, on another port
   *  or later, has one made of its own, as ever: it may have written into the first. */
  find(key: string): Plain | undefined {
    const kept = this.#values.get(key)
    return kept === undefined || this.#lent.has(key) ? undefined : this.#lend(key, kept)
  }

  /** Takes over the memory of a value that was just made, and gives it back as the present node may have it. */
  keep(key: string, value: Plain): Plain {
    const sizeBytes = sizeOf(value)
    if (sizeBytes > this.#limitBytes || this.#lent.has(key)) return value
    const marks: Mark[] = []
    const own = mapArrays(value, (array) => {
      marks.push(markOf(array))
      return viewed(array)
    })
    const kept: Kept = { value: own, sizeBytes, marks }
    this.#sizeBytes += sizeBytes
    const lent = this.#lend(key, kept)
    this.#shrink()
    return lent
  }

  /** A text that was checked when it was read. What it says is parsed anew by every node. */
  findText(key: string): string | undefined {
    const text = this.#texts.get(key)
    if (text === undefined) return undefined
    this.#texts.delete(key)
    this.#texts.set(key, text)
    return text
  }

  keepText(key: string, text: string): void {
    if (text.length * 2 > this.#limitBytes) return
    this.#texts.set(key, text)
    this.#sizeBytes += text.length * 2
    this.#shrink()
  }

  #lend(key: string, kept: Kept): Plain {
    this.#values.delete(key)
    this.#values.set(key, kept)
    this.#lent.set(key, kept)
    return mapArrays(kept.value, viewed)
  }

  /** Texts go first: they are read again in no time. */
  #shrink(): void {
    for (const key of this.#texts.keys()) {
      if (this.#sizeBytes <= this.#limitBytes) return
      this.#sizeBytes -= this.#texts.get(key)!.length * 2
      this.#texts.delete(key)
    }
    for (const key of this.#values.keys()) {
      if (this.#sizeBytes <= this.#limitBytes) return
      this.#forget(key)
    }
  }

  #forget(key: string): void {
    const kept = this.#values.get(key)
    if (kept === undefined) return
    this.#values.delete(key)
    this.#sizeBytes -= kept.sizeBytes
  }
}

// Taken now: a task may change what the name stands for.
const { compare } = Buffer

/** Twice the memory, and less than half the time of a checksum: it is compared after every node. */
function markOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Mark {
  const bytes = new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength)
  return { bytes, copy: bytes.slice() }
}

/** A buffer that was transferred away is empty now. */
const isUntouched = ({ marks }: Kept): boolean =>
  marks.every(({ bytes, copy }) => compare(bytes, copy) === 0 && Reflect.ownKeys(bytes.buffer).length === 0)
