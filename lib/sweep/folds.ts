import { z } from 'zod'
import { durationMs } from '../backtest/duration.ts'
import { Fault } from '../fault.ts'
import { ceilTo, DAY_MS, dayOf, floorTo } from '../time.ts'

/** From an instant up to another, which is not included. */
export const timeSpan = z.object({ fromMs: z.number(), toMs: z.number() })
export type TimeSpan = z.infer<typeof timeSpan>

/**
 * How training and test alternate. `rolling` trains on the `train` before each test, `anchored` on everything before it
 * (at least `train`), and `around` on everything before and after: a cross-validation, which tells how steady a choice is
 * and which nobody could have traded.
 */
export const walkForwardConfig = z.strictObject({
  training: z.enum(['rolling', 'anchored', 'around']).default('rolling'),
  /** Durations of whole days; `around` has no use for it. */
  train: z.string().optional(),
  test: z.string(),
  /** From one test to the next: as long as a test unless said otherwise. */
  step: z.string().optional(),
  /** Left out of training right before a test: as long as a position or a label lives. */
  purge: z.string().optional(),
  /** Left out of training right after a test: as long as features look back. Training that lies before its test loses
   *  nothing by it. */
  embargo: z.string().optional(),
})
export type WalkForwardConfig = z.infer<typeof walkForwardConfig>

export interface Fold {
  /** The day its test begins: folds that are added or taken away leave the names of the others alone. */
  readonly name: string
  /** One span, or two around the test. */
  readonly train: readonly TimeSpan[]
  readonly test: TimeSpan
}

/** A Sharpe ratio needs two days. */
const trainDaysMin = 2

/** Whole tests that the range holds, in the order of time. All spans are whole UTC days, since returns are daily: a purge
 *  of hours takes the day. No training row lies in [test.fromMs - purge, test.toMs + embargo). */
export function planFolds(config: WalkForwardConfig, range: TimeSpan): Fold[] {
  const days = (name: 'train' | 'test' | 'step', text: string): number => {
    const ms = durationMs(text, `walkForward.${name}`)
    if (ms % DAY_MS === 0) return ms
    throw fault(`"${text}" is not whole days, and returns are daily`, `walkForward.${name}`, 'write days, such as 30d')
  }
  const gap = (name: 'purge' | 'embargo'): number => {
    const text = config[name]
    return text === undefined || /^0[smhd]$/.test(text) ? 0 : durationMs(text, `walkForward.${name}`)
  }
  const { training } = config
  const testMs = days('test', config.test)
  const stepMs = config.step === undefined ? testMs : days('step', config.step)
  const purgeMs = gap('purge')
  const embargoMs = gap('embargo')
  if (stepMs < testMs) {
    const what = `a step of ${config.step} is shorter than a test of ${config.test}: days would be tested twice`
    throw fault(what, 'walkForward.step', 'make the step at least as long as a test')
  }
  if ((config.train === undefined) !== (training === 'around')) {
    const what = `${training} training ${training === 'around' ? 'takes all that is not tested' : 'has no length'}`
    const todo = training === 'around' ? 'leave train out' : 'say how long it is, such as train: 90d'
    throw fault(what, 'walkForward.train', todo)
  }
  const trainMs = config.train === undefined ? 0 : days('train', config.train)
  const fromMs = ceilTo(range.fromMs, DAY_MS)
  const toMs = floorTo(range.toMs, DAY_MS)

  const folds: Fold[] = []
  const firstTestMs = training === 'around' ? fromMs : ceilTo(fromMs + trainMs + purgeMs, DAY_MS)
  for (let testFromMs = firstTestMs; testFromMs + testMs <= toMs; testFromMs += stepMs) {
    const test = { fromMs: testFromMs, toMs: testFromMs + testMs }
    const beforeMs = floorTo(test.fromMs - purgeMs, DAY_MS)
    const afterMs = ceilTo(test.toMs + embargoMs, DAY_MS)
    const before = { fromMs: training === 'rolling' ? beforeMs - trainMs : fromMs, toMs: beforeMs }
    const after = training === 'around' ? [{ fromMs: afterMs, toMs }] : []
    const train = [before, ...after].filter((span) => span.toMs > span.fromMs)
    if (train.reduce((all, span) => all + span.toMs - span.fromMs, 0) < trainDaysMin * DAY_MS) continue
    folds.push({ name: dayOf(test.fromMs), train, test })
  }
  if (folds.length > 0) return folds
  const needs = [trainMs, purgeMs, testMs].reduce((all, ms) => all + ms, 0) / DAY_MS
  throw fault(
    `the range from ${dayOf(range.fromMs)} to ${dayOf(range.toMs)} holds no fold: one takes ${Math.ceil(needs)} days of training, purge and test`,
    'walkForward',
    'choose shorter spans or a longer range',
  )
}

const fault = (what: string, where: string, todo: string): Fault => new Fault({ code: 'usage', what, where, todo })
