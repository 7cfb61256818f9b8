// How services are spoken to by TLS, as policies say it: the one for a port goes before the one for all of a service, and of
// two for the same the older one. What a policy cannot verify is not spoken to at all. Pure.
// Source: Gateway API, BackendTLSPolicy.
import type { BackendTLSPolicy } from '../../api/gateway-api/types.ts'
import { compareAges } from './age-order.ts'
import { authorityOf } from './authority-of.ts'
import { servicePort } from './backends.ts'
import { fails, type Finding } from './findings.ts'
import { ownerOf } from './host-rule.ts'
import type { BackendTls, ServicePort } from './model.ts'
import type { Observed } from './observed.ts'

export interface OwnPolicy {
  readonly policy: BackendTLSPolicy
  readonly findings: readonly Finding[]
}

export interface BackendTlsPolicies {
  readonly own: readonly OwnPolicy[]
  readonly tlsOf: (service: ServicePort) => BackendTls | 'refused' | undefined
}

export function backendTlsPolicies(observed: Observed): BackendTlsPolicies {
  const byTarget = new Map<string, { readonly policy: BackendTLSPolicy; readonly tls: BackendTls | 'refused' }>()
  const own = observed.backendTlsPolicies.toSorted(compareAges).map((policy): OwnPolicy => {
    const { tls, findings } = verified(policy, observed)
    const conflicts: Finding[] = []
    for (const { group, kind, name, sectionName } of policy.spec.targetRefs) {
      if (group !== '' || kind !== 'Service') continue
      const key = keyOf(policy.metadata.namespace ?? '', name, sectionName)
      const older = byTarget.get(key)
      if (older === undefined) byTarget.set(key, { policy, tls })
      else
        conflicts.push(
          fails(
            'Accepted',
            'Conflicted',
            `how the service "${name}" is spoken to is said by the older ${ownerOf(older.policy)}`,
          ),
        )
    }
    return { policy, findings: [...conflicts, ...findings] }
  })
  return {
    own,
    tlsOf: ({ namespace, name, port }) => {
      const portName = servicePort(observed.service(namespace, name), port)?.name
      const found =
        (portName === undefined ? undefined : byTarget.get(keyOf(namespace, name, portName))) ??
        byTarget.get(keyOf(namespace, name))
      return found?.tls
    },
  }
}

const keyOf = (namespace: string, service: string, section = ''): string => `${namespace}/${service}/${section}`

interface Verified {
  readonly tls: BackendTls | 'refused'
  readonly findings: readonly Finding[]
}

function verified({ metadata, spec }: BackendTLSPolicy, observed: Observed): Verified {
  const { hostname, subjectAltNames = [], caCertificateRefs = [], wellKnownCACertificates } = spec.validation
  // HAProxy verifies the name that it asks for.
  if (subjectAltNames.some(each => each.type === 'URI' || each.hostname !== hostname))
    return {
      tls: 'refused',
      findings: [
        fails(
          'Accepted',
          'Invalid',
          `expected no subjectAltNames but "${hostname}", which is the name that is verified`,
        ),
      ],
    }
  if (!/^[a-z\d]([a-z\d.-]*[a-z\d])?$/i.test(hostname))
    return {
      tls: 'refused',
      findings: [fails('Accepted', 'Invalid', `expected the name of a host, found "${hostname}"`)],
    }
  if (caCertificateRefs.length === 0) {
    if (wellKnownCACertificates === 'System') return { tls: { name: hostname }, findings: [] }
    return {
      tls: 'refused',
      findings: [
        fails(
          'Accepted',
          'Invalid',
          `expected "System" as wellKnownCACertificates, found "${wellKnownCACertificates}"`,
        ),
      ],
    }
  }
  const namespace = metadata.namespace ?? ''
  const found = caCertificateRefs.map(reference => authorityOf(namespace, reference, observed))
  const authorities = found.flatMap(({ pem }) => pem ?? [])
  const findings = found.flatMap(({ finding }) => finding ?? [])
  if (authorities.length > 0) return { tls: { name: hostname, authorities: authorities.join('') }, findings }
  return {
    tls: 'refused',
    findings: [
      fails('Accepted', 'NoValidCACertificate', findings.map(({ message }) => message).join(', and ')),
      ...findings,
    ],
  }
}
