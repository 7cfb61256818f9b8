// The certificates that a listener shows, out of the Secrets that it refers to. Pure. Source: Gateway API, ListenerTLSConfig.
import { gatewayGroup } from '../../api/gateway-names.ts'
import type { Gateway, Listener, ListenerSet } from '../../api/gateway-api/types.ts'
import { fails, type Finding } from './findings.ts'
import { isGranted } from './grants.ts'
import { ingressHost } from './host-names.ts'
import type { HostName, ShownCertificate } from './model.ts'
import type { Observed } from './observed.ts'

/** Of a listener's `tls.options`. */
export const ownAuthorityOption = 'gateway.sampan.dev/own-authority'

export interface ListenerCertificates {
  readonly certificates: readonly ShownCertificate[]
  /** The own authority of this machine vouches for what none is shown for. */
  readonly isVouched: boolean
  readonly findings: readonly Finding[]
}

export function listenerCertificates(
  owner: Gateway | ListenerSet,
  { tls }: Listener,
  name: HostName,
  observed: Observed,
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
