// A registry elsewhere, as the cache meets it: behind tokens where its repository begins with `private/`, with a list of
// what it was asked, and with the faults that a test gives it.
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { RegistryFixture } from './registry-fixture.ts'

export const goodPassword = 'Basic ' + Buffer.from('me:secret').toString('base64')
const token = 'token-of-me'

export class ForeignRegistry {
  /** To fill it. */
  readonly inside: RegistryFixture
  /** `GET blobs/sha256:...`, with the range behind it. */
  readonly asked: string[] = []
  /** Bytes of a blob after which the connection breaks, once for each number. */
  readonly breakAfter: number[] = []
  /** What a blob is replaced by. */
  forgery: Buffer | undefined
  /** Blobs are held back until this resolves. */
  gate: Promise<void> = Promise.resolve()
  private server = createServer((request, response) => void this.serve(request, response))
  private port = 0

  private constructor(inside: RegistryFixture) {
    this.inside = inside
  }

  static async start(): Promise<ForeignRegistry> {
    const foreign = new ForeignRegistry(await RegistryFixture.start())
    await foreign.comeBack()
    return foreign
  }

  /** As it stands before names of images. */
  get name(): string {
    return `127.0.0.1:${this.port}`
  }

  async comeBack(): Promise<void> {
    this.server = createServer((request, response) => void this.serve(request, response))
    this.server.listen(this.port, '127.0.0.1')
    await once(this.server, 'listening')
    this.port = (this.server.address() as AddressInfo).port
  }

  async goAway(): Promise<void> {
    this.server.closeAllConnections()
    this.server.close()
    await once(this.server, 'close')
  }

  async close(): Promise<void> {
    if (this.server.listening) await this.goAway()
    await this.inside.close()
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = request
    const { authorization = '', range = '' } = headers
    if (url.startsWith('/token')) {
      const isGood = authorization === goodPassword
      response.writeHead(isGood || authorization === '' ? 200 : 401)
      response.end(JSON.stringify({ token: isGood ? token : 'token-of-nobody' }))
      return
    }
    const [, what = ''] = /^\/v2\/.+?\/((?:manifests|blobs)\/.+)$/.exec(url) ?? []
    this.asked.push(`${method} ${what}${range === '' ? '' : ` ${range}`}`)
    if (url.startsWith('/v2/private/') && authorization !== `Bearer ${token}`) {
      const challenge = `Bearer realm="http://${this.name}/token",service="test",scope="repository:private:pull"`
      response.writeHead(401, { 'WWW-Authenticate': challenge }).end()
      return
    }
    const isBlob = method === 'GET' && what.startsWith('blobs/')
    if (isBlob) await this.gate
    if (isBlob && this.forgery !== undefined) {
      response.writeHead(200, { 'Content-Length': this.forgery.length }).end(this.forgery)
      return
    }
    this.pass(request, response, isBlob ? this.breakAfter.shift() : undefined)
  }

  private pass({ method, url, headers }: IncomingMessage, response: ServerResponse, limit = Infinity): void {
    const { authorization: _own, ...others } = headers
    const options = { host: '127.0.0.1', port: this.inside.port, method, path: url, headers: others }
    httpRequest(options, answer => {
      response.writeHead(answer.statusCode ?? 0, answer.headers)
      let sent = 0
      answer.on('data', (chunk: Buffer) => {
        const part = chunk.subarray(0, limit - sent)
        sent += part.length
        response.write(part, () => {
          if (sent >= limit) response.destroy()
        })
        if (sent >= limit) answer.destroy()
      })
      answer.on('end', () => response.end())
    }).end()
  }
}
