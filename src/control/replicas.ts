// Keeping a number of equal pods: the common core of ReplicaSet and ReplicationController. `planReplicas`
// decides, `reconcileReplicas` does it.
import type {
  LabelSelector,
  Pod,
  PodTemplateSpec,
  ReplicaSetCondition,
  ReplicaSetStatus,
} from '../api/generated/models.ts'
import { matchesLabels, matchesSelector } from '../api/label-selector.ts'
import type { KubeObject } from '../api/object.ts'
import { keyOf, splitKey } from '../api/object.ts'
import type { Resource } from '../api/resource.ts'
import { pods } from '../api/resources.ts'
import type { Client } from '../client/client.ts'
import { formatTime } from '../lib/clock.ts'
import { errorText } from '../lib/error-text.ts'
import { slowStart } from './batches.ts'
import type { ControllerContext, Outcome, Reconciler, Watch } from './controller.ts'
import { ownerKeys, watch } from './controller.ts'
import { isNamespaceTerminating } from './namespace-terminating.ts'
import { byController, claim, controllerOf, controllerReference } from './ownership.ts'
import { availableAtMs, byDeletionOrder, isActive, isReady, isTerminating, podFromTemplate } from './pods.ts'
import { removeObject } from './removal.ts'
import { writeStatus } from './write-status.ts'

/** An object that keeps replicas, in the shape of a ReplicaSet. */
export interface ReplicaOwner extends KubeObject {
  readonly spec: { readonly replicas?: number; readonly minReadySeconds?: number; readonly template?: PodTemplateSpec }
  readonly status: ReplicaSetStatus
}

interface ObservedReplicas {
  readonly replicas: number
  readonly minReadySeconds: number
  readonly templateLabels: Readonly<Record<string, string>>
  /** Every pod that belongs to the owner, in whatever state. */
  readonly pods: readonly Pod[]
  readonly deleting: boolean
}

interface ReplicaPlan {
  readonly create: number
  readonly remove: readonly Pod[]
  readonly counts: Pick<
    ReplicaSetStatus,
    'replicas' | 'fullyLabeledReplicas' | 'readyReplicas' | 'availableReplicas' | 'terminatingReplicas'
  >
  /** When the next pod becomes available by the mere passing of time. */
  readonly recheckAtMs?: number
}

/** At most this many pods are created or deleted in one run. */
const burst = 500

export function planReplicas(observed: ObservedReplicas, nowMs: number): ReplicaPlan {
  const active = observed.pods.filter(isActive)
  const difference = observed.deleting ? 0 : active.length - observed.replicas
  const times = active.map(pod => availableAtMs(pod, observed.minReadySeconds))
  const future = times.filter(time => time !== undefined && time > nowMs) as number[]
  return {
    create: Math.min(burst, Math.max(0, -difference)),
    remove: difference > 0 ? byDeletionOrder(active).slice(0, Math.min(burst, difference)) : [],
    counts: {
      replicas: active.length,
      fullyLabeledReplicas: active.filter(pod => matchesLabels(observed.templateLabels, pod.metadata.labels)).length,
      readyReplicas: active.filter(isReady).length,
      availableReplicas: times.filter(time => time !== undefined && time <= nowMs).length,
      terminatingReplicas: observed.pods.filter(isTerminating).length,
    },
    ...(future.length > 0 && { recheckAtMs: Math.min(...future) }),
  }
}

/** The status to write: counts that are 0 are left out, as Kubernetes' encoding does. */
export function nextStatus(
  owner: ReplicaOwner,
  counts: ReplicaPlan['counts'],
  failure: { reason: string; message: string } | undefined,
  nowMs: number,
): ReplicaSetStatus {
  const conditions = nextConditions(owner.status.conditions ?? [], failure, nowMs)
  return {
    replicas: counts.replicas,
    ...(counts.fullyLabeledReplicas && { fullyLabeledReplicas: counts.fullyLabeledReplicas }),
    ...(counts.readyReplicas && { readyReplicas: counts.readyReplicas }),
    ...(counts.availableReplicas && { availableReplicas: counts.availableReplicas }),
    terminatingReplicas: counts.terminatingReplicas,
    observedGeneration: owner.metadata.generation,
    ...(conditions.length > 0 && { conditions }),
  }
}

function nextConditions(
  conditions: readonly ReplicaSetCondition[],
  failure: { reason: string; message: string } | undefined,
  nowMs: number,
): ReplicaSetCondition[] {
  const others = conditions.filter(condition => condition.type !== 'ReplicaFailure')
  if (failure === undefined) return others
  const before = conditions.find(
    condition => condition.type === 'ReplicaFailure' && condition.reason === failure.reason,
  )
  return [
    ...others,
    before ?? { type: 'ReplicaFailure', status: 'True', ...failure, lastTransitionTime: formatTime(nowMs) },
  ]
}

export interface ReplicaLoop<T extends ReplicaOwner> {
  readonly resource: Resource<T>
  readonly selectorOf: (owner: T) => LabelSelector
}

/** Pods of an owner, and orphans that an owner's selector matches. */
export function watchPods<T extends ReplicaOwner>({ resource, selectorOf }: ReplicaLoop<T>): Watch {
  return watch({
    resource: pods,
    keysOf: (pod, client) =>
      controllerOf(pod) === undefined ? matchingOwners(pod, client, resource, selectorOf) : ownerKeys(pod, resource),
  })
}

function matchingOwners<T extends ReplicaOwner>(
  pod: Pod,
  client: Client,
  resource: Resource<T>,
  selectorOf: (owner: T) => LabelSelector,
): string[] {
  if (pod.metadata.labels === undefined) return []
  return client
    .informer(resource)
    .list(pod.metadata.namespace)
    .filter(owner => matchesSelector(selectorOf(owner), pod.metadata.labels))
    .map(keyOf)
}

export function reconcileReplicas<T extends ReplicaOwner>(
  loop: ReplicaLoop<T>,
  context: ControllerContext,
): Reconciler {
  const { client, clock } = context
  const owners = client.informer(loop.resource)
  const podsOf = byController(client.informer(pods))

  return async function reconcile(key): Promise<Outcome> {
    const owner = owners.get(splitKey(key))
    if (owner === undefined) return 'done'
    const selector = loop.selectorOf(owner)
    const mine = await claim({
      client,
      owner,
      ownerResource: loop.resource,
      resource: pods,
      matches: pod => matchesSelector(selector, pod.metadata.labels),
      owned: podsOf.of(owner),
      orphans: podsOf.orphans(owner.metadata.namespace ?? ''),
    })
    const plan = planReplicas(
      {
        replicas: owner.spec.replicas ?? 1,
        minReadySeconds: owner.spec.minReadySeconds ?? 0,
        pods: mine,
        templateLabels: owner.spec.template?.metadata?.labels ?? {},
        deleting: owner.metadata.deletionTimestamp !== undefined,
      },
      clock.now(),
    )
    const failure = await applyPlan(plan, owner, loop.resource, context)
    const status = nextStatus(
      owner,
      plan.counts,
      failure && { reason: failure.reason, message: failure.message },
      clock.now(),
    )
    await writeStatus(client, loop.resource, owner, status, owners.get(owner.metadata))
    if (failure !== undefined) throw failure.error
    return plan.recheckAtMs === undefined ? 'done' : { requeueAfterMs: plan.recheckAtMs - clock.now() }
  }
}

interface Failure {
  readonly reason: 'FailedCreate' | 'FailedDelete'
  readonly message: string
  readonly error: unknown
}

async function applyPlan(
  plan: ReplicaPlan,
  owner: ReplicaOwner,
  resource: Resource,
  context: ControllerContext,
): Promise<Failure | undefined> {
  try {
    await slowStart(plan.create, () => createPod(owner, resource, context))
  } catch (error) {
    return failed('FailedCreate', 'Error creating: ', owner, error, context)
  }
  try {
    await Promise.all(plan.remove.map(pod => deletePod(pod, owner, context)))
  } catch (error) {
    return failed('FailedDelete', 'Error deleting: ', owner, error, context)
  }
  return undefined
}

function failed(
  reason: Failure['reason'],
  prefix: string,
  owner: ReplicaOwner,
  error: unknown,
  { recorder }: ControllerContext,
): Failure | undefined {
  if (isNamespaceTerminating(error)) return undefined
  const message = errorText(error)
  recorder.recordEvent(owner, 'Warning', reason, `${prefix}${message}`)
  return { reason, message, error }
}

async function createPod(
  owner: ReplicaOwner,
  resource: Resource,
  { client, recorder }: ControllerContext,
): Promise<void> {
  const pod = await client.create(
    pods,
    podFromTemplate(owner.spec.template ?? {}, controllerReference(owner, resource), owner.metadata.namespace),
  )
  recorder.recordEvent(owner, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`)
}

async function deletePod(pod: Pod, owner: ReplicaOwner, { client, recorder }: ControllerContext): Promise<void> {
  if (await removeObject(client, pods, pod))
    recorder.recordEvent(owner, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`)
}
