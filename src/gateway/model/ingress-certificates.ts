// Which certificates are shown to whom, out of the `tls` of Ingresses, and what is wrong with them. A host without one that
// can be shown gets one of the machine's own authority (secure-front.ts). Pure. Source: Kubernetes, Ingress v1.
import type { Ingress } from '../../api/generated/models.ts'
import { answersTo } from './find-rule.ts'
import { compareAges } from './age-order.ts'
import { ingressHost, textOfHost } from './host-names.ts'
import { ownerOf, type Problem } from './host-rule.ts'
import type { Certificate, HostName, ShownCertificate } from './model.ts'
import type { Issuing } from './observed.ts'

export interface IngressCertificates {
  readonly shown: readonly (ShownCertificate & { readonly to: HostName })[]
  /** By id: those that are shown. */
  readonly certificates: ReadonlyMap<string, Certificate>
  readonly problems: readonly Problem[]
}

interface Claim {
  readonly owner: string
  readonly id: string
  readonly to: HostName
}

/** @param own those that are served */
export function ingressCertificates(
  own: readonly Ingress[],
  { certificate: lookUp, issuerOf }: Pick<Issuing, 'certificate' | 'issuerOf'>,
): IngressCertificates {
  const certificates = new Map<string, Certificate>()
  const problems: Problem[] = []
  const claims = new Map<string, Claim>()
  for (const ingress of own.toSorted(compareAges)) {
    const owner = ownerOf(ingress)
    const { namespace = '' } = ingress.metadata
    for (const { hosts = [], secretName } of ingress.spec.tls ?? []) {
      if (secretName === undefined || secretName === '') continue
      const tell = (reason: string, message: string): void => void problems.push({ owner, reason, message })
      const found = lookUp(namespace, secretName)
      if ('problem' in found) {
        if (hosts.length > 0 && hosts.every(host => issuerOf(ingressHost(host)) !== undefined)) continue
        tell('CertificateNotUsable', `${found.problem}; ${instead}`)
        continue
      }
      const { certificate, names } = found
      for (const host of hosts.length > 0 ? hosts : names) {
        const to = ingressHost(host)
        const taken = claims.get(textOfHost(to))
        if (!names.some(name => vouchesFor(name, to)))
          tell(
            'CertificateNotUsable',
            `the certificate in the Secret "${secretName}" is not for ${host}, but for ${names.join(', ') || 'no name at all'}; ${instead}`,
          )
        else if (taken === undefined) {
          claims.set(textOfHost(to), { owner, id: certificate.id, to })
          certificates.set(certificate.id, certificate)
        } else if (taken.id !== certificate.id)
          tell('AlreadyTaken', `what ${host} shows is said by the older ${taken.owner}`)
      }
    }
  }
  return { shown: Array.from(claims.values(), ({ to, id }) => ({ to, id })), certificates, problems }
}

const instead = 'the own authority of this machine vouches for its hosts instead'

/** @param name `shop.example.com`, or `*.example.com`, which has one label in place of the star */
function vouchesFor(name: string, to: HostName): boolean {
  const known = ingressHost(name.toLowerCase())
  return to.kind === 'exact' ? answersTo(known, to.name) : textOfHost(known) === textOfHost(to)
}

/** @returns whether a host of a name has one of those that are shown */
export function coveredBy(shown: readonly ShownCertificate[]): (name: HostName) => boolean {
  const texts = new Set(shown.flatMap(({ to }) => (to === undefined ? [] : textOfHost(to))))
  return name => texts.has(textOfHost(name)) || (name.kind === 'exact' && texts.has(name.name.replace(/^[^.]+/, '*')))
}
