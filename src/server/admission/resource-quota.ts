// ResourceQuota: what would go over a quota of its namespace is refused; what fits is noted as used, by
// compare-and-swap on the quota, so that writes at the same time cannot both take the last place. The
// controller corrects what was noted and then not stored.
import { conflict, forbidden } from '../../api/api-error.ts'
import type { Pod, ResourceQuota } from '../../api/generated/models.ts'
import { storesOwnForm } from '../../api/kind.ts'
import type { KubeObject } from '../../api/object.ts'
import { splitKey } from '../../api/object.ts'
import { compareQuantities } from '../../api/quantity.ts'
import { addUsage, inScope, limitedBy, usageOf, type Usage } from '../../api/quota-usage.ts'
import { resourceQuotas } from '../../api/resources.ts'
import type { AdmissionPlugin, AdmissionRequest, ServerContext } from '../server-context.ts'
import { keyOfTarget } from '../request.ts'
import type { CachedObject } from '../storage/cached-object.ts'
import { isStored } from '../storage/kind-storage.ts'
import type { ObjectStorage } from '../storage/object-storage.ts'

const maximumAttempts = 20

export const resourceQuota: AdmissionPlugin = {
  name: 'ResourceQuota',
  validate(request, context) {
    const { operation, target, object } = request
    if (
      operation !== 'CREATE' ||
      target.namespace === undefined ||
      target.subresource !== undefined ||
      object === undefined ||
      target.kind.stored === false
    )
      return
    const quotas = context.storage.cache(resourceQuotas).list(target.namespace)
    if (quotas.length === 0) return
    // What is there already will not be stored a second time, and would stay noted.
    if (
      isStored(context.storage, target.kind, keyOfTarget({ namespace: target.namespace, name: object.metadata.name }))
    )
      return
    return chargeAll(
      request,
      context,
      quotas.map(({ key }) => key),
      object,
    )
  },
}

async function chargeAll(
  request: AdmissionRequest,
  context: ServerContext,
  keys: readonly string[],
  object: KubeObject,
): Promise<void> {
  // All of them are asked first, so that none notes what another one refuses.
  for (const key of keys) chargeFor(request, context, key, object)
  for (const key of keys) await inTurn(context.storage, key, () => charge(request, context, key, object))
}

/** The last charge of each quota by this server. */
const charging = new WeakMap<ObjectStorage, Map<string, Promise<void>>>()

/** One after the other, so that only charges of other servers can get in between. */
async function inTurn(storage: ObjectStorage, key: string, work: () => Promise<void>): Promise<void> {
  const queues = charging.get(storage) ?? new Map<string, Promise<void>>()
  charging.set(storage, queues)
  // A charge that failed was told to its own request; the next one goes ahead all the same.
  const mine = (queues.get(key) ?? Promise.resolve()).catch(() => {}).then(work)
  queues.set(key, mine)
  try {
    await mine
  } finally {
    if (queues.get(key) === mine) queues.delete(key)
  }
}

interface Charge {
  readonly stored: CachedObject
  /** The quota with the object noted as used. */
  readonly draft: ResourceQuota
}

/** undefined: the quota does not limit this object. @throws ApiError Forbidden when it does not fit */
function chargeFor(
  request: AdmissionRequest,
  context: ServerContext,
  key: string,
  object: KubeObject,
): Charge | undefined {
  const { resource } = request.target.kind
  const stored = context.storage.get(resourceQuotas, key)
  const quota = stored?.object as ResourceQuota | undefined
  if (stored === undefined || quota === undefined || !inScope(quota, resource, object)) return undefined
  const hard = quota.spec?.hard ?? {}
  const usage = usageOf(resource, object)
  const requested = limitedBy(hard, usage)
  if (resource.plural === 'pods' && resource.group === '') assertComplete(request, quota, hard, usage, object as Pod)
  if (Object.keys(requested).length === 0) return undefined
  const used = quota.status?.used ?? countedNow(context, quota)
  assertFits(request, quota, hard, requested, used)
  return {
    stored,
    draft: {
      ...structuredClone(quota),
      status: {
        hard: { ...hard },
        used: { ...limitedBy(hard, used, true), ...limitedBy(requested, addUsage(used, requested)) },
      },
    },
  }
}

/** @throws ApiError Forbidden when it does not fit, Conflict when others were faster all the time */
async function charge(
  request: AdmissionRequest,
  context: ServerContext,
  key: string,
  object: KubeObject,
): Promise<void> {
  for (let attempt = 0; attempt < maximumAttempts; attempt++) {
    const wanted = chargeFor(request, context, key, object)
    if (wanted === undefined || request.caller.dryRun) return
    if ((await context.storage.put(resourceQuotas, key, wanted.draft, wanted.stored.revision)).ok) return
  }
  throw conflict(resourceQuotas, splitKey(key).name)
}

/** Pods must say what a quota limits. */
function assertComplete({ target }: AdmissionRequest, quota: ResourceQuota, hard: Usage, usage: Usage, pod: Pod): void {
  const compute = Object.keys(hard)
    .filter(name => /^(?:(?:requests|limits)\.)?(?:cpu|memory)$/.test(name) && usage[name] === undefined)
    .sort()
  if (compute.length === 0) return
  const texts = compute.map(name => {
    const which = name.startsWith('limits.') ? 'limits' : 'requests'
    const plain = name.replace(/^(requests|limits)\./, '')
    const silent = pod.spec.containers
      .filter(container => container.resources?.[which]?.[plain] === undefined)
      .map(container => container.name)
    return `${name} for: ${silent.join(',')}`
  })
  throw forbidden(
    target.kind.resource,
    pod.metadata.name ?? '',
    `failed quota: ${quota.metadata.name}: must specify ${texts.join('; ')}`,
  )
}

function assertFits(
  { target, object }: AdmissionRequest,
  quota: ResourceQuota,
  hard: Usage,
  requested: Usage,
  used: Usage,
): void {
  const total = addUsage(used, requested)
  const over = Object.keys(requested)
    .filter(name => compareQuantities(requested[name], '0') > 0 && compareQuantities(total[name], hard[name]) > 0)
    .sort()
  if (over.length === 0) return
  const shown = (usage: Usage): string => over.map(name => `${name}=${usage[name] ?? '0'}`).join(',')
  throw forbidden(
    target.kind.resource,
    object?.metadata.name ?? '',
    `exceeded quota: ${quota.metadata.name}, requested: ${shown(requested)}, used: ${shown(used)}, limited: ${shown(hard)}`,
  )
}

/** Until the controller has counted. */
function countedNow({ storage, kinds }: ServerContext, quota: ResourceQuota): Usage {
  const hard = quota.spec?.hard ?? {}
  let sum: Usage = limitedBy(hard, {}, true)
  for (const { resource, scope } of kinds
    .all()
    .filter(kind => storesOwnForm(kind) && kind.stored !== false)
    .map(kind => ({ resource: kind.resource, scope: kind.resource.scope }))) {
    if (scope !== 'Namespaced') continue
    for (const { object } of storage.cache(resource).list(quota.metadata.namespace))
      if (inScope(quota, resource, object)) sum = addUsage(sum, limitedBy(hard, usageOf(resource, object)))
  }
  return sum
}
