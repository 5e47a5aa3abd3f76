import { Session } from 'node:inspector'

/** How long a thread may take to say where it is: one that only waits, or is deep inside of native code, does not
 *  answer. */
const answerMaxMs = 1000

interface Frame {
  readonly functionName: string
  readonly location: { readonly scriptId: string; readonly lineNumber: number; readonly columnNumber: number }
}

type Said =
  | { readonly method: 'Debugger.scriptParsed'; readonly params: { readonly scriptId: string; readonly url: string } }
  | { readonly method: 'Debugger.paused'; readonly params: { readonly callFrames: readonly Frame[] } }
  | { readonly method?: undefined; readonly id: number }

const commands = ['Debugger.enable', 'Debugger.pause', 'Debugger.resume', 'Debugger.disable'] as const

/** Where a thread is at this moment, as the stack of an error would show it, without frames of Node and of ours: also
 *  where it runs in a circle and reads no message. Empty if it cannot be told. */
export function stackOfThread(threadId: number): Promise<string> {
  const session = new Session()
  session.connect()
  return new Promise((resolve) => {
    const urls = new Map<string, string>()
    let stack = ''
    let sessionId: string | undefined
    const tell = (method: (typeof commands)[number]) => {
      const message = JSON.stringify({ id: commands.indexOf(method), method })
      if (sessionId !== undefined) session.post('NodeWorker.sendMessageToWorker', { sessionId, message })
    }
    const end = () => {
      clearTimeout(timer)
      session.disconnect()
      resolve(stack)
    }
    // A thread that stands still in a debugger cannot be ended: it is let go before anything else happens to it.
    const letGo = () => {
      tell('Debugger.resume')
      tell('Debugger.disable')
    }
    let timer = setTimeout(() => {
      letGo()
      timer = setTimeout(end, answerMaxMs / 10)
    }, answerMaxMs)

    session.on('NodeWorker.attachedToWorker', ({ params }) => {
      // Its `workerId` is the debugger's own count; the number of the thread is in the title alone.
      if (!params.workerInfo.title.startsWith(`[worker ${threadId}]`)) return
      sessionId = params.sessionId
      tell('Debugger.enable')
      tell('Debugger.pause')
    })
    session.on('NodeWorker.receivedMessageFromWorker', ({ params }) => {
      if (params.sessionId !== sessionId) return
      const said = JSON.parse(params.message) as Said
      if (said.method === 'Debugger.scriptParsed') urls.set(said.params.scriptId, said.params.url)
      else if (said.method === 'Debugger.paused') {
        stack = stackText(said.params.callFrames, urls)
        letGo()
      } else if (said.method === undefined && said.id === commands.indexOf('Debugger.disable')) end()
    })
    session.post('NodeWorker.enable', { waitForDebuggerOnStart: false })
  })
}

/** A bundle's modules go by their ids, which are no URLs. */
function stackText(frames: readonly Frame[], urls: ReadonlyMap<string, string>): string {
  const lines = frames.flatMap(({ functionName, location: { scriptId, lineNumber, columnNumber } }) => {
    const url = urls.get(scriptId) ?? ''
    if (url === '' || /^(file|node):/.test(url)) return []
    const place = `${url}:${lineNumber + 1}:${columnNumber + 1}`
    return [functionName === '' ? `    at ${place}` : `    at ${functionName} (${place})`]
  })
  return lines.join('\n')
}
