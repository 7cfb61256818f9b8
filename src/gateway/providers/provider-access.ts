// How providers of identities are asked: what they say decides who is let in, so that they have to show who they are, unless
// they are on this machine or in this cluster. Names that no resolver of the machine knows are looked up here.
import { lookup } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { getCACertificates } from 'node:tls'
import { boundedRequest, type BoundedAnswer, type BoundedRequest } from '../../host/bounded-request.ts'
import { addressProblem, isOfMachine, serviceOf } from './provider-address.ts'

export interface ProviderAccessOptions {
  /** The address of a Service within the cluster. */
  readonly serviceAddress: (namespace: string, name: string) => string | undefined
  /** Of this machine, in PEM, for names below `localhost`. */
  readonly ownAuthority: () => string | undefined
}

export type AskProvider = (
  url: string,
  asked?: Pick<BoundedRequest, 'method' | 'headers' | 'body' | 'authority'>,
) => Promise<BoundedAnswer>

const bounds = { timeoutMs: 10_000, mostBytes: 1 << 20 }

export function providerAccess({ serviceAddress, ownAuthority }: ProviderAccessOptions): AskProvider {
  const find: LookupFunction = (hostname, options, found) => {
    const service = serviceOf(hostname)
    const address = isOfMachine(hostname) ? '127.0.0.1' : service && serviceAddress(service.namespace, service.name)
    if (address === undefined) lookup(hostname, options, found)
    else if (options.all === true) found(null, [{ address, family: 4 }])
    else found(null, address, 4)
  }
  return async (url, { authority, ...asked } = {}) => {
    const problem = addressProblem(url)
    if (problem !== undefined) throw new Error(problem)
    const own = ownAuthority()
    return boundedRequest(url, {
      ...asked,
      ...bounds,
      lookup: find,
      authority: authority ?? [
        ...getCACertificates('default'),
        ...getCACertificates('system'),
        ...(own === undefined ? [] : [own]),
      ],
    })
  }
}
