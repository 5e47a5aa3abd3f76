const light = `
  --paper: #ffffff; --panel: #f6f7f9; --ink: #14181f; --soft: #5b6573; --rule: #dfe3e9; --grid: #e8ebf0; --grid-strong: #c9cfd8;
  --own: #1f5fd6; --other: #8a8f99; --up: #0b7a5c; --down: #b8322a; --up-rgb: 11 122 92; --down-rgb: 184 50 42; --hatch: rgb(20 24 31 / .2);
  --third: #9a5b00; --fourth: #7b3fb5;`
const dark = `
  --paper: #0f1319; --panel: #171d26; --ink: #e7ebf1; --soft: #97a2b2; --rule: #2a3341; --grid: #202835; --grid-strong: #3c4757;
  --own: #76a8ff; --other: #8e97a6; --up: #4cc9a0; --down: #ff8078; --up-rgb: 46 160 122; --down-rgb: 214 84 76; --hatch: rgb(231 235 241 / .2);
  --third: #e5a94b; --fourth: #c39bf0;`

/** One style sheet for screen, phone and paper. Colours are variables, so that a theme is one block; paper is light. */
export const pageStyle = `
:root { color-scheme: light; ${light} }
@media screen and (prefers-color-scheme: dark) { :root:not([data-theme=light]) { color-scheme: dark; ${dark} } }
@media screen { :root[data-theme=dark] { color-scheme: dark; ${dark} } }

* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; font-variant-numeric: tabular-nums; -webkit-text-size-adjust: 100%; }
main { max-width: 1080px; margin: 0 auto; padding: 24px 20px 64px; }
header.top { display: flex; justify-content: space-between; align-items: flex-start; gap: 16px; }
h1 { margin: 0; font-size: 26px; line-height: 1.2; letter-spacing: -0.01em; overflow-wrap: anywhere; }
h2 { margin: 48px 0 4px; padding-top: 14px; border-top: 1px solid var(--rule); font-size: 19px; line-height: 1.3; }
h3 { margin: 24px 0 6px; font-size: 15px; line-height: 1.3; }
p { margin: 6px 0 12px; max-width: 76ch; }
.note, .sub { color: var(--soft); font-size: 14px; }
.sub { margin: 6px 0 0; }
.up { color: var(--up); } .down { color: var(--down); }
a { color: var(--own); }
button.theme { flex: none; font: inherit; font-size: 13px; color: var(--soft); background: var(--panel); border: 1px solid var(--rule); border-radius: 6px; padding: 4px 10px; cursor: pointer; }
nav { display: flex; flex-wrap: wrap; gap: 4px 16px; margin: 18px 0 0; font-size: 14px; }
nav a { text-decoration: none; }
nav a:hover { text-decoration: underline; }

.verdict { margin: 20px 0 16px; padding: 16px 18px; background: var(--panel); border-left: 4px solid var(--own); border-radius: 4px; font-size: 17px; line-height: 1.45; max-width: none; }
.tiles { display: grid; grid-template-columns: repeat(5, 1fr); gap: 10px; margin: 0 0 16px; }
.tile { background: var(--panel); border-radius: 6px; padding: 10px 12px; min-width: 0; }
.tile dt { color: var(--soft); font-size: 13px; }
.tile dd { margin: 0; }
.tile .number { font-size: 24px; line-height: 1.25; font-weight: 600; letter-spacing: -0.01em; }
.tile .number small { font-size: 14px; font-weight: 500; }
.tile .more { color: var(--soft); font-size: 13px; line-height: 1.35; }
.columns > *, .plot > * { min-width: 0; }
.columns { display: grid; grid-template-columns: 1fr 1fr; gap: 8px 36px; align-items: start; }
ul.caveats { margin: 4px 0 0; padding-left: 18px; }
ul.caveats li { margin: 0 0 7px; }

.scroll { overflow-x: auto; margin: 8px 0 16px; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th, td { padding: 5px 10px; text-align: right; border-bottom: 1px solid var(--rule); white-space: nowrap; }
th { color: var(--soft); font-weight: 500; font-size: 13px; vertical-align: bottom; }
thead th { white-space: normal; }
table.pairs { border-top: 1px solid var(--rule); } table.pairs th { white-space: normal; }
th:first-child, td:first-child, tbody th { text-align: left; }
th:first-child, td:first-child { padding-left: 0; }
tbody th, tbody td { vertical-align: baseline; } table.heat tbody :is(th, td) { vertical-align: middle; }
tbody th { color: var(--ink); font-weight: 400; font-size: 14px; }
tr.total td, tr.total th { font-weight: 600; border-bottom: 0; }
tr.now td, tr.now th { font-weight: 600; }
table.heat td { text-align: center; border: 2px solid var(--paper); padding: 6px 4px; min-width: 52px; }
table.heat th { text-align: center; border: 0; }
table.heat tbody th { text-align: left; padding-left: 0; white-space: normal; }
table.heat { width: auto; min-width: 60%; }
.hot-up { background: rgb(var(--up-rgb) / var(--heat)); }
.hot-down { background: repeating-linear-gradient(135deg, transparent 0 5px, var(--hatch) 5px 6px), rgb(var(--down-rgb) / var(--heat)); }
.heat-legend { display: flex; flex-wrap: wrap; gap: 4px 18px; max-width: none; } .heat-legend i { display: inline-block; margin-left: 3px; padding: 0 6px; font-style: normal; color: var(--ink); }
td.bars { width: 34%; min-width: 140px; padding-right: 0; }
.columns td.bars { min-width: 90px; } .columns tbody th { white-space: normal; }
table.grid { min-width: 0; } table.grid thead th:first-child { text-align: left; font-size: 12px; white-space: nowrap; }
td.now { outline: 2px solid var(--ink); outline-offset: -2px; font-weight: 600; } td.best { outline: 2px dashed var(--ink); outline-offset: -2px; }
.mark-key { display: inline-block; padding: 0 6px; margin-right: 8px; } .mark-key.now { outline: 2px solid var(--ink); } .mark-key.best { outline: 2px dashed var(--ink); }
.heat-picture { margin: 12px 0; } .heat-picture .box { height: 300px; background: var(--panel); cursor: default; }
svg .cell { stroke: none; } svg .cell.up { fill: var(--up); } svg .cell.down { fill: var(--down); }
svg .mark { stroke-width: 2; } svg .mark.now { stroke: var(--ink); } svg .hatch { stroke: var(--ink); stroke-opacity: .3; stroke-width: 1; } svg .mark.best { stroke: var(--ink); stroke-dasharray: 4 3; }
.names td { text-align: left; } .names th { text-align: left; } .names td:nth-child(2), .names th:nth-child(2) { text-align: right; }
.names td, .folds td:nth-child(3) { white-space: normal; }
.track { position: relative; height: 14px; }
.track i { position: absolute; top: 1px; bottom: 1px; border-radius: 2px; }
.track i.up { background: var(--up); } .track i.down { background: var(--down); }
.track b { position: absolute; top: -4px; bottom: -4px; width: 1px; background: var(--soft); opacity: .6; }

.chart { margin: 14px 0 20px; outline-offset: 4px; }
.legend { display: flex; flex-wrap: wrap; gap: 2px 18px; font-size: 14px; min-height: 22px; }
.key { white-space: nowrap; } .key b { font-weight: 600; }
.key i { display: inline-block; width: 14px; height: 3px; margin-right: 6px; vertical-align: middle; background: var(--own); }
.key.other i { background: var(--other); } .key.third i { background: var(--third); } .key.fourth i { background: var(--fourth); }
.key.up i { background: var(--up); } .key.down i { background: var(--down); }
.key.up, .key.down { color: inherit; }
.when { color: var(--soft); margin-left: auto; }
.plot { display: grid; grid-template-columns: 56px 1fr; grid-template-rows: 280px 22px; margin-top: 8px; }
.chart.low .plot { grid-template-rows: 140px 22px; }
.values { position: relative; }
.values span { position: absolute; right: 8px; transform: translateY(50%); font-size: 12px; line-height: 1; color: var(--soft); }
.box { position: relative; touch-action: pan-y; cursor: crosshair; }
.box svg { position: absolute; inset: 0; width: 100%; height: 100%; overflow: visible; }
.times { grid-column: 2; position: relative; }
.times span { position: absolute; top: 5px; transform: translateX(-50%); font-size: 12px; line-height: 1; color: var(--soft); white-space: nowrap; }
.times .first { transform: none; } .times .last { transform: translateX(-100%); }
.cursor { position: absolute; top: 0; bottom: 0; width: 1px; background: var(--ink); opacity: .55; pointer-events: none; }
svg path { fill: none; vector-effect: non-scaling-stroke; stroke-linejoin: round; }
.grid { stroke: var(--grid); stroke-width: 1; }
.base { stroke: var(--soft); stroke-width: 1; opacity: .7; }
.line { stroke: var(--own); stroke-width: 1.8; }
.line.other { stroke: var(--other); stroke-width: 1.5; }
.line.third { stroke: var(--third); } .line.fourth { stroke: var(--fourth); } .line.up { stroke: var(--up); } .line.down { stroke: var(--down); }
.line.price { stroke: var(--soft); stroke-width: 1; }
svg .area { fill: var(--own); opacity: .14; stroke: none; }
svg .area.other { fill: var(--other); }
svg .long { fill: var(--up); opacity: .16; } svg .short { fill: var(--down); opacity: .16; }
.dot { stroke-linecap: round; stroke-width: 5; } .dot.small { stroke-width: 4; }
.dot.halo { stroke: var(--paper); stroke-width: 8; } .dot.small.halo { stroke-width: 6; } .dot.buy { stroke: var(--up); } .dot.sell { stroke: var(--down); }

.lanes { display: grid; grid-template-columns: minmax(90px, max-content) 1fr; gap: 5px 12px; align-items: center; margin: 10px 0 18px; font-size: 13px; }
.lanes > * { min-width: 0; overflow-wrap: anywhere; }
.lane { height: 13px; background: var(--panel); border-radius: 2px; overflow: hidden; }
.lane svg { display: block; width: 100%; height: 100%; }
.lanes .times { grid-column: 2; height: 18px; }
svg .block { stroke: none; fill: var(--grid-strong); } svg .block.up { fill: var(--up); } svg .block.down { fill: var(--down); }
svg .block.third { fill: var(--third); } svg .block.fourth { fill: var(--fourth); } svg .block.gone { fill: var(--ink); }
.key.there i { background: var(--grid-strong); } .key.gone i { background: var(--ink); }

.multiples { display: grid; grid-template-columns: repeat(2, 1fr); gap: 18px 28px; margin: 12px 0; }
.multiple { margin: 0; min-width: 0; }
.multiple figcaption { display: flex; justify-content: space-between; gap: 8px; font-size: 14px; }
.multiple .box { height: 170px; margin-top: 4px; border-bottom: 1px solid var(--rule); cursor: default; }
.multiple .ends { color: var(--soft); font-size: 12px; display: flex; justify-content: space-between; }

code, pre { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 13px; }
pre { background: var(--panel); border-radius: 6px; padding: 12px 14px; overflow-x: auto; margin: 8px 0 14px; line-height: 1.5; }
td.hash, p.hash { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 12px; text-align: left; white-space: normal; overflow-wrap: anywhere; }
.empty { color: var(--soft); font-style: italic; }
pre.tall { max-height: 340px; overflow: auto; }

@media (max-width: 720px) {
  main { padding: 16px 14px 40px; }
  h1 { font-size: 21px; }
  .tiles { grid-template-columns: repeat(2, 1fr); }
  .tile .number { font-size: 20px; } .tile:last-child { grid-column: 1 / -1; }
  .columns, .multiples { grid-template-columns: 1fr; }
  .plot { grid-template-columns: 46px 1fr; grid-template-rows: 220px 22px; }
  .times span:nth-child(even) { display: none; }
  th, td { padding: 5px 7px; }
  .heat-legend i { padding: 0 3px; font-size: 13px; }
}
@media print {
  @page { margin: 14mm; }
  body { font-size: 9.5pt; -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  main { max-width: none; padding: 0; }
  .verdict { font-size: 11pt; padding: 10px 12px; } .note, .sub, .legend, .lanes { font-size: 8.5pt; }
  table, tbody th { font-size: 8.5pt; } thead th { font-size: 8pt; } th, td { padding: 2.5px 5px; } tbody th { white-space: normal; }
  table.heat td { min-width: 0; } td.bars { min-width: 80px; }
  .tile .number { font-size: 14pt; } .tile dt, .tile .more { font-size: 8pt; }
  .columns { grid-template-columns: 1.15fr 1fr; gap: 8px 24px; }
  nav, button.theme, .downloads { display: none; }
  h2 { margin-top: 24px; } h2, h3, p.note { break-after: avoid; } p { break-inside: avoid; orphans: 4; }
  .chart, .multiple, .lanes, .tiles, tr, pre { break-inside: avoid; }
  .multiple .box { height: 110px; }
  .scroll { overflow: visible; }
  pre.tall { max-height: none; }
  pre { font-size: 7.5pt; white-space: pre-wrap; overflow-wrap: anywhere; }
  .plot { grid-template-rows: 200px 22px; } .chart.low .plot { grid-template-rows: 100px 22px; }
}
`
