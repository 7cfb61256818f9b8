// Runs jobs to their end: observes the pods, writes the count, lets counted pods go, makes new ones.
import type { Job, Pod } from '../../api/generated/models.ts'
import { matchesSelector } from '../../api/label-selector.ts'
import { keyOf, splitKey } from '../../api/object.ts'
import { jobs, pods } from '../../api/resources.ts'
import { slowStart } from '../../control/batches.ts'
import type { ControllerContext, Outcome, Reconciler } from '../../control/controller.ts'
import { defineController, ownerKeys, watch } from '../../control/controller.ts'
import { isNamespaceTerminating } from '../../control/namespace-terminating.ts'
import { byController, claim, controllerOf, controllerReference } from '../../control/ownership.ts'
import { podFromTemplate } from '../../control/pods.ts'
import { removeObject, unlessNotFound } from '../../control/removal.ts'
import { writeStatus } from '../../control/write-status.ts'
import { errorText } from '../../lib/error-text.ts'
import { withIndex } from './indexes.ts'
import { failureCountKey } from './per-index.ts'
import type { JobPlan, NewPod } from './plan.ts'
import { expiresAtMs, isJobFinished, isTracked, planJob, trackingFinalizer } from './plan.ts'

export const jobController = defineController({
  name: 'job',
  primary: jobs,
  watches: [
    watch({
      resource: pods,
      keysOf: (pod, client) => {
        if (controllerOf(pod) !== undefined) return ownerKeys(pod, jobs)
        if (isTracked(pod)) return [orphanKey(pod)]
        return client
          .informer(jobs)
          .list(pod.metadata.namespace)
          .filter(job => matchesSelector(job.spec.selector, pod.metadata.labels))
          .map(keyOf)
      },
    }),
  ],
  reconciler: reconcileJobs,
})

const orphanPrefix = 'pod:'
const orphanKey = (pod: Pod): string => `${orphanPrefix}${keyOf(pod)}`

function reconcileJobs(context: ControllerContext): Reconciler {
  const { client, clock, recorder } = context
  const informer = client.informer(jobs)
  const podInformer = client.informer(pods)
  const podsOf = byController(podInformer)
  const trackedFor = podInformer.index('tracking job', pod => (isTracked(pod) ? ownerKeys(pod, jobs) : []))

  return async function reconcile(key): Promise<Outcome> {
    if (key.startsWith(orphanPrefix)) return untrackOne(podInformer.get(splitKey(key.slice(orphanPrefix.length))))
    const job = informer.get(splitKey(key))
    await Promise.all(
      trackedFor(key)
        .filter(pod => controllerOf(pod)?.uid !== job?.metadata.uid)
        .map(untrack),
    )
    if (
      job === undefined ||
      (job.spec.managedBy !== undefined && job.spec.managedBy !== 'kubernetes.io/job-controller')
    )
      return 'done'
    const mine = await claim({
      client,
      owner: job,
      ownerResource: jobs,
      resource: pods,
      matches: pod => matchesSelector(job.spec.selector, pod.metadata.labels),
      owned: podsOf.of(job),
      orphans: podsOf.orphans(job.metadata.namespace ?? ''),
    })
    if (job.metadata.deletionTimestamp !== undefined) return letGo(mine)
    const plan = planJob(job, mine, clock.now())
    const written = await writeStatus(client, jobs, job, plan.status)
    if (written !== job && plan.event !== undefined)
      recorder.recordEvent(job, plan.event.type, plan.event.reason, plan.event.message)
    await Promise.all(plan.untrack.map(untrack))
    await apply(written, plan)
    if (isJobFinished(written)) return expire(written)
    return plan.recheckAtMs === undefined ? 'done' : { requeueAfterMs: plan.recheckAtMs - clock.now() }
  }

  async function letGo(mine: readonly Pod[]): Promise<Outcome> {
    await Promise.all(mine.filter(isTracked).map(untrack))
    return 'done'
  }

  async function apply(job: Job, plan: JobPlan): Promise<void> {
    await Promise.all(plan.remove.map(pod => remove(job, pod, plan.discard === true)))
    try {
      await slowStart(plan.create.length, index => create(job, plan.create[index]!))
    } catch (error) {
      if (isNamespaceTerminating(error)) return
      recorder.recordEvent(job, 'Warning', 'FailedCreate', `Error creating: ${errorText(error)}`)
      throw error
    }
  }

  async function create(job: Job, { index, failures }: NewPod): Promise<void> {
    const plain = podFromTemplate(job.spec.template, controllerReference(job, jobs), job.metadata.namespace)
    plain.metadata.finalizers = [...(plain.metadata.finalizers ?? []), trackingFinalizer]
    const pod = await client.create(
      pods,
      index === undefined
        ? plain
        : withIndex(
            plain,
            job.metadata.name,
            index,
            failures === undefined ? {} : { [failureCountKey]: `${failures}` },
          ),
    )
    recorder.recordEvent(job, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`)
  }

  async function remove(job: Job, pod: Pod, discard: boolean): Promise<void> {
    if (discard) await untrack(pod)
    if (await removeObject(client, pods, pod))
      recorder.recordEvent(job, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`)
  }

  async function untrackOne(pod: Pod | undefined): Promise<Outcome> {
    if (pod !== undefined && isTracked(pod) && controllerOf(pod) === undefined) await untrack(pod)
    return 'done'
  }

  async function untrack(pod: Pod): Promise<void> {
    const current = podInformer.get(pod.metadata)
    if (current === undefined || current.metadata.uid !== pod.metadata.uid || !isTracked(current)) return
    const finalizers = current.metadata.finalizers!.filter(finalizer => finalizer !== trackingFinalizer)
    const value = {
      metadata: {
        uid: current.metadata.uid,
        resourceVersion: current.metadata.resourceVersion,
        finalizers: finalizers.length === 0 ? null : finalizers,
      },
    }
    await unlessNotFound(client.patch(pods, current.metadata, { type: 'merge', value }))
  }

  async function expire(job: Job): Promise<Outcome> {
    const atMs = expiresAtMs(job)
    if (atMs === undefined) return 'done'
    if (atMs > clock.now()) return { requeueAfterMs: atMs - clock.now() }
    await removeObject(client, jobs, job, { propagationPolicy: 'Foreground' })
    return 'done'
  }
}
