// Where TLS ends for names that nobody brought a certificate for: the own authority of the machine vouches for them. And
// what leads there from the plain front. Pure.
import { answeringBackend } from './backends.ts'
import { textOfHost } from './host-names.ts'
import type { HostRule } from './host-rule.ts'
import { coveredBy } from './ingress-certificates.ts'
import type { Certificate, Entrance, GatewayModel, HostName, ShownCertificate } from './model.ts'

/** What is shown to whoever asks for a name that nothing is shown for, or for none. */
const usualName = 'localhost'

/** Those that the own authority of the machine is to vouch for: of hosts that nobody brought a certificate for. */
export function ownNamesOf({ hosts, tls }: Entrance): readonly string[] {
  if (tls?.isVouched !== true) return []
  const isCovered = coveredBy(tls.certificates)
  const left = hosts.map(({ name }) => name).filter(name => name.kind !== 'any' && !isCovered(name))
  return [...new Set([usualName, ...left.map(textOfHost)])]
}

/** @param pems of the own authority, by name */
export function withOwnCertificates(model: GatewayModel, pems: ReadonlyMap<string, string>): GatewayModel {
  const own = new Map([...pems].map(([name, pem]): [string, Certificate] => [name, { id: `own_${name}`, pem }]))
  const shown = (name: string, to: HostName): readonly ShownCertificate[] => {
    const certificate = own.get(name)
    return certificate === undefined ? [] : [{ to, id: certificate.id }]
  }
  const withOwn = (entrance: Entrance): Entrance => ({
    ...entrance,
    tls: {
      ...entrance.tls,
      isVouched: true,
      certificates: [
        ...shown(usualName, { kind: 'any' }),
        ...(entrance.tls?.certificates ?? []),
        ...entrance.hosts.flatMap(({ name }) => shown(textOfHost(name), name)),
      ],
    },
  })
  return {
    ...model,
    entrances: model.entrances.map(entrance => (entrance.tls?.isVouched ? withOwn(entrance) : entrance)),
    certificates: new Map([...model.certificates, ...Array.from(own.values(), each => [each.id, each] as const)]),
  }
}

/** The rule as the plain front has it. */
export function redirectedTo(securePort: number, hostRule: HostRule): HostRule {
  const backend = answeringBackend({ redirect: { status: 308, scheme: 'https', port: securePort } })
  return {
    ...hostRule,
    rule: { ...hostRule.rule, action: { shares: [{ backend: backend.id, weight: 1 }] } },
    backends: [backend],
  }
}
