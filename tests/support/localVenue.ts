import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { zipOfOne } from './rawFiles.ts'

/** A server that gives out given files in the venue's layout, and answers its API with given rows. */
export type LocalVenue = {
  readonly url: string
  readonly asked: string[]
  close(): Promise<void>
}

export type LocalContent = {
  /** The text of archives by their key without `.zip`. */
  readonly archives?: Readonly<Record<string, () => Uint8Array>>
  /** Rows of the API by path; each has a time, by which start and end choose. */
  readonly rows?: Readonly<Record<string, readonly { readonly tsMs: number; readonly row: unknown }[]>>
  /** Whole bodies of the API by path. */
  readonly bodies?: Readonly<Record<string, Uint8Array | string>>
}

export async function localVenue({ archives = {}, rows = {}, bodies = {} }: LocalContent): Promise<LocalVenue> {
  const asked: string[] = []
  const answer = (url: string): Uint8Array | undefined => {
    const { pathname, searchParams } = new URL(url, 'http://local')
    const body = bodies[pathname]
    if (body !== undefined) return Buffer.from(body as string)
    const found = rows[pathname]
    if (found !== undefined) {
      const [from, to] = [Number(searchParams.get('startTime') ?? 0), Number(searchParams.get('endTime') ?? 9e15)]
      const page = found
        .filter(({ tsMs }) => tsMs >= from && tsMs <= to)
        .slice(0, Number(searchParams.get('limit') ?? 500))
      return Buffer.from(JSON.stringify(page.map(({ row }) => row)))
    }
    const match = /^\/(.+)\.zip(\.CHECKSUM)?$/.exec(pathname)
    const content = match === null ? undefined : archives[match[1]!]
    if (content === undefined) return undefined
    const stem = match![1]!.split('/').at(-1)!
    const zip = zipOfOne(`${stem}.csv`, content())
    return match![2] === undefined
      ? zip
      : Buffer.from(`${createHash('sha256').update(zip).digest('hex')}  ${stem}.zip\n`)
  }
  const server = createServer((request, response) => {
    asked.push(request.url!)
    const body = answer(request.url!)
    response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/octet-stream' })
    response.end(body ?? '<Error><Code>NoSuchKey</Code></Error>')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
