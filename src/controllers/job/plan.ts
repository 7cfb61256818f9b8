// Decides what a job needs now. Finished pods are counted exactly once: a pod carries a finalizer until it
// is in the count, and `uncountedTerminatedPods` lists those that are in the count while their finalizer
// is still to be taken away.
import type { Job, JobCondition, JobStatus, Pod } from '../../api/generated/models.ts'
import { byDeletionOrder, isReady, isTerminating } from '../../control/pods.ts'
import { formatTime } from '../../lib/clock.ts'
import { judge } from './failure-policy.ts'
import { formatIndexes, indexOf, isIndexed, parseIndexes } from './indexes.ts'

export const trackingFinalizer = 'batch.kubernetes.io/job-tracking'

export interface JobPlan {
  readonly status: JobStatus
  /** Pods to create; the index for Indexed jobs. */
  readonly create: readonly (number | undefined)[]
  readonly remove: readonly Pod[]
  /** The removed pods are not wanted any more, which is no failure of theirs: they leave the count first. */
  readonly discard?: boolean
  /** Pods whose finalizer may go once the status is written. */
  readonly untrack: readonly Pod[]
  readonly recheckAtMs?: number
  readonly event?: { readonly type: 'Normal' | 'Warning'; readonly reason: string; readonly message: string }
}

const firstDelayMs = 10_000
const longestDelayMs = 600_000
const burst = 500

export const isTracked = ({ metadata }: Pod): boolean => metadata.finalizers?.includes(trackingFinalizer) ?? false
const succeeded = (pod: Pod): boolean => pod.status.phase === 'Succeeded'
const hasCondition = (conditions: readonly JobCondition[] | undefined, type: string): boolean => conditions?.some(condition => condition.type === type && condition.status === 'True') ?? false
export const isJobFinished = ({ status }: Job): boolean => hasCondition(status.conditions, 'Complete') || hasCondition(status.conditions, 'Failed')

/** A deleted pod counts as failed at once, unless the job replaces only pods that have really ended. */
function failed(pod: Pod, job: Job): boolean {
  if (pod.status.phase === 'Failed') return true
  return job.spec.podReplacementPolicy !== 'Failed' && isTerminating(pod) && !succeeded(pod)
}

interface Count {
  succeeded: number
  failed: number
  completed: Set<number>
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
    ...(active.length > 0 && { active: active.length }), ready: active.filter(isReady).length, terminating,
    ...(count.succeeded > 0 && { succeeded: count.succeeded }), ...(count.failed > 0 && { failed: count.failed }),
    ...(isIndexed(job) && count.completed.size > 0 && { completedIndexes: formatIndexes(count.completed) }),
    uncountedTerminatedPods: {
      ...(count.uncounted.succeeded.length > 0 && { succeeded: count.uncounted.succeeded }), ...(count.uncounted.failed.length > 0 && { failed: count.uncounted.failed }),
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

function withoutCounts({ conditions, startTime, completionTime, failedIndexes }: JobStatus): JobStatus {
  return { ...(conditions && { conditions }), ...(startTime && { startTime }), ...(completionTime && { completionTime }), ...(failedIndexes && { failedIndexes }) }
}

function countFinished(job: Job, pods: readonly Pod[]): Count {
  const { uncountedTerminatedPods: before = {} } = job.status
  const counted = new Set([...(before.succeeded ?? []), ...(before.failed ?? [])])
  const stillTracked = new Set(pods.filter(isTracked).map(pod => pod.metadata.uid))
  const count: Count = {
    succeeded: job.status.succeeded ?? 0, failed: job.status.failed ?? 0, completed: parseIndexes(job.status.completedIndexes), untrack: [],
    uncounted: { succeeded: (before.succeeded ?? []).filter(uid => stillTracked.has(uid)), failed: (before.failed ?? []).filter(uid => stillTracked.has(uid)) },
  }
  for (const pod of pods) {
    if (!isTracked(pod) || !(succeeded(pod) || failed(pod, job))) continue
    count.untrack.push(pod)
    if (counted.has(pod.metadata.uid)) continue
    if (succeeded(pod)) countSuccess(job, pod, count)
    else countFailure(job, pod, count)
  }
  return count
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
}

interface Verdict {
  readonly success: boolean
  readonly reason: string
  readonly message: string
}

/** How the job ends, if it ends now. A decision once taken stands. */
function verdictOf(job: Job, count: Count, active: readonly Pod[], nowMs: number): Verdict | undefined {
  const decided = job.status.conditions?.find(condition => (condition.type === 'FailureTarget' || condition.type === 'SuccessCriteriaMet') && condition.status === 'True')
  if (decided !== undefined) return { success: decided.type === 'SuccessCriteriaMet', reason: decided.reason ?? '', message: decided.message ?? '' }
  if (count.policyFailure !== undefined) return { success: false, reason: 'PodFailurePolicy', message: count.policyFailure }
  const limit = job.spec.backoffLimit ?? 6
  if (count.failed > limit || restartsExceed(job, active, limit)) return { success: false, reason: 'BackoffLimitExceeded', message: 'Job has reached the specified backoff limit' }
  const deadline = deadlineMs(job)
  if (job.spec.suspend !== true && deadline !== undefined && nowMs >= deadline) return { success: false, reason: 'DeadlineExceeded', message: 'Job was active longer than specified deadline' }
  const { completions, parallelism = 1 } = job.spec
  const complete = completions === undefined ? count.succeeded > 0 && active.length === 0 || parallelism === 0 && count.succeeded > 0 : count.succeeded >= completions
  return complete && (job.spec.suspend !== true || count.succeeded > 0) ? { success: true, reason: 'CompletionsReached', message: 'Reached expected number of succeeded pods' } : undefined
}

function restartsExceed({ spec }: Job, active: readonly Pod[], limit: number): boolean {
  if (spec.template.spec?.restartPolicy !== 'OnFailure') return false
  let restarts = 0
  for (const { status } of active) for (const container of [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])]) restarts += container.restartCount
  return limit === 0 ? restarts > 0 : restarts >= limit
}

function deadlineMs({ spec, status }: Job): number | undefined {
  return spec.activeDeadlineSeconds === undefined || status.startTime === undefined ? undefined : Date.parse(status.startTime) + spec.activeDeadlineSeconds * 1000
}

function setCondition(status: JobStatus, type: string, value: 'True' | 'False', reason: string, message: string, nowMs: number): JobStatus {
  const before = status.conditions?.find(condition => condition.type === type)
  if (before?.status === value && before.reason === reason) return status
  const now = formatTime(nowMs)
  const condition = { type, status: value, reason, message, lastProbeTime: now, lastTransitionTime: before?.status === value ? before.lastTransitionTime : now }
  return { ...status, conditions: [...(status.conditions ?? []).filter(one => one.type !== type), condition] }
}

/** First the decision is shown and the pods are ended; the final condition comes when all have gone. */
function finish(job: Job, base: JobStatus, { success, reason, message }: Verdict, { active, terminating, untrack, nowMs }: { active: readonly Pod[]; terminating: number; untrack: readonly Pod[]; nowMs: number }): JobPlan {
  const begun = job.status.startTime === undefined ? { ...base, startTime: formatTime(nowMs) } : base
  const decided = setCondition(begun, success ? 'SuccessCriteriaMet' : 'FailureTarget', 'True', reason, message, nowMs)
  if (active.length > 0 || terminating > 0) return { status: decided, create: [], remove: active, untrack }
  const final = setCondition(decided, success ? 'Complete' : 'Failed', 'True', reason, message, nowMs)
  return {
    status: success ? { ...final, completionTime: formatTime(nowMs) } : final, create: [], remove: [], untrack,
    event: success ? { type: 'Normal', reason: 'Completed', message: 'Job completed' } : { type: 'Warning', reason, message },
  }
}

function suspend(job: Job, base: JobStatus, { active, untrack, nowMs }: { active: readonly Pod[]; untrack: readonly Pod[]; nowMs: number }): JobPlan {
  const already = hasCondition(job.status.conditions, 'Suspended')
  const { startTime: _started, ...unstarted } = base
  return {
    status: setCondition(unstarted, 'Suspended', 'True', 'JobSuspended', 'Job suspended', nowMs), create: [], remove: active, discard: true, untrack,
    ...(!already && { event: { type: 'Normal', reason: 'Suspended', message: 'Job suspended' } as const }),
  }
}

function start(job: Job, base: JobStatus, nowMs: number): Pick<JobPlan, 'status' | 'event'> {
  const resumed = hasCondition(job.status.conditions, 'Suspended')
  const begun = base.startTime === undefined ? { ...base, startTime: formatTime(nowMs) } : base
  if (!resumed) return { status: begun }
  return { status: setCondition(begun, 'Suspended', 'False', 'JobResumed', 'Job resumed', nowMs), event: { type: 'Normal', reason: 'Resumed', message: 'Job resumed' } }
}

function work(job: Job, pods: readonly Pod[], active: readonly Pod[], count: Count, terminating: number, nowMs: number): Pick<JobPlan, 'create' | 'remove' | 'discard' | 'recheckAtMs'> {
  const { completions, parallelism = 1 } = job.spec
  const wanted = completions === undefined ? (count.succeeded > 0 ? active.length : parallelism) : Math.min(parallelism, completions - count.succeeded)
  const deadline = deadlineMs(job) ?? (job.spec.activeDeadlineSeconds === undefined ? undefined : nowMs + job.spec.activeDeadlineSeconds * 1000)
  const recheck = (atMs?: number): { recheckAtMs?: number } => {
    const times = [atMs, deadline].filter(time => time !== undefined)
    return times.length === 0 ? {} : { recheckAtMs: Math.min(...times) }
  }
  const superfluous = superfluousPods(job, active, count)
  if (superfluous.length > 0) return { create: [], remove: superfluous, discard: true, ...recheck() }
  if (active.length > wanted) return { create: [], remove: byDeletionOrder(active).slice(0, active.length - wanted), discard: true, ...recheck() }
  const occupied = active.length + (job.spec.podReplacementPolicy === 'Failed' ? terminating : 0)
  const missing = Math.min(burst, wanted - occupied)
  if (missing <= 0) return { create: [], remove: [], ...recheck() }
  const retryAtMs = nextTryMs(pods, job)
  if (retryAtMs > nowMs) return { create: [], remove: [], ...recheck(retryAtMs) }
  return { create: isIndexed(job) ? freeIndexes(job, pods, active, count, missing) : Array.from({ length: missing }, () => undefined), remove: [], ...recheck() }
}

/** Pods of indexes that are done, taken twice, or beyond the end. */
function superfluousPods(job: Job, active: readonly Pod[], { completed }: Count): Pod[] {
  if (!isIndexed(job)) return []
  const taken = new Set<number>()
  return active.filter(pod => {
    const index = indexOf(pod)
    if (index === undefined || index >= (job.spec.completions ?? 0) || completed.has(index) || taken.has(index)) return true
    taken.add(index)
    return false
  })
}

function freeIndexes(job: Job, pods: readonly Pod[], active: readonly Pod[], { completed }: Count, missing: number): number[] {
  const taken = new Set(active.map(indexOf))
  if (job.spec.podReplacementPolicy === 'Failed') for (const pod of pods) if (isTerminating(pod) && pod.status.phase !== 'Failed') taken.add(indexOf(pod))
  const free: number[] = []
  for (let index = 0; index < (job.spec.completions ?? 0) && free.length < missing; index++) if (!completed.has(index) && !taken.has(index)) free.push(index)
  return free
}

/** Ten seconds after a failure, doubling with each further one, until a pod succeeds again. */
export function nextTryMs(pods: readonly Pod[], job: Job): number {
  const ended = pods.filter(pod => succeeded(pod) || pod.status.phase === 'Failed' || (isTracked(pod) && failed(pod, job))).map(pod => ({ good: succeeded(pod), atMs: endMs(pod) })).sort((a, b) => a.atMs - b.atMs)
  const lastGood = ended.findLastIndex(({ good }) => good)
  const failures = ended.slice(lastGood + 1)
  const last = failures.at(-1)
  return last === undefined ? 0 : last.atMs + Math.min(longestDelayMs, firstDelayMs * 2 ** (failures.length - 1))
}

function endMs({ status, metadata }: Pod): number {
  const finished = (status.containerStatuses ?? []).map(container => Date.parse(container.state?.terminated?.finishedAt ?? '')).filter(time => !Number.isNaN(time))
  if (finished.length > 0) return Math.max(...finished)
  const ready = status.conditions?.find(condition => condition.type === 'Ready')?.lastTransitionTime
  return Date.parse(metadata.deletionTimestamp ?? ready ?? metadata.creationTimestamp) || 0
}

/** When a finished job shall disappear; undefined when it stays. */
export function expiresAtMs({ spec, status }: Job): number | undefined {
  if (spec.ttlSecondsAfterFinished === undefined) return undefined
  const final = status.conditions?.find(condition => (condition.type === 'Complete' || condition.type === 'Failed') && condition.status === 'True')
  return final === undefined ? undefined : Date.parse(final.lastTransitionTime ?? '') + spec.ttlSecondsAfterFinished * 1000
}
