import { crc32 } from 'node:zlib'

type Columns = Readonly<Record<string, unknown>>

/** A table without its schema, which belongs to an instance of some code. */
export interface PlainTable {
  readonly rowCount: number
  readonly columns: Columns
}

interface Kept extends PlainTable {
  readonly sizeBytes: number
  /** Of every typed array, as it was decoded. */
  readonly marks: readonly Mark[]
}

interface Mark {
  readonly bytes: Uint8Array
  readonly checksum: number
}

/**
 * Decoded inputs that nodes still to come will read as well, such as a year of bars under a thousand parameter sets:
 * they are loaded once for each thread. What is kept is plain data, typed arrays and texts, so that nothing of one node's
 * code lives on in another's. Nodes share the memory of typed arrays, which nobody can freeze: after each node what it was
 * handed is compared with the checksum of what was decoded. What a node wrote into is forgotten, and the next node
 * decodes it again, so a result is the same with and without all this.
 */
export class KeptInputs {
  /** The newest stand last. */
  readonly #tables = new Map<string, Kept>()
  readonly #texts = new Map<string, string>()
  /** Tables whose memory the present node has. */
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
    for (const [key, kept] of this.#lent) if (!isUntouched(kept)) this.#forgetTable(key)
    this.#lent.clear()
  }

  /** The table of a key, which names the decoder and the bytes. A node that asks again, on another port or later, has one
   *  decoded of its own, as ever: it may have written into the first. */
  findTable(key: string): PlainTable | undefined {
    const kept = this.#tables.get(key)
    return kept === undefined || this.#lent.has(key) ? undefined : this.#lend(key, kept)
  }

  /** Takes over the memory of a table that was just decoded, and gives it back as the present node may have it. */
  keepTable(key: string, table: PlainTable): PlainTable {
    const sizeBytes = sizeOf(table.columns)
    if (sizeBytes > this.#limitBytes || this.#lent.has(key)) return table
    const marks: Mark[] = []
    const columns = mapArrays(table.columns, (array) => {
      if (ArrayBuffer.isView(array)) marks.push(markOf(array))
      return viewed(array)
    })
    const kept: Kept = { rowCount: table.rowCount, columns, sizeBytes, marks }
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

  #lend(key: string, kept: Kept): PlainTable {
    this.#tables.delete(key)
    this.#tables.set(key, kept)
    this.#lent.set(key, kept)
    return { rowCount: kept.rowCount, columns: mapArrays(kept.columns, viewed) }
  }

  /** Texts go first: they are read again in no time. */
  #shrink(): void {
    for (const key of this.#texts.keys()) {
      if (this.#sizeBytes <= this.#limitBytes) return
      this.#sizeBytes -= this.#texts.get(key)!.length * 2
      this.#texts.delete(key)
    }
    for (const key of this.#tables.keys()) {
      if (this.#sizeBytes <= this.#limitBytes) return
      this.#forgetTable(key)
    }
  }

  #forgetTable(key: string): void {
    const kept = this.#tables.get(key)
    if (kept === undefined) return
    this.#tables.delete(key)
    this.#sizeBytes -= kept.sizeBytes
  }
}

/** Some five times as fast as decoding; what is hit by accident passes it once in four billion times. */
function markOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Mark {
  const bytes = new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength)
  return { bytes, checksum: crc32(bytes) }
}

/** A buffer that was transferred away is empty now, and an empty array has another checksum. */
const isUntouched = ({ marks }: Kept): boolean =>
  marks.every(
    ({ bytes, checksum }) =>
      (bytes.byteLength > 0 || checksum === 0) &&
      crc32(bytes) === checksum &&
      Reflect.ownKeys(bytes.buffer).length === 0,
  )

type AnyArray = ArrayBufferView | readonly unknown[]

/** A column is an array, a list of texts, or `{ values, valid }` of such. */
function mapArrays(columns: Columns, change: (array: AnyArray) => AnyArray): Columns {
  return Object.fromEntries(
    Object.entries(columns).map(([name, column]) => [
      name,
      isArray(column) ? change(column) : mapArrays(column as Columns, change),
    ]),
  )
}

const isArray = (column: unknown): column is AnyArray => ArrayBuffer.isView(column) || Array.isArray(column)

/** The same memory behind an array object of its own; a list of texts is short and copied. */
const viewed = (array: AnyArray): AnyArray =>
  ArrayBuffer.isView(array) ? (array as Float64Array).subarray(0) : array.slice()

function sizeOf(columns: Columns): number {
  let sizeBytes = 0
  for (const column of Object.values(columns)) {
    if (ArrayBuffer.isView(column)) sizeBytes += column.byteLength
    // Strings are shared by the copies; what a copy costs is its references.
    else if (Array.isArray(column)) sizeBytes += column.length * 8
    else sizeBytes += sizeOf(column as Columns)
  }
  return sizeBytes
}
