// The front where TLS ends: the same hosts as the plain one, each with a certificate, and what leads there from the plain
// one. Pure.
import { hashOf, type WantedBackend } from './backends.ts'
import { coveredBy, type IngressCertificates } from './ingress-certificates.ts'
import { textOfHost, type HostRule } from './ingress-rules.ts'
import type { Certificate, Entrance, GatewayModel, Handling, Host, HostName, ShownCertificate } from './model.ts'

/** What is shown to whoever asks for a name that nothing is shown for, or for none. */
const usualName = 'localhost'

/** Those that the own authority of the machine is to vouch for: of hosts that nobody brought a certificate for. */
export function ownNamesOf(hosts: readonly Host[], { shown }: Pick<IngressCertificates, 'shown'>): readonly string[] {
  const isCovered = coveredBy(shown)
  const left = hosts.map(({ name }) => name).filter(name => name.kind !== 'any' && !isCovered(name))
  return [...new Set([usualName, ...left.map(textOfHost)])]
}

/** @param pems of the own authority, by name */
export function withOwnCertificates(
  model: GatewayModel,
  front: { readonly address: string; readonly securePort?: number },
  pems: ReadonlyMap<string, string>,
): GatewayModel {
  const own = new Map([...pems].map(([name, pem]): [string, Certificate] => [name, { id: `own_${name}`, pem }]))
  const shown = (name: string, to: HostName): readonly ShownCertificate[] => {
    const certificate = own.get(name)
    return certificate === undefined ? [] : [{ to, id: certificate.id }]
  }
  const isFront = ({ address, port }: Entrance): boolean => address === front.address && port === front.securePort
  const withOwn = (entrance: Entrance): Entrance => ({
    ...entrance,
    tls: {
      certificates: [
        ...shown(usualName, { kind: 'any' }),
        ...(entrance.tls?.certificates ?? []),
        ...entrance.hosts.flatMap(({ name }) => shown(textOfHost(name), name)),
      ],
    },
  })
  return {
    ...model,
    entrances: model.entrances.map(entrance => (isFront(entrance) ? withOwn(entrance) : entrance)),
    certificates: new Map([...model.certificates, ...Array.from(own.values(), each => [each.id, each] as const)]),
  }
}

/** The rule as the plain front has it. */
export function redirectedTo(securePort: number, hostRule: HostRule): HostRule {
  const handling: Handling = { redirect: { status: 308, scheme: 'https', port: securePort } }
  const backend: WantedBackend = { id: `answer.${hashOf(handling)}`, handling, protocol: 'http' }
  return {
    ...hostRule,
    rule: { ...hostRule.rule, action: { shares: [{ backend: backend.id, weight: 1 }] } },
    backends: [backend],
  }
}
