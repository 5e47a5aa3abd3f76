/** `klines[BTC*]`, `buildMinute*`, `*`: only `*` and `?` are special, for addresses are full of brackets. A pattern
 *  without brackets also selects by task name. */
export function globMatcher(patterns: readonly string[]): (address: string, task: string) => boolean {
  if (patterns.length === 0) return () => false
  const tests = patterns.map(
    (pattern) =>
      new RegExp(
        `^${pattern
          .replace(/[.+^${}()|[\]\\]/g, '\\$&')
          .replaceAll('*', '.*')
          .replaceAll('?', '.')}$`,
        'u',
      ),
  )
  return (address, task) => tests.some((test) => test.test(address) || test.test(task))
}
