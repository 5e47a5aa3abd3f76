import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { WebSocket } from 'undici'

const chromiumPath = '/usr/bin/chromium'
export const hasChromium = existsSync(chromiumPath)

interface Answer {
  readonly id?: number
  readonly method?: string
  readonly params?: Record<string, unknown>
  readonly result?: Record<string, unknown>
  readonly error?: { readonly message: string }
}

/** One page in a headless browser, driven by the protocol of its developer tools. */
export class BrowserPage {
  readonly #process: ChildProcess
  readonly #profile: string
  readonly #socket: WebSocket
  readonly #waiting = new Map<number, (answer: Answer) => void>()
  readonly #events: Answer[] = []
  #nextId = 1

  private constructor(process: ChildProcess, profile: string, socket: WebSocket) {
    this.#process = process
    this.#profile = profile
    this.#socket = socket
    socket.addEventListener('message', ({ data }) => {
      const answer = JSON.parse(String(data)) as Answer
      if (answer.id === undefined) this.#events.push(answer)
      else this.#waiting.get(answer.id)?.(answer)
    })
  }

  static async open(): Promise<BrowserPage> {
    const profile = mkdtempSync(join(tmpdir(), 'tickpipe-chromium-'))
    const flags = ['--headless=new', '--no-sandbox', '--disable-gpu', '--hide-scrollbars', '--remote-debugging-port=0']
    const browser = spawn(chromiumPath, [...flags, `--user-data-dir=${profile}`, 'about:blank'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const port = await new Promise<string>((resolve, reject) => {
      let said = ''
      browser.stderr!.on('data', (chunk) => {
        said += String(chunk)
        const found = /DevTools listening on ws:\/\/127\.0\.0\.1:(\d+)/.exec(said)
        if (found !== null) resolve(found[1]!)
      })
      browser.once('exit', () => reject(new Error(`the browser ended: ${said}`)))
    })
    const targets = (await (await fetch(`http://127.0.0.1:${port}/json`)).json()) as {
      type: string
      webSocketDebuggerUrl: string
    }[]
    const socket = new WebSocket(targets.find(({ type }) => type === 'page')!.webSocketDebuggerUrl)
    await new Promise((resolve) => socket.addEventListener('open', resolve, { once: true }))
    const page = new BrowserPage(browser, profile, socket)
    for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await page.send(`${domain}.enable`)
    return page
  }

  async send(method: string, params: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
    const id = this.#nextId++
    const answer = await new Promise<Answer>((resolve) => {
      this.#waiting.set(id, resolve)
      this.#socket.send(JSON.stringify({ id, method, params }))
    })
    if (answer.error !== undefined) throw new Error(`${method}: ${answer.error.message}`)
    return answer.result!
  }

  async show(url: string, size: { width: number; height: number }): Promise<void> {
    this.#events.length = 0
    await this.send('Emulation.setDeviceMetricsOverride', { ...size, deviceScaleFactor: 1, mobile: size.width < 500 })
    await this.send('Page.navigate', { url })
    while ((await this.evaluate('document.readyState')) !== 'complete') await new Promise((go) => setTimeout(go, 20))
  }

  async evaluate(expression: string): Promise<unknown> {
    const { result, exceptionDetails } = await this.send('Runtime.evaluate', { expression, returnByValue: true })
    if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails))
    return (result as { value?: unknown }).value
  }

  /** What the browser complained about since the page was shown. */
  complaints(): string[] {
    return this.#events
      .filter(({ method }) => method === 'Log.entryAdded' || method === 'Runtime.exceptionThrown')
      .map(({ params }) => JSON.stringify(params))
  }

  /** Every address asked for since the page was shown. */
  requests(): string[] {
    return this.#events
      .filter(({ method }) => method === 'Network.requestWillBeSent')
      .map(({ params }) => (params!['request'] as { url: string }).url)
  }

  async close(): Promise<void> {
    this.#socket.close()
    if (this.#process.exitCode === null) {
      const ended = once(this.#process, 'exit')
      this.#process.kill()
      await ended
    }
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
  }
}
