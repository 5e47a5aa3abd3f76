import type { FileSet } from '../../artifact.ts'
import type { Finding, Policy } from '../../audit/finding.ts'
import { readNotes } from '../../audit/tableNotes.ts'
import type { TableBatches } from '../../tables/batches.ts'
import type { Columns } from '../../tables/schema.ts'
import { archiveDoubts } from '../ingest/fileDoubts.ts'
import { warnWhereServed } from '../ingest/servedElsewhere.ts'
import type { TradeForm } from './tradeForms.ts'
import { auditTradePages, pagedTradesOf, type TailPartition } from './tradePages.ts'
import { auditTrades, tradesOf } from './tradeStream.ts'

type Stored = { readonly files: FileSet }

/** Who has the trades of a day: the archive, or the API for as long as the archive does not. */
type Served = { readonly archive?: Stored | undefined; readonly pages?: readonly FileSet[] | undefined }

/** A day out of pages, where there are any, or out of the archive's file. */
export function tradeDayOf<R extends Columns, C extends Columns>(
  { archive, pages = [] }: Served,
  form: TradeForm<R, C>,
  partition: TailPartition,
  policy: Policy,
): TableBatches<C> {
  if (pages.length === 0) return tradesOf(archive?.files, form, partition, policy)
  const doubts = archive === undefined ? [] : archiveDoubts(archive.files, policy)
  return pagedTradesOf(pages, form, partition, policy, doubts)
}

/** What was wrong with a day. The pass that made its table has noted it there; without a table the file or the pages are
 *  read. */
export function auditTradeDay<R extends Columns, C extends Columns>(
  { table, archive, pages = [] }: Served & { readonly table?: Stored | undefined },
  form: TradeForm<R, C>,
  partition: TailPartition,
  policy: Policy,
): { rows: number; findings: readonly Finding[] } {
  const read = () =>
    archive === undefined && pages.length > 0
      ? auditTradePages(pages, form, partition, policy)
      : auditTrades(archive?.files, form, partition, policy)
  const { rows, findings } = table === undefined ? read() : readNotes(table.files)
  return { rows, findings: warnWhereServed(findings) }
}
