// The certificates that a listener shows, out of the Secrets that it refers to. Pure. Source: Gateway API, ListenerTLSConfig.
import { gatewayGroup } from '../../api/gateway-names.ts'
import type { Gateway, Listener, ListenerSet } from '../../api/gateway-api/types.ts'
import { fails, type Finding } from './findings.ts'
import { isGranted } from './grants.ts'
import { ingressHost } from './host-names.ts'
import type { HostName, ShownCertificate } from './model.ts'
import type { WantedCertificate } from './issuer-lookup.ts'
import type { Issuing } from './observed.ts'

/** Of a listener's `tls.options`. */
export const ownAuthorityOption = 'gateway.sampan.dev/own-authority'

export interface ListenerCertificates {
  readonly certificates: readonly ShownCertificate[]
  /** The own authority of this machine vouches for what none is shown for. */
  readonly isVouched: boolean
  /** Of an issuer, in place of one that is not there. */
  readonly wanted?: WantedCertificate
  readonly findings: readonly Finding[]
}

export function listenerCertificates(
  owner: Gateway | ListenerSet,
  { tls }: Listener,
  name: HostName,
  observed: Issuing,
): ListenerCertificates {
  const namespace = owner.metadata.namespace ?? ''
  const certificates: ShownCertificate[] = []
  const findings: Finding[] = []
  for (const { group, kind, name: secret, namespace: place = namespace } of tls?.certificateRefs ?? []) {
    const invalid = (message: string): number => findings.push(fails('ResolvedRefs', 'InvalidCertificateRef', message))
    if (group !== '' || kind !== 'Secret') invalid(`expected a Secret, found the ${kind} "${secret}"`)
    else if (
      !isGranted(
        observed.referenceGrants,
        { group: gatewayGroup, kind: owner.kind, namespace },
        { group, kind, namespace: place, name: secret },
      )
    )
      findings.push(
        fails(
          'ResolvedRefs',
          'RefNotPermitted',
          `the Secret "${secret}" is in the namespace ${place}, where no ReferenceGrant lets ${owner.kind}s of ${namespace} refer to it`,
        ),
      )
    else {
      const found = observed.certificate(place, secret)
      if ('problem' in found) invalid(found.problem)
      else {
        const to = name.kind === 'any' ? found.names.map(ingressHost) : [name]
        certificates.push(...to.map(each => ({ to: each, id: found.certificate.id })))
      }
    }
  }
  const isVouched = tls?.options?.[ownAuthorityOption] === 'true'
  const issued = certificates.length === 0 && !isVouched ? observed.issuerOf(name) : undefined
  if (issued !== undefined && findings.every(({ reason }) => reason === 'InvalidCertificateRef')) {
    const { issuer, domain, secret } = issued
    const found = observed.certificate(secret.namespace, secret.name)
    const wanted = { ...issued, found }
    if (!('problem' in found))
      return { certificates: [{ to: name, id: found.certificate.id }], isVouched, wanted, findings: [] }
    const message = `the CertificateIssuer "${issuer.metadata.name}" has no certificate for ${domain} yet`
    return { certificates, isVouched, wanted, findings: [fails('ResolvedRefs', 'InvalidCertificateRef', message)] }
  }
  if (findings.length === 0 && certificates.length === 0 && !isVouched)
    findings.push(
      fails(
        'ResolvedRefs',
        'InvalidCertificateRef',
        `expected tls.certificateRefs with a Secret, or tls.options with ${ownAuthorityOption}: "true", found neither`,
      ),
    )
  return { certificates, isVouched, findings }
}
