import { plural } from '../human.ts'
import type { Style } from '../style.ts'
import { textTable } from '../textTable.ts'
import { visible } from '../visible.ts'
import type { DescribedColumn, DescribedTable } from './describeTables.ts'

/** One line a table. */
export function renderTables(tables: readonly DescribedTable[], style: Style): string {
  const rows = tables.map(({ name, version, columns, sortKey, madeBy, inside }) => [
    name,
    String(version),
    String(columns.length),
    sortKey.join(', '),
    madeBy.join(', '),
    inside === null ? '' : `${inside.file} of ${inside.artifact}`,
  ])
  return [
    ...textTable(
      [
        { title: 'table' },
        { title: 'version', align: 'right' },
        { title: 'columns', align: 'right' },
        { title: 'sorted by' },
        { title: 'made by' },
        { title: 'inside' },
      ],
      rows.map((row) => row.map(visible)),
      style.dim,
    ),
    style.dim(`${plural(tables.length, 'table')}; "pipe schema <table>" has the columns of one`),
  ].join('\n')
}

/** All of one table. */
export function renderTable(table: DescribedTable, style: Style): string {
  const lines = [`${style.bold(visible(table.name))}  version ${table.version}`]
  if (table.doc !== null) lines.push(visible(table.doc))
  lines.push('', ...factsOf(table).map(([what, text]) => `${style.dim(what.padEnd(11))}  ${visible(text)}`), '')
  const rows = table.columns.map((column) => [
    column.name,
    kindText(column),
    column.sqlType,
    column.unit ?? '',
    column.doc ?? '',
  ])
  lines.push(
    ...textTable(
      [{ title: 'column' }, { title: 'type' }, { title: 'in SQL' }, { title: 'unit' }, { title: '' }],
      rows.map((row) => row.map(visible)),
      style.dim,
    ),
  )
  return lines.join('\n')
}

/** The same as a document. */
export function renderMarkdown(tables: readonly DescribedTable[]): string {
  return tables
    .map((table) =>
      [
        `## ${table.name}`,
        '',
        ...(table.doc === null ? [] : [table.doc, '']),
        `Version ${table.version}. ${factsOf(table)
          .map(([what, text]) => `${sentence(what)}: ${text}.`)
          .join(' ')}`,
        '',
        '| column | type | in SQL | unit | |',
        '|---|---|---|---|---|',
        ...table.columns.map(
          (column) =>
            `| ${[`\`${column.name}\``, kindText(column), column.sqlType, column.unit ?? '', column.doc ?? ''].map(cell).join(' | ')} |`,
        ),
        '',
      ].join('\n'),
    )
    .join('\n')
}

function factsOf({ name, sortKey, tieBreak, madeBy, readBy, inside, declaredIn }: DescribedTable): [string, string][] {
  const facts: [string, string][] = []
  if (sortKey.length > 0)
    facts.push(['sorted by', `${sortKey.join(', ')}${tieBreak === null ? ', unique' : `, then ${tieBreak}`}`])
  if (inside !== null) facts.push(['stored in', `${inside.file} of the artifact ${inside.artifact}`])
  if (inside?.artifact === 'backtestRun') facts.push(...besideThePage(name))
  if (madeBy.length > 0) facts.push(['made by', madeBy.join(', ')])
  if (readBy.length > 0) facts.push(['read by', readBy.join(', ')])
  if (declaredIn !== null) facts.push(['declared in', declaredIn])
  return facts
}

/** The same rows for a spreadsheet, whose readers ask for units in a heading and for instants as text. */
const besideThePage = (name: string): [string, string][] => [
  ['in a query', `${name} is the run's; ${name}_all has its benchmark and variants as well, told apart by "node"`],
  [
    'as CSV',
    `${name}.csv beside the report: …TsMs is …Utc there (tsMs is timeUtc), and sums of USDT end in Usdt (${name === 'fills' ? 'fee is feeUsdt' : 'cash is cashUsdt'})`,
  ],
]

const kindText = ({ kind, nullable, precision, scale }: DescribedColumn): string =>
  `${kind === 'decimal' || kind === 'wide' ? `decimal(${precision},${scale})` : kind}${nullable ? ', nullable' : ''}`

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ')
const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
