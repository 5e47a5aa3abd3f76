import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { jsonArtifact } from '../../../lib/artifact.ts'
import { definePipeline, type Graph } from '../../../pipeline/engine/graph.ts'
import { defineTask, many } from '../../../pipeline/engine/task.ts'
import { expectedTails, familyGraph } from '../../../pipeline/engine/walk/families.ts'
import { NodeGraph } from '../../../pipeline/engine/walk/nodes.ts'

const number = jsonArtifact('number', z.number())
const list = jsonArtifact('list', z.array(z.string()))
const one = defineTask({ name: 'one', kind: 'pure', params: z.object({}), inputs: {}, output: number, run: () => 1 })
const next = defineTask({
  name: 'next',
  kind: 'pure',
  params: z.object({}),
  inputs: { before: number },
  output: number,
  run: ({ before }) => before + 1,
})
const names = defineTask({
  name: 'names',
  kind: 'pure',
  params: z.object({}),
  inputs: {},
  output: list,
  run: () => ['a', 'b'],
})
const total = defineTask({
  name: 'total',
  kind: 'pure',
  params: z.object({}),
  inputs: { all: many(number) },
  output: number,
  run: ({ all }) => all.length,
})

const built = (build: (graph: Graph) => void): NodeGraph => new NodeGraph(definePipeline('p', z.object({}), build), {})

describe('a graph', () => {
  test('refuses an address that is used twice, and says how to tell nodes apart', () => {
    expect(() => built((graph) => void [graph.add(one), graph.add(one)])).toThrow(/address one is used twice/)
  })

  test('refuses a cycle with the way around it', () => {
    const build = (graph: Graph): void => {
      const first = graph.add(next, { at: ['a'], inputs: { before: graph.ref(number, 'next[c]') } })
      const second = graph.add(next, { at: ['b'], inputs: { before: first } })
      graph.target('t', graph.add(next, { at: ['c'], inputs: { before: second } }))
    }
    expect(() => built(build)).toThrow('the graph has a cycle: next[a] <- next[c] <- next[b] <- next[a]')
  })

  test('follows a reference to a node that is placed later, and refuses one to nowhere with the nearest name', () => {
    const good = built((graph) => {
      graph.target('t', graph.add(next, { inputs: { before: graph.ref(number, 'one[x]') } }))
      graph.add(one, { at: ['x'] })
    })
    expect(good.nodes.size).toBe(2)
    const bad = (graph: Graph): void => {
      graph.add(one, { at: ['x'] })
      graph.target('t', graph.add(next, { inputs: { before: graph.ref(number, 'one[y]') } }))
    }
    expect(() => built(bad)).toThrow('no node has the address one[y]; did you mean "one[x]"?')
  })

  test('refuses an unknown target with the nearest name', () => {
    const graph = built((g) => g.target('backtest', g.add(one)))
    expect(() => graph.find('backtset')).toThrow('there is no target or node "backtset"; did you mean "backtest"?')
  })

  test('says of a target that another config would have what to set, also to who misspells it', () => {
    const graph = built((g) => {
      g.target('backtest', g.add(one))
      g.absentTarget('sweep', 'set "sweep"')
    })
    expect(() => graph.find('sweep')).toThrow(
      expect.objectContaining({
        code: 'usage',
        what: 'the config as it is has no target "sweep"',
        todo: 'set "sweep"',
      }),
    )
    expect(() => graph.find('swep')).toThrow('did you mean "sweep"?')
    expect([...graph.targets.keys()]).toEqual(['backtest'])
  })

  test('refuses a pipeline without targets, and a target named twice', () => {
    expect(() => built((graph) => void graph.add(one))).toThrow(/names no target/)
    expect(() => built((graph) => void [graph.target('t', graph.add(one)), graph.target('t')])).toThrow(/named twice/)
  })

  test('refuses what cannot be part of an address', () => {
    for (const part of ['a b', 'a/b', "a'b", 'a]', 'a,b', '']) {
      expect(() => built((graph) => void graph.add(one, { at: [part] })), part).toThrow(/cannot be part of an address/)
    }
  })

  test('checks wiring at run time too, for projects without a compiler', () => {
    const untyped = (placement: object) => (graph: Graph) => void graph.add(next, placement as never)
    expect(() => built(untyped({ inputs: {} }))).toThrow(/"before" is not wired/)
    expect(() => built(untyped({ inputs: { befor: 1 } }))).toThrow(/no input "befor"; did you mean "before"/)
    expect(() => built((graph) => void graph.add(next, { inputs: { before: graph.add(names) as never } }))).toThrow(
      /takes number and got list from names/,
    )
  })

  test('grows by what a list says, nested too', () => {
    const graph = built((g) => {
      const all = g.each(
        g.add(names),
        (items) => items,
        (name) => {
          const inner = g.add(names, { at: [name] })
          return g.each(
            inner,
            (items) => items,
            (deep) => g.add(one, { at: [name, deep] }),
          )
        },
      )
      g.target('t', g.add(total, { inputs: { all } }))
    })
    graph.expand(graph.collections[0]!, ['a', 'b'])
    expect(graph.collections).toHaveLength(3)
    graph.expand(graph.collections[1]!, ['x'])
    expect([...graph.nodes.keys()]).toEqual(['names', 'total', 'names[a]', 'names[b]', 'one[a,x]'])
  })

  test('is drawn and ranked by families of tasks', () => {
    const graph = built((g) => {
      const all = g.each(
        g.add(names),
        (items) => items,
        (name) => g.add(one, { at: [name] }),
      )
      g.target('t', g.add(total, { inputs: { all } }), g.add(next, { inputs: { before: g.add(one) } }))
    })
    graph.expand(graph.collections[0]!, ['a', 'b'])
    const families = familyGraph(graph.nodes.values())
    expect(families.mapNodes((task, { nodes }) => [task, nodes])).toEqual([
      ['names', 1],
      ['total', 1],
      ['one', 3],
      ['next', 1],
    ])
    const tails = expectedTails(families, (task) => ({ names: 1, one: 10, total: 100, next: 5 })[task]!)
    expect(Object.fromEntries(tails)).toEqual({ names: 101, total: 100, one: 110, next: 5 })
  })
})
