/** Whether the last statement of a text sorts its result: an ORDER BY that stands in no parentheses. Comments, texts and
 *  quoted names are passed over. */
export function hasOrder(sql: string): boolean {
  const statements = sql.replace(aside, ' ').split(';')
  const last = statements.findLast((statement) => statement.trim() !== '') ?? ''
  let depth = 0
  for (const [token] of last.matchAll(/[()]|\border\s+by\b/gi)) {
    if (token === '(') depth++
    else if (token === ')') depth--
    else if (depth === 0) return true
  }
  return false
}

/** Together in one pattern: a quote in a comment opens nothing, and neither do dashes in a text. */
const aside = /--.*|\/\*[\s\S]*?(?:\*\/|$)|'(?:[^']|'')*'|"(?:[^"]|"")*"|\$(\w*)\$[\s\S]*?\$\1\$/g
