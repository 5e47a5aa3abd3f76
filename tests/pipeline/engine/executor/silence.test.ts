import { describe, expect, test } from 'vitest'
import { SilenceWatch } from '../../../../pipeline/engine/executor/silence.ts'

const looks = (startCount: number, ...counts: number[]) => {
  const watch = new SilenceWatch(startCount)
  return counts.map((count) => watch.stoodStill(count))
}

describe('a job that says how far it has come', () => {
  test('goes on as long as it says something between two looks, however long that takes in all', () => {
    expect(looks(0, ...Array.from({ length: 100 }, (_, i) => i + 1))).not.toContain(true)
  })
  test('stands still once it says nothing between two looks', () => {
    expect(looks(0, 1, 2, 2)).toEqual([false, false, true])
  })
  test('and never said a word is not held to it, whatever the job before it in the thread had said', () => {
    expect(looks(7, 7, 7, 7)).toEqual([false, false, false])
    expect(looks(7, 7, 8, 8)).toEqual([false, false, true])
  })
})
