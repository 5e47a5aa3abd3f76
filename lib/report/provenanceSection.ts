import { count, instant } from './format.ts'
import { type Html, html } from './html.ts'
import { prettyJson } from './prettyJson.ts'
import { pairs } from './table.ts'
import type { ReportView } from './view.ts'

/** What the numbers rest on, and how anybody can check them. */
export function provenanceSection(view: ReportView): Html {
  const { run, benchmark, files } = view
  const { request, result } = run
  const { execution } = request
  return html`<section><h2 id="provenance">Provenance</h2>
<div class="columns"><div><h3>The run</h3>
${pairs([
  ['Strategy', request.strategy.name],
  ['Benchmark', benchmark?.request.strategy.name ?? 'none'],
  ['From', `${instant(request.fromMs)} UTC`],
  ['To', `${instant(request.toMs)} UTC`],
  ['Bars', request.interval],
  ['Symbols with data', count(result.symbols.length)],
  ['Feature columns read', request.data?.columns.join(', ') || 'none'],
  ['Decisions', count(result.counts.decisions)],
  ['Capital, USDT', count(execution.capitalUsdt)],
  ['Latency, ms', count(execution.latencyMs)],
  ['Leverage at most', String(execution.leverageMax)],
  ['Share of a bar’s volume at most', String(execution.volumeShareMax)],
  ['Seed', String(execution.seed)],
])}</div><div><h3>Symbols</h3><p>${result.symbols.join(', ')}</p></div></div>
<h3>Parameters and execution assumptions</h3>
<p class="note">All of them, defaults written out. Changing one changes the key of the run.</p>
<pre class="tall">${prettyJson({ strategy: request.strategy, execution })}</pre>
${eventStreamPart(view)}
<h3>What is stored</h3>
<p class="note">The files this page was made from. Each is an object of the store under its SHA-256, so that the page can be tied to a
snapshot, and a snapshot to the page.</p>
<div class="scroll"><table><thead><tr><th scope="col">File</th><th scope="col">Bytes</th><th scope="col" style="text-align:left">SHA-256</th></tr></thead>
<tbody>${files.map(
    ({ name, sizeBytes, sha256 }) =>
      html`<tr><th scope="row">${name}</th><td>${count(sizeBytes)}</td><td class="hash">${sha256}</td></tr>
`,
  )}</tbody></table></div>
<h3>How to verify</h3>
<p class="note">The page is itself an output, so it cannot name the snapshot that contains it, nor the hash of the code that made it:
these commands do. NAME is the snapshot this page came from.</p>
<pre>pipe snapshot show NAME                # its id, config and execution assumptions
pipe show backtest --snapshot NAME     # key, code hash, inputs and output of the run; of any other node too
pipe replay --snapshot NAME            # the event stream: its digest, day by day; --out writes every event
pipe verify NAME --level rebuild       # every pure node again, from stored code and inputs: the same bytes, or it says where
pipe snapshot export NAME run.tar      # one file for somebody else, who can do the same
cd .pipe/snapshots/NAME && sha256sum -c --quiet checksums.sha256   # no code of ours needed</pre>
</section>`
}

/** What the run saw, in which order, as one number: two people whose digests agree ran on the same events. */
function eventStreamPart({ run, replay }: ReportView): Html | undefined {
  const stream = replay ?? run.request.data?.eventStream
  if (stream === undefined) return undefined
  const byClass = Object.entries(replay?.byClass ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
  return html`<h3>Event stream</h3>
<p class="note">Everything that happened, in the one order in which it was known, hashed day by day and chained: whoever replays the same data
gets the same digest, whatever the number of workers or the order of the symbols.</p>
<div class="columns"><div>${pairs([
    ['From', `${instant(replay?.chainFromMs ?? stream.fromMs)} UTC`],
    ['To', `${instant(stream.toMs)} UTC`],
    ['Events', count(stream.events)],
  ])}</div>${byClass.length > 0 && html`<div>${pairs(byClass.map(([name, events]) => [`… ${name}`, count(events)]))}</div>`}</div>
<p class="hash">SHA-256 ${stream.digest}</p>`
}
