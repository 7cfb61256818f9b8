// The API as a conformance test speaks to it: HTTPS and JSON, nothing of the product's own client. Every
// call says what it expects; what comes instead is in the failure.
import { request as httpsRequest } from 'node:https'
import type { Readable } from 'node:stream'
import { expect } from 'vitest'
import { eventually } from '../../src/testing/eventually.ts'
import type { Answer, TestServer } from '../../src/testing/in-process-server.ts'

/** An object of any kind, as JSON. */
// oxlint-disable-next-line typescript/no-explicit-any -- tests look into objects of every kind
export type Json = any

export interface WatchEvent {
  readonly type: string
  readonly object: Json
}

export interface Watch {
  readonly events: readonly WatchEvent[]
  /** Waits for an event of this type whose object the test accepts, and returns the object. */
  next(type: string, accept?: (object: Json) => boolean): Promise<Json>
  close(): void
}

export type PatchType = 'json' | 'merge' | 'strategic' | 'apply'
const patchTypes: Readonly<Record<PatchType, string>> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
}

/** Paths of a group's resources in the namespace of the moment; without a name, of all objects. */
export const pathsIn =
  (namespace: () => string, group = 'api/v1') =>
  (plural: string, name = ''): string =>
    `/${group}/namespaces/${namespace()}/${plural}${name && `/${name}`}`

export class Api {
  private readonly server: TestServer
  private namespaces = 0

  constructor(server: TestServer) {
    this.server = server
  }

  get(path: string): Promise<Json> {
    return this.expect(200, 'GET', path)
  }

  post(path: string, body: object): Promise<Json> {
    return this.expect(201, 'POST', path, body)
  }

  put(path: string, body: object): Promise<Json> {
    return this.expect(200, 'PUT', path, body)
  }

  async patch(path: string, body: unknown, type: PatchType = 'merge'): Promise<Json> {
    return succeeded(
      await this.server.call('PATCH', path, { body, headers: { 'Content-Type': patchTypes[type] } }),
      [200, 201],
      `PATCH ${path}`,
    )
  }

  async delete(path: string, options?: object): Promise<Json> {
    return succeeded(await this.server.call('DELETE', path, { body: options }), [200, 202], `DELETE ${path}`)
  }

  async refused(status: number, method: string, path: string, body?: unknown): Promise<Json> {
    return this.expect(status, method, path, body)
  }

  answer(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    return this.server.call(method, path, { body, headers })
  }

  /** Undefined when there is none. */
  async find(path: string): Promise<Json> {
    const answer = await this.server.call('GET', path)
    return answer.status === 404 ? undefined : succeeded(answer, [200], `GET ${path}`)
  }

  gone(path: string): Promise<unknown> {
    return eventually(`the end of ${path}`, async () => (await this.find(path)) === undefined)
  }

  until(path: string, accept: (object: Json) => boolean): Promise<Json> {
    let last: Json
    return eventually(
      `the expected state of ${path}`,
      async () => {
        last = await this.find(path)
        return last !== undefined && accept(last) ? (last as object) : undefined
      },
      4500,
    ).catch((error: Error) => {
      throw new Error(`${error.message}; it is ${JSON.stringify(last)}`, { cause: error })
    })
  }

  async items(path: string, labelSelector = ''): Promise<Json[]> {
    return (
      (await this.get(
        `${path}${labelSelector === '' ? '' : `?labelSelector=${encodeURIComponent(labelSelector)}`}`,
      )) as { items: Json[] }
    ).items
  }

  /** A namespace of the test's own, with the service account that pods need. */
  async namespace(): Promise<string> {
    const name = `conformance-${++this.namespaces}`
    await this.post('/api/v1/namespaces', { metadata: { name } })
    await this.until(`/api/v1/namespaces/${name}/serviceaccounts/default`, () => true)
    return name
  }

  /** @param query starts with `?`; `watch=true` is added */
  async watch(path: string, query = '?'): Promise<Watch> {
    const { port, keys } = this.server
    const events: WatchEvent[] = []
    const request = httpsRequest({
      host: '127.0.0.1',
      port,
      path: `${path}${query}&watch=true`,
      ca: keys.authority.certificate,
      cert: keys.admin.certificate,
      key: keys.admin.key,
      agent: false,
    })
    await new Promise<void>((resolve, reject) => {
      request.once('error', reject)
      request.once('response', response => {
        // Whoever closes a watch breaks the connection off.
        response.on('error', () => response.destroy())
        if (response.statusCode !== 200) reject(new Error(`watching ${path} is answered with ${response.statusCode}`))
        readLines(response, line => events.push(JSON.parse(line) as WatchEvent))
        resolve()
      })
      request.end()
    })
    let taken = 0
    return {
      events,
      async next(type, accept = () => true) {
        const found = await eventually(`a ${type} event of ${path}`, () => {
          const index = events.findIndex(
            (event, place) => place >= taken && event.type === type && accept(event.object),
          )
          return index < 0 ? undefined : { index }
        })
        taken = found.index + 1
        return events[found.index]!.object as Json
      },
      close() {
        request.on('error', () => request.destroy())
        request.destroy()
      },
    }
  }

  private async expect(status: number, method: string, path: string, body?: unknown): Promise<Json> {
    return succeeded(await this.server.call(method, path, { body }), [status], `${method} ${path}`)
  }
}

function succeeded(answer: Answer, statuses: readonly number[], what: string): Json {
  expect(statuses, `${what}: ${answer.status} ${answer.text}`).toContain(answer.status)
  return answer.json
}

function readLines(stream: Readable, read: (line: string) => void): void {
  let rest = ''
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop()!
    lines.forEach(read)
  })
}
