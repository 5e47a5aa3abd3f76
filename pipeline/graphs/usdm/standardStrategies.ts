import type { Strategy } from '../../../lib/backtest/strategy.ts'
import { btcBuyAndHold } from '../../../lib/strategies/btcBuyAndHold.ts'
import { crossSectionalMomentum } from '../../../lib/strategies/crossSectionalMomentum.ts'
import { fundingCarry } from '../../../lib/strategies/fundingCarry.ts'
import { meanReversion } from '../../../lib/strategies/meanReversion.ts'
import { randomControl } from '../../../lib/strategies/randomControl.ts'

/** The examples, by the name a config chooses them with. */
export const standardStrategies = {
  btcBuyAndHold,
  crossSectionalMomentum,
  fundingCarry,
  meanReversion,
  randomControl,
} as unknown as Readonly<Record<string, Strategy>>
