// Keeps the status of each PodDisruptionBudget, by which evictions are let pass or not.
import { protects } from '../../api/disruption-budget.ts'
import type { Pod, PodDisruptionBudget } from '../../api/generated/models.ts'
import { keyOf, splitKey, type KubeObject } from '../../api/object.ts'
import {
  deployments,
  podDisruptionBudgets,
  pods,
  replicaSets,
  replicationControllers,
  statefulSets,
} from '../../api/resources.ts'
import type { Resource } from '../../api/resource.ts'
import { labelSelectorText } from '../../api/label-selector.ts'
import { sameJson } from '../../api/validation/scalars.ts'
import type { Client } from '../../client/client.ts'
import type { ControllerContext, Outcome, Reconciler } from '../../control/controller.ts'
import { defineController, watch } from '../../control/controller.ts'
import { controllerOf } from '../../control/ownership.ts'
import { isReady, isTerminating } from '../../control/pods.ts'
import { writeStatus } from '../../control/write-status.ts'
import { planDisruption, type ControllerScale } from './plan.ts'

type Scaled = KubeObject & { readonly spec?: { readonly replicas?: number } }

const scaled: readonly Resource<Scaled>[] = [replicaSets, statefulSets, replicationControllers, deployments]

export const disruptionController = defineController({
  name: 'disruption',
  primary: podDisruptionBudgets,
  watches: [
    watch({
      resource: pods,
      matters: (pod, old) =>
        isReady(pod) !== isReady(old) ||
        isTerminating(pod) !== isTerminating(old) ||
        !sameJson(pod.metadata.labels, old.metadata.labels) ||
        !sameJson(pod.metadata.ownerReferences, old.metadata.ownerReferences),
      keysOf: (pod, client) => budgetsOf(client, pod).map(keyOf),
    }),
    // A share of what is wanted changes with what is wanted.
    ...scaled.map(resource =>
      watch<Scaled>({
        resource,
        matters: (object, old) => object.spec?.replicas !== old.spec?.replicas,
        keysOf: ({ metadata }, client) => client.informer(podDisruptionBudgets).list(metadata.namespace).map(keyOf),
      }),
    ),
  ],
  reconciler: reconcileBudget,
})

const budgetsOf = (client: Client, pod: Pod): readonly PodDisruptionBudget[] =>
  client
    .informer(podDisruptionBudgets)
    .list(pod.metadata.namespace)
    .filter(budget => protects(budget, pod))

function reconcileBudget({ client, clock, recorder }: ControllerContext): Reconciler {
  const [budgetInformer, podInformer] = [client.informer(podDisruptionBudgets), client.informer(pods)]

  return async function reconcile(key): Promise<Outcome> {
    const budget = budgetInformer.get(splitKey(key))
    if (budget === undefined) return 'done'
    const selected = podInformer.list(budget.metadata.namespace).filter(pod => protects(budget, pod))
    const plan = planDisruption(budget, selected, pod => scaleOf(client, pod), clock.now())
    if (selected.length === 0) recorder.recordEvent(budget, 'Normal', 'NoPods', 'No matching pods found')
    if (plan.unmanaged.length > 0)
      recorder.recordEvent(
        budget,
        'Warning',
        'UnmanagedPods',
        `Pods selected by this PodDisruptionBudget (selector: ${labelSelectorText(budget.spec.selector)}) were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.`,
      )
    for (const pod of plan.notDeleted)
      recorder.recordEvent(
        pod,
        'Warning',
        'NotDeleted',
        `Pod was expected by PDB ${budget.metadata.namespace}/${budget.metadata.name} to be deleted but it wasn't`,
      )
    await writeStatus(client, podDisruptionBudgets, budget, plan.status)
    return plan.recheckAfterMs === undefined ? 'done' : { requeueAfterMs: plan.recheckAfterMs }
  }
}

/** How many pods the controller of a pod wants; of a replica set's deployment where it has one. */
function scaleOf(client: Client, pod: Pod): ControllerScale | undefined {
  const reference = controllerOf(pod)!
  for (const resource of scaled) {
    if (reference.kind !== resource.kind) continue
    const found = client.informer(resource).get({ namespace: pod.metadata.namespace, name: reference.name })
    if (found === undefined || found.metadata.uid !== reference.uid) return undefined
    const above = resource.kind === replicaSets.kind ? controllerOf(found) : undefined
    const deployment =
      above?.kind === deployments.kind
        ? client.informer(deployments).get({ namespace: pod.metadata.namespace, name: above.name })
        : undefined
    const owner = deployment !== undefined && deployment.metadata.uid === above?.uid ? deployment : found
    return { uid: owner.metadata.uid, replicas: owner.spec?.replicas ?? 1 }
  }
  return undefined
}
