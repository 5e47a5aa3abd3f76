/** What an alias (in `imports`) or a subpath (in `exports`) of a package.json may stand for: the targets under every
 *  condition, whichever of them holds. */
export function targetsOf(field: unknown, key: string): string[] {
  const isMap = isObject(field) && Object.keys(field).some((name) => /^[.#]/.test(name))
  if (!isMap) return key === '.' ? leavesOf(field, '') : []
  return Object.entries(field).flatMap(([pattern, target]) => {
    if (pattern === key) return leavesOf(target, '')
    const [before, after, ...more] = pattern.split('*')
    if (before === undefined || after === undefined || more.length > 0) return []
    const fits = key.length >= before.length + after.length && key.startsWith(before) && key.endsWith(after)
    return fits ? leavesOf(target, key.slice(before.length, key.length - after.length)) : []
  })
}

function leavesOf(target: unknown, star: string): string[] {
  if (typeof target === 'string') return [target.replaceAll('*', star)]
  return isObject(target) ? Object.values(target).flatMap((inner) => leavesOf(inner, star)) : []
}

/** Lists of alternatives too. */
const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null
