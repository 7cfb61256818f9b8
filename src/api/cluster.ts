// Facts of one running cluster that several layers must agree on. Made once by the composition root.

export interface ClusterNetwork {
  /** IPv4 range of pod addresses on this node, e.g. `10.42.0.0/16`. */
  readonly podCidr: string
  /** IPv4 range of service addresses, e.g. `10.43.0.0/16`; the first address is `kubernetes.default`. */
  readonly serviceCidr: string
  /** The service address of DNS, the tenth of the range. */
  readonly dnsAddress: string
  /** The node's address inside the cluster, on a link of the cluster's own; reachable from every pod. */
  readonly nodeAddress: string
  /** `cluster.local` */
  readonly domain: string
}
