// What issuers do for the model: the certificates that they got for hosts, those that they are to get, and the challenges
// that are answered for them. Pure.
import type { CertificateIssuer } from '../../api/gateway-api/certificate-issuers.ts'
import { coveredBy } from './ingress-certificates.ts'
import type { IssuedDomain, IssuerLookup, WantedCertificate } from './issuer-lookup.ts'
import type { Entrance, HostName, ShownCertificate } from './model.ts'
import type { Observed } from './observed.ts'

export interface IssuedEntrances {
  readonly entrances: readonly Entrance[]
  readonly wanted: readonly WantedCertificate[]
}

/** Where the own authority of the machine would vouch for a host, what an issuer got for it goes first. */
export function withIssued(
  entrances: readonly Entrance[],
  issuerOf: IssuerLookup,
  { certificate }: Pick<Observed, 'certificate'>,
): IssuedEntrances {
  const wanted = new Map<string, WantedCertificate>()
  const shownTo = (name: HostName): readonly ShownCertificate[] => {
    const issued = issuerOf(name)
    if (issued === undefined) return []
    const found = certificate(issued.secret.namespace, issued.secret.name)
    wanted.set(issued.domain, { ...issued, found })
    return 'problem' in found ? [] : [{ to: name, id: found.certificate.id }]
  }
  const issued = entrances.map((entrance): Entrance => {
    const { tls, hosts } = entrance
    if (tls?.isVouched !== true) return entrance
    const isCovered = coveredBy(tls.certificates)
    const left = hosts.filter(({ name, rules }) => rules.length > 0 && !isCovered(name))
    return {
      ...entrance,
      tls: { ...tls, certificates: [...tls.certificates, ...left.flatMap(({ name }) => shownTo(name))] },
    }
  })
  return { entrances: issued, wanted: [...wanted.values()] }
}

export const provesByHttp = ({ issuer }: IssuedDomain): boolean => issuer.spec.acme.solver.http01 !== undefined

/** An authority asks at port 80, which may be nowhere else than where TLS ends. */
export function withChallengeEntrances(
  entrances: readonly Entrance[],
  portAt: (address: string) => number,
  taken: ReadonlySet<string>,
): readonly Entrance[] {
  const secure = new Set(entrances.filter(({ tls }) => tls !== undefined).map(({ address }) => address))
  const missing = [...secure].filter(address => {
    const port = portAt(address)
    const isThere = entrances.some(each => each.carries !== 'packets' && each.address === address && each.port === port)
    return !taken.has(`${address}:${port}`) && !isThere
  })
  return [...entrances, ...missing.map(address => ({ address, port: portAt(address), hosts: [] }))]
}

/** What is answered, by the host and the path that are asked for. */
export const openChallenges = (issuers: readonly CertificateIssuer[]): ReadonlyMap<string, string> =>
  new Map(
    issuers.flatMap(({ status }) =>
      (status?.challenges ?? []).map(
        ({ host, token, keyAuthorization }) => [`${host}${challengePath}${token}`, keyAuthorization] as const,
      ),
    ),
  )

/** Source: RFC 8555, 8.3. */
export const challengePath = '/.well-known/acme-challenge/'
