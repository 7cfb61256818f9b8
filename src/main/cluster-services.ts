// The two services that lead to Sampan itself: `kubernetes` (the API) and `kube-dns`. They have no
// selector, so their endpoints are written here. Where several servers share a cluster, each node is led to
// its own server first.
import { isAlreadyExists, isNotFound } from '../api/api-error.ts'
import type { ClusterNetwork } from '../api/cluster.ts'
import type { Endpoint, Endpoints, EndpointSlice, Service } from '../api/generated/models.ts'
import type { KubeObject, New } from '../api/object.ts'
import type { Resource } from '../api/resource.ts'
import { endpoints, endpointSlices, services } from '../api/resources.ts'
import { serviceNameLabel } from '../api/endpoint-slice-labels.ts'
import type { Client } from '../client/client.ts'
import { nthAddress } from '../lib/ipv4.ts'
import type { LiveServer } from './live-servers.ts'

export async function publishClusterServices(
  client: Client,
  network: ClusterNetwork,
  servers: readonly LiveServer[],
): Promise<void> {
  await Promise.all([
    publish(client, {
      namespace: 'default',
      name: 'kubernetes',
      labels: { component: 'apiserver', provider: 'kubernetes' },
      clusterIP: nthAddress(network.serviceCidr, 1),
      servers,
      ports: [{ name: 'https', protocol: 'TCP', port: 443, targetPort: undefined }],
    }),
    publish(client, {
      namespace: 'kube-system',
      name: 'kube-dns',
      labels: { 'k8s-app': 'kube-dns', 'kubernetes.io/cluster-service': 'true', 'kubernetes.io/name': 'CoreDNS' },
      clusterIP: network.dnsAddress,
      servers,
      ports: [
        { name: 'dns', protocol: 'UDP', port: 53, targetPort: 53 },
        { name: 'dns-tcp', protocol: 'TCP', port: 53, targetPort: 53 },
      ],
    }),
  ])
}

interface Publication {
  readonly namespace: string
  readonly name: string
  readonly labels: Record<string, string>
  readonly clusterIP: string
  readonly servers: readonly LiveServer[]
  /** Without a target it is the port of each server's API. */
  readonly ports: readonly {
    readonly name: string
    readonly protocol: string
    readonly port: number
    readonly targetPort: number | undefined
  }[]
}

type Slice = New<EndpointSlice> & Pick<EndpointSlice, 'addressType' | 'endpoints' | 'ports'>

async function publish(client: Client, publication: Publication): Promise<void> {
  const { namespace, name, labels, clusterIP, servers, ports } = publication
  const targets = ports.map(port => ({ ...port, targetPort: port.targetPort ?? servers[0]!.port }))
  const service: New<Service> = {
    metadata: { namespace, name, labels },
    spec: {
      type: 'ClusterIP',
      clusterIP,
      ports: targets,
      ...(servers.length > 1 && { trafficDistribution: 'PreferSameNode' }),
    },
  }
  // Servers with the same ports stand together, as slices and subsets want it.
  const groups = [
    ...Map.groupBy(servers, ({ port }) => (ports.some(({ targetPort }) => targetPort === undefined) ? port : 0)),
  ]
  const targetsOf = (port: number) =>
    ports.map(({ name: portName, protocol, targetPort }) => ({ name: portName, protocol, port: targetPort ?? port }))
  const own: New<Endpoints> & { subsets: Endpoints['subsets'] } = {
    metadata: { namespace, name, labels: { ...labels, 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
    subsets: groups.map(([port, members]) => ({
      addresses: members.map(({ address }) => ({ ip: address })),
      ports: targetsOf(port),
    })),
  }
  const slices = groups.map(([port, members], index): Slice => ({
    metadata: { namespace, name: index === 0 ? name : `${name}-${index}`, labels: { [serviceNameLabel]: name } },
    addressType: 'IPv4',
    endpoints: members.map(member => endpointOf(member, servers.length > 1)),
    ports: targetsOf(port),
  }))
  await Promise.all([
    ensure(client, services, service),
    ensure(client, endpoints, own),
    ...slices.map(slice => ensure(client, endpointSlices, slice)),
  ])
  await dropOthers(client, publication, slices)
}

const endpointOf = ({ address, nodeName }: LiveServer, isOneOfMany: boolean): Endpoint => ({
  addresses: [address],
  conditions: { ready: true },
  ...(isOneOfMany && { nodeName, hints: { forNodes: [{ name: nodeName }] } }),
})

/** Slices of servers that are gone. */
async function dropOthers(client: Client, { namespace, name }: Publication, wanted: readonly Slice[]): Promise<void> {
  const names = new Set(wanted.map(({ metadata }) => metadata.name))
  const { items } = await client.list(endpointSlices, {
    namespace,
    labelSelector: `kubernetes.io/service-name=${name}`,
  })
  await Promise.all(
    items
      .filter(({ metadata }) => !names.has(metadata.name))
      .map(({ metadata }) =>
        client.delete(endpointSlices, metadata).catch((error: unknown) => {
          if (!isNotFound(error)) throw error
        }),
      ),
  )
}

async function ensure<T extends KubeObject>(client: Client, resource: Resource<T>, wanted: New<T>): Promise<void> {
  const { namespace, name = '' } = wanted.metadata
  try {
    const { metadata: _metadata, ...content } = wanted
    await client.patch(resource, { namespace, name }, { type: 'merge', value: content })
  } catch (error) {
    if (!isNotFound(error)) throw error
    await client.create(resource, wanted).catch((raced: unknown) => {
      if (!isAlreadyExists(raced)) throw raced
    })
  }
}
