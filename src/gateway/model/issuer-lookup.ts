// Which issuer gets the certificate of a host, and by which domain: all hosts of a wildcard share one. Pure.
import type { CertificateIssuer } from '../../api/gateway-api/certificate-issuers.ts'
import { issuerNamespace } from '../../api/gateway-names.ts'
import { compareAges } from './age-order.ts'
import type { FoundCertificate, SecretName } from './certificate-of.ts'
import { textOfHost } from './host-names.ts'
import type { HostName } from './model.ts'

export interface IssuedDomain {
  readonly issuer: CertificateIssuer
  readonly domain: string
  readonly secret: SecretName
}

export interface WantedCertificate extends IssuedDomain {
  readonly found: FoundCertificate
}

/** undefined: no issuer covers it. */
export type IssuerLookup = (name: HostName) => IssuedDomain | undefined

/** Of two issuers with the same domain, the older one has it. */
export function issuerLookup(issuers: readonly CertificateIssuer[]): IssuerLookup {
  const byDomain = new Map<string, CertificateIssuer>()
  for (const issuer of issuers.toSorted(compareAges))
    for (const domain of issuer.spec.domains) if (!byDomain.has(domain)) byDomain.set(domain, issuer)
  return name => {
    for (const domain of domainsFor(name)) {
      const issuer = byDomain.get(domain)
      if (issuer !== undefined) return { issuer, domain, secret: certificateSecret(domain) }
    }
    return undefined
  }
}

/** The most telling one first. */
function domainsFor(name: HostName): readonly string[] {
  if (name.kind === 'any') return []
  const text = textOfHost(name).toLowerCase()
  return name.kind === 'exact' ? [text, text.replace(/^[^.]+/, '*')] : [text]
}

/** No name of a host begins with what these begin with, and stands for a wildcard. */
export const certificateSecret = (domain: string): SecretName => ({
  namespace: issuerNamespace,
  name: domain.startsWith('*.') ? `tls-wildcard.${domain.slice(2)}` : `tls.${domain}`,
})
