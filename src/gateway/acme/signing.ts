// What a client of ACME signs with the key of its account. Source: RFC 7515, RFC 7638, RFC 8555.
import { createHash, createHmac, createPrivateKey, createPublicKey, sign, type KeyObject } from 'node:crypto'

export interface AccountKey {
  readonly key: KeyObject
  readonly algorithm: string
  readonly jwk: Readonly<Record<string, string>>
  readonly thumbprint: string
}

const url64 = (value: string | Buffer): string => Buffer.from(value).toString('base64url')

/** @param pem P-256 or RSA @throws where it is neither */
export function accountKey(pem: string): AccountKey {
  const key = createPrivateKey(pem)
  const { kty, crv, x, y, n, e } = createPublicKey(key).export({ format: 'jwk' }) as Record<string, string>
  const isCurve = kty === 'EC' && crv === 'P-256'
  if (!isCurve && kty !== 'RSA') throw new Error(`expected a key for P-256 or RSA, found ${crv ?? kty}`)
  // Of a thumbprint, the order counts.
  const jwk: Record<string, string> = isCurve ? { crv: crv!, kty: kty!, x: x!, y: y! } : { e: e!, kty: kty!, n: n! }
  const thumbprint = createHash('sha256').update(JSON.stringify(jwk)).digest('base64url')
  return { key, algorithm: isCurve ? 'ES256' : 'RS256', jwk, thumbprint }
}

/** @param payload undefined: a question (POST-as-GET) */
export function signed({ key, algorithm }: AccountKey, header: object, payload: object | undefined): string {
  const [head, body] = [
    url64(JSON.stringify({ alg: algorithm, ...header })),
    payload === undefined ? '' : url64(JSON.stringify(payload)),
  ]
  const signature = sign('sha256', Buffer.from(`${head}.${body}`), { key, dsaEncoding: 'ieee-p1363' })
  return JSON.stringify({ protected: head, payload: body, signature: url64(signature) })
}

/** That an account which the authority has already agrees. @param secret in Base64 for URLs */
export function binding({ jwk }: AccountKey, url: string, keyId: string, secret: string): object {
  const [head, body] = [url64(JSON.stringify({ alg: 'HS256', kid: keyId, url })), url64(JSON.stringify(jwk))] as const
  const signature = createHmac('sha256', Buffer.from(secret.trim(), 'base64url')).update(`${head}.${body}`)
  return { protected: head, payload: body, signature: signature.digest('base64url') }
}
