// What is known of a bearer token that was found good.
import { decodeJwt } from 'jose'
import { ApiError } from '../../api/api-error.ts'
import type { UserInfo } from '../request.ts'

/** What is to be said of a token on the way: to its user, and in the audit log. */
export interface TokenNotes {
  readonly warnings: readonly string[]
  readonly annotations: readonly (readonly [key: string, value: string])[]
}

export interface VerifiedToken {
  readonly user: UserInfo
  /** undefined: it does not end by itself. */
  readonly expiresMs?: number
  /** What it was issued for; the API server's own when nothing is said. */
  readonly audiences?: readonly string[]
  readonly notes?: TokenNotes
}

/** The token is the real one, but refused. What is said of that goes to reviews and the audit log, not to its user. */
export class RefusedToken extends ApiError {
  readonly why: string
  readonly notes: TokenNotes

  constructor(why: string, notes: TokenNotes) {
    super(401, 'Unauthorized', 'Unauthorized')
    this.why = why
    this.notes = notes
  }
}

export type VerifyToken = (token: string) => VerifiedToken | undefined | Promise<VerifiedToken | undefined>

/** Who a JSON Web Token says it is from; undefined: it is none, or does not say. */
export function issuerOf(token: string): string | undefined {
  try {
    return decodeJwt(token).iss
  } catch {
    return undefined
  }
}
