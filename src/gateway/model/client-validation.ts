// What a Gateway asks its clients for, and what it shows services: the certificates that its `spec.tls` refers to. A port
// without any authority that can be read is not served: nobody comes in whom nobody looked at. Pure.
// Source: Gateway API, GatewayTLSConfig.
import { gatewayGroup } from '../../api/gateway-names.ts'
import type { Gateway, ClientValidation as WrittenValidation } from '../../api/gateway-api/types.ts'
import { authorityOf } from './authority-of.ts'
import { fails, type Finding } from './findings.ts'
import { isGranted } from './grants.ts'
import type { ClientCheck } from './model.ts'
import type { Observed } from './observed.ts'

export interface ClientValidation {
  /** undefined: clients are asked for nothing, or, with findings, are not served. */
  readonly clients?: ClientCheck
  readonly findings: readonly Finding[]
}

type Reference = NonNullable<WrittenValidation['validation']>['caCertificateRefs'][number]
type Granting = Pick<Observed, 'referenceGrants' | 'authority' | 'certificate'>

/** What is written for the port alone goes before what is for all of them. */
export function clientValidation(gateway: Gateway, port: number, observed: Granting): ClientValidation {
  const { frontend } = gateway.spec.tls ?? {}
  const own = frontend?.perPort?.find(each => each.port === port)
  const { validation } = own?.tls ?? frontend?.default ?? {}
  if (validation === undefined) return { findings: [] }
  const found = validation.caCertificateRefs.map(reference => referredAuthority(reference, gateway, observed))
  const authorities = found.flatMap(({ pem }) => pem ?? [])
  const findings = found.flatMap(({ finding }) => finding ?? [])
  if (authorities.length === 0)
    return {
      findings: [
        fails('Accepted', 'NoValidCACertificate', findings.map(({ message }) => message).join(', and ')),
        ...findings,
      ],
    }
  return {
    clients: { authorities: authorities.join(''), isOptional: validation.mode === 'AllowInsecureFallback' },
    findings,
  }
}

function referredAuthority(reference: Reference, gateway: Gateway, observed: Granting): ReturnType<typeof authorityOf> {
  const { namespace = gateway.metadata.namespace ?? '' } = reference
  const notGranted = grantFinding({ ...reference, namespace }, gateway, observed)
  return notGranted === undefined
    ? authorityOf(namespace, reference, observed, 'InvalidCACertificateKind')
    : { finding: notGranted }
}

/** Where clients without a valid certificate come in. */
export const letsAnybodyIn = ({ spec: { tls } }: Gateway): boolean =>
  [tls?.frontend?.default, ...(tls?.frontend?.perPort ?? []).map(each => each.tls)].some(
    written => written?.validation?.mode === 'AllowInsecureFallback',
  )

export interface ServiceCertificate {
  /** Id of the certificate that services are shown; undefined: none. */
  readonly id?: string
  readonly findings: readonly Finding[]
}

export function serviceCertificate(gateway: Gateway, observed: Granting): ServiceCertificate {
  const reference = gateway.spec.tls?.backend?.clientCertificateRef
  if (reference === undefined) return { findings: [] }
  const { group, kind, name, namespace = gateway.metadata.namespace ?? '' } = reference
  const invalid = (message: string): ServiceCertificate => ({
    findings: [fails('ResolvedRefs', 'InvalidClientCertificateRef', message)],
  })
  if (group !== '' || kind !== 'Secret')
    return invalid(`expected a Secret, found the ${kind} "${name}" of the group "${group}"`)
  const notGranted = grantFinding({ group, kind, name, namespace }, gateway, observed)
  if (notGranted !== undefined) return { findings: [notGranted] }
  const found = observed.certificate(namespace, name)
  return 'problem' in found ? invalid(found.problem) : { id: found.certificate.id, findings: [] }
}

function grantFinding(
  to: { readonly group: string; readonly kind: string; readonly name: string; readonly namespace: string },
  { metadata: { namespace = '' } }: Gateway,
  { referenceGrants }: Granting,
): Finding | undefined {
  const from = { group: gatewayGroup, kind: 'Gateway', namespace }
  return isGranted(referenceGrants, from, to)
    ? undefined
    : fails(
        'ResolvedRefs',
        'RefNotPermitted',
        `the ${to.kind} "${to.name}" is in the namespace ${to.namespace}, where no ReferenceGrant lets Gateways of ${namespace} refer to it`,
      )
}
