import type { CodeInfo } from './codeInfo.ts'
import { sourceLine } from './lineMap.ts'
import { wrapperStart } from './linkCode.ts'

/** A stack trace of linked code with its places named as the sources are: `app/lib/helper:3:9` becomes
 *  `lib/helper.ts:17`. Places in other code stay as they are. */
export function mapStack(stack: string, info: CodeInfo): string {
  const modules = new Map(info.modules.map((module) => [module.id, module]))
  return stack
    .split('\n')
    .map((text) => {
      const [, before, id, line, column, after] =
        /^(\s*at (?:async )?(?:.* \()?)([^()]+):(\d+):(\d+)(\)?)$/.exec(text) ?? []
      const module = id === undefined ? undefined : modules.get(id)
      if (module === undefined) return text
      if (module.lines === undefined) return `${before}${module.file}${after}`
      const shift = line === '1' ? wrapperStart.length : 0
      const source = sourceLine(module.lines, Number(line), Number(column) - 1 - shift)
      return source === undefined ? text : `${before}${module.file}:${source}${after}`
    })
    .join('\n')
}
