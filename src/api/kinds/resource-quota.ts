// ResourceQuota: how much a namespace may use together.
import type { FieldError } from '../field-error.ts'
import { invalidValue, joinErrors, notSupported, required } from '../field-error.ts'
import type { ResourceQuota, ResourceQuotaSpec } from '../generated/models.ts'
import { defineKind } from '../kind.ts'
import { canonicalizeResourceList, compareQuantities } from '../quantity.ts'
import { resourceQuotas } from '../resources.ts'
import { checkQualifiedName } from '../validation/formats.ts'
import { collect, each, sameJson } from '../validation/scalars.ts'
import { age, columns } from './cells.ts'
import { keepStatus, statusOnly } from './strategy.ts'

const knownScopes = new Set([
  'BestEffort',
  'CrossNamespacePodAffinity',
  'NotBestEffort',
  'NotTerminating',
  'PriorityClass',
  'Terminating',
  'VolumeAttributesClass',
])
const opposites = [
  ['BestEffort', 'NotBestEffort'],
  ['Terminating', 'NotTerminating'],
] as const

export const resourceQuotaKind = defineKind({
  resource: resourceQuotas,
  model: 'V1ResourceQuota',
  singular: 'resourcequota',
  shortNames: ['quota'],
  defaults(draft) {
    draft.spec ??= {}
    canonicalizeResourceList(draft.spec.hard)
    draft.status ??= {}
    canonicalizeResourceList(draft.status.hard)
    canonicalizeResourceList(draft.status.used)
  },
  prepareForCreate(draft) {
    draft.status = {}
  },
  prepareForUpdate: keepStatus,
  subresources: statusOnly<ResourceQuota>(quota =>
    joinErrors(validateList(quota.status?.hard, 'status.hard'), validateList(quota.status?.used, 'status.used')),
  ),
  validate: ({ spec }) => joinErrors(validateList(spec.hard, 'spec.hard'), validateScopes(spec)),
  validateUpdate: (quota, old) =>
    sameJson([...(quota.spec?.scopes ?? [])].sort(), [...(old.spec?.scopes ?? [])].sort())
      ? []
      : [invalidValue('spec.scopes', quota.spec?.scopes ?? null, 'field is immutable')],
  columns: columns('Name', 'Request', 'Limit', 'Age'),
  row(quota, nowMs) {
    const [limits, requests] = usage(quota)
    return [quota.metadata.name, requests, limits, age(quota, nowMs)]
  },
})

const computeNames: readonly string[] = [
  'cpu',
  'memory',
  'limits.cpu',
  'limits.memory',
  'requests.cpu',
  'requests.memory',
]
const knownNames: ReadonlySet<string> = new Set([
  ...computeNames,
  'ephemeral-storage',
  'limits.ephemeral-storage',
  'requests.ephemeral-storage',
  'requests.storage',
  'pods',
  'resourcequotas',
  'services',
  'services.loadbalancers',
  'services.nodeports',
  'replicationcontrollers',
  'secrets',
  'persistentvolumeclaims',
  'configmaps',
])
const isKnown = (name: string): boolean => knownNames.has(name) || /^(?:requests\.)?hugepages-/.test(name)

const ofPods: ReadonlySet<string> = new Set(['pods', ...computeNames])
/** What can be counted of the objects in a scope. */
const countedIn: Readonly<Record<string, ReadonlySet<string>>> = {
  BestEffort: new Set(['pods']),
  NotBestEffort: ofPods,
  Terminating: ofPods,
  NotTerminating: ofPods,
  PriorityClass: ofPods,
  CrossNamespacePodAffinity: ofPods,
  VolumeAttributesClass: new Set(['persistentvolumeclaims', 'requests.storage']),
}

/** One finding for each resource that objects of the scope do not have. */
const scopeMismatches = (scope: string, hard: ResourceQuotaSpec['hard'], field: string, shown: unknown): FieldError[] =>
  Object.keys(hard ?? {})
    .filter(name => isKnown(name) && countedIn[scope]?.has(name) === false)
    .map(() => invalidValue(field, shown, 'unsupported scope applied to resource'))

const isWhole = (name: string): boolean =>
  [
    'pods',
    'services',
    'replicationcontrollers',
    'resourcequotas',
    'secrets',
    'configmaps',
    'persistentvolumeclaims',
    'services.nodeports',
    'services.loadbalancers',
  ].includes(name) || name.startsWith('count/')

function validateList(list: Record<string, string> | undefined, field: string): FieldError[] {
  return Object.entries(list ?? {}).flatMap(([name, value]) => {
    const path = `${field}[${name}]`
    return joinErrors(
      collect(checkQualifiedName, path, name),
      name.includes('/') || isKnown(name) ? [] : [invalidValue(path, name, 'must be a standard resource for quota')],
      compareQuantities(value, '0') < 0 ? [invalidValue(path, value, 'must be greater than or equal to 0')] : [],
      isWhole(name) && /m$|[nu]$/.test(value) ? [invalidValue(path, value, 'must be an integer')] : [],
    )
  })
}

function validateScopes({ hard, scopes, scopeSelector }: ResourceQuotaSpec): FieldError[] {
  const names = new Set(scopes ?? [])
  const both = opposites.some(([one, other]) => names.has(one) && names.has(other))
  return joinErrors(
    each(scopes, 'spec.scopes', scope =>
      joinErrors(
        knownScopes.has(scope) ? [] : [invalidValue('spec.scopes', scopes, 'unsupported scope')],
        scopeMismatches(scope, hard, 'spec.scopes', scopes),
      ),
    ),
    both ? [invalidValue('spec.scopes', scopes, 'conflicting scopes')] : [],
    each(
      scopeSelector?.matchExpressions,
      'spec.scopeSelector.matchExpressions',
      ({ scopeName, operator, values = [] }, path) =>
        joinErrors(
          knownScopes.has(scopeName) ? [] : [invalidValue(`${path}.scopeName`, scopeName, 'unsupported scope')],
          scopeMismatches(scopeName, hard, 'spec.scopeSelector.matchExpressions', scopeSelector),
          ['In', 'NotIn'].includes(operator) && values.length === 0
            ? [
                required(
                  `${path}.values`,
                  "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
                ),
              ]
            : [],
          ['Exists', 'DoesNotExist'].includes(operator) && values.length > 0
            ? [
                invalidValue(
                  `${path}.values`,
                  values,
                  "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector",
                ),
              ]
            : [],
          ['In', 'NotIn', 'Exists', 'DoesNotExist'].includes(operator)
            ? []
            : [notSupported(`${path}.operator`, operator, ['In', 'NotIn', 'Exists', 'DoesNotExist'])],
        ),
    ),
  )
}

/** `pods: 3/10, requests.cpu: 1/20`, limits apart from the rest. */
function usage({ status }: ResourceQuota): [limits: string, requests: string] {
  const entries = Object.keys(status.hard ?? {})
    .sort()
    .map(name => [name, `${name}: ${status.used?.[name] ?? '0'}/${status.hard![name]}`] as const)
  const isLimit = (name: string): boolean => name.startsWith('limits.')
  const text = (wanted: boolean): string =>
    entries
      .filter(([name]) => isLimit(name) === wanted)
      .map(([, cell]) => cell)
      .join(', ')
  return [text(true), text(false)]
}
