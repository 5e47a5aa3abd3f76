import { Fault } from '../../../lib/fault.ts'
import { didYouMean } from '../../../lib/nearMatch.ts'
import { plural } from '../human.ts'
import type { LostNode } from './planViews.ts'

/** Kinds of errors that lie in the words of a query and never in the data. */
const inTheWords = /^(Parser|Syntax|Binder|Catalog|Permission|Not implemented) Error: /
const nothingOfThe = /^Catalog Error: (?:Table|View|Table Function) with name "?([^"\s]+?)"? does not exist/

/** What stands before the kind where the text does not even fall apart into statements. */
const unread = /^Failed to extract statements: /

/** Whether stored bytes may be to blame. */
export const mayBeDamage = (message: string): boolean =>
  !inTheWords.test(message.replace(unread, '')) && !/^INTERRUPT/i.test(message)

/** DuckDB names the kind first: `Binder Error: …`. */
export const isSqlError = ({ message }: Error): boolean => /^[A-Z][A-Za-z ]* Error: /.test(message.replace(unread, ''))

/** An error of DuckDB in our words: its message, the place in the query, and the name that may have been meant.
 *  @param nameless nodes whose bytes are gone so that nobody knows which tables they made */
export function sqlFault(error: Error, views: readonly string[], nameless: readonly LostNode[]): Fault {
  const text = error.message.replace(unread, '')
  const [what, place] = cutPlace(text)
  if (/^INTERRUPT/i.test(text)) return new Fault({ code: 'interrupted', what: 'the query was stopped' })
  if (/^Permission Error/.test(text)) {
    return new Fault({
      code: 'refused',
      what: `a query reads the tables of a snapshot and nothing else; ${what}`,
      ...(place === undefined ? {} : { where: place }),
      todo: 'see "pipe query --tables" for what there is',
      cause: error,
    })
  }
  if (/^Out of Memory Error/.test(text)) {
    return new Fault({ code: 'failed', what, todo: 'ask for fewer columns or rows at a time', cause: error })
  }
  if (/^IO Error/.test(text)) {
    return new Fault({ code: 'failed', what, todo: 'check the disk it reads from and writes to', cause: error })
  }
  const missing = nothingOfThe.exec(text)?.[1]
  if (missing !== undefined && nameless.length > 0) return mayBeGone(missing, nameless)
  return new Fault({
    code: 'usage',
    what: missing === undefined ? what : `there is no table "${missing}"${didYouMean(missing, views)}`,
    where: place ?? 'the query',
    ...(missing === undefined ? {} : { todo: 'see "pipe query --tables" for the tables of this snapshot' }),
    cause: error,
  })
}

function mayBeGone(table: string, nameless: readonly LostNode[]): Fault {
  const evicted = nameless.every((lost) => lost.evicted)
  return new Fault({
    code: evicted ? 'unverifiable' : 'corrupt',
    what: `there is no table "${table}" among what is here: the bytes of ${plural(nameless.length, 'node')} ${evicted ? 'were evicted' : 'are missing or damaged'}`,
    where: nameless[0]!.node.address,
    todo: 'run "pipe verify" to see what is hit, then the same targets again: what can be made again is',
    details: { table, nodes: nameless.map(({ node }) => node.address) },
  })
}

/** Takes apart the message and its `LINE 1: …` with a caret below. */
function cutPlace(text: string): [what: string, place: string | undefined] {
  const match = /^([\s\S]*?)\n\s*\nLINE (\d+): (.*)\n( *)\^/.exec(text)
  if (match === null) return [text.trim(), undefined]
  const [, what, line, shown, indent] = match as unknown as [string, string, string, string, string]
  const column = indent.length - `LINE ${line}: `.length
  // A long line is shown in part, and where that part begins is not said.
  const at = shown.startsWith('...') ? '' : `, column ${column + 1}`
  return [what.trim(), `line ${line}${at} of the query: ${shown.trim()}`]
}
