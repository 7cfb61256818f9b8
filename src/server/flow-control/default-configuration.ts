// The priority levels and flow schemas that every cluster begins with.
// Source: staging/src/k8s.io/apiserver/pkg/apis/flowcontrol/bootstrap of Kubernetes.
import type {
  FlowSchema,
  LimitedPriorityLevelConfiguration,
  PolicyRulesWithSubjects,
  PriorityLevelConfiguration,
} from '../../api/generated/models.ts'

interface Configuration<T extends { spec: unknown }> {
  readonly metadata: { readonly name: string; readonly annotations: Readonly<Record<string, string>> }
  readonly spec: T['spec']
}

/** The server may bring these objects up to date; an administrator who changes one sets this to false. */
const metadata = (name: string): Configuration<FlowSchema>['metadata'] => ({
  name,
  annotations: { 'apf.kubernetes.io/autoupdate-spec': 'true' },
})

function limited(
  name: string,
  nominalConcurrencyShares: number,
  lendablePercent: number,
  queues: number,
  handSize: number,
): Configuration<PriorityLevelConfiguration> {
  const limitResponse: LimitedPriorityLevelConfiguration['limitResponse'] =
    queues === 0 ? { type: 'Reject' } : { type: 'Queue', queuing: { queues, handSize, queueLengthLimit: 50 } }
  return {
    metadata: metadata(name),
    spec: { type: 'Limited', limited: { nominalConcurrencyShares, lendablePercent, limitResponse } },
  }
}

export const defaultPriorityLevels: readonly Configuration<PriorityLevelConfiguration>[] = [
  {
    metadata: metadata('exempt'),
    spec: { type: 'Exempt', exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } },
  },
  limited('catch-all', 5, 0, 0, 0),
  limited('system', 30, 33, 64, 6),
  limited('node-high', 40, 25, 64, 6),
  limited('leader-election', 10, 0, 16, 4),
  limited('workload-high', 40, 50, 128, 6),
  limited('workload-low', 100, 90, 128, 6),
  limited('global-default', 20, 50, 128, 6),
]

type Subject = PolicyRulesWithSubjects['subjects'][number]

const user = (name: string): Subject => ({ kind: 'User', user: { name } })
const group = (name: string): Subject => ({ kind: 'Group', group: { name } })
const serviceAccount = (name: string): Subject => ({
  kind: 'ServiceAccount',
  serviceAccount: { namespace: 'kube-system', name },
})

type ResourceRule = NonNullable<PolicyRulesWithSubjects['resourceRules']>[number]

const everything = {
  resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], namespaces: ['*'], clusterScope: true }],
  nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
}
const namespaced = (verbs: string[], apiGroups: string[], resources: string[]): ResourceRule => ({
  verbs,
  apiGroups,
  resources,
  namespaces: ['*'],
})
const electionVerbs = ['get', 'create', 'update']
const leases = namespaced(electionVerbs, ['coordination.k8s.io'], ['leases'])
const everybody = [group('system:unauthenticated'), group('system:authenticated')]

function schema(
  name: string,
  level: string,
  matchingPrecedence: number,
  distinguisher: 'ByUser' | 'ByNamespace' | undefined,
  subjects: Subject[],
  rules: Omit<PolicyRulesWithSubjects, 'subjects'> = everything,
): Configuration<FlowSchema> {
  return {
    metadata: metadata(name),
    spec: {
      matchingPrecedence,
      priorityLevelConfiguration: { name: level },
      ...(distinguisher !== undefined && { distinguisherMethod: { type: distinguisher } }),
      rules: [{ subjects, ...rules }],
    },
  }
}

export const defaultFlowSchemas: readonly Configuration<FlowSchema>[] = [
  schema('exempt', 'exempt', 1, undefined, [group('system:masters')]),
  schema('probes', 'exempt', 2, undefined, everybody, {
    nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/healthz', '/readyz', '/livez'] }],
  }),
  schema(
    'system-leader-election',
    'leader-election',
    100,
    'ByUser',
    [user('system:kube-controller-manager'), user('system:kube-scheduler'), serviceAccount('*')],
    { resourceRules: [leases] },
  ),
  schema(
    'endpoint-controller',
    'workload-high',
    150,
    'ByUser',
    [
      user('system:kube-controller-manager'),
      serviceAccount('endpoint-controller'),
      serviceAccount('endpointslicemirroring-controller'),
    ],
    { resourceRules: [namespaced(electionVerbs, [''], ['endpoints'])] },
  ),
  schema('workload-leader-election', 'leader-election', 200, 'ByUser', [serviceAccount('*')], {
    resourceRules: [namespaced(electionVerbs, [''], ['endpoints', 'configmaps']), leases],
  }),
  schema('system-node-high', 'node-high', 400, 'ByUser', [group('system:nodes')], {
    resourceRules: [
      { verbs: ['*'], apiGroups: [''], resources: ['nodes', 'nodes/status'], clusterScope: true },
      namespaced(['*'], ['coordination.k8s.io'], ['leases']),
    ],
  }),
  schema('system-nodes', 'system', 500, 'ByUser', [group('system:nodes')]),
  schema('kube-controller-manager', 'workload-high', 800, 'ByNamespace', [user('system:kube-controller-manager')]),
  schema('kube-scheduler', 'workload-high', 800, 'ByNamespace', [user('system:kube-scheduler')]),
  schema('kube-system-service-accounts', 'workload-high', 900, 'ByNamespace', [serviceAccount('*')]),
  schema('service-accounts', 'workload-low', 9000, 'ByUser', [group('system:serviceaccounts')]),
  schema('global-default', 'global-default', 9900, 'ByUser', everybody),
  schema('catch-all', 'catch-all', 10_000, 'ByUser', everybody),
]
