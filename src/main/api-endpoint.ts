// Where the API is reached: the addresses it listens on, and the names and addresses its certificate vouches for.
import { isIP, isIPv4 } from 'node:net'
import { addressInRange } from '../lib/ipv4.ts'
import { SetupError } from './data-directory.ts'

export interface EndpointOptions {
  /** An IPv4 address of the machine beside those that are always listened on, or 0.0.0.0 for all. */
  readonly bindAddress?: string
  /** Names and addresses under which clients know the server besides. */
  readonly tlsSan?: readonly string[]
}

export interface ApiEndpoint {
  readonly listen: readonly string[]
  readonly addresses: readonly string[]
  readonly names: readonly string[]
}

const everywhere = '0.0.0.0'
const hostName = /^(?:\*\.)?[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/i

/**
 * @param own the cluster's own address, and the one for other servers
 * @param ofMachine all addresses that the machine has; those of pods are left out
 * @throws SetupError
 */
export function apiEndpoint(
  { bindAddress, tlsSan = [] }: EndpointOptions,
  own: readonly string[],
  ofMachine: readonly string[],
  podCidr: string,
): ApiEndpoint {
  if (bindAddress !== undefined && !isIPv4(bindAddress))
    throw new SetupError(
      `expected --bind-address with an IPv4 address of this machine, or ${everywhere} for all of them, found "${bindAddress}"`,
    )
  const wrong = tlsSan.find(name => isIP(name) === 0 && !hostName.test(name))
  if (wrong !== undefined)
    throw new SetupError(`expected --tls-san with the name of a host or an IP address, found "${wrong}"`)
  const usual = ['127.0.0.1', ...own]
  const reached =
    bindAddress === everywhere
      ? ofMachine.filter(address => !addressInRange(address, podCidr))
      : bindAddress === undefined
        ? []
        : [bindAddress]
  return {
    listen: bindAddress === everywhere ? [everywhere] : [...new Set([...usual, ...reached])],
    addresses: [...new Set([...usual, ...reached, ...tlsSan.filter(name => isIP(name) !== 0)])],
    names: tlsSan.filter(name => isIP(name) === 0),
  }
}
