// Certificates of authorities out of a ConfigMap. Pure.
import { X509Certificate } from 'node:crypto'
import { fails, type Finding } from './findings.ts'

export type FoundAuthority =
  /** Certificates, in PEM. */
  | { readonly pem: string }
  /** Why it is none: `there is no ConfigMap "ca" with ca.crt in the namespace shop`. */
  | { readonly problem: string }

/** Of a ConfigMap. */
export type AuthorityLookup = (namespace: string, name: string) => FoundAuthority

/** @param configuration what the ConfigMap holds; undefined: there is none */
export function authorityIn(
  { namespace, name }: { readonly namespace: string; readonly name: string },
  configuration: Readonly<Record<string, string>> | undefined,
): FoundAuthority {
  const text = configuration?.['ca.crt']
  if (text === undefined)
    return { problem: `there is no ConfigMap "${name}" with ca.crt in the namespace ${namespace}` }
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []
  if (blocks.length === 0 || !blocks.every(isCertificate))
    return { problem: `the ca.crt of the ConfigMap "${name}" is no certificate in PEM` }
  return { pem: blocks.map(block => `${block}\n`).join('') }
}

function isCertificate(block: string): boolean {
  try {
    return new X509Certificate(block).raw.length > 0
  } catch {
    return false
  }
}

/**
 * @param reference to what holds them
 * @param invalidKind the reason where it refers to something else
 * @returns certificates of authorities in PEM, or what is wrong
 */
export function authorityOf(
  namespace: string,
  { group, kind, name }: { readonly group: string; readonly kind: string; readonly name: string },
  { authority }: { readonly authority: AuthorityLookup },
  invalidKind = 'InvalidKind',
): { readonly pem?: string; readonly finding?: Finding } {
  if (group !== '' || kind !== 'ConfigMap')
    return { finding: fails('ResolvedRefs', invalidKind, `expected a ConfigMap, found the ${kind} "${name}"`) }
  const found = authority(namespace, name)
  return 'pem' in found ? found : { finding: fails('ResolvedRefs', 'InvalidCACertificateRef', found.problem) }
}
