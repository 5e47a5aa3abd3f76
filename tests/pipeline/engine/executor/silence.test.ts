import { describe, expect, test } from 'vitest'
import { looksPerSilence, SilenceWatch } from '../../../../pipeline/engine/executor/silence.ts'

/** After how many looks it was said to stand still, where these were followed by ever the last of them. */
function stoppedAfter(startCount: number, ...counts: number[]): number | undefined {
  const watch = new SilenceWatch(startCount)
  for (let look = 1; look <= counts.length + 10 * looksPerSilence; look++) {
    if (watch.stoodStill(counts[look - 1] ?? counts.at(-1)!)) return look
  }
  return undefined
}

describe('a job that says how far it has come', () => {
  test('goes on as long as it says something now and then, however long that takes in all', () => {
    const slowly = Array.from({ length: 100 * looksPerSilence }, (_, i) => 1 + Math.floor(i / (looksPerSilence - 1)))
    const watch = new SilenceWatch(0)
    expect(slowly.some((count) => watch.stoodStill(count))).toBe(false)
  })
  test('stands still once it was silent for the whole time, and not for twice of it', () => {
    expect(stoppedAfter(0, 1, 2)).toBe(2 + looksPerSilence)
    expect(stoppedAfter(0, 0, 0, 1)).toBe(3 + looksPerSilence)
  })
  test('and never said a word is not held to it, whatever the job before it in the thread had said', () => {
    expect(stoppedAfter(7, 7)).toBeUndefined()
    expect(stoppedAfter(7, 7, 8)).toBe(2 + looksPerSilence)
  })
})
