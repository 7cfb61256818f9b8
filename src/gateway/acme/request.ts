// One request to an authority, whose server may be vouched for by somebody who only its issuer knows.
import { boundedRequest } from '../../host/bounded-request.ts'
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
  return async (url, { method, body }) => {
    try {
      if (!url.startsWith('https://')) throw new Error(`expected a URL with https, found ${url.slice(0, 200)}`)
      const answer = await boundedRequest(url, {
        method,
        headers: {
          'user-agent': 'sampan',
          ...(body !== undefined && {
            'content-type': 'application/jose+json',
            'content-length': Buffer.byteLength(body),
          }),
        },
        ...(body !== undefined && { body }),
        ...(authorities !== undefined && { authority: authorities }),
        timeoutMs: patienceMs,
        mostBytes: longestAnswer,
      })
      const header = (name: string): string | undefined => [answer.headers[name]].flat()[0]
      return { status: answer.status, header, text: answer.body.toString() }
    } catch (error) {
      throw new AuthorityAway(`${new URL(url).host}: ${errorText(error)}`)
    }
  }
}
