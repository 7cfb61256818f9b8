// What every cluster has from its first second: its own namespaces, the two system priorities, the roles
// and bindings that people and service accounts begin with, and how requests share the server.
import { isAlreadyExists } from '../api/api-error.ts'
import type { KubeObject } from '../api/object.ts'
import type { Resource } from '../api/resource.ts'
import { systemPriorities } from '../api/kinds/priority-class.ts'
import {
  clusterRoleBindings,
  clusterRoles,
  flowSchemas,
  namespaces,
  priorityClasses,
  priorityLevelConfigurations,
  roleBindings,
  roles,
} from '../api/resources.ts'
import {
  defaultClusterRoleBindings,
  defaultClusterRoles,
  defaultRoleBindings,
  defaultRoles,
} from './auth/default-policy.ts'
import { defaultFlowSchemas, defaultPriorityLevels } from './flow-control/default-configuration.ts'
import { create } from './operations/create.ts'
import { publishObject } from './publish-object.ts'
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
  await Promise.all([
    ...builtInNamespaces.map(name => ensure(context, namespaces, name, undefined)),
    ...Object.entries(systemPriorities).map(([name, value]) =>
      ensure(context, priorityClasses, name, undefined, { value, description: descriptions[name] }),
    ),
    ...defaultClusterRoles.map(role => ensure(context, clusterRoles, role.metadata.name!, undefined, role)),
    ...defaultPriorityLevels.map(level =>
      ensure(context, priorityLevelConfigurations, level.metadata.name, undefined, level),
    ),
    ...defaultFlowSchemas.map(schema => ensure(context, flowSchemas, schema.metadata.name, undefined, schema)),
    ...defaultClusterRoleBindings.map(binding =>
      ensure(context, clusterRoleBindings, binding.metadata.name!, undefined, binding),
    ),
    ...defaultRoles.map(role => publishObject(context, roles, role)),
    ...defaultRoleBindings.map(binding => publishObject(context, roleBindings, binding)),
  ])
}

async function ensure<T extends KubeObject>(
  context: ServerContext,
  resource: Resource<T>,
  name: string,
  namespace: string | undefined,
  object: object = {},
): Promise<void> {
  const key = namespace === undefined ? name : `${namespace}/${name}`
  if (context.storage.get(resource, key) !== undefined) return
  const kind = context.kinds.find(resource.group, resource.version, resource.plural)
  if (kind === undefined) return
  try {
    await create(context, { kind, namespace }, { metadata: { name }, ...object }, serverCaller())
  } catch (error) {
    // Another server on the same store was faster.
    if (!isAlreadyExists(error)) throw error
  }
}
