// One request by HTTP or HTTPS to somebody else's server: bounded in time and in what it may answer, without redirections.
import { request as plainRequest, type OutgoingHttpHeaders, type IncomingHttpHeaders } from 'node:http'
import { request as secureRequest } from 'node:https'
import type { LookupFunction } from 'node:net'

export interface BoundedRequest {
  /** GET by default. */
  readonly method?: string
  readonly headers?: OutgoingHttpHeaders
  readonly body?: string
  /** PEM; the machine's authorities by default. */
  readonly authority?: string | readonly string[]
  /** Of names. */
  readonly lookup?: LookupFunction
  /** For all of it. */
  readonly timeoutMs: number
  readonly mostBytes: number
}

export interface BoundedAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** @throws Error when nobody answers in time, or with more than may be */
export function boundedRequest(url: string | URL, asked: BoundedRequest): Promise<BoundedAnswer> {
  const { method = 'GET', headers, body, authority, lookup, timeoutMs, mostBytes } = asked
  const send = new URL(url).protocol === 'http:' ? plainRequest : secureRequest
  return new Promise((resolve, reject) => {
    const request = send(
      url,
      {
        method,
        ...(headers !== undefined && { headers }),
        ...(authority !== undefined && { ca: typeof authority === 'string' ? authority : [...authority] }),
        ...(lookup !== undefined && { lookup }),
        timeout: timeoutMs,
        signal: AbortSignal.timeout(timeoutMs),
        agent: false,
      },
      response => {
        const chunks: Buffer[] = []
        let size = 0
        response.on('data', (chunk: Buffer) => {
          size += chunk.length
          if (size > mostBytes) request.destroy(new Error(`${url} answered with more than ${mostBytes} bytes`))
          else chunks.push(chunk)
        })
        response.once('error', reject)
        response.once('end', () =>
          resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks) }),
        )
      },
    )
    request.once('error', reject)
    request.end(body)
  })
}

/** @throws Error that says what came in place of an object */
export const fetchJson = async (url: string, asked: BoundedRequest): Promise<object> =>
  jsonIn(url, await boundedRequest(url, asked))

/** @throws Error that says what came in place of an object */
export function jsonIn(url: string, { status, body }: BoundedAnswer): object {
  if (status !== 200) throw new Error(`${url} answered ${status}`)
  let value: unknown
  try {
    value = JSON.parse(body.toString())
  } catch {
    value = undefined
  }
  if (typeof value !== 'object' || value === null)
    throw new Error(`${url} answered with something else than an object of JSON`)
  return value
}
