// One request to a server that is administered over HTTP, with the authority of its certificate and times that end:
// Node.js' fetch takes no authority.
import { request as plainRequest, type IncomingMessage } from 'node:http'
import { request as secureRequest } from 'node:https'
import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import type { Reached } from './backing-service.ts'
import { commandMs, tlsOf } from './server-access.ts'

export interface Question {
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Buffer | string | Readable
}

export class HttpFailure extends Error {
  readonly status: number

  constructor(message: string, status: number) {
    super(message)
    this.name = 'HttpFailure'
    this.status = status
  }
}

/** Amazon and its like have certificates that everybody knows. */
export const speaksTls = ({ authority, port }: Pick<Reached, 'authority' | 'port'>): boolean =>
  authority !== undefined || port === 443

/** @returns an answer of any status, whose body is to be read */
export async function exchange(server: Reached, { method, path, headers, body }: Question): Promise<IncomingMessage> {
  const send = speaksTls(server) ? secureRequest : plainRequest
  const { host, port } = server
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const request = send(
    { host, port, method, path, headers, agent: false, timeout: commandMs, ...tlsOf(server) },
    resolve,
  )
  request.on('error', reject)
  request.on('timeout', () =>
    request.destroy(Object.assign(new Error(`no answer within ${commandMs / 1000} s`), { code: 'ETIMEDOUT' })),
  )
  // What the server says about a body that it did not want to read is the better answer.
  if (body !== undefined && typeof body !== 'string' && !Buffer.isBuffer(body)) pipeline(body, request).catch(reject)
  else request.end(body)
  return promise
}

/** @throws HttpFailure unless the status is a good one or among `also` */
export async function answer(
  server: Reached,
  question: Question,
  also: readonly number[] = [],
): Promise<{ readonly status: number; readonly body: Buffer; readonly headers: IncomingMessage['headers'] }> {
  const response = await exchange(server, question)
  const body = await buffer(response)
  const status = response.statusCode ?? 0
  if (status < 300 || also.includes(status)) return { status, body, headers: response.headers }
  throw new HttpFailure(
    `${question.method} ${question.path.split('?')[0]}: ${status} ${String(body).slice(0, 500)}`,
    status,
  )
}
