// Services of addresses outside of the cluster: what another gateway led to by address has a Service here, and its addresses
// stand in EndpointSlices. Pure.
export interface Target {
  readonly address: string
  readonly port: number
}

export const addressType = (text: string): 'IPv4' | 'IPv6' | undefined =>
  /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/.test(text)
    ? 'IPv4'
    : /^[\da-f:]+(?:\.\d+){0,3}$/i.test(text) && text.split(':').length > 2
      ? 'IPv6'
      : undefined

/** Of the machine itself, or of its link: no service may have one. Source: Kubernetes, validation of EndpointSlices. */
export const isOfMachine = (address: string): boolean => /^(?:0|127|169\.254)\.|^::1?$|^fe[89ab]/i.test(address)

export interface OwnService {
  readonly name: string
  readonly namespace: string
  readonly port: number
  readonly targets: readonly Target[]
  readonly appProtocol?: string
}

export function serviceOf({ name, namespace, port, targets, appProtocol }: OwnService): readonly object[] {
  const slices = [...Map.groupBy(targets, ({ address, port: at }) => `${addressType(address)} ${at}`).values()]
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace },
      spec: { ports: [{ name: 'http', port, protocol: 'TCP', ...(appProtocol !== undefined && { appProtocol }) }] },
    },
    ...slices.map((some, index) => ({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: `${name}-${index + 1}`, namespace, labels: { 'kubernetes.io/service-name': name } },
      addressType: addressType(some[0]!.address),
      ports: [{ name: 'http', port: some[0]!.port, protocol: 'TCP' }],
      endpoints: some.map(({ address }) => ({ addresses: [address], conditions: { ready: true } })),
    })),
  ]
}
