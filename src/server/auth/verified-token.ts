// What is known of a bearer token that was found good.
import { decodeJwt } from 'jose'
import type { UserInfo } from '../request.ts'

export interface VerifiedToken {
  readonly user: UserInfo
  /** undefined: it does not end by itself. */
  readonly expiresMs?: number
  /** What it was issued for; the API server's own when nothing is said. */
  readonly audiences?: readonly string[]
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
