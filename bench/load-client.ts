// An HTTPS client for measuring: on two processors, what the client costs is taken from the server, so it does no more than
// a load needs. One request at a time on each connection; of an answer only the status is looked at, unless somebody wants the body.
import { once } from 'node:events'
import { connect, type TLSSocket } from 'node:tls'

export interface Access {
  readonly port: number
  readonly ca: string
  readonly cert: string
  readonly key: string
}

interface Answer {
  readonly status: number
  readonly body: string
}

const endOfHead = '\r\n\r\n'
const endOfChunks = Buffer.from('0\r\n\r\n')
const host = '127.0.0.1'
/** What an event ends with; the other lines are those of the transfer in chunks. */
const [closingBrace, newline] = [0x7d, 0x0a]

function head(method: string, path: string, body: string | undefined, contentType: string): string {
  const content =
    body === undefined ? '' : `Content-Type: ${contentType}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`
  return `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\nAccept: application/json\r\n${content}\r\n`
}

class Connection {
  private readonly socket: TLSSocket
  private wantsBody = false
  private waiting: { readonly resolve: (answer: Answer) => void; readonly reject: (error: Error) => void } | undefined
  private chunks: Buffer[] = []
  private status = 0
  /** Bytes of the body that are still to come; unknown while it is sent in chunks, -1 before the head was read. */
  private missing = -1
  private tail: Buffer = Buffer.alloc(0)

  private constructor(socket: TLSSocket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => this.read(chunk))
    socket.on('error', error => this.waiting?.reject(error))
    socket.on('close', () => this.waiting?.reject(new Error('the server closed the connection')))
  }

  static async open({ port, ca, cert, key }: Access): Promise<Connection> {
    const socket = connect({ host, port, ca, cert, key })
    socket.setNoDelay(true)
    await once(socket, 'secureConnect')
    return new Connection(socket)
  }

  ask(
    method: string,
    path: string,
    body: string | undefined,
    contentType: string,
    wantsBody: boolean,
  ): Promise<Answer> {
    this.wantsBody = wantsBody
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject }
      this.socket.write(head(method, path, body, contentType) + (body ?? ''))
    })
  }

  close(): void {
    this.socket.destroy()
  }

  private read(chunk: Buffer): void {
    const content = this.missing === -1 ? this.readHead(chunk) : chunk
    if (this.wantsBody) this.chunks.push(content)
    this.missing -= content.length
    if (this.missing === 0 || (Number.isNaN(this.missing) && this.endsChunks(content))) this.answered()
  }

  /** Heads are small and come in one piece. */
  private readHead(chunk: Buffer): Buffer {
    const end = chunk.indexOf(endOfHead) + endOfHead.length
    const text = chunk.toString('latin1', 0, end)
    this.status = Number(text.slice(9, 12))
    this.missing = Number(/content-length: (\d+)/i.exec(text)?.[1])
    return chunk.subarray(end)
  }

  /** JSON has no such bytes, so they can only be the end of a body that is sent in chunks. */
  private endsChunks(content: Buffer): boolean {
    this.tail = content.length < endOfChunks.length ? Buffer.concat([this.tail, content]) : content
    return this.tail.subarray(-endOfChunks.length).equals(endOfChunks)
  }

  private answered(): void {
    const { waiting, status, chunks } = this
    this.waiting = undefined
    this.chunks = []
    this.missing = -1
    waiting?.resolve({ status, body: Buffer.concat(chunks).toString() })
  }
}

export class LoadClient {
  private readonly access: Access
  private readonly idle: Connection[]
  private readonly watches: TLSSocket[] = []

  private constructor(access: Access, connections: Connection[]) {
    this.access = access
    this.idle = connections
  }

  static async open(access: Access, connections: number): Promise<LoadClient> {
    return new LoadClient(access, await Promise.all(Array.from({ length: connections }, () => Connection.open(access))))
  }

  /** No more calls at once than there are connections. @throws Error when the answer is none of success */
  async call(method: string, path: string, body?: string, contentType = 'application/json'): Promise<void> {
    await this.send(method, path, body, contentType, false)
  }

  /** The body as it was sent: with the lengths of chunks, where there are several. */
  async read(path: string): Promise<string> {
    return (await this.send('GET', path, undefined, '', true)).body
  }

  private async send(
    method: string,
    path: string,
    body: string | undefined,
    contentType: string,
    wantsBody: boolean,
  ): Promise<Answer> {
    const connection = this.idle.pop()!
    const answer = await connection.ask(method, path, body, contentType, wantsBody)
    this.idle.push(connection)
    if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.status}`)
    return answer
  }

  /** Opens a watch on a connection of its own and tells how many lines came, an event each. */
  async watch(path: string, onLines: (count: number) => void): Promise<void> {
    const { port, ca, cert, key } = this.access
    const socket = connect({ host, port, ca, cert, key })
    this.watches.push(socket)
    socket.on('error', () => {})
    socket.write(head('GET', path, undefined, ''))
    const [first] = (await once(socket, 'data')) as [Buffer]
    if (first.toString('latin1', 9, 12) !== '200') throw new Error(`GET ${path}: ${first.toString('latin1', 9, 12)}`)
    let before: number | undefined
    socket.on('data', (chunk: Buffer) => {
      let lines = 0
      for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, at + 1))
        if ((at === 0 ? before : chunk[at - 1]) === closingBrace) lines++
      before = chunk.at(-1)
      onLines(lines)
    })
  }

  closeWatches(): void {
    for (const socket of this.watches.splice(0)) socket.destroy()
  }

  close(): void {
    this.closeWatches()
    for (const connection of this.idle) connection.close()
  }
}
