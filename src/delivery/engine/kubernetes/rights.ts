// Which rights a delivery needs in its namespace, and which of them are missing: one question where the cluster answers
// it whole, one more for each that its answer leaves open.
import { httpRoutes } from '../../../api/gateway-api/resources.ts'
import type { ResourceRule, SelfSubjectAccessReview, SelfSubjectRulesReview } from '../../../api/generated/models.ts'
import { groupResource, type Resource } from '../../../api/resource.ts'
import {
  configMaps,
  cronJobs,
  deployments,
  endpointSlices,
  ingresses,
  jobs,
  leases,
  persistentVolumeClaims,
  podDisruptionBudgets,
  pods,
  replicaSets,
  secrets,
  selfSubjectAccessReviews,
  selfSubjectRulesReviews,
  services,
  statefulSets,
} from '../../../api/resources.ts'
import type { Client } from '../../../client/client.ts'
import type { InFlight } from '../../../lib/in-flight.ts'
import type { Part, Route } from '../parts.ts'
import { policyKinds, policyKindsOf } from './policy-objects.ts'
import type { RouteStyle } from './route-style.ts'

export interface Right {
  readonly group: string
  readonly plural: string
  readonly subresource?: string
  readonly verbs: readonly string[]
}

export const right = (
  { group, plural }: Pick<Resource, 'group' | 'plural'>,
  verbs: readonly string[],
  subresource?: string,
): Right => ({
  group,
  plural,
  verbs,
  ...(subresource !== undefined && { subresource }),
})

const written = ['get', 'list', 'create', 'patch', 'delete']
const watched = ['get', 'list', 'watch']

const always: readonly Right[] = [
  right(secrets, ['get', 'list', 'create', 'update', 'delete']),
  right(configMaps, ['get', 'list', 'create', 'delete']),
  right(leases, ['get', 'create', 'update', 'delete']),
  right(pods, [...watched, 'delete']),
  right(pods, ['get'], 'log'),
]

/** @param style of the routes */
export function rightsFor(parts: readonly Part[], style: RouteStyle['kind']): readonly Right[] {
  const has = (kind: Part['kind']): boolean => parts.some(part => part.kind === kind)
  const stores = parts.some(part => part.kind === 'workload' && part.storage !== undefined)
  const spared = parts.some(part => part.kind === 'workload' && part.disruptionBudget)
  return [
    ...always,
    ...(has('workload')
      ? [right(deployments, [...written, 'watch']), right(replicaSets, ['list', 'watch', 'patch'])]
      : []),
    ...(stores
      ? [
          right(statefulSets, [...written, 'watch']),
          right(persistentVolumeClaims, ['list', 'delete']),
          // The server is set up through it.
          right(pods, ['create'], 'portforward'),
        ]
      : []),
    ...(spared ? [right(podDisruptionBudgets, ['get', 'create', 'patch', 'delete'])] : []),
    ...(has('entrance') ? [right(services, written)] : []),
    ...(has('schedule') ? [right(cronJobs, written)] : []),
    ...(has('route')
      ? [style === 'gateway' ? right(httpRoutes, [...written, 'watch']) : right(ingresses, written)]
      : []),
    ...policyKinds
      .filter(({ kind }) => parts.some(part => part.kind === 'route' && asksFor(part, kind)))
      .map(policies => right(policies, [...written, 'watch'])),
    ...(parts.some(part => part.kind === 'route' && part.weights !== undefined)
      ? [right(endpointSlices, ['list', 'watch'])]
      : []),
    right(jobs, [...watched, 'create', 'patch', 'delete']),
  ]
}

const asksFor = (route: Route, wanted: string): boolean => policyKindsOf(route).some(({ kind }) => kind === wanted)

/** Those of the rights, with the verbs of them, that are missing. */
export async function missingRights(
  client: Client,
  inFlight: InFlight,
  namespace: string,
  rights: readonly Right[],
): Promise<Right[]> {
  const { status } = await inFlight.ask(`rules in ${namespace}`, () =>
    client.create<SelfSubjectRulesReview>(selfSubjectRulesReviews, { metadata: {}, spec: { namespace } }),
  )
  const open = rights
    .map(wanted => ({ ...wanted, verbs: wanted.verbs.filter(verb => !isGranted(wanted, verb, status?.resourceRules)) }))
    .filter(({ verbs }) => verbs.length > 0)
  if (!status?.incomplete) return open
  const asked = await Promise.all(open.map(wanted => refusedOf(client, namespace, wanted)))
  return asked.filter(({ verbs }) => verbs.length > 0)
}

/** Rules for single names grant nothing that is made anew. */
function isGranted(wanted: Right, verb: string, rules: readonly ResourceRule[] = []): boolean {
  const { group, plural, subresource } = wanted
  const names = subresource === undefined ? [plural, '*'] : [`${plural}/${subresource}`, `*/${subresource}`, '*']
  return rules.some(
    ({ verbs, apiGroups = [], resources = [], resourceNames = [] }) =>
      resourceNames.length === 0 &&
      verbs.some(granted => granted === '*' || granted === verb) &&
      apiGroups.some(granted => granted === '*' || granted === group) &&
      resources.some(granted => names.includes(granted)),
  )
}

async function refusedOf(client: Client, namespace: string, wanted: Right): Promise<Right> {
  const { group, plural: resource, subresource } = wanted
  const answers = await Promise.all(
    wanted.verbs.map(verb =>
      client.create<SelfSubjectAccessReview>(selfSubjectAccessReviews, {
        metadata: {},
        spec: { resourceAttributes: { namespace, verb, group, resource, ...(subresource && { subresource }) } },
      }),
    ),
  )
  return { ...wanted, verbs: wanted.verbs.filter((_verb, index) => answers[index]?.status?.allowed !== true) }
}

export const rightText = ({ verbs, subresource, ...resource }: Right): string =>
  `${verbs.join(', ')} ${groupResource(resource)}${subresource === undefined ? '' : `/${subresource}`}`
