// Brings instances and takes them away. Where an autoscaler decides how many there are, its number is kept.
import { isInvalid, type ApiError } from '../../../api/api-error.ts'
import type {
  Deployment,
  PersistentVolumeClaim,
  StatefulSet,
  V2HorizontalPodAutoscaler,
} from '../../../api/generated/models.ts'
import { labelSelectorText } from '../../../api/label-selector.ts'
import {
  deployments,
  horizontalPodAutoscalers,
  persistentVolumeClaims,
  podDisruptionBudgets,
  statefulSets,
} from '../../../api/resources.ts'
import type { ObjectName } from '../../../api/object.ts'
import type { Resource } from '../../../api/resource.ts'
import type { Client, Patch } from '../../../client/client.ts'
import { removeObject, unlessNotFound } from '../../../control/removal.ts'
import { formatTime, type Clock } from '../../../lib/clock.ts'
import type { InFlight } from '../../../lib/in-flight.ts'
import { DeployError } from '../../deploy-error.ts'
import type { Failure, Verdict, Watch } from '../engine.ts'
import type { Place, Workload } from '../parts.ts'
import { apply } from './apply.ts'
import { isOwn } from './foreign-objects.ts'
import { fieldManager, objectName, selectorText, serviceLabels, trackLabels } from './labels.ts'
import { lastWords } from './last-words.ts'
import { autoscalerOf } from './observation.ts'
import { patiently } from './patiently.ts'
import { ifPermitted, isForbidden, itemsIfPermitted } from './permitted.ts'
import type { LogClient } from './pod-log.ts'
import { removeStuckPods, retryRefusedPods, waitForRollout } from './rollout.ts'
import { hasBudget, workloadObjects } from './workload-objects.ts'

type Owner = Deployment | StatefulSet

interface Present {
  readonly deployment: Deployment | undefined
  readonly statefulSet: StatefulSet | undefined
  /** What decides how many instances there are. */
  readonly autoscaler: string | undefined
}

export class Workloads {
  private readonly client: Client & LogClient
  private readonly clock: Clock

  constructor(client: Client & LogClient, clock: Clock) {
    this.client = client
    this.clock = clock
  }

  async rollOut({ namespace }: Place, workload: Workload, watch: Watch): Promise<Verdict> {
    try {
      const owner = await patiently(this.clock, watch, () => this.begin(namespace, workload))
      return owner === undefined ? hasData(workload.name) : await this.wait(owner, watch)
    } catch (error) {
      if (!isInvalid(error) && !isForbidden(error)) throw error
      return failure(`the cluster refuses ${workload.name}: ${(error as ApiError).message}`)
    }
  }

  /** @returns undefined where data is in the way */
  private async begin(namespace: string, workload: Workload): Promise<Owner | undefined> {
    const selector = selectorText(trackLabels(workload.service, workload.track))
    const [present] = await Promise.all([
      this.present(namespace, workload.name),
      removeStuckPods(this.client, namespace, selector),
    ])
    if (workload.storage === undefined && present.statefulSet !== undefined) return undefined
    const owner = await this.bring(namespace, workload, instancesOf(workload, present))
    await retryRefusedPods(this.client, namespace, selector, formatTime(this.clock.now()))
    if (workload.storage !== undefined && present.deployment !== undefined)
      await removeObject(this.client, deployments, present.deployment)
    return owner
  }

  /** How many instances there would be after a rollout. */
  async wantedInstances({ namespace }: Place, workload: Workload, inFlight: InFlight): Promise<number> {
    const autoscalers = await inFlight.ask(`autoscalers in ${namespace}`, () => this.autoscalers(namespace))
    const name = objectName(workload.name)
    const isScaled = autoscalers.some(({ spec }) => spec.scaleTargetRef.name === name)
    return isScaled ? instancesOf(workload, await this.present(namespace, workload.name)) : workload.instances
  }

  async restart(place: Place, name: string, watch: Watch): Promise<Verdict> {
    const annotations = { 'sampan.dev/restarted-at': formatTime(this.clock.now()) }
    const value = { spec: { template: { metadata: { annotations } } } }
    const owner = await patiently(this.clock, watch, async () =>
      this.change((await this.existing(place, name)).owner, { type: 'merge', value }, 'sampan-restart'),
    )
    return this.wait(owner, watch)
  }

  async scale(place: Place, name: string, instances: number, watch: Watch): Promise<Verdict> {
    const { owner, autoscaler } = await patiently(this.clock, watch, () => this.existing(place, name))
    if (autoscaler !== undefined)
      return failure(
        `the autoscaler "${autoscaler}" decides how many instances of ${name} there are, and would undo it; change its limits: kubectl edit hpa -n ${place.namespace} ${autoscaler}`,
      )
    const value = { spec: { replicas: instances } }
    return this.wait(await patiently(this.clock, watch, () => this.change(owner, { type: 'merge', value })), watch)
  }

  async remove({ namespace, service }: Place, name: string, withData: boolean): Promise<void> {
    const target = { namespace, name: objectName(name) }
    await Promise.all([unlessNotFound(this.client.delete(deployments, target)), this.removeBudget(target, service)])
    if (withData) await this.removeData(target, service)
  }

  /** Not one that somebody else made for the service. */
  private async removeBudget(target: ObjectName, service: string): Promise<void> {
    const budget = await ifPermitted(this.client.get(podDisruptionBudgets, target))
    if (budget !== undefined && isOwn(budget, service))
      await ifPermitted(removeObject(this.client, podDisruptionBudgets, budget))
  }

  /** Claims last, so that whoever was interrupted finds them again. */
  private async removeData(
    { namespace, name }: { readonly namespace: string; readonly name: string },
    service: string,
  ): Promise<void> {
    await unlessNotFound(this.client.delete(statefulSets, { namespace, name }))
    const own = await this.claimsOf({ namespace, name }, service)
    await Promise.all(own.map(claim => removeObject(this.client, persistentVolumeClaims, claim)))
  }

  async holdsData({ namespace, service }: Place, name: string): Promise<boolean> {
    return (await this.claimsOf({ namespace, name: objectName(name) }, service)).length > 0
  }

  private async claimsOf(
    { namespace, name }: { readonly namespace: string; readonly name: string },
    service: string,
  ): Promise<readonly PersistentVolumeClaim[]> {
    const labelSelector = selectorText(serviceLabels(service))
    const { items } = await this.client.list(persistentVolumeClaims, { namespace, labelSelector })
    const prefix = `data-${name}-`
    // Not those of `web-postgres` for `web`.
    return items.filter(
      ({ metadata }) => metadata.name.startsWith(prefix) && /^\d+$/.test(metadata.name.slice(prefix.length)),
    )
  }

  private async bring(namespace: string, workload: Workload, instances: number): Promise<Owner> {
    const [main, ...beside] = workloadObjects(namespace, workload, instances)
    const owner = (await apply(this.client, main)) as Owner
    await Promise.all(beside.map(object => apply(this.client, object)))
    if (!hasBudget(workload, instances))
      await this.removeBudget({ namespace, name: objectName(workload.name) }, workload.service)
    return owner
  }

  private async wait(owner: Owner, watch: Watch): Promise<Verdict> {
    const { client, clock } = this
    const verdict = await waitForRollout({ client, clock, owner, watch })
    if (verdict.state === 'done') return verdict
    const { namespace = '' } = owner.metadata
    return {
      state: 'failed',
      reason: verdict.reason,
      lastWords: await lastWords(client, clock, { namespace, ...verdict }),
    }
  }

  private async present(namespace: string, name: string): Promise<Present> {
    const target = { namespace, name: objectName(name) }
    const [deployment, statefulSet, autoscalers] = await Promise.all([
      ifPermitted(this.client.get(deployments, target)),
      ifPermitted(this.client.get(statefulSets, target)),
      this.autoscalers(namespace),
    ])
    const owner = deployment ?? statefulSet
    const autoscaler = owner === undefined ? undefined : autoscalerOf(owner, autoscalers)?.metadata.name
    return { deployment, statefulSet, autoscaler }
  }

  private autoscalers(namespace: string): Promise<readonly V2HorizontalPodAutoscaler[]> {
    return itemsIfPermitted(this.client.list(horizontalPodAutoscalers, { namespace }))
  }

  private async existing(
    { namespace }: Place,
    name: string,
  ): Promise<{ readonly owner: Owner; readonly autoscaler: string | undefined }> {
    const { deployment, statefulSet, autoscaler } = await this.present(namespace, name)
    const owner = deployment ?? statefulSet
    if (owner === undefined)
      throw new DeployError(
        `there is no workload "${name}" in the namespace ${namespace}; see what there is: sampan ps`,
      )
    const selector = labelSelectorText(owner.spec.selector)
    await removeStuckPods(this.client, namespace, selector)
    return { owner, autoscaler }
  }

  private change({ kind, metadata: { namespace, name } }: Owner, patch: Patch, manager = fieldManager): Promise<Owner> {
    const resource = (kind === 'Deployment' ? deployments : statefulSets) as Resource<Owner>
    return this.client.patch(resource, { namespace, name }, patch, { fieldManager: manager })
  }
}

function instancesOf({ instances, storage }: Workload, { deployment, statefulSet, autoscaler }: Present): number {
  const owner = storage === undefined ? deployment : statefulSet
  return autoscaler === undefined ? instances : (owner?.spec.replicas ?? instances)
}

const failure = (reason: string): Failure => ({ state: 'failed', reason, lastWords: [] })

const hasData = (name: string): Failure =>
  failure(
    `${name} keeps data, which no release takes away; remove it together with its data first, or give it another name`,
  )
