// The roles and bindings that every cluster has from the start, as Kubernetes has them for people,
// components and service accounts. `admin`, `edit` and `view` are put together from the roles labelled for
// them. Roles of single controllers (`system:controller:*`) are left out: the control loops act as one user.
// Source: plugin/pkg/auth/authorizer/rbac/bootstrappolicy.
import type {
  ClusterRole,
  ClusterRoleBinding,
  PolicyRule,
  RbacSubject,
  Role,
  RoleBinding,
} from '../../api/generated/models.ts'
import type { New } from '../../api/object.ts'

const read = ['get', 'list', 'watch']
const write = ['create', 'delete', 'deletecollection', 'patch', 'update']
const all = [...write, ...read]

const rule = (apiGroups: string[], resources: string[], verbs: string[]): PolicyRule => ({
  apiGroups,
  resources,
  verbs,
})
const paths = (nonResourceURLs: string[], verbs = ['get']): PolicyRule => ({ nonResourceURLs, verbs })

const workloads: [string, string[]][] = [
  [
    '',
    [
      'configmaps',
      'endpoints',
      'persistentvolumeclaims',
      'pods',
      'replicationcontrollers',
      'replicationcontrollers/scale',
      'serviceaccounts',
      'services',
    ],
  ],
  [
    'apps',
    [
      'daemonsets',
      'deployments',
      'deployments/scale',
      'replicasets',
      'replicasets/scale',
      'statefulsets',
      'statefulsets/scale',
    ],
  ],
  ['autoscaling', ['horizontalpodautoscalers']],
  ['batch', ['cronjobs', 'jobs']],
  ['policy', ['poddisruptionbudgets']],
  ['networking.k8s.io', ['ingresses', 'networkpolicies']],
]

const viewRules: PolicyRule[] = [
  ...workloads.map(([group, resources]) =>
    rule(
      [group],
      [
        ...resources,
        ...resources
          .filter(
            name =>
              !name.includes('/') && !['configmaps', 'endpoints', 'serviceaccounts', 'networkpolicies'].includes(name),
          )
          .map(name => `${name}/status`),
      ],
      read,
    ),
  ),
  rule(
    [''],
    [
      'bindings',
      'events',
      'limitranges',
      'namespaces',
      'namespaces/status',
      'pods/log',
      'resourcequotas',
      'resourcequotas/status',
    ],
    read,
  ),
  rule(['apps'], ['controllerrevisions'], read),
  rule(['discovery.k8s.io'], ['endpointslices'], read),
  rule(['resource.k8s.io'], ['resourceclaims', 'resourceclaims/status', 'resourceclaimtemplates'], read),
]

const editRules: PolicyRule[] = [
  rule([''], ['pods/attach', 'pods/exec', 'pods/portforward', 'pods/proxy', 'secrets', 'services/proxy'], read),
  rule([''], ['serviceaccounts'], ['impersonate']),
  rule([''], ['pods', 'pods/attach', 'pods/exec', 'pods/portforward', 'pods/proxy'], write),
  rule([''], ['pods/eviction', 'serviceaccounts/token'], ['create']),
  rule(
    [''],
    [
      'configmaps',
      'events',
      'persistentvolumeclaims',
      'replicationcontrollers',
      'replicationcontrollers/scale',
      'secrets',
      'serviceaccounts',
      'services',
      'services/proxy',
    ],
    write,
  ),
  ...workloads
    .filter(([group]) => group !== '')
    .map(([group, resources]) =>
      rule([group], group === 'apps' ? [...resources, 'deployments/rollback'] : resources, write),
    ),
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

function role(
  name: string,
  rules: PolicyRule[],
  extraLabels: Record<string, string> = {},
): New<ClusterRole> & Pick<ClusterRole, 'rules'> {
  return { metadata: { name, labels: { ...labels, ...extraLabels }, annotations }, rules }
}

function aggregate(
  name: string,
  sources: PolicyRule[],
  extraLabels: Record<string, string> = {},
): New<ClusterRole> & Pick<ClusterRole, 'rules' | 'aggregationRule'> {
  return {
    ...role(name, sources, extraLabels),
    aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [aggregated(name)]: 'true' } }] },
  }
}

/** May ask who somebody is and what he may do. */
const reviews: PolicyRule[] = [
  rule(['authentication.k8s.io'], ['tokenreviews'], ['create']),
  rule(['authorization.k8s.io'], ['subjectaccessreviews'], ['create']),
]
const writeEvents = rule(['', 'events.k8s.io'], ['events'], ['create', 'patch', 'update'])
const requestCertificates = rule(['certificates.k8s.io'], ['certificatesigningrequests'], ['create', ...read])

const ownLease = (name: string): PolicyRule[] => [
  rule(['coordination.k8s.io'], ['leases'], ['create']),
  { ...rule(['coordination.k8s.io'], ['leases'], ['get', 'update']), resourceNames: [name] },
]

/** What every node may, whatever runs on it. */
export const nodeRules: readonly PolicyRule[] = [
  rule(['authentication.k8s.io'], ['tokenreviews'], ['create']),
  rule(['authorization.k8s.io'], ['localsubjectaccessreviews', 'subjectaccessreviews'], ['create']),
  rule([''], ['services'], read),
  rule([''], ['nodes'], ['create', ...read]),
  rule([''], ['nodes/status'], ['patch', 'update']),
  rule([''], ['nodes'], ['patch', 'update']),
  rule([''], ['events'], ['create', 'patch', 'update']),
  rule([''], ['pods'], read),
  rule([''], ['pods'], ['create', 'delete']),
  rule([''], ['pods/status'], ['patch', 'update']),
  rule([''], ['pods/eviction'], ['create']),
  rule([''], ['configmaps', 'secrets'], read),
  rule([''], ['persistentvolumeclaims', 'persistentvolumes'], ['get']),
  rule([''], ['endpoints'], ['get']),
  requestCertificates,
  rule(['coordination.k8s.io'], ['leases'], ['create', 'delete', 'get', 'patch', 'update']),
  rule(['storage.k8s.io'], ['volumeattachments'], ['get']),
  rule([''], ['serviceaccounts/token'], ['create']),
  rule([''], ['persistentvolumeclaims/status'], ['get', 'patch', 'update']),
  rule(['storage.k8s.io'], ['csidrivers'], read),
  rule(['storage.k8s.io'], ['csinodes'], ['create', 'delete', 'get', 'patch', 'update']),
  rule(['node.k8s.io'], ['runtimeclasses'], read),
  rule(['resource.k8s.io'], ['resourceclaims'], ['get']),
  rule(['resource.k8s.io'], ['resourceslices'], ['create', 'delete', 'deletecollection', ...read, 'patch', 'update']),
]

const signers = ['kube-apiserver-client', 'kube-apiserver-client-kubelet', 'kubelet-serving', 'legacy-unknown']

const componentRoles = (): New<ClusterRole>[] => [
  role('system:auth-delegator', reviews),
  role('system:heapster', [
    rule([''], ['events', 'namespaces', 'nodes', 'pods'], read),
    rule(['extensions'], ['deployments'], read),
  ]),
  role('system:kube-aggregator', [rule([''], ['endpoints', 'services'], read)]),
  role('system:kube-controller-manager', [
    writeEvents,
    ...ownLease('kube-controller-manager'),
    rule([''], ['secrets', 'serviceaccounts'], ['create']),
    rule([''], ['secrets'], ['delete']),
    rule([''], ['configmaps', 'namespaces', 'secrets', 'serviceaccounts'], ['get']),
    rule([''], ['secrets', 'serviceaccounts'], ['update']),
    ...reviews,
    rule(['*'], ['*'], ['list', 'watch']),
    rule([''], ['serviceaccounts/token'], ['create']),
  ]),
  role('system:kube-dns', [rule([''], ['endpoints', 'services'], ['list', 'watch'])]),
  role('system:kube-scheduler', [
    writeEvents,
    ...ownLease('kube-scheduler'),
    rule([''], ['nodes'], read),
    rule([''], ['pods'], ['delete', ...read]),
    rule([''], ['bindings', 'pods/binding'], ['create']),
    rule([''], ['pods/status'], ['patch', 'update']),
    rule([''], ['replicationcontrollers', 'services'], read),
    rule(['apps', 'extensions'], ['replicasets'], read),
    rule(['apps'], ['statefulsets'], read),
    rule(['policy'], ['poddisruptionbudgets'], read),
    rule([''], ['persistentvolumeclaims', 'persistentvolumes'], read),
    ...reviews,
    rule(['storage.k8s.io'], ['csinodes'], read),
    rule([''], ['namespaces'], read),
    rule(['storage.k8s.io'], ['csidrivers'], read),
    rule(['storage.k8s.io'], ['csistoragecapacities'], read),
    rule(['storage.k8s.io'], ['volumeattachments'], read),
    rule(['resource.k8s.io'], ['deviceclasses', 'resourceslices'], read),
    rule(['resource.k8s.io'], ['resourceclaims'], [...read, 'patch', 'update']),
    rule(['resource.k8s.io'], ['resourceclaims/status'], ['patch', 'update']),
  ]),
  role('system:kubelet-api-admin', [
    rule([''], ['nodes'], read),
    rule([''], ['nodes'], ['proxy']),
    rule(
      [''],
      ['nodes/configz', 'nodes/healthz', 'nodes/log', 'nodes/metrics', 'nodes/pods', 'nodes/proxy', 'nodes/stats'],
      ['*'],
    ),
  ]),
  role('system:node', [...nodeRules]),
  role('system:node-bootstrapper', [requestCertificates]),
  role('system:node-problem-detector', [
    rule([''], ['nodes'], ['get']),
    rule([''], ['nodes/status'], ['patch']),
    writeEvents,
  ]),
  role('system:node-proxier', [
    rule([''], ['endpoints', 'services'], ['list', 'watch']),
    rule([''], ['nodes'], read),
    writeEvents,
    rule(['discovery.k8s.io'], ['endpointslices'], ['list', 'watch']),
    rule(['networking.k8s.io'], ['servicecidrs'], ['list', 'watch']),
  ]),
  role('system:persistent-volume-provisioner', [
    rule([''], ['persistentvolumes'], ['create', 'delete', ...read]),
    rule([''], ['persistentvolumeclaims'], ['get', 'list', 'update', 'watch']),
    rule(['storage.k8s.io'], ['storageclasses'], read),
    rule([''], ['events'], ['watch']),
    writeEvents,
  ]),
  role('system:volume-scheduler', [
    rule([''], ['persistentvolumes'], [...read, 'patch', 'update']),
    rule(['storage.k8s.io'], ['storageclasses'], read),
    rule([''], ['persistentvolumeclaims'], [...read, 'patch', 'update']),
  ]),
  // Sampan's own, for the directories of nodes.
  role('system:local-path-provisioner', [
    rule([''], ['persistentvolumes'], ['create', 'delete', ...read, 'patch', 'update']),
    rule([''], ['persistentvolumeclaims'], read),
    rule([''], ['persistentvolumeclaims/status'], ['patch', 'update']),
    rule(['storage.k8s.io'], ['storageclasses'], read),
    writeEvents,
  ]),
  // Sampan's own, for what leads requests from outside.
  role('system:gateway', [
    // Secrets: any of them may hold a certificate.
    rule([''], ['configmaps', 'namespaces', 'secrets', 'services'], read),
    rule(['discovery.k8s.io'], ['endpointslices'], read),
    rule(['networking.k8s.io'], ['ingressclasses', 'ingresses'], read),
    rule(['networking.k8s.io'], ['ingresses/status'], ['patch']),
    rule([''], ['services/status'], ['patch']),
    rule(['gateway.networking.k8s.io'], ['*'], read),
    rule(['gateway.networking.k8s.io'], ['gatewayclasses'], ['patch']),
    rule(
      ['gateway.networking.k8s.io'],
      [
        'backendtlspolicies',
        'gatewayclasses',
        'gateways',
        'grpcroutes',
        'httproutes',
        'listenersets',
        'tcproutes',
        'tlsroutes',
        'udproutes',
      ].map(kind => `${kind}/status`),
      ['patch'],
    ),
    rule(['gateway.sampan.dev'], ['*'], read),
    rule(
      ['gateway.sampan.dev'],
      ['accesspolicies', 'balancingpolicies', 'certificateissuers', 'consumers', 'trafficpolicies'].map(
        kind => `${kind}/status`,
      ),
      ['patch'],
    ),
    writeEvents,
  ]),
  // As kubeadm makes it for the DNS server, which reads endpoint slices.
  role('system:coredns', [
    rule([''], ['endpoints', 'namespaces', 'pods', 'services'], ['list', 'watch']),
    rule(['discovery.k8s.io'], ['endpointslices'], ['list', 'watch']),
  ]),
  ...['nodeclient', 'selfnodeclient'].map(name =>
    role(`system:certificates.k8s.io:certificatesigningrequests:${name}`, [
      rule(['certificates.k8s.io'], [`certificatesigningrequests/${name}`], ['create']),
    ]),
  ),
  ...signers.map(signer =>
    role(`system:certificates.k8s.io:${signer}-approver`, [
      { ...rule(['certificates.k8s.io'], ['signers'], ['approve']), resourceNames: [`kubernetes.io/${signer}`] },
    ]),
  ),
]

export const defaultClusterRoles: readonly New<ClusterRole>[] = [
  role('cluster-admin', [rule(['*'], ['*'], ['*']), paths(['*'], ['*'])]),
  role('system:discovery', [
    paths([
      '/api',
      '/api/*',
      '/apis',
      '/apis/*',
      '/healthz',
      '/livez',
      '/openapi',
      '/openapi/*',
      '/readyz',
      '/version',
      '/version/',
    ]),
  ]),
  role('system:public-info-viewer', [paths(['/healthz', '/livez', '/readyz', '/version', '/version/'])]),
  role('system:monitoring', [
    paths(['/healthz', '/healthz/*', '/livez', '/livez/*', '/metrics', '/metrics/slis', '/readyz', '/readyz/*']),
  ]),
  role('system:basic-user', [
    rule(['authorization.k8s.io'], ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'], ['create']),
    rule(['authentication.k8s.io'], ['selfsubjectreviews'], ['create']),
  ]),
  role('system:service-account-issuer-discovery', [
    paths([
      '/.well-known/openid-configuration',
      '/.well-known/openid-configuration/',
      '/openid/v1/jwks',
      '/openid/v1/jwks/',
    ]),
  ]),
  ...componentRoles(),
  aggregate('admin', [...adminRules, ...editRules, ...viewRules]),
  aggregate('edit', [...editRules, ...viewRules], { [aggregated('admin')]: 'true' }),
  aggregate('view', viewRules, { [aggregated('edit')]: 'true' }),
  role('system:aggregate-to-admin', adminRules, { [aggregated('admin')]: 'true' }),
  role('system:aggregate-to-edit', editRules, { [aggregated('edit')]: 'true' }),
  role('system:aggregate-to-view', viewRules, { [aggregated('view')]: 'true' }),
]

const group = (name: string): RbacSubject => ({ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name })
const user = (name: string): RbacSubject => ({ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name })
const account = (name: string): RbacSubject => ({ kind: 'ServiceAccount', name, namespace: 'kube-system' })

function binding(
  name: string,
  subjects: RbacSubject[],
): New<ClusterRoleBinding> & Pick<ClusterRoleBinding, 'roleRef' | 'subjects'> {
  return {
    metadata: { name, labels, annotations },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
    ...(subjects.length > 0 && { subjects }),
  }
}

export const defaultClusterRoleBindings: readonly New<ClusterRoleBinding>[] = [
  binding('cluster-admin', [group('system:masters')]),
  binding('system:discovery', [group('system:authenticated')]),
  binding('system:basic-user', [group('system:authenticated')]),
  binding('system:public-info-viewer', [group('system:authenticated'), group('system:unauthenticated')]),
  binding('system:monitoring', [group('system:monitoring')]),
  binding('system:service-account-issuer-discovery', [group('system:serviceaccounts')]),
  // The node authorizer holds nodes; nobody gets the role itself.
  binding('system:node', []),
  binding('system:node-proxier', [user('system:kube-proxy')]),
  binding('system:kube-controller-manager', [user('system:kube-controller-manager')]),
  binding('system:kube-scheduler', [user('system:kube-scheduler')]),
  binding('system:volume-scheduler', [user('system:kube-scheduler')]),
  binding('system:kube-dns', [account('kube-dns')]),
  binding('system:coredns', [account('coredns')]),
  binding('system:gateway', [account('gateway')]),
  binding('system:local-path-provisioner', [account('local-path-provisioner')]),
]

const locking = (component: string): PolicyRule[] => [
  rule([''], ['configmaps'], ['watch']),
  { ...rule([''], ['configmaps'], ['get', 'update']), resourceNames: [component] },
]

const namespacedRoles: readonly [namespace: string, name: string, rules: PolicyRule[], subjects: RbacSubject[]][] = [
  [
    'kube-public',
    'system:controller:bootstrap-signer',
    [
      rule([''], ['configmaps'], read),
      { ...rule([''], ['configmaps'], ['update']), resourceNames: ['cluster-info'] },
      writeEvents,
    ],
    [account('bootstrap-signer')],
  ],
  // Sampan's own: keys and certificates of issuers.
  ['kube-system', 'system:gateway', [rule([''], ['secrets'], ['create', 'delete', 'patch'])], [account('gateway')]],
  ['kube-system', 'system:controller:bootstrap-signer', [rule([''], ['secrets'], read)], [account('bootstrap-signer')]],
  [
    'kube-system',
    'system:controller:cloud-provider',
    [rule([''], ['configmaps'], ['create', ...read])],
    [account('cloud-provider')],
  ],
  [
    'kube-system',
    'system:controller:token-cleaner',
    [rule([''], ['secrets'], ['delete', ...read]), writeEvents],
    [account('token-cleaner')],
  ],
  [
    'kube-system',
    'system::leader-locking-kube-controller-manager',
    locking('kube-controller-manager'),
    [user('system:kube-controller-manager'), account('kube-controller-manager')],
  ],
  [
    'kube-system',
    'system::leader-locking-kube-scheduler',
    locking('kube-scheduler'),
    [user('system:kube-scheduler'), account('kube-scheduler')],
  ],
]

export const defaultRoles: readonly New<Role>[] = namespacedRoles.map(([namespace, name, rules]) => ({
  metadata: { namespace, name, labels, annotations },
  rules,
}))

export const defaultRoleBindings: readonly New<RoleBinding>[] = namespacedRoles.map(
  ([namespace, name, , subjects]) => ({
    metadata: { namespace, name, labels, annotations },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
    subjects,
  }),
)
