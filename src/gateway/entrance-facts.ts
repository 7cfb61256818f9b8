// Where requests or connections come in, as people are told of it. Pure.
import type { AnyRoute } from './model/attachment.ts'
import { ownerOf } from './model/host-rule.ts'
import type { Entrance, Host, Rule } from './model/model.ts'
import type { KnownModel } from './rule-facts.ts'

export interface EntranceFacts {
  readonly address: string
  readonly port: number
  /** `TLS passthrough` is handed on as it comes; `TLS` ends there, and what was in it is handed on. */
  readonly protocol: 'HTTP' | 'HTTPS' | 'TLS' | 'TLS passthrough' | 'TCP' | 'UDP'
  /** Networks that may connect; undefined: all. */
  readonly sources?: readonly string[]
  /** Whether clients have to show a certificate; undefined: they are asked for none. */
  readonly clientCertificates?: 'required' | 'optional'
}

export const entranceFacts = ({ address, port, carries, tls, sources }: Entrance): EntranceFacts => ({
  address,
  port,
  protocol:
    carries === 'packets'
      ? 'UDP'
      : carries === 'connections'
        ? 'TCP'
        : carries === 'names'
          ? tls === undefined
            ? 'TLS passthrough'
            : 'TLS'
          : tls === undefined
            ? 'HTTP'
            : 'HTTPS',
  ...(sources !== undefined && { sources }),
  ...(tls?.clients && { clientCertificates: tls.clients.isOptional ? 'optional' : 'required' }),
})

/** What makes an entrance have a rule: `Ingress`, `Service`, or Gateways, such as `Gateway kube-system/sampan`. */
export function openedBy(
  rule: Rule,
  { listener }: Pick<Host, 'listener'>,
  { address, port }: Pick<Entrance, 'address' | 'port'>,
  { routes }: Pick<KnownModel, 'routes'>,
): readonly string[] {
  const [kind = '', key = ''] = rule.source.split(' ')
  if (kind === 'Ingress' || kind === 'Service') return [kind]
  // Its login.
  if (kind === 'AccessPolicy') return [`${kind} ${key}`]
  const isOwner = (route: AnyRoute): boolean => ownerOf(route) === `${kind} ${key}`
  const taking = routes
    .filter(({ route }) => isOwner(route))
    .flatMap(({ attachments }) => attachments.flatMap(({ listeners }) => listeners))
    .filter(
      ({ listener: { name, places } }) =>
        JSON.stringify(name) === listener && places.some(place => place.address === address && place.port === port),
    )
  return [...new Set(taking.map(({ listener: { gateway } }) => ownerOf(gateway)))]
}
