import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { History } from '../../../../pipeline/engine/run/history.ts'
import { remainingWork } from '../../../../pipeline/engine/run/remaining.ts'
import type { NodeState } from '../../../../pipeline/engine/walk/walk.ts'

const root = mkdtempSync(join(tmpdir(), 'tickpipe-remaining-'))
afterAll(() => rmSync(root, { recursive: true }))

const history = new History(root)
history.add('short', 100, 0, 0)
history.add('long', 10_000, 0, 0)
const nodes = (...tasks: string[]) =>
  tasks.map((name) => ({ node: { task: { name } }, failed: false }) as unknown as NodeState)
const left = (states: readonly NodeState[], startedMs = new Map<NodeState, number>(), nowMs = 0) =>
  remainingWork(states, startedMs, { history, slots: 4, nowMs })

describe('the work that is left', () => {
  test('is shared by the slots, and takes no less than its longest node', () => {
    expect(left(nodes(...Array(80).fill('short')))).toEqual({ remainingMs: 2000, nodesWithoutHistory: 0 })
    expect(left(nodes('short', 'long'))).toEqual({ remainingMs: 10_000, nodesWithoutHistory: 0 })
  })

  test('gets less while a node runs, and none is left of one that takes longer than ever', () => {
    const [running] = nodes('long')
    const startedMs = new Map([[running!, 1000]])
    expect(left([running!], startedMs, 5000)).toMatchObject({ remainingMs: 6000 })
    expect(left([running!], startedMs, 60_000)).toEqual({ nodesWithoutHistory: 0 })
  })

  test('counts the nodes of which nothing is known, and not those that are settled', () => {
    const [done, failed, open] = nodes('new', 'new', 'new')
    Object.assign(done!, { artifact: 'a' })
    Object.assign(failed!, { failed: true })
    expect(left([done!, failed!, open!])).toEqual({ nodesWithoutHistory: 1 })
  })
})
