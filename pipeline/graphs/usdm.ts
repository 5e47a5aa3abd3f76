import type { Strategy } from '../../lib/backtest/strategy.ts'
import { Fault } from '../../lib/fault.ts'
import type { FeatureGroup } from '../../lib/features/feature.ts'
import { dayStart } from '../../lib/time.ts'
import { qaPage } from '../../tasks/deliver/qaPage.ts'
import { definePipeline } from '../engine/graph.ts'
import { addDataset } from './dataset.ts'
import { addBacktests } from './usdm/backtests.ts'
import { datasetOf, usdmConfig } from './usdm/config.ts'
import { addResearch } from './usdm/research.ts'
import { standardGroups } from './usdm/standardGroups.ts'
import { standardStrategies } from './usdm/standardStrategies.ts'

/** What a project adds of its own, by name. */
export interface UsdmParts {
  readonly groups?: Readonly<Record<string, FeatureGroup>>
  readonly strategies?: Readonly<Record<string, Strategy>>
}

/** Perpetuals from the venue to the verdict: universe, bars and funding, minutes, features, quality, replay, backtest,
 *  metrics, report. */
export const usdmPipeline = ({ groups, strategies }: UsdmParts = {}) =>
  definePipeline('usdm', usdmConfig, (graph, config) => {
    if (dayStart(config.to) <= dayStart(config.from)) {
      throw new Fault({
        code: 'usage',
        what: `the range ends (${config.to}) before it begins (${config.from})`,
        where: 'config, from and to',
        todo: '"to" is the first day that is not included: set it after "from"',
      })
    }
    const dataset = addDataset(graph, datasetOf(config))
    const research = addResearch(graph, dataset, config, { ...standardGroups, ...groups })
    const made = addBacktests(graph, dataset, research, config, { ...standardStrategies, ...strategies })
    graph.target('universe', dataset.universe)
    graph.target('dataset', ...dataset.tables, ...dataset.audits)
    graph.target('audit', ...dataset.audits)
    graph.target('minute', ...research.minutes.values())
    graph.target('features', ...research.features.flatMap(({ months }) => [...months.values()]), research.columns)
    graph.target('check-features', ...research.checks)
    graph.target('qa', ...research.qa.values(), graph.add(qaPage, { inputs: { quality: [...research.qa.values()] } }))
    graph.target('replay', research.replay)
    // What is asked for with a backtest, or a page on it, is the verdict: with all numbers there are.
    const { sweep, walkForward } = made
    const tried = [...(sweep === undefined ? [] : [sweep]), ...(walkForward === undefined ? [] : [walkForward])]
    const verdict = [made.metrics, ...tried, made.report]
    graph.target('backtest', ...made.backtests, ...verdict)
    graph.target('check-lookahead', made.check)
    if (sweep !== undefined) graph.target('sweep', sweep)
    else graph.absentTarget('sweep', `say what to try: --set 'sweep={"<param>":[1,2,3]}', or "sweep" in the config`)
    if (walkForward !== undefined) graph.target('walk-forward', walkForward)
    else {
      const folds = `--set 'walkForward={"train":"60d","test":"20d"}', or "walkForward" in the config`
      graph.absentTarget('walk-forward', `give it a sweep to choose from, and say how long its folds are: ${folds}`)
    }
    graph.target('metrics', made.metrics)
    graph.target('report', ...verdict)
  })

export const usdm = usdmPipeline()
