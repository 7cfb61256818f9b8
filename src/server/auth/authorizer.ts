// Whether a user may do something: nodes by what their pods need, everybody by roles and the bindings that
// give them to users, groups and service accounts. Members of system:masters may do everything.
import type {
  ClusterRole,
  ClusterRoleBinding,
  PolicyRule,
  RbacSubject,
  Role,
  RoleBinding,
  RoleRef,
} from '../../api/generated/models.ts'
import { clusterRoleBindings, clusterRoles, roleBindings, roles } from '../../api/resources.ts'
import type { UserInfo } from '../request.ts'
import type { ObjectStorage } from '../storage/object-storage.ts'
import { forbiddenTo, isPath, type Attributes, type Decision } from './attributes.ts'
import { NodeAuthorizer } from './node-authorizer.ts'
import { ruleAllows } from './rbac-rules.ts'

interface Grant {
  /** undefined: everywhere. */
  readonly namespace: string | undefined
  readonly role: RoleRef
  readonly because: string
}

const denied: Decision = { allowed: false, reason: '' }
const superusers = 'system:masters'

export class Authorizer {
  private readonly storage: ObjectStorage
  private readonly nodes: NodeAuthorizer
  /** Grants by subject; undefined when a binding changed since. */
  private grants: Map<string, Grant[]> | undefined

  constructor(storage: ObjectStorage) {
    this.storage = storage
    this.nodes = new NodeAuthorizer(storage)
    for (const resource of [clusterRoleBindings, roleBindings])
      storage.cache(resource).subscribe(() => {
        this.grants = undefined
      })
  }

  authorize(user: UserInfo, attributes: Attributes): Decision {
    if (user.groups.includes(superusers)) return { allowed: true, reason: '' }
    const asNode = this.nodes.authorize(user, attributes)
    if (asNode?.allowed === true) return asNode
    const namespace = isPath(attributes) ? undefined : attributes.namespace
    const grants = this.grantsOf(user, namespace)
    for (const { role, because } of grants) {
      if (this.rulesOf(role, namespace).some(rule => ruleAllows(rule, attributes)))
        return { allowed: true, reason: because }
    }
    const reasons = [asNode?.reason ?? '', this.missingRoles(grants, namespace)].filter(reason => reason !== '')
    return reasons.length === 0 ? denied : { allowed: false, reason: reasons.join('\n') }
  }

  /** Which roles that the user was given do not exist. */
  private missingRoles(grants: readonly Grant[], namespace: string | undefined): string {
    const missing = grants
      .filter(({ role }) => this.roleOf(role, namespace) === undefined)
      .map(
        ({ role: { kind, name } }) =>
          `${kind.toLowerCase()}.rbac.authorization.k8s.io ${JSON.stringify(name)} not found`,
      )
    const distinct = [...new Set(missing)]
    return distinct.length === 0 ? '' : `RBAC: ${distinct.length === 1 ? distinct[0] : `[${distinct.join(', ')}]`}`
  }

  /** @throws ApiError Forbidden */
  assertAllowed(user: UserInfo, attributes: Attributes): Decision {
    const decision = this.authorize(user, attributes)
    if (!decision.allowed) throw forbiddenTo(user, attributes, decision.reason)
    return decision
  }

  /** Every rule the user has in the namespace (or everywhere). */
  rules(user: UserInfo, namespace: string | undefined): PolicyRule[] {
    const all: PolicyRule[] = user.groups.includes(superusers)
      ? [
          { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
          { verbs: ['*'], nonResourceURLs: ['*'] },
        ]
      : []
    return [...all, ...this.grantsOf(user, namespace).flatMap(({ role }) => this.rulesOf(role, namespace))]
  }

  /** The rules of a role that a binding refers to; none when it does not exist. */
  rulesOf(role: RoleRef, namespace: string | undefined): readonly PolicyRule[] {
    return this.roleOf(role, namespace)?.rules ?? []
  }

  private roleOf({ kind, name }: RoleRef, namespace: string | undefined): ClusterRole | Role | undefined {
    const found =
      kind === 'ClusterRole' ? this.storage.get(clusterRoles, name) : this.storage.get(roles, `${namespace}/${name}`)
    return found?.object as ClusterRole | Role | undefined
  }

  private grantsOf(user: UserInfo, namespace: string | undefined): Grant[] {
    const grants = (this.grants ??= this.collect())
    const subjects = [`User ${user.username}`, ...user.groups.map(group => `Group ${group}`)]
    return subjects
      .flatMap(subject => grants.get(subject) ?? [])
      .filter(grant => grant.namespace === undefined || grant.namespace === namespace)
  }

  private collect(): Map<string, Grant[]> {
    const grants = new Map<string, Grant[]>()
    const add = (binding: ClusterRoleBinding | RoleBinding, kind: string, namespace: string | undefined): void => {
      for (const subject of binding.subjects ?? []) {
        const key = subjectKey(subject, binding.metadata.namespace)
        const { roleRef, metadata } = binding
        const name = namespace === undefined ? metadata.name : `${metadata.name}/${namespace}`
        const grant: Grant = {
          namespace,
          role: roleRef,
          because: `RBAC: allowed by ${kind} ${JSON.stringify(name)} of ${roleRef.kind} ${JSON.stringify(roleRef.name)} to ${subject.kind} ${JSON.stringify(shownName(subject))}`,
        }
        const present = grants.get(key)
        if (present === undefined) grants.set(key, [grant])
        else present.push(grant)
      }
    }
    for (const { object } of this.storage.cache(clusterRoleBindings).values())
      add(object as ClusterRoleBinding, 'ClusterRoleBinding', undefined)
    for (const { object } of this.storage.cache(roleBindings).values())
      add(object as RoleBinding, 'RoleBinding', object.metadata.namespace)
    return grants
  }
}

function subjectKey({ kind, name, namespace }: RbacSubject, bindingNamespace: string | undefined): string {
  return kind === 'ServiceAccount'
    ? `User system:serviceaccount:${namespace ?? bindingNamespace}:${name}`
    : `${kind} ${name}`
}

const shownName = ({ kind, name, namespace }: RbacSubject): string =>
  kind === 'ServiceAccount' ? `${name}/${namespace}` : name
