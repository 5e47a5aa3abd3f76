/** What the page of quality has beside the style of all pages. */
export const qualityStyle = `
.calendar { margin: 8px 0 0; outline-offset: 4px; }
.calendar .scroll { margin: 0; }
.days { display: grid; grid-template-columns: max-content minmax(calc(var(--days) * 3px), 1fr); gap: 3px 10px; align-items: center; font-size: 13px; line-height: 1.3; }
.days .times { height: 18px; }
.days .lane-name { position: sticky; left: 0; z-index: 1; background: var(--paper); padding-right: 6px; cursor: pointer; }
.days .lane { position: relative; height: 15px; cursor: crosshair; touch-action: pan-x pan-y; }
.days .at { position: absolute; top: 0; bottom: 0; min-width: 3px; outline: 2px solid var(--ink); outline-offset: -1px; pointer-events: none; }
.statuses .key i { height: 10px; border-radius: 2px; }
.told { position: sticky; bottom: 0; z-index: 2; margin-top: 8px; padding: 10px 12px; background: var(--panel); border: 1px solid var(--rule); border-radius: 6px; font-size: 14px; }
.told[hidden] { display: none; }
.told dl { display: flex; flex-wrap: wrap; gap: 2px 16px; margin: 4px 0 0; }
.told dl div { white-space: nowrap; } .told dt, .told dd { display: inline; margin: 0; } .told dt { color: var(--soft); margin-right: 5px; }
.told ul { margin: 6px 0 0; padding-left: 18px; }
.status { display: inline-block; padding: 0 6px; border-radius: 3px; background: var(--grid-strong); color: var(--ink); }
.status.tagged { background: var(--fourth); color: var(--paper); } .status.quarantined { background: var(--third); color: var(--paper); }
.status.rejected { background: var(--down); color: var(--paper); } .status.absent { background: var(--ink); color: var(--paper); }
.kinds tbody th { white-space: normal; min-width: 190px; } .kinds .note { font-size: 13px; }
.stretches :is(td, th):nth-child(2), .stretches :is(td, th):nth-child(4), .stretches :is(td, th):nth-child(5), .kinds :is(td, th):nth-child(2) { text-align: left; }
.stretches td:nth-child(5) { white-space: normal; min-width: 110px; }
.wide table { font-size: 13px; } .wide tbody th { font-size: inherit; } .wide th, .wide td { padding: 4px 7px; }
.day-rows, .stretches .scroll { max-height: 560px; overflow: auto; } :is(.day-rows, .stretches) thead th { z-index: 1; position: sticky; top: 0; background: var(--paper); }
.wide :is(td, th):first-child { padding-left: 0; } .day-rows :is(td, th):nth-child(2) { text-align: left; }
.choose { display: flex; flex-wrap: wrap; gap: 6px 20px; font-size: 14px; } .choose[hidden] { display: none; }
select { font: inherit; color: inherit; background: var(--panel); border: 1px solid var(--rule); border-radius: 6px; padding: 3px 6px; }
@media (max-width: 720px) { .days .times span:nth-child(even) { display: inline; } .days { font-size: 12px; } .told { font-size: 13px; padding: 8px 10px; } }
@media print {
  .days { grid-template-columns: max-content 1fr; gap: 1.5px 8px; font-size: 7.5pt; } .days .lane { height: 8pt; }
  .told, .choose, .day-rows, #days, .hint { display: none; } .kinds .note, .days .times span { font-size: 7.5pt; } .days .lane-name { position: static; }
  .stretches .scroll { max-height: none; overflow: visible; }
  .wide table { font-size: 6.5pt; } .wide th, .wide td { padding: 1.5px 3px; }
}
`
