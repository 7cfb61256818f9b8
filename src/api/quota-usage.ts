// What an object counts against a ResourceQuota. Shared by admission, which refuses, and the controller,
// which counts. Pure.
import type { PersistentVolumeClaim, Pod, ResourceQuota, Service } from './generated/models.ts'
import type { KubeObject } from './object.ts'
import { addQuantities, compareQuantities } from './quantity.ts'
import { qualityOfService } from './kinds/pod-quality.ts'
import { groupResource } from './resource.ts'

export type Usage = Readonly<Record<string, string>>

interface Counted {
  readonly group: string
  readonly plural: string
}

/** Core resources that also have a plain name: `pods` besides `count/pods`. */
const plainNames = new Set([
  'configmaps',
  'persistentvolumeclaims',
  'pods',
  'replicationcontrollers',
  'resourcequotas',
  'secrets',
  'services',
])
const computeNames = new Set(['cpu', 'memory', 'ephemeral-storage'])

export function usageOf(resource: Counted, object: KubeObject): Usage {
  const core = resource.group === ''
  const counts: Record<string, string> = { [`count/${groupResource(resource)}`]: '1' }
  if (core && resource.plural === 'pods') return podUsage(object as Pod, counts)
  if (core && plainNames.has(resource.plural)) counts[resource.plural] = '1'
  if (core && resource.plural === 'services') return { ...counts, ...serviceUsage(object as Service) }
  return core && resource.plural === 'persistentvolumeclaims'
    ? { ...counts, ...claimUsage(object as PersistentVolumeClaim) }
    : counts
}

/** Finished pods count as objects only. */
function podUsage({ spec, status }: Pod, counts: Usage): Usage {
  if (status?.phase === 'Succeeded' || status?.phase === 'Failed') return counts
  const usage: Record<string, string> = { ...counts, pods: '1' }
  for (const [prefix, which] of [
    ['requests', 'requests'],
    ['limits', 'limits'],
  ] as const) {
    const total = withInit(
      sumOf(spec.containers.map(container => container.resources?.[which])),
      (spec.initContainers ?? []).map(container => container.resources?.[which]),
    )
    for (const [name, amount] of Object.entries(total)) {
      usage[`${prefix}.${name}`] = amount
      if (which === 'requests' && computeNames.has(name)) usage[name] = amount
    }
  }
  return usage
}

/** Init containers run one at a time before the others. */
function withInit(total: Record<string, string>, inits: readonly (Usage | undefined)[]): Usage {
  for (const init of inits)
    for (const [name, amount] of Object.entries(init ?? {}))
      if (compareQuantities(amount, total[name]) > 0) total[name] = amount
  return total
}

function sumOf(lists: readonly (Usage | undefined)[]): Record<string, string> {
  const total: Record<string, string> = {}
  for (const list of lists)
    for (const [name, amount] of Object.entries(list ?? {})) total[name] = addQuantities(total[name] ?? '0', amount)
  return total
}

function serviceUsage({ spec }: Service): Usage {
  const ports = spec.ports?.length ?? 0
  if (spec.type === 'LoadBalancer')
    return {
      'services.loadbalancers': '1',
      'services.nodeports': `${spec.allocateLoadBalancerNodePorts === false ? (spec.ports ?? []).filter(port => port.nodePort).length : ports}`,
    }
  return spec.type === 'NodePort' ? { 'services.nodeports': `${ports}` } : {}
}

function claimUsage({ spec }: PersistentVolumeClaim): Usage {
  const storage = spec.resources?.requests?.storage ?? '0'
  const ofClass = spec.storageClassName ? `${spec.storageClassName}.storageclass.storage.k8s.io/` : undefined
  return {
    'requests.storage': storage,
    ...(ofClass !== undefined && {
      [`${ofClass}requests.storage`]: storage,
      [`${ofClass}persistentvolumeclaims`]: '1',
    }),
  }
}

/** Whether the quota counts this object at all. Scopes other than pods' match nothing but pods. */
export function inScope({ spec }: ResourceQuota, resource: Counted, object: KubeObject): boolean {
  const scopes = [
    ...(spec?.scopes ?? []).map(scopeName => ({ scopeName, operator: 'Exists', values: [] as string[] })),
    ...(spec?.scopeSelector?.matchExpressions ?? []).map(({ scopeName, operator, values = [] }) => ({
      scopeName,
      operator,
      values,
    })),
  ]
  if (scopes.length === 0) return true
  if (resource.group !== '' || resource.plural !== 'pods') return false
  return scopes.every(scope => podMatches(object as Pod, scope))
}

function podMatches(
  { spec }: Pod,
  { scopeName, operator, values }: { scopeName: string; operator: string; values: readonly string[] },
): boolean {
  switch (scopeName) {
    case 'Terminating':
      return spec.activeDeadlineSeconds !== undefined
    case 'NotTerminating':
      return spec.activeDeadlineSeconds === undefined
    case 'BestEffort':
      return qualityOfService(spec) === 'BestEffort'
    case 'NotBestEffort':
      return qualityOfService(spec) !== 'BestEffort'
    case 'PriorityClass':
      return matchesClass(spec.priorityClassName ?? '', operator, values)
    case 'CrossNamespacePodAffinity':
      return crossesNamespaces(spec)
    default:
      return false
  }
}

function matchesClass(name: string, operator: string, values: readonly string[]): boolean {
  switch (operator) {
    case 'In':
      return values.includes(name)
    case 'NotIn':
      return !values.includes(name)
    case 'DoesNotExist':
      return name === ''
    default:
      return name !== ''
  }
}

function crossesNamespaces({ affinity }: Pod['spec']): boolean {
  return [affinity?.podAffinity, affinity?.podAntiAffinity].some(one =>
    [
      ...(one?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
      ...(one?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(weighted => weighted.podAffinityTerm),
    ].some(term => (term.namespaces ?? []).length > 0 || term.namespaceSelector !== undefined),
  )
}

/** The part of a usage that a quota limits; every limited name is there when `complete`. */
export function limitedBy(hard: Usage, usage: Usage, complete = false): Usage {
  return Object.fromEntries(
    Object.keys(hard)
      .filter(name => complete || usage[name] !== undefined)
      .map(name => [name, usage[name] ?? '0']),
  )
}

export function addUsage(left: Usage, right: Usage): Usage {
  const sum: Record<string, string> = { ...left }
  for (const [name, amount] of Object.entries(right)) sum[name] = addQuantities(sum[name] ?? '0', amount)
  return sum
}
