// Carries every Deployment towards its current template: makes the ReplicaSet of each template, moves
// replicas over step by step, keeps the history, reports.
import { isAlreadyExists } from '../../api/api-error.ts'
import type { Deployment, ReplicaSet } from '../../api/generated/models.ts'
import { matchesSelector } from '../../api/label-selector.ts'
import { keyOf, splitKey } from '../../api/object.ts'
import { deployments, pods, replicaSets } from '../../api/resources.ts'
import { sameJson } from '../../api/validation/scalars.ts'
import type { ControllerContext, Outcome, Reconciler } from '../../control/controller.ts'
import { defineController, ownerKeys, watch } from '../../control/controller.ts'
import { isNamespaceTerminating } from '../../control/namespace-terminating.ts'
import { byController, claim, controllerOf, controllerReference } from '../../control/ownership.ts'
import { removeObject } from '../../control/removal.ts'
import { errorText } from '../../lib/error-text.ts'
import { compareInt64 } from '../../lib/int64.ts'
import {
  currentAnnotations,
  hashLabel,
  replicaAnnotations,
  nextRevision,
  revisionAnnotation,
  revisionOf,
  sameTemplate,
  templateHash,
} from './revisions.ts'
import type { Observed } from './rollout.ts'
import { limitsOf, planCleanup, planRollout, replicasOf, wantedReplicas } from './rollout.ts'
import { deadlineMs, hasDeadline, isComplete, planStatus } from './status.ts'

export const deploymentController = defineController({
  name: 'deployment',
  primary: deployments,
  watches: [
    watch({
      resource: replicaSets,
      keysOf: (set, client) =>
        controllerOf(set) === undefined
          ? client
              .informer(deployments)
              .list(set.metadata.namespace)
              .filter(deployment => matchesSelector(deployment.spec.selector, set.metadata.labels))
              .map(keyOf)
          : ownerKeys(set, deployments),
    }),
    watch({
      resource: pods,
      // Only Recreate waits for pods to be really gone; all else shows in the ReplicaSets.
      matters: (pod, old) =>
        pod.status.phase !== old.status.phase && ['Succeeded', 'Failed'].includes(pod.status.phase ?? ''),
      keysOf: (pod, client) =>
        ownerKeys(pod, replicaSets).flatMap(key => {
          const set = client.informer(replicaSets).get(splitKey(key))
          return set === undefined ? [] : ownerKeys(set, deployments)
        }),
    }),
  ],
  reconciler: reconcileDeployment,
})

function reconcileDeployment(context: ControllerContext): Reconciler {
  const { client, clock } = context
  const informer = client.informer(deployments)
  const setsOf = byController(client.informer(replicaSets))
  const podsOf = byController(client.informer(pods))

  async function observe(deployment: Deployment): Promise<Observed> {
    const sets = await claim({
      client,
      owner: deployment,
      ownerResource: deployments,
      resource: replicaSets,
      matches: set => matchesSelector(deployment.spec.selector, set.metadata.labels),
      owned: setsOf.of(deployment),
      orphans: setsOf.orphans(deployment.metadata.namespace ?? ''),
    })
    const ordered = sets.toSorted((a, b) =>
      a.metadata.creationTimestamp < b.metadata.creationTimestamp
        ? -1
        : a.metadata.creationTimestamp > b.metadata.creationTimestamp
          ? 1
          : compareInt64(revisionOf(a), revisionOf(b)),
    )
    const current = ordered.find(set => sameTemplate(set.spec.template, deployment.spec.template))
    const old = ordered.filter(set => set !== current)
    return { deployment, current, old, oldPods: old.flatMap(set => podsOf.of(set)) }
  }

  return async function reconcile(key): Promise<Outcome> {
    const deployment = informer.get(splitKey(key))
    if (deployment === undefined) return 'done'
    const observed = await observe(deployment)
    if (deployment.metadata.deletionTimestamp !== undefined)
      return writeStatus(observed, { scalingOnly: true }, context)
    const plan = planRollout(observed)
    const revision = nextRevision(observed.old)
    const created = plan.create === undefined ? undefined : await createSet(observed, plan.create, revision, context)
    if (created === 'not-now') return 'done'
    for (const set of [observed.current, ...observed.old]) {
      if (set !== undefined) await updateSet(set, observed, plan.scale.get(set.metadata.name), revision, context)
    }
    const after = await observe(informer.get(splitKey(key)) ?? deployment)
    await cleanUp(after, context)
    return writeStatus(
      { ...after, current: after.current ?? created, deployment: after.deployment },
      { scalingOnly: plan.scalingOnly, created: created !== undefined },
      context,
      clock.now(),
    )
  }
}

/** Two templates with one hash are told apart by the collision count; the next run tries again with it. */
async function createSet(
  { deployment }: Observed,
  replicas: number,
  revision: bigint,
  context: ControllerContext,
): Promise<ReplicaSet | 'not-now'> {
  const { client, recorder } = context
  const { template, selector, minReadySeconds } = deployment.spec
  const hash = templateHash(template, deployment.status.collisionCount)
  const labels = { ...template.metadata?.labels, [hashLabel]: hash }
  const name = `${deployment.metadata.name}-${hash}`
  try {
    const set = await client.create(replicaSets, {
      metadata: {
        name,
        namespace: deployment.metadata.namespace,
        labels,
        ownerReferences: [controllerReference(deployment, deployments)],
        annotations: {
          ...currentAnnotations(deployment, undefined, revision),
          ...replicaAnnotations(wantedReplicas(deployment), wantedReplicas(deployment) + limitsOf(deployment).maxSurge),
        },
      },
      spec: {
        replicas,
        ...(minReadySeconds && { minReadySeconds }),
        selector: { ...selector, matchLabels: { ...selector.matchLabels, [hashLabel]: hash } },
        template: { ...template, metadata: { ...template.metadata, labels } },
      },
    })
    if (replicas > 0)
      recorder.recordEvent(
        deployment,
        'Normal',
        'ScalingReplicaSet',
        `Scaled up replica set ${name} from 0 to ${replicas}`,
      )
    return set
  } catch (error) {
    if (isNamespaceTerminating(error)) return 'not-now'
    if (!isAlreadyExists(error)) {
      recorder.recordEvent(
        deployment,
        'Warning',
        'ReplicaSetCreateError',
        `Failed to create new replica set "${name}": ${errorText(error)}`,
      )
      throw error
    }
    const existing = await client.get(replicaSets, { namespace: deployment.metadata.namespace, name })
    if (controllerOf(existing)?.uid === deployment.metadata.uid && sameTemplate(existing.spec.template, template))
      return existing
    await client.update(
      deployments,
      { ...deployment, status: { ...deployment.status, collisionCount: (deployment.status.collisionCount ?? 0) + 1 } },
      { subresource: 'status' },
    )
    return 'not-now'
  }
}

/** Size and annotations in one write; nothing when nothing changes. */
async function updateSet(
  set: ReplicaSet,
  observed: Observed,
  size: number | undefined,
  revision: bigint,
  { client, recorder }: ControllerContext,
): Promise<void> {
  const { deployment, current } = observed
  const isCurrent = set === current
  const before = replicasOf(set)
  const after = size ?? before
  const sized =
    size !== undefined || after > 0
      ? replicaAnnotations(wantedReplicas(deployment), wantedReplicas(deployment) + limitsOf(deployment).maxSurge)
      : {}
  const annotations = {
    ...(isCurrent ? currentAnnotations(deployment, set, revision) : set.metadata.annotations),
    ...sized,
  }
  const minReadySeconds = isCurrent ? deployment.spec.minReadySeconds : set.spec.minReadySeconds
  if (
    after === before &&
    sameJson(annotations, set.metadata.annotations ?? {}) &&
    (minReadySeconds ?? 0) === (set.spec.minReadySeconds ?? 0)
  )
    return
  await client.update(replicaSets, {
    ...set,
    metadata: { ...set.metadata, annotations },
    spec: { ...set.spec, replicas: after, minReadySeconds },
  })
  if (after === before) return
  recorder.recordEvent(
    deployment,
    'Normal',
    'ScalingReplicaSet',
    `Scaled ${after > before ? 'up' : 'down'} replica set ${set.metadata.name} from ${before} to ${after}`,
  )
}

async function cleanUp({ deployment, current, old }: Observed, { client }: ControllerContext): Promise<void> {
  const settled =
    deployment.spec.paused === true ||
    isComplete(deployment, planStatus({ deployment, current, old, scalingOnly: true }, 0))
  if (!settled) return
  await Promise.all(
    planCleanup(deployment, old).map(set =>
      removeObject(client, replicaSets, set, { propagationPolicy: 'Background' }),
    ),
  )
}

/** The deployment shows the revision of its current ReplicaSet; the status update carries both. */
async function writeStatus(
  { deployment, current, old }: Observed,
  options: { scalingOnly: boolean; created?: boolean },
  { client, clock }: ControllerContext,
  nowMs = clock.now(),
): Promise<Outcome> {
  const status = planStatus({ deployment, current, old, ...options }, nowMs)
  const revision = current?.metadata.annotations?.[revisionAnnotation]
  const annotations =
    revision === undefined
      ? deployment.metadata.annotations
      : { ...deployment.metadata.annotations, [revisionAnnotation]: revision }
  let written = deployment
  if (!sameJson(status, deployment.status) || !sameJson(annotations, deployment.metadata.annotations)) {
    written = await client.update(
      deployments,
      { ...deployment, metadata: { ...deployment.metadata, annotations }, status },
      { subresource: 'status' },
    )
  }
  const deadline = hasDeadline(written) && !isComplete(written, written.status) ? deadlineMs(written) : undefined
  return deadline === undefined ? 'done' : { requeueAfterMs: Math.max(1000, deadline - nowMs + 1000) }
}
