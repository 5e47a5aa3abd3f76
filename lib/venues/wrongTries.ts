import { HttpFault } from '../http/httpFault.ts'

/** Remembers what came, in the tries of one request, in another form than it should have. */
export type WrongTries = {
  /** The same question, with its answers remembered. */
  whyWrong(begin: Uint8Array): string | undefined
  /** What every try brought alike, where the request failed for nothing else. */
  alike(error: unknown): Uint8Array | undefined
}

export function wrongTries(whyWrong: (begin: Uint8Array) => string | undefined): WrongTries {
  const begins: Buffer[] = []
  return {
    whyWrong: (begin) => {
      const why = whyWrong(begin)
      if (why !== undefined) begins.push(Buffer.from(begin))
      return why
    },
    alike: (error) => {
      if (!(error instanceof HttpFault) || error.trouble !== 'wrongForm') return undefined
      return begins.every((begin) => begin.equals(begins[0]!)) ? begins[0] : undefined
    },
  }
}

/** Whether bytes are words: a page that wants one to log in, or what a proxy or a firewall has to say. */
export function readsAsText(begin: Uint8Array): boolean {
  if (begin.length === 0) return false
  try {
    // The last character may be cut.
    const text = new TextDecoder('utf-8', { fatal: true }).decode(begin, { stream: true })
    return !/[^\P{Cc}\s]/u.test(text)
  } catch {
    return false
  }
}
