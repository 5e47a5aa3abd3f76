import { canonicalJson } from '../cas/canonicalJson.ts'
import type { Digest } from '../cas/digest.ts'
import { type JsonChange, jsonChanges, jsonChangeText } from './jsonChanges.ts'
import type { ManifestNode, NodeInput } from './manifest.ts'

/** One way in which two nodes of one address differ. */
export type NodeCause =
  | { readonly kind: 'task'; readonly before: string; readonly after: string }
  | { readonly kind: 'code'; readonly before: Digest; readonly after: Digest }
  | { readonly kind: 'code port'; readonly port: string; readonly before?: Digest; readonly after?: Digest }
  | { readonly kind: 'version'; readonly before: number; readonly after: number }
  | { readonly kind: 'params'; readonly changes: readonly JsonChange[] }
  | { readonly kind: 'input'; readonly port: string; readonly before?: NodeInput; readonly after?: NodeInput }
  | { readonly kind: 'as of'; readonly beforeMs?: number; readonly afterMs?: number }
  /** A source that was asked the same and answered otherwise: another observation. */
  | { readonly kind: 'source bytes' }
  /** A pure node whose key is the same and whose bytes are not: non-determinism. */
  | { readonly kind: 'same key, other bytes' }

/** What two nodes compare; today's program knows a node before it knows its artifact. */
export type ComparedNode = Omit<ManifestNode, 'artifact'> & { readonly artifact?: Digest }

export function nodeCauses(before: ComparedNode, after: ComparedNode): NodeCause[] {
  const causes: NodeCause[] = []
  if (before.task !== after.task || before.kind !== after.kind) {
    causes.push({ kind: 'task', before: `${before.kind} ${before.task}`, after: `${after.kind} ${after.task}` })
  }
  if ('run' in before.code && 'run' in after.code) {
    if (before.code.run !== after.code.run) {
      causes.push({ kind: 'code', before: before.code.run, after: after.code.run })
    }
    const { ports: portsBefore = {} } = before.code
    const { ports: portsAfter = {} } = after.code
    for (const port of sortedUnion(portsBefore, portsAfter)) {
      if (portsBefore[port] !== portsAfter[port]) {
        causes.push({ kind: 'code port', port, before: portsBefore[port], after: portsAfter[port] })
      }
    }
  } else if ('version' in before.code && 'version' in after.code && before.code.version !== after.code.version) {
    causes.push({ kind: 'version', before: before.code.version, after: after.code.version })
  }
  const params = jsonChanges(before.params, after.params)
  if (params.length > 0) causes.push({ kind: 'params', changes: params })
  for (const port of sortedUnion(before.inputs, after.inputs)) {
    const [was, is] = [before.inputs[port], after.inputs[port]]
    if (was === undefined || is === undefined || canonicalJson(was) !== canonicalJson(is)) {
      causes.push({ kind: 'input', port, before: was, after: is })
    }
  }
  if (before.asOfMs !== after.asOfMs) causes.push({ kind: 'as of', beforeMs: before.asOfMs, afterMs: after.asOfMs })

  const known = before.artifact !== undefined && after.artifact !== undefined
  if (causes.length === 0 && known && before.artifact !== after.artifact) {
    causes.push({ kind: before.kind === 'source' ? 'source bytes' : 'same key, other bytes' })
  }
  return causes
}

function sortedUnion(a: Readonly<Record<string, unknown>>, b: Readonly<Record<string, unknown>>): string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].sort()
}

/** A cause in words, for plans, diffs and reports. */
export function causeText(cause: NodeCause): string {
  switch (cause.kind) {
    case 'task':
      return `it was ${cause.before} and is ${cause.after}`
    case 'code':
      return 'its code changed'
    case 'code port':
      return `the code wired to ${cause.port} changed`
    case 'version':
      return `its version was ${cause.before} and is ${cause.after}`
    case 'params':
      return `params: ${cause.changes.map(jsonChangeText).join('; ')}`
    case 'input':
      return `its input ${cause.port} is another`
    case 'as of':
      return `its as-of instant was ${cause.beforeMs ?? 'not set'} and is ${cause.afterMs ?? 'not set'}`
    case 'source bytes':
      return 'the source gave other bytes'
    case 'same key, other bytes':
      return 'the same key gave other bytes'
  }
}
