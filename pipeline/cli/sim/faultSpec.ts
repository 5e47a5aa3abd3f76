import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { z } from 'zod'
import { Fault } from '../../../lib/fault.ts'
import { didYouMean } from '../../../lib/nearMatch.ts'
import { type FaultKind, type FaultRule, faultKinds } from '../../../lib/sim/faults/plan.ts'

const todo =
  'write a kind, then =share or *times, then :pattern, as in serverError=0.05:^/fapi, or name a .json file of rules'

const rule = z.strictObject({
  match: z.string().default('.'),
  kind: z.enum(faultKinds as readonly [FaultKind, ...FaultKind[]]),
  times: z.number().int().positive().optional(),
  after: z.number().int().nonnegative().optional(),
  probability: z.number().min(0).max(1).optional(),
  retryAfterSeconds: z.number().nonnegative().optional(),
})

/** Faults as they are written on a command line: `kind[=share|*times][:pattern]`, several with commas between those that
 *  have no pattern, or a file that holds the rules of lib/sim/faults/plan.ts as a JSON array. */
export function parseFaults(texts: readonly string[], cwd: string): FaultRule[] {
  return texts.flatMap((text) => {
    if (text.endsWith('.json')) return readRules(resolve(cwd, text))
    return (text.includes(':') ? [text] : text.split(',')).map(parseRule)
  })
}

function parseRule(text: string): FaultRule {
  const parts = /^(\w+)(?:=(\d*\.?\d+%?)|\*(\d+))?(?::(.+))?$/.exec(text)
  const [, kind, share, times, match = '.'] = parts ?? []
  const known = faultKinds.find((one) => one === kind)
  if (known === undefined) {
    const near = kind === undefined ? '' : didYouMean(kind, faultKinds)
    throw wrong(`"${text}" is no fault${near}`, `${todo}; kinds: ${faultKinds.join(', ')}`)
  }
  try {
    new RegExp(match)
  } catch (error) {
    throw wrong(`"${match}" is no regular expression: ${(error as Error).message}`, todo)
  }
  const probability =
    share === undefined ? undefined : share.endsWith('%') ? Number(share.slice(0, -1)) / 100 : Number(share)
  if (probability !== undefined && probability > 1) throw wrong(`"${share}" is no share: it is above 1`, todo)
  return {
    match,
    kind: known,
    ...(probability === undefined ? {} : { probability }),
    ...(times === undefined ? {} : { times: Number(times) }),
  }
}

function readRules(path: string): FaultRule[] {
  let value: unknown
  try {
    value = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw wrong(`${path} cannot be read: ${(error as Error).message}`, todo)
  }
  const parsed = z.array(rule).safeParse(value)
  if (parsed.success) return parsed.data as FaultRule[]
  const [issue] = parsed.error.issues
  throw wrong(`${path} holds no rules: ${issue!.path.join('.')}: ${issue!.message}`, `kinds: ${faultKinds.join(', ')}`)
}

const wrong = (what: string, advice: string): Fault =>
  new Fault({ code: 'usage', what, where: '--faults', todo: advice })
