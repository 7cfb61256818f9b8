// Decides what a job needs now. Finished pods are counted exactly once: a pod carries a finalizer until it
// is in the count, and `uncountedTerminatedPods` lists those that are in the count while their finalizer
// is still to be taken away.
import type { Job, JobCondition, JobStatus, Pod } from '../../api/generated/models.ts'
import { byDeletionOrder, isReady, isTerminating } from '../../control/pods.ts'
import { formatTime } from '../../lib/clock.ts'
import { judge } from './failure-policy.ts'
import { formatIndexes, indexOf, isIndexed, parseIndexes } from './indexes.ts'
import { failuresBefore, fulfilledRule, limitsEachIndex, newestByIndex } from './per-index.ts'

export const trackingFinalizer = 'batch.kubernetes.io/job-tracking'

export interface JobPlan {
  readonly status: JobStatus
  readonly create: readonly NewPod[]
  readonly remove: readonly Pod[]
  /** The removed pods are not wanted any more, which is no failure of theirs: they leave the count first. */
  readonly discard?: boolean
  /** Pods whose finalizer may go once the status is written. */
  readonly untrack: readonly Pod[]
  readonly recheckAtMs?: number
  readonly event?: { readonly type: 'Normal' | 'Warning'; readonly reason: string; readonly message: string }
}

/** A pod to create: its index in Indexed jobs, and how often that index failed before. */
export interface NewPod {
  readonly index?: number
  readonly failures?: number
}

const firstDelayMs = 10_000
const longestDelayMs = 600_000
const burst = 500

export const isTracked = ({ metadata }: Pod): boolean => metadata.finalizers?.includes(trackingFinalizer) ?? false
const succeeded = (pod: Pod): boolean => pod.status.phase === 'Succeeded'
const hasCondition = (conditions: readonly JobCondition[] | undefined, type: string): boolean =>
  conditions?.some(condition => condition.type === type && condition.status === 'True') ?? false
export const isJobFinished = ({ status }: Job): boolean =>
  hasCondition(status.conditions, 'Complete') || hasCondition(status.conditions, 'Failed')

/** A deleted pod counts as failed at once, unless the job replaces only pods that have really ended. */
function failed(pod: Pod, job: Job): boolean {
  if (pod.status.phase === 'Failed') return true
  return job.spec.podReplacementPolicy !== 'Failed' && isTerminating(pod) && !succeeded(pod)
}

interface Count {
  succeeded: number
  failed: number
  completed: Set<number>
  failedIndexes: Set<number>
  uncounted: { succeeded: string[]; failed: string[] }
  untrack: Pod[]
  policyFailure?: string
}

export function planJob(job: Job, pods: readonly Pod[], nowMs: number): JobPlan {
  const count = countFinished(job, pods)
  const active = pods.filter(pod => !succeeded(pod) && pod.status.phase !== 'Failed' && !isTerminating(pod))
  const terminating = pods.filter(pod => isTerminating(pod) && !succeeded(pod) && pod.status.phase !== 'Failed').length
  const base: JobStatus = {
    ...withoutCounts(job.status),
    ...(active.length > 0 && { active: active.length }),
    ready: active.filter(isReady).length,
    terminating,
    ...(count.succeeded > 0 && { succeeded: count.succeeded }),
    ...(count.failed > 0 && { failed: count.failed }),
    ...(isIndexed(job) && count.completed.size > 0 && { completedIndexes: formatIndexes(count.completed) }),
    ...(limitsEachIndex(job) && { failedIndexes: formatIndexes(count.failedIndexes) }),
    uncountedTerminatedPods: {
      ...(count.uncounted.succeeded.length > 0 && { succeeded: count.uncounted.succeeded }),
      ...(count.uncounted.failed.length > 0 && { failed: count.uncounted.failed }),
    },
  }
  const { untrack } = count
  if (isJobFinished(job)) return { status: base, create: [], remove: [], untrack }
  const verdict = verdictOf(job, count, active, nowMs)
  if (verdict !== undefined) return finish(job, base, verdict, { active, terminating, untrack, nowMs })
  if (job.spec.suspend === true) return suspend(job, base, { active, untrack, nowMs })
  const started = start(job, base, nowMs)
  return { ...work(job, pods, active, count, terminating, nowMs), untrack, ...started }
}

function withoutCounts({ conditions, startTime, completionTime }: JobStatus): JobStatus {
  return {
    ...(conditions && { conditions }),
    ...(startTime && { startTime }),
    ...(completionTime && { completionTime }),
  }
}

function countFinished(job: Job, pods: readonly Pod[]): Count {
  const { uncountedTerminatedPods: before = {} } = job.status
  const counted = new Set([...(before.succeeded ?? []), ...(before.failed ?? [])])
  const stillTracked = new Set(pods.filter(isTracked).map(pod => pod.metadata.uid))
  const count: Count = {
    succeeded: job.status.succeeded ?? 0,
    failed: job.status.failed ?? 0,
    completed: parseIndexes(job.status.completedIndexes),
    failedIndexes: parseIndexes(job.status.failedIndexes),
    untrack: [],
    uncounted: {
      succeeded: (before.succeeded ?? []).filter(uid => stillTracked.has(uid)),
      failed: (before.failed ?? []).filter(uid => stillTracked.has(uid)),
    },
  }
  const finished: Pod[] = []
  for (const pod of pods) {
    if (!isTracked(pod) || !(succeeded(pod) || failed(pod, job))) continue
    if (!counted.has(pod.metadata.uid)) {
      if (succeeded(pod)) countSuccess(job, pod, count)
      else countFailure(job, pod, count)
    }
    finished.push(pod)
  }
  count.untrack =
    limitsEachIndex(job) && !isJobFinished(job) ? finished.filter(pod => !holdsCount(pod, pods, count)) : finished
  return count
}

/** The last failed pod of an index stays until its successor carries the count on. */
function holdsCount(pod: Pod, pods: readonly Pod[], { completed, failedIndexes }: Count): boolean {
  const index = indexOf(pod)
  return (
    index !== undefined && !completed.has(index) && !failedIndexes.has(index) && newestByIndex(pods).get(index) === pod
  )
}

function countSuccess(job: Job, pod: Pod, count: Count): void {
  count.uncounted.succeeded.push(pod.metadata.uid)
  if (!isIndexed(job)) {
    count.succeeded++
    return
  }
  const index = indexOf(pod)
  if (index !== undefined && index < (job.spec.completions ?? 0)) count.completed.add(index)
  count.succeeded = count.completed.size
}

function countFailure(job: Job, pod: Pod, count: Count): void {
  const verdict = judge(job, pod)
  count.uncounted.failed.push(pod.metadata.uid)
  if (verdict.action !== 'Ignore') count.failed++
  if (verdict.action === 'FailJob') count.policyFailure ??= verdict.message
  const index = indexOf(pod)
  if (!limitsEachIndex(job) || index === undefined || verdict.action === 'Ignore') return
  if (verdict.action === 'FailIndex' || failuresBefore(pod) + 1 > (job.spec.backoffLimitPerIndex ?? 0))
    count.failedIndexes.add(index)
}

interface Verdict {
  readonly success: boolean
  readonly reason: string
  readonly message: string
}

/** How the job ends, if it ends now. A decision once taken stands. */
function verdictOf(job: Job, count: Count, active: readonly Pod[], nowMs: number): Verdict | undefined {
  const decided = job.status.conditions?.find(
    condition =>
      (condition.type === 'FailureTarget' || condition.type === 'SuccessCriteriaMet') && condition.status === 'True',
  )
  if (decided !== undefined)
    return {
      success: decided.type === 'SuccessCriteriaMet',
      reason: decided.reason ?? '',
      message: decided.message ?? '',
    }
  if (count.policyFailure !== undefined)
    return { success: false, reason: 'PodFailurePolicy', message: count.policyFailure }
  const limit = job.spec.backoffLimit ?? 6
  if (count.failed > limit || restartsExceed(job, active, limit))
    return { success: false, reason: 'BackoffLimitExceeded', message: 'Job has reached the specified backoff limit' }
  if (count.failedIndexes.size > (job.spec.maxFailedIndexes ?? Infinity))
    return {
      success: false,
      reason: 'MaxFailedIndexesExceeded',
      message: 'Job has exceeded the specified maximal number of failed indexes',
    }
  const deadline = deadlineMs(job)
  if (job.spec.suspend !== true && deadline !== undefined && nowMs >= deadline)
    return { success: false, reason: 'DeadlineExceeded', message: 'Job was active longer than specified deadline' }
  const rule = fulfilledRule(job, count.completed, parseIndexes)
  if (rule !== undefined) return { success: true, reason: 'SuccessPolicy', message: `Matched rules at index ${rule}` }
  const { completions, parallelism = 1 } = job.spec
  if (count.failedIndexes.size > 0 && count.failedIndexes.size + count.completed.size >= (completions ?? 0))
    return { success: false, reason: 'FailedIndexes', message: 'Job has failed indexes' }
  const complete =
    completions === undefined
      ? (count.succeeded > 0 && active.length === 0) || (parallelism === 0 && count.succeeded > 0)
      : count.succeeded >= completions
  return complete && (job.spec.suspend !== true || count.succeeded > 0)
    ? { success: true, reason: 'CompletionsReached', message: 'Reached expected number of succeeded pods' }
    : undefined
}

function restartsExceed({ spec }: Job, active: readonly Pod[], limit: number): boolean {
  if (spec.template.spec?.restartPolicy !== 'OnFailure') return false
  let restarts = 0
  for (const { status } of active)
    for (const container of [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])])
      restarts += container.restartCount
  return limit === 0 ? restarts > 0 : restarts >= limit
}

function deadlineMs({ spec, status }: Job): number | undefined {
  return spec.activeDeadlineSeconds === undefined || status.startTime === undefined
    ? undefined
    : Date.parse(status.startTime) + Number(spec.activeDeadlineSeconds) * 1000
}

function setCondition(
  status: JobStatus,
  type: string,
  value: 'True' | 'False',
  reason: string,
  message: string,
  nowMs: number,
): JobStatus {
  const before = status.conditions?.find(condition => condition.type === type)
  if (before?.status === value && before.reason === reason) return status
  const now = formatTime(nowMs)
  const condition = {
    type,
    status: value,
    reason,
    message,
    lastProbeTime: now,
    lastTransitionTime: before?.status === value ? before.lastTransitionTime : now,
  }
  return { ...status, conditions: [...(status.conditions ?? []).filter(one => one.type !== type), condition] }
}

/** First the decision is shown and the pods are ended; the final condition comes when all have gone. */
function finish(
  job: Job,
  base: JobStatus,
  { success, reason, message }: Verdict,
  {
    active,
    terminating,
    untrack,
    nowMs,
  }: { active: readonly Pod[]; terminating: number; untrack: readonly Pod[]; nowMs: number },
): JobPlan {
  const begun = job.status.startTime === undefined ? { ...base, startTime: formatTime(nowMs) } : base
  const decided = setCondition(begun, success ? 'SuccessCriteriaMet' : 'FailureTarget', 'True', reason, message, nowMs)
  if (active.length > 0 || terminating > 0) return { status: decided, create: [], remove: active, untrack }
  const final = setCondition(decided, success ? 'Complete' : 'Failed', 'True', reason, message, nowMs)
  return {
    status: success ? { ...final, completionTime: formatTime(nowMs) } : final,
    create: [],
    remove: [],
    untrack,
    event: success
      ? { type: 'Normal', reason: 'Completed', message: 'Job completed' }
      : { type: 'Warning', reason, message },
  }
}

function suspend(
  job: Job,
  base: JobStatus,
  { active, untrack, nowMs }: { active: readonly Pod[]; untrack: readonly Pod[]; nowMs: number },
): JobPlan {
  const already = hasCondition(job.status.conditions, 'Suspended')
  const { startTime: _started, ...unstarted } = base
  return {
    status: setCondition(unstarted, 'Suspended', 'True', 'JobSuspended', 'Job suspended', nowMs),
    create: [],
    remove: active,
    discard: true,
    untrack,
    ...(!already && { event: { type: 'Normal', reason: 'Suspended', message: 'Job suspended' } as const }),
  }
}

function start(job: Job, base: JobStatus, nowMs: number): Pick<JobPlan, 'status' | 'event'> {
  const resumed = hasCondition(job.status.conditions, 'Suspended')
  const begun = base.startTime === undefined ? { ...base, startTime: formatTime(nowMs) } : base
  if (!resumed) return { status: begun }
  return {
    status: setCondition(begun, 'Suspended', 'False', 'JobResumed', 'Job resumed', nowMs),
    event: { type: 'Normal', reason: 'Resumed', message: 'Job resumed' },
  }
}

function work(
  job: Job,
  pods: readonly Pod[],
  active: readonly Pod[],
  count: Count,
  terminating: number,
  nowMs: number,
): Pick<JobPlan, 'create' | 'remove' | 'discard' | 'recheckAtMs'> {
  const { completions, parallelism = 1 } = job.spec
  const wanted =
    completions === undefined
      ? count.succeeded > 0
        ? active.length
        : parallelism
      : Math.min(parallelism, completions - count.succeeded - count.failedIndexes.size)
  const deadline =
    deadlineMs(job) ??
    (job.spec.activeDeadlineSeconds === undefined ? undefined : nowMs + Number(job.spec.activeDeadlineSeconds) * 1000)
  const recheck = (atMs?: number): { recheckAtMs?: number } => {
    const times = [atMs, deadline].filter(time => time !== undefined)
    return times.length === 0 ? {} : { recheckAtMs: Math.min(...times) }
  }
  const superfluous = superfluousPods(job, active, count)
  if (superfluous.length > 0) return { create: [], remove: superfluous, discard: true, ...recheck() }
  if (active.length > wanted)
    return { create: [], remove: byDeletionOrder(active).slice(0, active.length - wanted), discard: true, ...recheck() }
  const occupied = active.length + (job.spec.podReplacementPolicy === 'Failed' ? terminating : 0)
  const missing = Math.min(burst, wanted - occupied)
  if (missing <= 0) return { create: [], remove: [], ...recheck() }
  if (limitsEachIndex(job)) {
    const { create, retryAtMs } = retryIndexes(job, pods, active, count, missing, nowMs)
    return { create, remove: [], ...recheck(retryAtMs) }
  }
  const retryAtMs = nextTryMs(pods, job)
  if (retryAtMs > nowMs) return { create: [], remove: [], ...recheck(retryAtMs) }
  return {
    create: isIndexed(job)
      ? freeIndexes(job, pods, active, count)
          .slice(0, missing)
          .map(index => ({ index }))
      : Array.from({ length: missing }, () => ({})),
    remove: [],
    ...recheck(),
  }
}

/** Pods of indexes that are done, taken twice, or beyond the end. */
function superfluousPods(job: Job, active: readonly Pod[], { completed }: Count): Pod[] {
  if (!isIndexed(job)) return []
  const taken = new Set<number>()
  return active.filter(pod => {
    const index = indexOf(pod)
    if (index === undefined || index >= (job.spec.completions ?? 0) || completed.has(index) || taken.has(index))
      return true
    taken.add(index)
    return false
  })
}

function freeIndexes(
  job: Job,
  pods: readonly Pod[],
  active: readonly Pod[],
  { completed, failedIndexes }: Count,
): number[] {
  const taken = new Set(active.map(indexOf))
  if (job.spec.podReplacementPolicy === 'Failed')
    for (const pod of pods) if (isTerminating(pod) && pod.status.phase !== 'Failed') taken.add(indexOf(pod))
  const free: number[] = []
  for (let index = 0; index < (job.spec.completions ?? 0); index++)
    if (!completed.has(index) && !failedIndexes.has(index) && !taken.has(index)) free.push(index)
  return free
}

/** Every index waits for its own failures only. */
function retryIndexes(
  job: Job,
  pods: readonly Pod[],
  active: readonly Pod[],
  count: Count,
  missing: number,
  nowMs: number,
): { create: NewPod[]; retryAtMs?: number } {
  const newest = newestByIndex(pods)
  const create: NewPod[] = []
  let retryAtMs = Infinity
  for (const index of freeIndexes(job, pods, active, count)) {
    const last = newest.get(index)
    const ignored = last !== undefined && judge(job, last).action === 'Ignore'
    const failures = last === undefined ? 0 : failuresBefore(last) + (ignored ? 0 : 1)
    const atMs = last === undefined ? 0 : endMs(last) + delayMs(Math.max(1, failures))
    if (atMs > nowMs) retryAtMs = Math.min(retryAtMs, atMs)
    else if (create.length < missing) create.push({ index, failures })
  }
  return retryAtMs === Infinity ? { create } : { create, retryAtMs }
}

const delayMs = (failures: number): number => Math.min(longestDelayMs, firstDelayMs * 2 ** (failures - 1))

/** Ten seconds after a failure, doubling with each further one, until a pod succeeds again. */
export function nextTryMs(pods: readonly Pod[], job: Job): number {
  const ended = pods
    .filter(pod => succeeded(pod) || pod.status.phase === 'Failed' || (isTracked(pod) && failed(pod, job)))
    .map(pod => ({ good: succeeded(pod), atMs: endMs(pod) }))
    .sort((a, b) => a.atMs - b.atMs)
  const lastGood = ended.findLastIndex(({ good }) => good)
  const failures = ended.slice(lastGood + 1)
  const last = failures.at(-1)
  return last === undefined ? 0 : last.atMs + delayMs(failures.length)
}

function endMs({ status, metadata }: Pod): number {
  const finished = (status.containerStatuses ?? [])
    .map(container => Date.parse(container.state?.terminated?.finishedAt ?? ''))
    .filter(time => !Number.isNaN(time))
  if (finished.length > 0) return Math.max(...finished)
  const ready = status.conditions?.find(condition => condition.type === 'Ready')?.lastTransitionTime
  return Date.parse(metadata.deletionTimestamp ?? ready ?? metadata.creationTimestamp) || 0
}

/** When a finished job shall disappear; undefined when it stays. */
export function expiresAtMs({ spec, status }: Job): number | undefined {
  if (spec.ttlSecondsAfterFinished === undefined) return undefined
  const final = status.conditions?.find(
    condition => (condition.type === 'Complete' || condition.type === 'Failed') && condition.status === 'True',
  )
  return final === undefined
    ? undefined
    : Date.parse(final.lastTransitionTime ?? '') + spec.ttlSecondsAfterFinished * 1000
}
