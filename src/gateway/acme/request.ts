// One request to an authority, whose server may be vouched for by somebody who only its issuer knows.
import { request as httpsRequest } from 'node:https'
import { errorText } from '../../lib/error-text.ts'
import { AuthorityAway } from './problem.ts'

export interface AskedAuthority {
  readonly method: 'GET' | 'HEAD' | 'POST'
  readonly body?: string
}

export interface AuthorityAnswer {
  readonly status: number
  readonly header: (name: string) => string | undefined
  readonly text: string
}

export type AskAuthority = (url: string, asked: AskedAuthority) => Promise<AuthorityAnswer>

const patienceMs = 30_000
/** Directories, orders and chains are small. */
const longestAnswer = 1024 * 1024

/** @param authorities in PEM; undefined: those that Node trusts @throws AuthorityAway */
export function authorityAsker(authorities: string | undefined): AskAuthority {
  return (url, { method, body }) => {
    const { promise, resolve, reject } = Promise.withResolvers<AuthorityAnswer>()
    const away = (error: unknown): void => reject(new AuthorityAway(`${new URL(url).host}: ${errorText(error)}`))
    if (!url.startsWith('https://')) {
      away(`expected a URL with https, found ${url.slice(0, 200)}`)
      return promise
    }
    const asking = httpsRequest(
      url,
      {
        method,
        agent: false,
        timeout: patienceMs,
        signal: AbortSignal.timeout(patienceMs),
        headers: {
          'user-agent': 'sampan',
          ...(body !== undefined && {
            'content-type': 'application/jose+json',
            'content-length': Buffer.byteLength(body),
          }),
        },
        ...(authorities !== undefined && { ca: authorities }),
      },
      answer => {
        let text = ''
        answer.setEncoding('utf8')
        answer.on('data', (part: string) => {
          text += part
          if (text.length > longestAnswer) asking.destroy(new Error('its answer is longer than 1 MiB'))
        })
        answer.on('error', away)
        answer.on('end', () =>
          resolve({ status: answer.statusCode ?? 0, header: name => [answer.headers[name]].flat()[0], text }),
        )
      },
    )
    asking.on('error', away)
    asking.end(body)
    return promise
  }
}
