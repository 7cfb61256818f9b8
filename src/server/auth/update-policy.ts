// Brings roles and bindings of an older version up to date: what the default policy gives in addition is
// added, what somebody added stays, and who does not want it says so with the annotation.
// Source: pkg/registry/rbac/reconciliation.
import type { ClusterRole, ClusterRoleBinding, RbacSubject } from '../../api/generated/models.ts'
import { deepEqual } from '../../api/patch/json-value.ts'
import { clusterRoleBindings, clusterRoles } from '../../api/resources.ts'
import type { ServerContext } from '../server-context.ts'
import type { ObjectStorage } from '../storage/object-storage.ts'
import { defaultClusterRoleBindings, defaultClusterRoles } from './default-policy.ts'
import { uncovered } from './rbac-rules.ts'

const annotation = 'rbac.authorization.kubernetes.io/autoupdate'

/** Not at once: it matters after an upgrade alone, and every start would wait for it. */
const delayMs = 1000

/** @returns how to call it off */
export function keepDefaultPolicy({
  storage,
  clock,
  logger,
}: Pick<ServerContext, 'storage' | 'clock' | 'logger'>): () => void {
  const timer = clock.after(
    delayMs,
    () =>
      void updateDefaultPolicy(storage).catch((error: unknown) =>
        logger.error('default roles not brought up to date', { error: String(error) }),
      ),
  )
  return () => timer.cancel()
}

async function updateDefaultPolicy(storage: ObjectStorage): Promise<void> {
  await Promise.all([
    ...defaultClusterRoles.map(role => updateRole(storage, role as ClusterRole)),
    ...defaultClusterRoleBindings.map(binding => updateBinding(storage, binding as ClusterRoleBinding)),
  ])
}

async function updateRole(
  storage: ObjectStorage,
  { metadata: { name }, rules = [], aggregationRule }: ClusterRole,
): Promise<void> {
  const stored = storage.get(clusterRoles, name)
  if (stored === undefined || aggregationRule !== undefined) return
  const role = stored.object as ClusterRole
  if (role.metadata.annotations?.[annotation] !== 'true' || deepEqual(role.rules ?? [], rules)) return
  const missing = uncovered(role.rules ?? [], rules)
  if (missing.length > 0)
    await storage.put(
      clusterRoles,
      name,
      { ...structuredClone(role), rules: [...(role.rules ?? []), ...missing] } as ClusterRole,
      stored.revision,
    )
}

async function updateBinding(
  storage: ObjectStorage,
  { metadata: { name }, subjects = [] }: ClusterRoleBinding,
): Promise<void> {
  const stored = storage.get(clusterRoleBindings, name)
  if (stored === undefined) return
  const binding = stored.object as ClusterRoleBinding
  if (binding.metadata.annotations?.[annotation] !== 'true') return
  const missing = subjects.filter(subject => !binding.subjects?.some(present => sameSubject(present, subject)))
  if (missing.length > 0)
    await storage.put(
      clusterRoleBindings,
      name,
      { ...structuredClone(binding), subjects: [...(binding.subjects ?? []), ...missing] } as ClusterRoleBinding,
      stored.revision,
    )
}

const sameSubject = (left: RbacSubject, right: RbacSubject): boolean =>
  left.kind === right.kind && left.name === right.name && left.namespace === right.namespace
