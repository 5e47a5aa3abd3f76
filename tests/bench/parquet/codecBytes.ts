import { brotliCompressSync, constants } from 'node:zlib'
import { ByteSink } from '../../../lib/tables/byteSink.ts'
import { int64Words } from '../../../lib/tables/columnChecks.ts'
import { encodeDelta } from '../../../lib/tables/parquetDelta.ts'
import { encodeSteps } from '../../../lib/tables/parquetSteps.ts'

/** The fewest bytes a general codec at its slowest leaves of a column, of any form that INT64 may have in Parquet without a
 *  dictionary. Unlike the entropy floor it is held by the type: eight decimals, though the market has fewer. */
export function codecBytes(values: readonly number[]): number {
  const numbers = BigInt64Array.from(values, BigInt)
  const words = int64Words(numbers)
  const [deltas, steps] = [new ByteSink(), new ByteSink()]
  encodeDelta(words, deltas)
  const forms = [new Uint8Array(numbers.buffer), deltas.written()]
  if (encodeSteps(words, steps)) forms.push(steps.written())
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 22 }
  return Math.min(...forms.map((bytes) => brotliCompressSync(bytes, { params }).length))
}
