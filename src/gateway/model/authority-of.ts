// Certificates of authorities out of a ConfigMap. Pure.
import { X509Certificate } from 'node:crypto'
import { fails, type Finding } from './findings.ts'
import type { Observed } from './observed.ts'

/** @param reference to what holds them @returns certificates of authorities in PEM, or what is wrong */
export function authorityOf(
  namespace: string,
  { group, kind, name }: { readonly group: string; readonly kind: string; readonly name: string },
  { configuration }: Pick<Observed, 'configuration'>,
): { readonly pem?: string; readonly finding?: Finding } {
  if (group !== '' || kind !== 'ConfigMap')
    return { finding: fails('ResolvedRefs', 'InvalidKind', `expected a ConfigMap, found the ${kind} "${name}"`) }
  const invalid = (message: string): { readonly finding: Finding } => ({
    finding: fails('ResolvedRefs', 'InvalidCACertificateRef', message),
  })
  const text = configuration(namespace, name)?.['ca.crt']
  if (text === undefined) return invalid(`there is no ConfigMap "${name}" with ca.crt in the namespace ${namespace}`)
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []
  if (blocks.length === 0 || !blocks.every(isCertificate))
    return invalid(`the ca.crt of the ConfigMap "${name}" is no certificate in PEM`)
  return { pem: blocks.map(block => `${block}\n`).join('') }
}

function isCertificate(block: string): boolean {
  try {
    return new X509Certificate(block).raw.length > 0
  } catch {
    return false
  }
}
