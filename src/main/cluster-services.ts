// The two services that lead to Sampan itself: `kubernetes` (the API) and `kube-dns`. They have no
// selector, so their endpoints are written here.
import { isAlreadyExists, isNotFound } from '../api/api-error.ts'
import type { ClusterNetwork } from '../api/cluster.ts'
import type { Endpoints, EndpointSlice, Service } from '../api/generated/models.ts'
import type { KubeObject, New } from '../api/object.ts'
import type { Resource } from '../api/resource.ts'
import { endpoints, endpointSlices, services } from '../api/resources.ts'
import type { Client } from '../client/client.ts'
import { nthAddress } from '../lib/ipv4.ts'

export async function publishClusterServices(client: Client, network: ClusterNetwork, apiPort: number): Promise<void> {
  await Promise.all([
    publish(client, {
      namespace: 'default', name: 'kubernetes', labels: { component: 'apiserver', provider: 'kubernetes' },
      clusterIP: nthAddress(network.serviceCidr, 1), address: network.nodeAddress,
      ports: [{ name: 'https', protocol: 'TCP', port: 443, targetPort: apiPort }],
    }),
    publish(client, {
      namespace: 'kube-system', name: 'kube-dns',
      labels: { 'k8s-app': 'kube-dns', 'kubernetes.io/cluster-service': 'true', 'kubernetes.io/name': 'CoreDNS' },
      clusterIP: network.dnsAddress, address: network.nodeAddress,
      ports: [{ name: 'dns', protocol: 'UDP', port: 53, targetPort: 53 }, { name: 'dns-tcp', protocol: 'TCP', port: 53, targetPort: 53 }],
    }),
  ])
}

interface Publication {
  readonly namespace: string
  readonly name: string
  readonly labels: Record<string, string>
  readonly clusterIP: string
  readonly address: string
  readonly ports: { name: string; protocol: string; port: number; targetPort: number }[]
}

async function publish(client: Client, { namespace, name, labels, clusterIP, address, ports }: Publication): Promise<void> {
  const service: New<Service> = { metadata: { namespace, name, labels }, spec: { type: 'ClusterIP', clusterIP, ports } }
  const targets = ports.map(({ name: portName, protocol, targetPort }) => ({ name: portName, protocol, port: targetPort }))
  const own: New<Endpoints> & { subsets: Endpoints['subsets'] } = {
    metadata: { namespace, name, labels: { ...labels, 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
    subsets: [{ addresses: [{ ip: address }], ports: targets }],
  }
  const slice: New<EndpointSlice> & Pick<EndpointSlice, 'addressType' | 'endpoints' | 'ports'> = {
    metadata: { namespace, name, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4', endpoints: [{ addresses: [address], conditions: { ready: true } }], ports: targets,
  }
  await Promise.all([ensure(client, services, service), ensure(client, endpoints, own), ensure(client, endpointSlices, slice)])
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
