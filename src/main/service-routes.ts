// Routes that make service addresses reachable from the machine itself: for the range that the cluster
// began with, and for each ServiceCIDR that is added later. Pods need none. They go with the link.
import type { ClusterNetwork } from '../api/cluster.ts'
import { serviceCidrs } from '../api/resources.ts'
import { ipv4RangesOf } from '../api/service-ranges.ts'
import type { Client } from '../client/client.ts'
import type { Logger } from '../lib/logger.ts'

export interface RouteOptions {
  readonly network: ClusterNetwork
  readonly linkName: string
  /** Runs lines of `ip -batch`. */
  readonly apply: (lines: readonly string[]) => Promise<void>
}

/** With a metric of its own, since servers of one cluster on one machine share the range, and each takes its route away. */
const routeTo = (range: string, { network: { nodeAddress, podCidr }, linkName }: RouteOptions): string =>
  `${range} dev ${linkName} src ${nodeAddress} metric ${podCidr.split('.')[1]}`

export const addFirstRoute = (options: RouteOptions): Promise<void> =>
  options.apply([`route replace ${routeTo(options.network.serviceCidr, options)}`])

/** @returns how to stop it */
export function followServiceRanges({
  client,
  logger,
  ...options
}: RouteOptions & { readonly client: Client; readonly logger: Logger }): () => void {
  const informer = client.informer(serviceCidrs)
  const routed = new Set<string>([options.network.serviceCidr])
  let chain = Promise.resolve()

  async function follow(): Promise<void> {
    const wanted = new Set([options.network.serviceCidr, ...informer.list().flatMap(ipv4RangesOf)])
    const lines = [
      ...[...wanted].filter(range => !routed.has(range)).map(range => `route replace ${routeTo(range, options)}`),
      ...[...routed].filter(range => !wanted.has(range)).map(range => `route delete ${routeTo(range, options)}`),
    ]
    routed.clear()
    for (const range of wanted) routed.add(range)
    if (lines.length > 0) await options.apply(lines)
  }

  return informer.subscribe(() => {
    chain = chain
      .then(follow)
      .catch((error: unknown) =>
        logger.error('a range of service addresses could not be routed from this machine', { error: String(error) }),
      )
  })
}
