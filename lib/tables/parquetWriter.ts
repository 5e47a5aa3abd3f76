import assert from 'node:assert/strict'
import { ByteSink } from './byteSink.ts'
import { assertSorted } from './order.ts'
import { encodeChunk } from './parquetEncode.ts'
import { type ChunkMeta, encodeFileMeta, type RowGroupMeta } from './parquetMeta.ts'
import type { Columns, TableSchema } from './schema.ts'
import { type AnyColumnData, allocateColumn, concatTables, copyColumn, sliceTable, type Table } from './table.ts'

/** Rows of a row group: some megabytes in memory, and enough groups in a big file to share among threads. */
export const rowsPerGroup = 262_144

export type TableWriter<C extends Columns> = {
  /** Adds rows behind those that are there. The file's bytes do not depend on how rows are cut into batches. */
  append(batch: Table<C>): void
  /** Writes what is left and the footer, and in it what is to be said of the table besides its rows. */
  finish(notes?: string): { rowCount: number; sizeBytes: number }
}

/**
 * Writes a table piece by piece, holding at most one row group. `write` receives the bytes of the file in order; a
 * piece is the receiver's to keep.
 */
export function tableWriter<C extends Columns>(
  schema: TableSchema<C>,
  write: (bytes: Uint8Array) => void,
): TableWriter<C> {
  const file = groupWriter(schema, write)
  let waiting = storage(schema, 0)
  let waitingRows = 0
  let lastRow: Table<C> | undefined
  let finished = false

  /** Keeps rows until a group is full. They are copied: the caller may write to its arrays again. */
  const keep = (batch: Table<C>, from: number, to: number) => {
    const needed = waitingRows + to - from
    if (needed > waiting.rowCount) {
      const larger = storage(schema, Math.min(rowsPerGroup, Math.max(needed, 2 * waiting.rowCount)))
      copyRows(waiting, 0, waitingRows, larger, 0)
      waiting = larger
    }
    copyRows(batch, from, to, waiting, waitingRows)
    waitingRows = needed
  }
  const flush = () => {
    file.group(sliceTable(waiting, 0, waitingRows))
    waitingRows = 0
  }

  return {
    append(batch) {
      assert.ok(!finished, 'a finished table takes no more rows')
      assert.equal(batch.schema.name, schema.name)
      if (batch.rowCount === 0) return
      assertSorted(batch, lastRow, file.rowCount() + waitingRows)
      lastRow = concatTables(schema, [sliceTable(batch, batch.rowCount - 1, batch.rowCount)])
      for (let from = 0; from < batch.rowCount; ) {
        const to = Math.min(batch.rowCount, from + rowsPerGroup - waitingRows)
        if (to - from === rowsPerGroup) file.group(sliceTable(batch, from, to))
        else keep(batch, from, to)
        from = to
        if (waitingRows === rowsPerGroup) flush()
      }
    },
    finish(notes) {
      assert.ok(!finished, 'a table is finished once')
      finished = true
      if (waitingRows > 0) flush()
      return file.finish(notes)
    },
  }
}

/** Writes row groups as they are handed over and the footer behind them. */
export function groupWriter<C extends Columns>(schema: TableSchema<C>, write: (bytes: Uint8Array) => void) {
  const rowGroups: RowGroupMeta[] = []
  let rowCount = 0
  let sizeBytes = 0
  const emit = (bytes: Uint8Array) => {
    sizeBytes += bytes.length
    write(bytes)
  }
  emit(magic())
  return {
    rowCount: () => rowCount,
    group(rows: Table<C>) {
      const columns = rows.columns as Readonly<Record<string, AnyColumnData>>
      const chunks: ChunkMeta[] = []
      const isTight = schema.packing === 'tight'
      for (const [name, column] of Object.entries(schema.columns)) {
        const sink = new ByteSink(rows.rowCount * 2 + 256)
        chunks.push(encodeChunk({ name, column, isTight }, columns[name]!, sink, sizeBytes))
        emit(sink.written())
      }
      rowGroups.push({ rowCount: rows.rowCount, chunks })
      rowCount += rows.rowCount
    },
    finish(notes?: string) {
      const footer = new ByteSink()
      const meta = encodeFileMeta({ schema, rowCount, rowGroups, notes })
      footer.append(meta)
      footer.i32(meta.length)
      footer.append(magic())
      emit(footer.written())
      return { rowCount, sizeBytes }
    },
  }
}

function storage<C extends Columns>(schema: TableSchema<C>, rowCount: number): Table<C> {
  const columns = Object.entries(schema.columns).map(([name, column]) => [name, allocateColumn(column, rowCount)])
  return { schema, rowCount, columns: Object.fromEntries(columns) as Table<C>['columns'] }
}

function copyRows<C extends Columns>(source: Table<C>, from: number, to: number, target: Table<C>, at: number): void {
  const [src, dst] = [source.columns, target.columns] as Readonly<Record<string, AnyColumnData>>[]
  for (const name of Object.keys(dst!)) copyColumn(src![name]!, from, to, dst![name]!, at)
}

const magic = () => new TextEncoder().encode('PAR1')
