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
      if (!(error instanceof HttpFault && error.trouble === 'wrongForm' && error.everyTry)) return undefined
      return begins.every((begin) => begin.equals(begins[0]!)) ? begins[0] : undefined
    },
  }
}
