import { Fault } from '../fault.ts'
import { isSecretName } from '../secret.ts'

/** What went wrong with a request, by what a client has to do about it. */
export type HttpTrouble =
  | 'rateLimited' // 429: the budget is used up; everybody waits
  | 'banned' // 418: 429 was ignored; everybody waits until the ban ends
  | 'forbidden' // 403: a firewall in front of the venue; a long pause
  | 'restricted' // 451: this place is not served, and no waiting changes that
  | 'refused' // the request itself is wrong
  | 'notFound' // 404
  | 'serverError' // 5xx, 408: reading again is safe
  | 'venueError' // {code, msg} with status 200
  | 'connection' // no connection, or one that broke
  | 'timeout'
  | 'wrongLength' // more or fewer bytes than announced
  | 'tooLarge'
  | 'wrongForm' // not what whoever asked knows it must look like
  | 'notJson' // a page, or text that breaks off, where JSON belongs

const permanentTroubles: ReadonlySet<HttpTrouble> = new Set(['restricted', 'refused', 'notFound', 'tooLarge'])

/** A request that failed. `permanent` says that asking again cannot help, which whoever schedules the asking reads. */
export class HttpFault extends Fault {
  readonly trouble: HttpTrouble
  readonly permanent: boolean
  readonly status: number | undefined
  /** How long the venue wants not to be asked. */
  readonly waitMs: number | undefined
  /** The venue's own code, such as -1121. */
  readonly venueCode: number | undefined
  /** It is the last of several tries, all of which ended in this. */
  readonly everyTry: boolean

  constructor(fault: {
    trouble: HttpTrouble
    what: string
    url: string
    todo?: string
    status?: number
    waitMs?: number
    venueCode?: number
    permanent?: boolean
    everyTry?: boolean
    cause?: unknown
  }) {
    const { trouble, what, url, todo, status, waitMs, venueCode, cause } = fault
    super({
      code: 'failed',
      what,
      where: shownUrl(url),
      ...(todo === undefined ? {} : { todo }),
      cause,
      details: {
        trouble,
        ...(status === undefined ? {} : { status }),
        ...(venueCode === undefined ? {} : { venueCode }),
      },
    })
    this.trouble = trouble
    this.permanent = fault.permanent ?? permanentTroubles.has(trouble)
    this.status = status
    this.waitMs = waitMs
    this.venueCode = venueCode
    this.everyTry = fault.everyTry ?? false
  }
}

const inWords: Partial<Readonly<Record<HttpTrouble, string>>> = {
  connection: 'a broken connection',
  timeout: 'no answer in time',
  wrongLength: 'half an answer',
  venueError: 'an error with status 200',
  wrongForm: 'an answer of another form',
  notJson: 'an answer that is no JSON',
}

/** In a word or two, for a line of progress. */
export const shownTrouble = ({ trouble, status }: HttpFault): string =>
  inWords[trouble] ?? (status === undefined ? trouble : String(status))

/** A URL as it may be logged: without user and password, and with the value of anything that looks like a key gone. */
export function shownUrl(text: string): string {
  let url: URL
  try {
    url = new URL(text)
  } catch {
    return '(not a URL)'
  }
  url.username = ''
  url.password = ''
  for (const name of [...url.searchParams.keys()]) {
    if (isSecretName(name)) url.searchParams.set(name, 'hidden')
  }
  return url.href
}
