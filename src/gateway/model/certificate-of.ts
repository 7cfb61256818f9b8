// The certificate that a Secret holds, as the gateway shows it, or why it cannot be shown. Pure: it reads no clock.
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import type { Secret } from '../../api/generated/models.ts'
import { errorText } from '../../lib/error-text.ts'
import type { Certificate } from './model.ts'

export interface SecretCertificate {
  readonly certificate: Certificate
  /** `shop.example.com`, `*.example.com`: that stand in it. */
  readonly names: readonly string[]
  /** Epoch milliseconds. */
  readonly validFromMs: number
  readonly expiresAtMs: number
}

export type FoundCertificate =
  | SecretCertificate
  /** Why it cannot be shown: `the Secret "web-tls" has no tls.crt`. */
  | { readonly problem: string }

export interface SecretName {
  readonly namespace: string
  readonly name: string
}

/** `fault`: what is wrong with a Secret, said of it. */
type Held = SecretCertificate | { readonly fault: string }

/** Of each Secret as it was at a time, since a model is made at each change of anything. */
const known = new WeakMap<Secret, Held>()

/** @param found undefined where there is none of this name @param nowMs of which it is asked whether it has expired */
export function certificateOf(
  { namespace, name }: SecretName,
  found: Secret | undefined,
  nowMs: number,
): FoundCertificate {
  if (found === undefined) return { problem: `there is no Secret "${name}" in the namespace ${namespace}` }
  let held = known.get(found)
  if (held === undefined) known.set(found, (held = read(found)))
  if ('fault' in held) return { problem: `the Secret "${name}" ${held.fault}` }
  if (nowMs < held.expiresAtMs) return held
  const day = new Date(held.expiresAtMs).toISOString().slice(0, 10)
  return { problem: `the Secret "${name}" holds a certificate that expired on ${day}` }
}

function read({ data = {}, metadata: { namespace = '', name } }: Secret): Held {
  const [chainText, keyText] = [data['tls.crt'], data['tls.key']].map(value =>
    value === undefined ? '' : Buffer.from(value, 'base64').toString(),
  )
  if (chainText === undefined || chainText.trim() === '') return { fault: 'has no tls.crt' }
  if (keyText === undefined || keyText.trim() === '') return { fault: 'has no tls.key' }
  const chain = certificatesIn(chainText)
  const [leaf] = chain ?? []
  if (chain === undefined || leaf === undefined) return { fault: 'has a tls.crt that is no certificate in PEM' }
  const key = privateKey(keyText)
  if (key === undefined) return { fault: 'has a tls.key that is no private key in PEM, or one with a password' }
  if (!leaf.checkPrivateKey(key)) return { fault: 'has a tls.key that is not the one of its tls.crt' }
  const blocks = chain.map(each => each.toString())
  const keyBlock = key.export({ type: 'pkcs8', format: 'pem' }) as string
  const refused = refusal(blocks.join(''), keyBlock)
  if (refused !== undefined) return { fault: `holds a certificate that is not sound: ${refused}` }
  return {
    certificate: { id: `${namespace}.${name}`, pem: [...blocks, keyBlock].map(block => `${block.trim()}\n`).join('') },
    names: namesIn(leaf),
    validFromMs: Date.parse(leaf.validFrom),
    expiresAtMs: Date.parse(leaf.validTo),
  }
}

/** undefined: one of them cannot be read. */
function certificatesIn(text: string): readonly X509Certificate[] | undefined {
  try {
    return Array.from(
      text.matchAll(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g),
      ([block]) =>
        // What stands around the blocks, and how they are broken into lines, is nobody's business.
        new X509Certificate(block),
    )
  } catch {
    return undefined
  }
}

function privateKey(text: string): KeyObject | undefined {
  try {
    return createPrivateKey(text)
  } catch {
    return undefined
  }
}

/** OpenSSL judges here as it does in HAProxy, where it would hold all else up. */
function refusal(cert: string, key: string): string | undefined {
  try {
    createSecureContext({ cert, key, minVersion: 'TLSv1.2', ciphers: 'DEFAULT@SECLEVEL=2' })
    return undefined
  } catch (error) {
    return errorText(error)
  }
}

/** The subject counts where nothing else names it, as HAProxy has it. */
function namesIn({ subjectAltName = '', subject }: X509Certificate): readonly string[] {
  const names = subjectAltName.split(', ').flatMap(entry => (entry.startsWith('DNS:') ? [entry.slice(4)] : []))
  if (names.length > 0) return names
  return /^CN=(.+)$/m.exec(subject)?.slice(1) ?? []
}
