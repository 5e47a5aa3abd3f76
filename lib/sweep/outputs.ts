import { z } from 'zod'
import { jsonArtifact } from '../artifact.ts'
import { timeSpan, walkForwardConfig } from './folds.ts'
import { sweepValue } from './points.ts'

/** Null is a number that does not exist, as in metrics: annual figures of under 90 days, ratios over nothing. */
const number = z.number().nullable()
const values = z.record(z.string(), sweepValue)
const outcome = z.enum(['completed', 'drawdownStop', 'ruined'])

/** Conventions as in metrics: net of everything, daily UTC closes, 365 days a year, one degree of freedom taken off. */
const sweepRow = z.object({
  values,
  outcome,
  totalReturn: number,
  annualReturn: number,
  /** Annual; null under 90 days. */
  sharpe: number,
  sharpeError: number,
  /** Per day; 0 for a point that never traded, which showed nothing. */
  dailySharpe: z.number(),
  maxDrawdown: number,
  turnover: number,
  /** USDT, negative. */
  fees: number,
  slippage: number,
  fills: z.number(),
  /** Probability that its Sharpe ratio is above the best that luck would show among all points. */
  deflated: number,
})
export type SweepRow = z.infer<typeof sweepRow>

const overfitting = z.object({
  /** Share of the splits whose best point in one half fell into the lower half of the other. */
  probability: z.number(),
  configurations: z.number(),
  blocks: z.number(),
  splits: z.number(),
  days: z.number(),
  /** Mean daily Sharpe ratio of the chosen point, in the half it was chosen on and in the other. */
  inSample: z.number(),
  outOfSample: z.number(),
})

export const sweepSummary = jsonArtifact(
  'sweepSummary',
  z.object({
    strategy: z.string(),
    params: z.array(z.object({ name: z.string(), values: z.array(sweepValue) })),
    fromMs: z.number(),
    toMs: z.number(),
    days: z.number(),
    isAnnualised: z.boolean(),
    points: z.array(sweepRow).min(1),
    /** Index of the point with the highest daily Sharpe ratio, the first of equals. */
    best: z.number(),
    /** N, V and the best daily Sharpe ratio that luck is expected to show among so many. */
    trials: z.object({ count: z.number(), variance: z.number(), sharpe0: z.number() }),
    overfitting: overfitting.optional(),
    /** Why there is no probability of overfitting. */
    overfittingAbsent: z.string().optional(),
  }),
)
export type SweepSummary = z.infer<typeof sweepSummary.schema>

/** Which point a fold chose, and what all of them showed in training. */
export const selection = jsonArtifact(
  'selection',
  z.object({
    fold: z.string(),
    train: z.array(timeSpan),
    test: timeSpan,
    trainDays: z.number(),
    points: z.array(z.object({ values, dailySharpe: z.number() })).min(1),
    chosen: z.object({ index: z.number(), values, dailySharpe: z.number() }),
  }),
)
export type Selection = z.infer<typeof selection.schema>

const foldRow = z.object({
  fold: z.string(),
  train: z.array(timeSpan),
  test: timeSpan,
  chosen: values,
  outcome,
  /** Sharpe ratios are per day: most folds are too short for a year. */
  trainSharpe: z.number(),
  testSharpe: number,
  totalReturn: number,
  maxDrawdown: number,
  fills: z.number(),
  /** Fees, slippage and what closing at the end costs, as a share of the capital; negative. */
  costs: z.number(),
})
export type FoldRow = z.infer<typeof foldRow>

export const walkForward = jsonArtifact(
  'walkForward',
  z.object({
    strategy: z.string(),
    config: walkForwardConfig,
    points: z.number(),
    folds: z.array(foldRow).min(1),
    /** The tests one after another, as if each went on with what the one before left. */
    outOfSample: z.object({
      days: z.number(),
      isAnnualised: z.boolean(),
      totalReturn: number,
      annualReturn: number,
      volatility: number,
      sharpe: number,
      sharpeError: number,
      dailySharpe: number,
      dailySharpeError: number,
      sortino: number,
      calmar: number,
      maxDrawdown: number,
      drawdownDays: number,
      hitRate: number,
      worstDay: number,
    }),
    /** Midnight that ends each tested day, and its return. */
    daily: z.object({ closeTsMs: z.array(z.number()), returns: z.array(z.number()) }),
  }),
)
export type WalkForward = z.infer<typeof walkForward.schema>
