// `pods/eviction`: deletion as `kubectl drain` asks for it. The disruption budget of the pod is charged
// first, by compare-and-swap on its status, so that evictions at the same time cannot both take the last
// place. Source: pkg/registry/core/pod/storage/eviction.go.
import { ApiError, badRequest, conflict, forbidden, isConflict, preconditionFailed } from '../../api/api-error.ts'
import { conversionProblem, versionOf } from '../../api/conversion-problem.ts'
import { decodeObject } from '../../api/decode.ts'
import { disruptionCondition, protects, withDisruptionCondition } from '../../api/disruption-budget.ts'
import type { Eviction, Pod, PodDisruptionBudget } from '../../api/generated/models.ts'
import { isObject } from '../../api/patch/json-value.ts'
import { podDisruptionBudgets } from '../../api/resources.ts'
import { formatTime } from '../../lib/clock.ts'
import { admitPosted } from '../admission/admission.ts'
import { decodeBody, mediaTypeOf, readBody } from '../http/body.ts'
import { sendValue } from '../http/respond.ts'
import { remove, type DeletionOptions } from '../operations/delete.ts'
import { placeInNamespace } from '../operations/finish-object.ts'
import { current } from '../operations/read.ts'
import { keyOfTarget, type Caller, type Target } from '../request.ts'
import type { ServerContext } from '../server-context.ts'
import type { CachedObject } from '../storage/cached-object.ts'
import type { SubresourceRoute } from './subresource.ts'

const model = 'V1Eviction'
const maximumAttempts = 20
/** More evictions than this that the controller has not seen stop further ones. */
const maximumDisruptedPods = 2000
const budgetSubject = { group: 'policy', plural: 'poddisruptionbudget' }

/** The options are those of the eviction as admission left it. @throws ApiError TooManyRequests when the budget does not allow it now */
export async function evict(
  context: ServerContext,
  target: Target,
  eviction: Partial<Eviction>,
  asking: Caller,
): Promise<void> {
  const { kind, name, namespace } = target
  const pod: Target = { kind, name, namespace }
  const posted: Partial<Eviction> = {
    ...eviction,
    kind: 'Eviction',
    apiVersion: 'policy/v1',
    metadata: { ...eviction.metadata } as Eviction['metadata'],
  }
  placeInNamespace(posted.metadata!, namespace)
  const { deleteOptions } = await admitPosted(context, 'CREATE', { ...pod, subresource: 'eviction' }, posted, asking, {
    model,
    check: ({ metadata }) => {
      if (metadata?.name !== name) throw badRequest('name in URL does not match name in Eviction object')
    },
  })
  const options = (deleteOptions ?? {}) as DeletionOptions
  const caller = options.dryRun?.includes('All') === true ? { ...asking, dryRun: true } : asking
  for (let attempt = 1; ; attempt++) {
    const stored = current(context, pod)
    const passage = passes(stored.object as Pod)
      ? { exactly: !isOver(stored.object as Pod) }
      : await charge(context, stored.object as Pod, caller)
    try {
      return await removeEvicted(context, pod, stored, options, caller, passage.exactly)
    } catch (error) {
      const ours = isConflict(error) && passage.exactly && options.preconditions?.resourceVersion === undefined
      if (!ours || attempt === maximumAttempts) throw error
      if (passage.budget !== undefined) throw stillProcessed(passage.budget)
    }
  }
}

interface Passage {
  /** Only if the pod is still as it was looked at. */
  readonly exactly: boolean
  readonly budget?: string
}

const isOver = ({ metadata, status }: Pod): boolean =>
  status?.phase === 'Succeeded' || status?.phase === 'Failed' || metadata.deletionTimestamp !== undefined
/** Nobody misses a pod that does not run. */
const passes = (pod: Pod): boolean => isOver(pod) || pod.status?.phase === 'Pending'

async function charge(context: ServerContext, pod: Pod, caller: Caller): Promise<Passage> {
  const budgets = context.storage
    .cache(podDisruptionBudgets)
    .list(pod.metadata.namespace)
    .filter(({ object }) => protects(object as PodDisruptionBudget, pod))
  const [first] = budgets
  if (first === undefined) return { exactly: false }
  if (budgets.length > 1)
    throw new ApiError(
      500,
      '',
      'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    )
  for (let attempt = 0; attempt < maximumAttempts; attempt++) {
    const stored = context.storage.get(podDisruptionBudgets, first.key)
    if (stored === undefined) return { exactly: false }
    const budget = stored.object as PodDisruptionBudget
    const { name } = budget.metadata
    if (isUncounted(pod, budget)) return { exactly: true, budget: name }
    const draft = taken(budget, pod, context.clock.now())
    if (caller.dryRun) return { exactly: false, budget: name }
    if ((await context.storage.put(podDisruptionBudgets, first.key, draft, stored.revision)).ok)
      return { exactly: false, budget: name }
  }
  throw new ApiError(
    504,
    'Timeout',
    `Timeout: couldn't update PodDisruptionBudget ${JSON.stringify(first.object.metadata.name)} due to conflicts`,
    { retryAfterSeconds: 10 },
  )
}

/** A pod that is not ready does not count as healthy: the budget loses nothing with it. */
function isUncounted(pod: Pod, { spec, status }: PodDisruptionBudget): boolean {
  if (pod.status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True')) return false
  const desired = status?.desiredHealthy ?? 0
  return spec.unhealthyPodEvictionPolicy === 'AlwaysAllow' || (desired > 0 && (status?.currentHealthy ?? 0) >= desired)
}

/** The budget with this pod's place taken. */
function taken(budget: PodDisruptionBudget, pod: Pod, nowMs: number): PodDisruptionBudget {
  const {
    metadata: { name, generation = 0 },
    status,
  } = budget
  const { disruptionsAllowed = 0, disruptedPods = {}, desiredHealthy = 0, currentHealthy = 0 } = status
  if ((status.observedGeneration ?? 0) < generation) throw stillProcessed(name)
  if (disruptionsAllowed < 0) throw forbidden(budgetSubject, name, 'pdb disruptions allowed is negative')
  if (Object.keys(disruptedPods).length > maximumDisruptedPods)
    throw forbidden(
      budgetSubject,
      name,
      'DisruptedPods map too big - too many evictions not confirmed by PDB controller',
    )
  if (disruptionsAllowed === 0) {
    const condition = disruptionCondition(status)
    throw tooMany(
      condition?.reason === 'SyncFailed'
        ? `The disruption budget ${name} does not allow evicting pods currently because it failed sync: ${condition.message}`
        : `The disruption budget ${name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`,
    )
  }
  const less = {
    ...status,
    disruptionsAllowed: disruptionsAllowed - 1,
    disruptedPods: { ...disruptedPods, [pod.metadata.name]: formatTime(nowMs) },
  }
  return structuredClone({
    ...budget,
    status: less.disruptionsAllowed === 0 ? withDisruptionCondition(less, nowMs) : less,
  })
}

function tooMany(cause: string, retryAfterSeconds?: number): ApiError {
  return new ApiError(429, 'TooManyRequests', "Cannot evict pod as it would violate the pod's disruption budget.", {
    causes: [{ reason: 'DisruptionBudget', message: cause }],
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  })
}

const stillProcessed = (name: string): ApiError =>
  tooMany(`The disruption budget ${name} is still being processed by the server.`, 10)

async function removeEvicted(
  context: ServerContext,
  target: Target,
  stored: CachedObject,
  options: DeletionOptions,
  caller: Caller,
  exactly: boolean,
): Promise<void> {
  const { preconditions } = options
  let { revision } = stored
  const wanted = preconditions?.resourceVersion
  if (wanted !== undefined && wanted !== String(revision))
    throw preconditionFailed(target.kind.resource, target.name, 'ResourceVersion', wanted, revision)
  if (!caller.dryRun && (preconditions?.uid === undefined || preconditions.uid === stored.object.metadata.uid)) {
    const written = await context.storage.put(
      target.kind.resource,
      keyOfTarget(target),
      announced(stored.object as Pod, context.clock.now()),
      revision,
    )
    if (written.ok) revision = written.object.revision
    else if (exactly || wanted !== undefined) throw conflict(target.kind.resource, target.name)
  }
  await remove(
    context,
    target,
    {
      ...options,
      preconditions: {
        ...preconditions,
        ...((exactly || wanted !== undefined) && { resourceVersion: String(revision) }),
      },
    },
    caller,
    true,
  )
}

/** Says why the pod ends, for those who ask afterwards. */
function announced(pod: Pod, nowMs: number): Pod {
  const type = 'DisruptionTarget'
  const others = (pod.status?.conditions ?? []).filter(condition => condition.type !== type)
  const before = pod.status?.conditions?.find(condition => condition.type === type)
  const condition = {
    type,
    status: 'True',
    reason: 'EvictionByEvictionAPI',
    message: 'Eviction API: evicting',
    ...(pod.metadata.generation !== undefined && { observedGeneration: pod.metadata.generation }),
    lastTransitionTime:
      before?.status === 'True' && before.lastTransitionTime !== undefined
        ? before.lastTransitionTime
        : formatTime(nowMs),
  }
  return structuredClone({ ...pod, status: { ...pod.status, conditions: [...others, condition] } })
}

/** The version that is served no more is still understood. */
const versions = new Set(['policy/v1', 'policy/v1beta1'])

function checkVersion(value: unknown): void {
  const expected = { apiVersion: 'policy/v1', kind: 'Eviction' }
  const { apiVersion, kind } = isObject(value) ? value : {}
  const given = {
    apiVersion: typeof apiVersion === 'string' && apiVersion !== '' ? apiVersion : expected.apiVersion,
    kind: typeof kind === 'string' && kind !== '' ? kind : expected.kind,
  }
  const problem = conversionProblem(given, expected, (version, name) => versions.has(version) && name === expected.kind)
  if (problem !== undefined)
    throw badRequest(
      `${given.kind} in version "${versionOf(given.apiVersion)}" cannot be handled as a ${expected.kind}: ${problem}`,
    )
}

export function evictionRoute(context: ServerContext): SubresourceRoute {
  return {
    methods: ['POST'],
    async serve(exchange, target) {
      const { value } = decodeBody(await readBody(exchange.request), mediaTypeOf(exchange.request), model, 'Ignore')
      checkVersion(value)
      await evict(context, target, decodeObject(model, value ?? {}).object as Partial<Eviction>, exchange.caller)
      return sendValue(
        exchange,
        201,
        { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 },
        'V1Status',
      )
    },
  }
}
