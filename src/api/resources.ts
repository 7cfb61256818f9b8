// The well-known resources, typed. What the server knows about each is in src/api/kinds/.
import type {
  ConfigMap, CoreEvent, Deployment, Endpoints, EndpointSlice, Job, Lease, Namespace, Node, Pod, ReplicaSet,
  ReplicationController, Secret, Service, ServiceAccount,
} from './generated/models.ts'
import { resource } from './resource.ts'

export const namespaces = resource<Namespace>('', 'v1', 'namespaces', 'Namespace', 'Cluster')
export const nodes = resource<Node>('', 'v1', 'nodes', 'Node', 'Cluster')
export const pods = resource<Pod>('', 'v1', 'pods', 'Pod')
export const services = resource<Service>('', 'v1', 'services', 'Service')
export const endpoints = resource<Endpoints>('', 'v1', 'endpoints', 'Endpoints')
export const configMaps = resource<ConfigMap>('', 'v1', 'configmaps', 'ConfigMap')
export const secrets = resource<Secret>('', 'v1', 'secrets', 'Secret')
export const serviceAccounts = resource<ServiceAccount>('', 'v1', 'serviceaccounts', 'ServiceAccount')
export const events = resource<CoreEvent>('', 'v1', 'events', 'Event')
export const replicationControllers = resource<ReplicationController>('', 'v1', 'replicationcontrollers', 'ReplicationController')
export const replicaSets = resource<ReplicaSet>('apps', 'v1', 'replicasets', 'ReplicaSet')
export const deployments = resource<Deployment>('apps', 'v1', 'deployments', 'Deployment')
export const jobs = resource<Job>('batch', 'v1', 'jobs', 'Job')
export const leases = resource<Lease>('coordination.k8s.io', 'v1', 'leases', 'Lease')
export const endpointSlices = resource<EndpointSlice>('discovery.k8s.io', 'v1', 'endpointslices', 'EndpointSlice')
