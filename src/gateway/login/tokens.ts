// What the gateway gives to browsers: a session, which HAProxy verifies, and what a login needs until its end, which nobody
// else reads.
import { EncryptJWT, jwtDecrypt, SignJWT, type JWTPayload } from 'jose'
import type { Login } from '../model/policing.ts'
import { providerClaims, sessionIssuer } from '../model/policies/logins.ts'
import { sessionAlgorithm, type SessionKeys } from './session-keys.ts'

/** A login that has begun. */
export interface BegunLogin {
  readonly id: string
  readonly state: string
  readonly nonce: string
  readonly codeVerifier: string
  /** Where somebody wanted to go. */
  readonly to: string
}

export const loginSeconds = 600
/** Of who asks, as HAProxy takes it (haproxy/token-lines.ts). */
const mostCharacters = 256

/** Why somebody is not let in. */
export class NotLetIn extends Error {}

/** @throws NotLetIn when the provider does not say what is asked for */
export function session(login: Login, said: JWTPayload, keys: SessionKeys, nowMs: number): Promise<string> {
  const who = said[login.consumerClaim]
  if (typeof who !== 'string' || who === '') throw new NotLetIn(`the provider does not say your ${login.consumerClaim}`)
  if (who.length > mostCharacters)
    throw new NotLetIn(`your ${login.consumerClaim} is longer than ${mostCharacters} characters`)
  const asked = login.claims.map(({ name, values }) => {
    const found = [said[name]].flat().filter(each => values.includes(String(each)))
    if (found.length === 0) throw new NotLetIn(`your ${name} is none of those that are let in`)
    // What nobody asks for would make the cookie long.
    return [name, found] as const
  })
  const seconds = Math.floor(nowMs / 1000)
  return new SignJWT({ [providerClaims]: Object.fromEntries(asked) })
    .setProtectedHeader({ alg: sessionAlgorithm })
    .setIssuer(sessionIssuer)
    .setAudience(login.id)
    .setSubject(who)
    .setIssuedAt(seconds)
    .setExpirationTime(seconds + Math.floor(login.sessionMs / 1000))
    .sign(keys.signing)
}

export const sealed = (begun: BegunLogin, keys: SessionKeys, nowMs: number): Promise<string> =>
  new EncryptJWT({ ...begun })
    .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
    .setExpirationTime(Math.floor(nowMs / 1000) + loginSeconds)
    .encrypt(keys.sealing)

/** undefined: it is none of ours, or too old. */
export async function unsealed(text: string, keys: SessionKeys, nowMs: number): Promise<BegunLogin | undefined> {
  try {
    const { payload } = await jwtDecrypt<BegunLogin>(text, keys.sealing, { currentDate: new Date(nowMs) })
    return payload
  } catch {
    return undefined
  }
}
