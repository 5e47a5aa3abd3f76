import assert from 'node:assert/strict'
import { ByteSink } from './byteSink.ts'
import { assertSorted } from './order.ts'
import { encodeChunk } from './parquetEncode.ts'
import { type ChunkMeta, encodeFileMeta, type RowGroupMeta } from './parquetMeta.ts'
import type { Columns, TableSchema } from './schema.ts'
import { type AnyColumnData, concatTables, sliceTable, type Table } from './table.ts'

/** Rows of a row group: some megabytes in memory, and enough groups in a big file to share among threads. */
export const rowsPerGroup = 262_144

export type TableWriter<C extends Columns> = {
  /** Adds rows behind those that are there. The file's bytes do not depend on how rows are cut into batches. */
  append(batch: Table<C>): void
  /** Writes what is left and the footer. */
  finish(): { rowCount: number; sizeBytes: number }
}

/**
 * Writes a table piece by piece, holding at most one row group. `write` receives the bytes of the file in order; a piece
 * is the receiver's to keep.
 */
export function tableWriter<C extends Columns>(
  schema: TableSchema<C>,
  write: (bytes: Uint8Array) => void,
): TableWriter<C> {
  const rowGroups: RowGroupMeta[] = []
  let waiting: Table<C>[] = []
  let waitingRows = 0
  let rowCount = 0
  let sizeBytes = 0
  let lastRow: Table<C> | undefined
  let finished = false

  const emit = (bytes: Uint8Array) => {
    sizeBytes += bytes.length
    write(bytes)
  }
  const flushGroup = () => {
    const group = waiting.length === 1 ? waiting[0]! : concatTables(schema, waiting)
    waiting = []
    waitingRows = 0
    const chunks: ChunkMeta[] = []
    const columns = group.columns as Readonly<Record<string, AnyColumnData>>
    for (const [name, column] of Object.entries(schema.columns)) {
      const sink = new ByteSink(group.rowCount * 2 + 256)
      chunks.push(encodeChunk(name, column, columns[name]!, sink, sizeBytes))
      emit(sink.written())
    }
    rowGroups.push({ rowCount: group.rowCount, chunks })
  }

  emit(magic())
  return {
    append(batch) {
      assert.ok(!finished, 'a finished table takes no more rows')
      assert.equal(batch.schema.name, schema.name)
      if (batch.rowCount === 0) return
      assertSorted(batch, lastRow, rowCount)
      rowCount += batch.rowCount
      for (let from = 0; from < batch.rowCount; ) {
        const to = Math.min(batch.rowCount, from + rowsPerGroup - waitingRows)
        waiting.push(sliceTable(batch, from, to))
        waitingRows += to - from
        from = to
        if (waitingRows === rowsPerGroup) flushGroup()
      }
      // A waiting view would keep the whole batch alive and see the caller's later writes to it.
      if (waiting.length > 0) waiting.push(concatTables(schema, [waiting.pop()!]))
      lastRow = concatTables(schema, [sliceTable(batch, batch.rowCount - 1, batch.rowCount)])
    },
    finish() {
      assert.ok(!finished, 'a table is finished once')
      finished = true
      if (waitingRows > 0) flushGroup()
      const footer = new ByteSink()
      const meta = encodeFileMeta({ schema, rowCount, rowGroups })
      footer.append(meta)
      footer.i32(meta.length)
      footer.append(magic())
      emit(footer.written())
      return { rowCount, sizeBytes }
    },
  }
}

const magic = () => new TextEncoder().encode('PAR1')
