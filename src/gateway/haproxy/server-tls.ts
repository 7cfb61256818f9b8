// How the servers of a backend are spoken to by TLS, and the authorities by which they are verified, each in a file of its
// own that is named after what it holds. Pure. Source: HAProxy's configuration manual 2.6, "Server and default-server options".
import { hashOf } from '../model/backends.ts'
import type { Backend, BackendTls, Entrance, GatewayModel } from '../model/model.ts'
import { certificateDirectory, clientFile } from './certificates.ts'

/** As the configuration and as a command has it, which know no quotes in common: names are those of hosts. */
export function tlsServerOptions(
  { name, authorities }: BackendTls,
  { protocol, clientCertificate }: Pick<Backend, 'protocol' | 'clientCertificate'>,
  directory: string,
): string {
  const trusted = authorities === undefined ? '@system-ca' : authorityFile(authorities, directory)
  const options = ['ssl', 'verify required', `ca-file ${trusted}`, `sni str(${name})`, `verifyhost ${name}`]
  const shown = clientCertificate === undefined ? [] : [`crt ${clientFile(clientCertificate, directory)}`]
  return ` ${[...options, ...shown, ...(protocol === 'h2' ? ['alpn h2'] : [])].join(' ')}`
}

/** Those of services and those of clients, by path. */
export const authorityFiles = ({ backends, entrances }: GatewayModel, directory: string): ReadonlyMap<string, string> =>
  new Map(
    [
      ...[...backends.values()].map(({ tls }: Backend) => tls?.authorities),
      ...entrances.map(({ tls }) => tls?.clients?.authorities),
    ].flatMap(pem => (pem === undefined ? [] : [[authorityFile(pem, directory), pem] as const])),
  )

/** What stands behind `bind`, where clients are asked for a certificate. */
export function clientOptions({ tls }: Pick<Entrance, 'tls'>, directory: string): string {
  if (tls?.clients === undefined) return ''
  const { authorities, isOptional } = tls.clients
  const verify = isOptional ? 'optional crt-ignore-err all ca-ignore-err all' : 'required'
  return ` ca-file ${authorityFile(authorities, directory)} verify ${verify}`
}

const authorityFile = (pem: string, directory: string): string =>
  `${certificateDirectory(directory)}/authorities-${hashOf(pem)}.pem`
