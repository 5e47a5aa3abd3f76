import { z } from 'zod'
import { filesArtifact } from '../../lib/artifact.ts'
import { joinReports } from '../../lib/qa/joinReports.ts'
import { qualityDaysCsv, qualityFindingsCsv, qualityMasksCsv } from '../../lib/report/quality/csv.ts'
import { renderQuality } from '../../lib/report/quality/qualityPage.ts'
import { qa } from '../../lib/tables/qa.ts'
import { defineTask, many } from '../../pipeline/engine/task.ts'

/** What quality control said, to be looked at: a page, and its days, findings and masks as tables beside it. */
export const qaPage = defineTask({
  name: 'qaPage',
  kind: 'pure',
  params: z.object({}),
  inputs: { quality: many(qa) },
  output: filesArtifact('qaPage'),
  run: ({ quality }) => {
    const text = (name: string, content: string) => ({ name, bytes: new TextEncoder().encode(content) })
    const joined = joinReports(quality)
    return [
      text('qa.html', renderQuality(quality)),
      text('qa-days.csv', qualityDaysCsv(joined)),
      text('qa-findings.csv', qualityFindingsCsv(joined)),
      text('qa-masks.csv', qualityMasksCsv(joined)),
    ]
  },
})
