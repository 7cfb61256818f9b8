// The certificates that a listener shows, out of the Secrets that it refers to. Pure. Source: Gateway API, ListenerTLSConfig.
import { gatewayGroup } from '../kinds/bundle.ts'
import type { Gateway, Listener, ListenerSet } from '../kinds/types.ts'
import { fails, type Finding } from './findings.ts'
import { isGranted } from './grants.ts'
import type { HostName, ShownCertificate } from './model.ts'
import type { Observed } from './observed.ts'

export interface ListenerCertificates {
  readonly certificates: readonly ShownCertificate[]
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
      else certificates.push({ ...(name.kind !== 'any' && { to: name }), id: found.certificate.id })
    }
  }
  if (findings.length === 0 && certificates.length === 0)
    findings.push(
      fails('ResolvedRefs', 'InvalidCertificateRef', 'expected tls.certificateRefs with a Secret, found none'),
    )
  return { certificates, findings }
}
