// One request to a registry and the beginning of its answer, over HTTP or HTTPS, through the proxy that the environment
// names, with the certificate authorities of the machine and those that docker and podman keep for the host. A redirection is followed, without
// what tells who one is when it leads elsewhere.
import { readdirSync, readFileSync } from 'node:fs'
import { Agent, request, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http'
import type { Agent as SecureAgent } from 'node:https'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Readable } from 'node:stream'
import { BuildError } from '../build/build-error.ts'

export interface Asked {
  readonly method: string
  readonly url: URL
  readonly headers?: OutgoingHttpHeaders
  readonly body?: () => Readable
}

const maximumRedirections = 5
const certificateFolders = ['/etc/docker/certs.d', '/etc/containers/certs.d']

export class Exchange {
  private readonly silenceMs: number
  private readonly http = new Agent({ keepAlive: true, maxSockets: 8, proxyEnv: process.env })
  private readonly https = new Map<string, SecureAgent>()

  /** @param silenceMs after which a connection is taken for dead */
  constructor(silenceMs = 60_000) {
    this.silenceMs = silenceMs
  }

  /** @throws BuildError when it cannot be reached; the body of the answer has to be read or thrown away */
  async ask(asked: Asked, redirections = 0): Promise<IncomingMessage> {
    const answer = await this.send(asked)
    const { location } = answer.headers
    const status = answer.statusCode ?? 0
    if (location === undefined || ![301, 302, 303, 307, 308].includes(status) || asked.method === 'POST') return answer
    answer.resume()
    if (redirections === maximumRedirections)
      throw new BuildError(`${asked.url.host} sends requests around in a circle (${location})`)
    const url = new URL(location, asked.url)
    const { authorization, ...others } = asked.headers ?? {}
    const isSame = url.origin === asked.url.origin
    return this.ask(
      { ...asked, url, headers: { ...others, ...(isSame && authorization !== undefined && { authorization }) } },
      redirections + 1,
    )
  }

  close(): void {
    this.http.destroy()
    for (const agent of this.https.values()) agent.destroy()
  }

  private async send({ method, url, headers = {}, body }: Asked): Promise<IncomingMessage> {
    const way = url.protocol === 'https:' ? await this.secureWay(url.host) : { ask: request, agent: this.http }
    return new Promise((resolve, reject) => {
      const outgoing = way.ask(url, { method, headers, agent: way.agent, timeout: this.silenceMs }, resolve)
      outgoing.once('timeout', () => outgoing.destroy(new Error(`nothing came for ${this.silenceMs / 1000} s`)))
      const content = body?.()
      // What cannot be read is not the registry's fault.
      content?.once('error', reject)
      outgoing.once('error', error => reject(unreachable(url, error)))
      if (content === undefined) outgoing.end()
      else pipeline(content, outgoing).catch(reject)
    })
  }

  /** What HTTPS needs takes a while to load, and the cluster's own registry answers without. */
  private async secureWay(host: string): Promise<{ ask: typeof request; agent: SecureAgent }> {
    const [https, { getCACertificates }] = await Promise.all([import('node:https'), import('node:tls')])
    const agent =
      this.https.get(host) ??
      new https.Agent({
        keepAlive: true,
        maxSockets: 8,
        proxyEnv: process.env,
        ca: [...getCACertificates('default'), ...getCACertificates('system'), ...authoritiesOf(host)],
      })
    this.https.set(host, agent)
    return { ask: https.request, agent }
  }
}

function authoritiesOf(host: string): string[] {
  return certificateFolders.flatMap(folder => {
    try {
      const place = join(folder, host)
      return readdirSync(place)
        .filter(name => name.endsWith('.crt'))
        .map(name => readFileSync(join(place, name), 'utf8'))
    } catch {
      return []
    }
  })
}

function unreachable({ host, hostname }: URL, error: Error): BuildError {
  const isLocal = /^(?:127\.|localhost$|\[::1\]$)/.test(hostname)
  const next = isLocal ? '; is the cluster up? Start it with: sampan up' : ''
  return new BuildError(`the registry at ${host} cannot be reached (${error.message || error.name})${next}`)
}
