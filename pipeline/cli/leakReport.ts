import type { z } from 'zod'
import { type FoundLeak, leaks as leaksArtifact } from '../../lib/tables/features.ts'
import type { Manifest } from '../../snapshots/manifest.ts'
import type { Store } from './context.ts'
import { instantText, plural } from './human.ts'
import { StoredFiles } from './storedFiles.ts'
import type { Style } from './style.ts'
import { textTable } from './textTable.ts'

/** What a check for time travel tried. */
export interface Checked {
  readonly address: string
  readonly features: readonly string[]
  readonly cuts: number
}

type Check = Checked & z.output<typeof leaksArtifact.schema>

/** What the targets' checks for time travel say. That a check was made is no good news yet: what it found is in its artifact. */
export function readChecks(store: Store, { targets, nodes }: Pick<Manifest, 'targets' | 'nodes'>): Check[] {
  const asked = new Set(targets.flatMap(({ addresses }) => addresses))
  const files = new StoredFiles(store)
  // All nodes of a task make the same type: of thousands of tables one descriptor is read.
  const isCheck = new Map<string, boolean>()
  try {
    return nodes.flatMap(({ address, task, artifact }): Check[] => {
      if (!asked.has(address) || isCheck.get(task) === false || store.artifactPresence(artifact) !== 'present')
        return []
      isCheck.set(task, files.typeOf(artifact) === leaksArtifact.name)
      if (!isCheck.get(task)) return []
      // A project may have values of its own under this name.
      const { data } = leaksArtifact.schema.safeParse(files.json(artifact))
      return data === undefined ? [] : [{ address, ...data }]
    })
  } finally {
    files.close()
  }
}

/** The same for programs. */
export function leaksJson(checks: readonly Check[]): { checked: Checked[]; leaks: FoundLeak[] } {
  return {
    checked: checks.map(({ address, features, cuts }) => ({ address, features, cuts })),
    leaks: checks.flatMap((check) => check.leaks),
  }
}

const kindTexts: Readonly<Record<FoundLeak['kind'], string>> = {
  looksAhead: 'looks ahead',
  warmupTooShort: 'warm-up too short',
  remembers: 'remembers from run to run',
  bringsData: 'brings data along',
  columnForetells: 'column foretells returns',
}

/** That nothing was found, and how hard it was looked for. */
export const cleanText = (checked: readonly Checked[]): string => `nothing looks ahead: ${triedText(checked)}`

function triedText(checked: readonly Checked[]): string {
  const tried = checked.reduce((sum, { features }) => sum + features.length, 0)
  const cuts = [...new Set(checked.map((check) => check.cuts))].sort((a, b) => a - b)
  return `${plural(tried, 'feature and strategy', 'features and strategies')} in ${plural(checked.length, 'check')}, at ${cuts.join(' or ')} instants each`
}

/** A line for each leak, and what was tried. */
export function renderLeaks(checked: readonly Checked[], leaks: readonly FoundLeak[], style: Style): string {
  if (leaks.length === 0) return `${style.good('ok')}  ${cleanText(checked)}`
  const rows = leaks.map(({ feature, group, kind, symbol, column, rowKnownAtMs, cutMs, what }) => [
    style.bold(feature),
    group,
    kindTexts[kind],
    [symbol, column ?? ''].filter((text) => text !== '').join(' '),
    instantText(rowKnownAtMs),
    kind === 'looksAhead' || kind === 'warmupTooShort'
      ? `${kind === 'looksAhead' ? 'after' : 'before'} ${instantText(cutMs)}`
      : '',
    what ?? '',
  ])
  const titles = ['feature', 'group', 'kind', 'symbol', 'what was known', 'changes with what lies', '']
  return [
    ...textTable(
      titles.map((title) => ({ title })),
      rows,
      style.dim,
    ),
    `${style.bad('failed')}  ${plural(leaks.length, 'leak')} among ${triedText(checked)}`,
  ].join('\n')
}
