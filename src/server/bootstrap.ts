// What every cluster has from its first second: its own namespaces, the two system priorities and the Service that leads to the API.
import type { Service } from '../api/generated/models.ts'
import type { KubeObject, New } from '../api/object.ts'
import type { Resource } from '../api/resource.ts'
import { systemPriorities } from '../api/kinds/priority-class.ts'
import { namespaces, priorityClasses, services } from '../api/resources.ts'
import { create } from './operations/create.ts'
import type { Caller } from './request.ts'
import type { ServerContext } from './server-context.ts'

const descriptions: Readonly<Record<string, string>> = {
  'system-cluster-critical': 'For pods that the cluster cannot do without; they may move to another node.',
  'system-node-critical': 'For pods that their node cannot do without.',
}
const builtInNamespaces = ['default', 'kube-system', 'kube-public', 'kube-node-lease']

export const serverCaller = (): Caller => ({
  user: { username: 'system:apiserver', groups: ['system:masters', 'system:authenticated'] },
  fieldManager: 'kube-apiserver',
  fieldValidation: 'Ignore',
  dryRun: false,
  warnings: [],
})

export async function createBuiltInObjects(context: ServerContext): Promise<void> {
  await Promise.all(builtInNamespaces.map(name => ensure(context, namespaces, name, undefined)))
  await Promise.all(Object.entries(systemPriorities).map(([name, value]) => ensure(context, priorityClasses, name, undefined, { value, description: descriptions[name] })))
}

/** `kubernetes.default`: the first address of the service range. Its endpoints follow when the port is known. */
export async function createKubernetesService(context: ServerContext, clusterIP: string, targetPort: number): Promise<void> {
  const service: New<Service> = {
    metadata: { name: 'kubernetes', labels: { component: 'apiserver', provider: 'kubernetes' } },
    spec: { type: 'ClusterIP', clusterIP, ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort }] },
  }
  await ensure(context, services, 'kubernetes', 'default', service)
}

async function ensure<T extends KubeObject>(context: ServerContext, resource: Resource<T>, name: string, namespace: string | undefined, object: object = {}): Promise<void> {
  const key = namespace === undefined ? name : `${namespace}/${name}`
  if (context.storage.get(resource, key) !== undefined) return
  const kind = context.kinds.find(resource.group, resource.version, resource.plural)
  if (kind === undefined) return
  await create(context, { kind, namespace }, { metadata: { name }, ...object }, serverCaller())
}
