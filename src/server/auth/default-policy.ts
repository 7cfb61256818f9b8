// The roles and bindings that every cluster has from the start, as Kubernetes has them for people and
// service accounts. `admin`, `edit` and `view` are put together from the roles labelled for them.
// Source: plugin/pkg/auth/authorizer/rbac/bootstrappolicy.
import type { ClusterRole, ClusterRoleBinding, PolicyRule } from '../../api/generated/models.ts'
import type { New } from '../../api/object.ts'

const read = ['get', 'list', 'watch']
const write = ['create', 'delete', 'deletecollection', 'patch', 'update']
const all = [...write, ...read]

const rule = (apiGroups: string[], resources: string[], verbs: string[]): PolicyRule => ({ apiGroups, resources, verbs })
const paths = (nonResourceURLs: string[], verbs = ['get']): PolicyRule => ({ nonResourceURLs, verbs })

const workloads: [string, string[]][] = [
  ['', ['configmaps', 'endpoints', 'persistentvolumeclaims', 'pods', 'replicationcontrollers', 'replicationcontrollers/scale', 'serviceaccounts', 'services']],
  ['apps', ['daemonsets', 'deployments', 'deployments/scale', 'replicasets', 'replicasets/scale', 'statefulsets', 'statefulsets/scale']],
  ['autoscaling', ['horizontalpodautoscalers']],
  ['batch', ['cronjobs', 'jobs']],
  ['policy', ['poddisruptionbudgets']],
  ['networking.k8s.io', ['ingresses', 'networkpolicies']],
]

const viewRules: PolicyRule[] = [
  ...workloads.map(([group, resources]) => rule([group], [...resources, ...resources.filter(name => !name.includes('/') && !['configmaps', 'endpoints', 'serviceaccounts', 'networkpolicies'].includes(name)).map(name => `${name}/status`)], read)),
  rule([''], ['bindings', 'events', 'limitranges', 'namespaces', 'namespaces/status', 'pods/log', 'resourcequotas', 'resourcequotas/status'], read),
  rule(['apps'], ['controllerrevisions'], read),
  rule(['discovery.k8s.io'], ['endpointslices'], read),
  rule(['resource.k8s.io'], ['resourceclaims', 'resourceclaims/status', 'resourceclaimtemplates'], read),
]

const editRules: PolicyRule[] = [
  rule([''], ['pods/attach', 'pods/exec', 'pods/portforward', 'pods/proxy', 'secrets', 'services/proxy'], read),
  rule([''], ['serviceaccounts'], ['impersonate']),
  rule([''], ['pods', 'pods/attach', 'pods/exec', 'pods/portforward', 'pods/proxy'], write),
  rule([''], ['pods/eviction', 'serviceaccounts/token'], ['create']),
  rule([''], ['configmaps', 'events', 'persistentvolumeclaims', 'replicationcontrollers', 'replicationcontrollers/scale', 'secrets', 'serviceaccounts', 'services', 'services/proxy'], write),
  ...workloads.filter(([group]) => group !== '').map(([group, resources]) => rule([group], group === 'apps' ? [...resources, 'deployments/rollback'] : resources, write)),
  rule(['coordination.k8s.io'], ['leases'], all),
  rule(['resource.k8s.io'], ['resourceclaims', 'resourceclaimtemplates'], write),
]

const adminRules: PolicyRule[] = [
  rule(['authorization.k8s.io'], ['localsubjectaccessreviews'], ['create']),
  rule(['rbac.authorization.k8s.io'], ['rolebindings', 'roles'], all),
]

const labels = { 'kubernetes.io/bootstrapping': 'rbac-defaults' }
const annotations = { 'rbac.authorization.kubernetes.io/autoupdate': 'true' }
const aggregated = (name: string): string => `rbac.authorization.k8s.io/aggregate-to-${name}`

function role(name: string, rules: PolicyRule[], extraLabels: Record<string, string> = {}): New<ClusterRole> & Pick<ClusterRole, 'rules'> {
  return { metadata: { name, labels: { ...labels, ...extraLabels }, annotations }, rules }
}

function aggregate(name: string, sources: PolicyRule[], extraLabels: Record<string, string> = {}): New<ClusterRole> & Pick<ClusterRole, 'rules' | 'aggregationRule'> {
  return { ...role(name, sources, extraLabels), aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [aggregated(name)]: 'true' } }] } }
}

export const defaultClusterRoles: readonly New<ClusterRole>[] = [
  role('cluster-admin', [rule(['*'], ['*'], ['*']), paths(['*'], ['*'])]),
  role('system:discovery', [paths(['/api', '/api/*', '/apis', '/apis/*', '/healthz', '/livez', '/openapi', '/openapi/*', '/readyz', '/version', '/version/'])]),
  role('system:public-info-viewer', [paths(['/healthz', '/livez', '/readyz', '/version', '/version/'])]),
  role('system:monitoring', [paths(['/healthz', '/healthz/*', '/livez', '/livez/*', '/metrics', '/metrics/slis', '/readyz', '/readyz/*'])]),
  role('system:basic-user', [rule(['authorization.k8s.io'], ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'], ['create']), rule(['authentication.k8s.io'], ['selfsubjectreviews'], ['create'])]),
  role('system:auth-delegator', [rule(['authentication.k8s.io'], ['tokenreviews'], ['create']), rule(['authorization.k8s.io'], ['subjectaccessreviews'], ['create'])]),
  role('system:service-account-issuer-discovery', [paths(['/.well-known/openid-configuration', '/.well-known/openid-configuration/', '/openid/v1/jwks', '/openid/v1/jwks/'])]),
  aggregate('admin', [...adminRules, ...editRules, ...viewRules]),
  aggregate('edit', [...editRules, ...viewRules], { [aggregated('admin')]: 'true' }),
  aggregate('view', viewRules, { [aggregated('edit')]: 'true' }),
  role('system:aggregate-to-admin', adminRules, { [aggregated('admin')]: 'true' }),
  role('system:aggregate-to-edit', editRules, { [aggregated('edit')]: 'true' }),
  role('system:aggregate-to-view', viewRules, { [aggregated('view')]: 'true' }),
]

function binding(name: string, groups: readonly string[]): New<ClusterRoleBinding> & Pick<ClusterRoleBinding, 'roleRef' | 'subjects'> {
  return {
    metadata: { name, labels, annotations },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
    subjects: groups.map(group => ({ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: group })),
  }
}

export const defaultClusterRoleBindings: readonly New<ClusterRoleBinding>[] = [
  binding('cluster-admin', ['system:masters']),
  binding('system:discovery', ['system:authenticated']),
  binding('system:basic-user', ['system:authenticated']),
  binding('system:public-info-viewer', ['system:authenticated', 'system:unauthenticated']),
  binding('system:monitoring', ['system:monitoring']),
  binding('system:service-account-issuer-discovery', ['system:serviceaccounts']),
]
