// Nobody gives away rights he does not have: a role may only hold rules that its writer has, a binding only
// give a role whose rules its writer has, unless the writer may `escalate` or `bind`.
import { forbidden } from '../../api/api-error.ts'
import type { ClusterRole, PolicyRule, Role, RoleBinding, RoleRef } from '../../api/generated/models.ts'
import { deepEqual } from '../../api/patch/json-value.ts'
import { ruleText, uncovered } from '../auth/rbac-rules.ts'
import type { AdmissionPlugin, AdmissionRequest, ServerContext } from '../server-context.ts'

const group = 'rbac.authorization.k8s.io'

export const rbacEscalation: AdmissionPlugin = {
  name: 'RBACEscalation',
  validate(request, context) {
    const { operation, target, object, old } = request
    if (operation === 'DELETE' || target.kind.resource.group !== group || object === undefined) return
    const namespace = target.namespace
    switch (target.kind.resource.plural) {
      case 'roles':
      case 'clusterroles': {
        const rules = (object as Role | ClusterRole).rules ?? []
        if (old !== undefined && deepEqual((old as Role).rules ?? [], rules)) return
        return assertHeld(request, context, rules, namespace, 'escalate')
      }
      case 'rolebindings':
      case 'clusterrolebindings': {
        const binding = object as RoleBinding
        if (old !== undefined && deepEqual((old as RoleBinding).subjects, binding.subjects)) return
        return assertHeld(
          request,
          context,
          context.authorizer.rulesOf(binding.roleRef, namespace),
          namespace,
          'bind',
          binding.roleRef,
        )
      }
      default:
        return
    }
  },
}

function assertHeld(
  { target, caller, object }: AdmissionRequest,
  { authorizer }: ServerContext,
  rules: readonly PolicyRule[],
  namespace: string | undefined,
  verb: 'escalate' | 'bind',
  role?: RoleRef,
): void {
  const { user } = caller
  const resource =
    role === undefined ? target.kind.resource.plural : role.kind === 'ClusterRole' ? 'clusterroles' : 'roles'
  const name = role?.name ?? object?.metadata.name
  if (authorizer.authorize(user, { verb, group, resource, namespace, name }).allowed) return
  const missing = uncovered(authorizer.rules(user, namespace), rules)
  if (missing.length === 0) return
  throw forbidden(
    target.kind.resource,
    object?.metadata.name ?? '',
    `user ${JSON.stringify(user.username)} (groups=[${user.groups.map(each => JSON.stringify(each)).join(' ')}]) is attempting to grant RBAC permissions not currently held:\n${missing.map(ruleText).join('\n')}`,
  )
}
