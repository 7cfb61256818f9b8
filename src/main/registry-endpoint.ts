// Where the registry is to be reached beside loopback: `--registry-listen ADDRESS:PORT`, over HTTPS with passwords.
import { isIPv4 } from 'node:net'
import { apiEndpoint } from './api-endpoint.ts'
import { SetupError } from './data-directory.ts'

export interface RegistryEndpoint {
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  /** What its certificate vouches for. */
  readonly addresses: readonly string[]
  readonly names: readonly string[]
}

/**
 * @param text undefined: on loopback alone
 * @param ofMachine all addresses that the machine has
 * @throws SetupError
 */
export function registryEndpoint(
  text: string | undefined,
  tlsSan: readonly string[],
  ofMachine: readonly string[],
  podCidr: string,
): RegistryEndpoint | undefined {
  if (text === undefined) return undefined
  const [, host = '', port = ''] = /^(.+):(\d{1,5})$/.exec(text) ?? []
  if (!isIPv4(host) || Number(port) > 65_535)
    throw new SetupError(
      `expected --registry-listen with an IPv4 address of this machine, or 0.0.0.0 for all of them, and a port, such as 0.0.0.0:5000, found "${text}"`,
    )
  const { addresses, names } = apiEndpoint({ bindAddress: host, tlsSan }, [], ofMachine, podCidr)
  return { host, port: Number(port), addresses, names }
}
