// Asks a webhook: one POST of JSON over TLS, one answer of JSON. Admission and the conversion of custom
// resources share it. Connections are kept; an answer has a limited size and a limited time. Every fault
// becomes a `WebhookFault` whose message says in Kubernetes' words what went wrong.
import { parseExactJson } from '../../lib/exact-json.ts'
import { Agent, request as httpsRequest } from 'node:https'
import type { ClientRequest, IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import type { Clock } from '../../lib/clock.ts'
import { hostAndPort, networkFaultText } from '../outgoing/network-fault.ts'
import type { ServiceResolver } from '../outgoing/resolve-service.ts'

/** As in webhook configurations and conversions of custom resources: a URL or a service. */
export interface WebhookClientConfig {
  readonly url?: string
  readonly service?: {
    readonly namespace: string
    readonly name: string
    readonly path?: string
    readonly port?: number
  }
  /** PEM in base64; the machine's own authorities without it. */
  readonly caBundle?: string
}

export interface WebhookCallOptions {
  readonly timeoutMs: number
  /** Tells the webhook how long the server waits (`?timeout=10s`), as admission does. */
  readonly announcesTimeout?: boolean
}

export class WebhookFault extends Error {
  /** False: the webhook was reached and what it answered is no answer. */
  readonly unreached: boolean

  constructor(message: string, unreached: boolean) {
    super(message)
    this.name = 'WebhookFault'
    this.unreached = unreached
  }
}

export interface WebhookCaller {
  /** @returns the parsed body of a good answer. @throws WebhookFault and nothing else */
  call(clientConfig: WebhookClientConfig, body: object, options: WebhookCallOptions): Promise<unknown>
  /** Lets go of kept connections. */
  close(): void
}

/** As what a client may send to this server. */
const answerLimitBytes = 3 * 1024 * 1024
const idleMs = 90_000

/** Where to connect, and as whom the other side must prove itself. */
interface Destination {
  readonly url: URL
  readonly host: string
  readonly port: number
  readonly serverName: string
  readonly authority: string | undefined
}

export function webhookCaller(resolve: ServiceResolver, clock: Clock): WebhookCaller {
  const agent = new Agent({ keepAlive: true, timeout: idleMs, scheduling: 'lifo' })

  /** undefined: a kept connection had been closed by the other side; a fresh one may do. */
  function post(destination: Destination, bytes: Buffer, timeoutMs: number): Promise<string | undefined> {
    const { url, host, port, serverName, authority } = destination
    const { promise, resolve: done, reject } = Promise.withResolvers<string | undefined>()
    const fail = (text: string, unreached: boolean): void =>
      reject(new WebhookFault(unreached ? `Post ${JSON.stringify(shownUrl(url))}: ${text}` : text, unreached))
    const call: ClientRequest = httpsRequest({
      agent,
      host,
      port,
      method: 'POST',
      path: url.pathname + url.search,
      ca: authority,
      ...(isIP(serverName) === 0 && { servername: serverName }),
      headers: {
        Host: url.host,
        'Content-Type': 'application/json',
        Accept: 'application/json',
        'Content-Length': bytes.length,
        'User-Agent': 'kube-apiserver-admission',
      },
    })
    const timer = clock.after(timeoutMs, () => {
      fail('context deadline exceeded', true)
      call.destroy()
    })
    call.on('response', response => void receive(response))
    const receive = async (response: IncomingMessage): Promise<void> => {
      try {
        done(await answerText(response))
      } catch (error) {
        if (error instanceof WebhookFault) reject(error)
        else fail(networkFaultText(error), true)
        call.destroy()
      }
    }
    call.on('upgrade', (_response, socket) => {
      socket.destroy()
      fail('the server responded with the status code 101 but did not return more information', false)
    })
    call.on('error', (error: NodeJS.ErrnoException) => {
      if (call.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE')) done(undefined)
      else fail(networkFaultText(error), true)
    })
    call.end(bytes)
    return promise.finally(() => timer.cancel())
  }

  return {
    async call(clientConfig, body, { timeoutMs, announcesTimeout = false }) {
      const destination = destinationOf(clientConfig, resolve, announcesTimeout ? timeoutMs : undefined)
      const bytes = Buffer.from(JSON.stringify(body))
      for (;;) {
        const text = await post(destination, bytes, timeoutMs)
        if (text !== undefined) return parsed(text)
      }
    },
    close: () => agent.destroy(),
  }
}

/** With the port, also where it is the usual one, as messages of Kubernetes show services. */
const shownUrl = (url: URL): string =>
  `${url.protocol}//${url.host}${url.hostname.endsWith('.svc') && url.port === '' ? ':443' : ''}${url.pathname}${url.search}`

function destinationOf(
  { url: text, service, caBundle }: WebhookClientConfig,
  resolve: ServiceResolver,
  timeoutMs: number | undefined,
): Destination {
  const authority = caBundle === undefined || caBundle === '' ? undefined : Buffer.from(caBundle, 'base64').toString()
  const url = urlOf(text, service)
  if (timeoutMs !== undefined) url.searchParams.set('timeout', `${timeoutMs / 1000}s`)
  const port = Number(url.port || 443)
  const serverName = url.hostname.replace(/^\[(.*)\]$/, '$1')
  if (service === undefined) return { url, host: serverName, port, serverName, authority }
  try {
    return { url, ...resolve(service.namespace, service.name, port), serverName, authority }
  } catch (error) {
    throw new WebhookFault(`Post ${JSON.stringify(shownUrl(url))}: ${(error as Error).message}`, true)
  }
}

function urlOf(text: string | undefined, service: WebhookClientConfig['service']): URL {
  if (service !== undefined) {
    const url = new URL(`https://${hostAndPort(`${service.name}.${service.namespace}.svc`, service.port ?? 443)}`)
    url.pathname = service.path ?? ''
    return url
  }
  const url = URL.parse(text ?? '')
  if (url === null) throw new WebhookFault('webhook configuration must have either service or URL', true)
  return url
}

/** @throws WebhookFault for what is no good answer, network faults as they are */
async function answerText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > answerLimitBytes)
      throw new WebhookFault(`the response body is larger than ${answerLimitBytes} bytes`, false)
    chunks.push(chunk)
  }
  if (!response.complete) throw new Error('unexpected EOF')
  const text = Buffer.concat(chunks).toString()
  const status = response.statusCode ?? 0
  if (status < 200 || status > 206) throw new WebhookFault(statusText(status, text), false)
  return text
}

/** Source: apimachinery pkg/api/errors, NewGenericServerResponse. */
function statusText(status: number, body: string): string {
  const said = body.trim().slice(0, 1024) || 'unknown'
  switch (status) {
    case 400:
      return 'the server rejected our request for an unknown reason'
    case 401:
      return 'the server has asked for the client to provide credentials'
    case 403:
      return said
    case 404:
      return 'the server could not find the requested resource'
    case 405:
      return 'the server does not allow this method on the requested resource'
    case 429:
      return 'the server has received too many requests and has asked us to try again later'
    case 503:
      return 'the server is currently unable to handle the request'
    case 504:
      return 'the server was unable to return a response in the time allotted, but may still be processing the request'
    default:
      return status >= 500
        ? `an error on the server (${JSON.stringify(said)}) has prevented the request from succeeding`
        : `the server responded with the status code ${status} but did not return more information`
  }
}

function parsed(text: string): unknown {
  try {
    return parseExactJson(text)
  } catch (error) {
    throw new WebhookFault(`couldn't get version/kind; json parse error: ${(error as Error).message}`, false)
  }
}
