import { resolve } from 'node:path'
import { askFlags, noteWarnings, openAsk } from './ask.ts'
import { defineCommand } from './command.ts'
import { arg, flag } from './flag.ts'
import { type Picture, pictureOf } from './graph/picture.ts'
import { writeAsked } from './writeAsked.ts'

const formats = ['mermaid', 'dot', 'svg', 'html'] as const

export const graph = defineCommand({
  name: 'graph',
  summary: 'Draw the graph, coloured by what a run would do',
  about:
    'Nodes that differ only in the bracketed part of their address are one family; a wide family is drawn as one box with a count of each state. SVG and HTML need no other program.',
  args: { targets: arg.many('Targets or addresses to draw', { completes: 'target' }) },
  flags: {
    ...askFlags,
    format: flag.oneOf('What to write', formats, 'mermaid'),
    families: flag.oneOf('When to draw a family as one box', ['auto', 'always', 'never'], 'auto'),
    out: flag.text('Write to this file, not to standard output', { short: 'o', hint: 'file', completes: 'file' }),
  },
  examples: [
    { line: 'pipe graph --format html -o graph.html', says: 'a page to look at and search' },
    { line: 'pipe graph report --families never', says: 'each node its own box' },
    { line: 'pipe graph --format dot | dot -Tpng > graph.png', says: 'through Graphviz' },
  ],
  json: '{"title", "boxes": [{"id", "label", "note", "state", "kind", "count"}], "arrows": [{"from", "to", "count"}]}',
  async run(context, values) {
    const { world, targets, ask } = await openAsk(context, values, { readOnly: true })
    try {
      const { plan, warnings } = await world.engine.plan(targets, ask)
      noteWarnings(context, warnings)
      const picture = pictureOf(`${plan.pipeline}: ${plan.targets.join(', ')}`, plan.nodes, values.families)
      const { out } = context
      out.printJson(picture)
      if (out.json) return 'ok'
      const text = await draw(picture, values.format)
      if (values.out === undefined) out.writeText(text)
      else {
        writeAsked(resolve(context.cwd, values.out), text)
        out.note(`written to ${values.out}`)
      }
      return 'ok'
    } finally {
      await world.close()
    }
  },
})

async function draw(picture: Picture, format: (typeof formats)[number]): Promise<string> {
  switch (format) {
    case 'mermaid':
      return (await import('./graph/text.ts')).renderMermaid(picture)
    case 'dot':
      return (await import('./graph/text.ts')).renderDot(picture)
    case 'svg':
      return (await import('./graph/svg.ts')).renderSvg(picture)
    case 'html':
      return (await import('./graph/page.ts')).renderPage(picture)
  }
}
