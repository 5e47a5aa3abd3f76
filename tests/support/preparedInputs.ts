import { canonicalJson, parseCanonicalJson } from '../../cas/canonicalJson.ts'
import { plainCopy } from '../../pipeline/engine/executor/plainData.ts'
import type { Preparation } from '../../pipeline/engine/task.ts'

/** The inputs of a task as its `run` gets them: what it prepares is made, and stands in for what it is made of. */
export function preparedInputs(
  { prepare }: { readonly prepare?: Preparation },
  inputs: Readonly<Record<string, unknown>>,
  params: unknown,
): Record<string, unknown> {
  if (prepare === undefined) return inputs
  const facts = parseCanonicalJson(canonicalJson(prepare.facts(params as never, inputs as never)))
  const names = Object.entries(inputs)
  const own = Object.fromEntries(names.filter(([name]) => prepare.inputs.includes(name)))
  const others = Object.fromEntries(names.filter(([name]) => !prepare.inputs.includes(name)))
  return { ...others, prepared: plainCopy(prepare.make(own as never, facts as never), 'what was prepared') }
}
