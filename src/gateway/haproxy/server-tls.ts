// How the servers of a backend are spoken to by TLS, and the authorities by which they are verified, each in a file of its
// own that is named after what it holds. Pure. Source: HAProxy's configuration manual 2.6, "Server and default-server options".
import { hashOf } from '../model/backends.ts'
import type { Backend, BackendProtocol, BackendTls, GatewayModel } from '../model/model.ts'
import { certificateDirectory } from './certificates.ts'

/** As the configuration and as a command has it, which know no quotes in common: names are those of hosts. */
export function tlsServerOptions(
  { name, authorities }: BackendTls,
  protocol: BackendProtocol,
  directory: string,
): string {
  const trusted = authorities === undefined ? '@system-ca' : authorityFile(authorities, directory)
  const options = ['ssl', 'verify required', `ca-file ${trusted}`, `sni str(${name})`, `verifyhost ${name}`]
  return ` ${[...options, ...(protocol === 'h2' ? ['alpn h2'] : [])].join(' ')}`
}

/** By path. */
export const authorityFiles = ({ backends }: GatewayModel, directory: string): ReadonlyMap<string, string> =>
  new Map(
    [...backends.values()].flatMap(({ tls }: Backend) =>
      tls?.authorities === undefined ? [] : [[authorityFile(tls.authorities, directory), tls.authorities] as const],
    ),
  )

const authorityFile = (pem: string, directory: string): string =>
  `${certificateDirectory(directory)}/authorities-${hashOf(pem)}.pem`
