import type { Strategy, StrategyContext } from './strategy.ts'

/** The same strategy, with what it wants written down: `instant symbol side` wherever the side it wants of a symbol turns.
 *  What becomes of a wish hangs on prices and volumes; the wish itself is the strategy's own. */
export function recordingIntents<Params, State>(
  strategy: Strategy<Params, State>,
  turns: string[],
): Strategy<Params, State> {
  const sides = new Map<string, number>()
  const want = (nowMs: number, symbol: string, amount: number) => {
    const side = Math.sign(amount)
    if (side === (sides.get(symbol) ?? 0)) return
    sides.set(symbol, side)
    turns.push(`${nowMs} ${symbol} ${side}`)
  }
  const recording = (ctx: StrategyContext<Params, State>): StrategyContext<Params, State> =>
    new Proxy(ctx, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target)
        if (typeof value !== 'function') return value
        return (...args: unknown[]): unknown => {
          if (name === 'setWeight') want(target.nowMs, args[0] as string, args[1] as number)
          if (name === 'setWeights') {
            const weights = args[0] as Readonly<Record<string, number>>
            for (const symbol of sides.keys()) if (!Object.hasOwn(weights, symbol)) want(target.nowMs, symbol, 0)
            for (const [symbol, weight] of Object.entries(weights)) want(target.nowMs, symbol, weight)
          }
          if (name === 'order') {
            const { symbol, qty } = args[0] as { symbol: string; qty: number }
            want(target.nowMs, symbol, qty)
          }
          // Bound to the context itself: its state is private, and no business of a proxy.
          return value.apply(target, args)
        }
      },
    })
  const { onBar, onFunding, onUniverse } = strategy
  return {
    ...strategy,
    ...(onBar === undefined ? {} : { onBar: (ctx) => onBar.call(strategy, recording(ctx)) }),
    ...(onFunding === undefined ? {} : { onFunding: (ctx, event) => onFunding.call(strategy, recording(ctx), event) }),
    ...(onUniverse === undefined
      ? {}
      : { onUniverse: (ctx, event) => onUniverse.call(strategy, recording(ctx), event) }),
  }
}
