// RabbitMQ's management API: the field's own way to users and virtual hosts, which its messages have not.
import { createHash } from 'node:crypto'
import type { Reached } from '../backing-service.ts'
import { answer, HttpFailure } from '../http-exchange.ts'
import type { Dialect } from '../server-access.ts'

export const dialect: Dialect = {
  title: 'RabbitMQ',
  rights: 'needs the tag `administrator`: rabbitmqctl set_user_tags ... administrator',
  troubleOf(error) {
    if (!(error instanceof HttpFailure)) return undefined
    if (error.status === 401)
      return /not (?:management|monitor|administrator) user/i.test(error.message) ? 'rights' : 'credentials'
    if (error.status === 403) return 'rights'
    return error.status >= 500 ? 'unreachable' : undefined
  },
}

export interface Management {
  /** @returns undefined: there is none */
  read<T>(...path: string[]): Promise<T | undefined>
  put(body: object, ...path: string[]): Promise<void>
  post(body: object | Buffer, ...path: string[]): Promise<void>
  /** None there is fine. */
  remove(...path: string[]): Promise<void>
}

export function managementOf(server: Reached): Management {
  const { user, password } = server.administrator
  const headers = {
    authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
    'content-type': 'application/json',
  }
  async function send(
    method: string,
    path: readonly string[],
    body?: object | Buffer,
    also?: number[],
  ): Promise<Buffer> {
    const content = body === undefined ? undefined : Buffer.isBuffer(body) ? body : JSON.stringify(body)
    const question = { method, path: `/api/${path.map(encodeURIComponent).join('/')}`, headers, body: content }
    const { status, body: answered } = await answer(server, question, also)
    return status === 404 ? Buffer.of() : answered
  }
  return {
    async read<T>(...path: string[]) {
      const found = await send('GET', path, undefined, [404])
      return found.length === 0 ? undefined : (JSON.parse(String(found)) as T)
    },
    put: async (body, ...path) => void (await send('PUT', path, body)),
    post: async (body, ...path) => void (await send('POST', path, body)),
    remove: async (...path) => void (await send('DELETE', path, undefined, [404])),
  }
}

export interface User {
  /** A list, with commas between them before 3.9. */
  readonly tags: readonly string[] | string
  readonly password_hash: string
  readonly hashing_algorithm?: string
}

export const tagsOf = ({ tags }: User): readonly string[] => (typeof tags === 'string' ? tags.split(',') : tags)

/** Four bytes of salt, then the hash of salt and password. */
export function passwordFits({ password_hash: stored, hashing_algorithm: algorithm }: User, password: string): boolean {
  const name = /sha512/.test(algorithm ?? '') ? 'sha512' : 'sha256'
  const bytes = Buffer.from(stored, 'base64')
  const salt = bytes.subarray(0, 4)
  return createHash(name).update(salt).update(password).digest().equals(bytes.subarray(4))
}
