// What to do next for one pod, as data. Pure: the same pod, state and time give the same plan. The worker
// carries actions out, notes their results in the state and asks again.
import type { Container, Pod } from '../api/generated/models.ts'
import type { ContainerStatus } from '../cri/runtime.ts'
import {
  gracePeriodSecondsOf,
  hasEnded,
  initContainersOf,
  isDeleting,
  isSidecar,
  podText,
  reportedStatus,
} from './pod-facts.ts'
import { hasExited, isRunning, newestOf, type PodState, type RestartBackOff } from './pod-state.ts'

export type Action =
  | { readonly type: 'prepare' }
  | { readonly type: 'start-sandbox'; readonly attempt: number }
  | { readonly type: 'stop-sandbox'; readonly id: string }
  | { readonly type: 'remove-sandbox'; readonly id: string }
  | { readonly type: 'ensure-image'; readonly container: string }
  | {
      readonly type: 'start-container'
      readonly container: string
      readonly attempt: number
      readonly backOff: RestartBackOff | undefined
    }
  | {
      readonly type: 'stop-container'
      readonly container: string
      readonly id: string
      readonly gracePeriodSeconds: number
      readonly why: string
    }
  | { readonly type: 'remove-container'; readonly container: string; readonly id: string }
  | { readonly type: 'give-up'; readonly reason: string; readonly message: string }
  | { readonly type: 'clean' }

export interface Plan {
  readonly actions: readonly Action[]
  /** When to plan again if nothing happens before. */
  readonly wakeAtMs: number
}

/** Which image the pod asked for when the container was made. */
export const imageAnnotation = 'sampan.dev/container-image'

/** Kubernetes' restart back-off. */
export const restartBackOff = { initialMs: 10_000, maximumMs: 300_000, resetAfterMs: 600_000 }

const nothing: Plan = { actions: [], wakeAtMs: Infinity }

export function plan(pod: Pod, state: PodState, nowMs: number): Plan {
  if (state.cleaned) return nothing
  const overdue = deadline(pod, state, nowMs)
  if (overdue.expired)
    return {
      actions: [
        {
          type: 'give-up',
          reason: 'DeadlineExceeded',
          message: 'Pod was active on the node longer than the specified deadline',
        },
      ],
      wakeAtMs: Infinity,
    }
  if (shallStop(pod, state)) return planEnd(pod, state, nowMs)
  const running = planRun(pod, state, nowMs)
  return { actions: running.actions, wakeAtMs: Math.min(running.wakeAtMs, overdue.atMs) }
}

function deadline(pod: Pod, state: PodState, nowMs: number): { expired: boolean; atMs: number } {
  const seconds = pod.spec.activeDeadlineSeconds
  const startMs = Date.parse(pod.status?.startTime ?? '')
  if (seconds === undefined || Number.isNaN(startMs) || state.givenUp !== undefined || hasEnded(pod) || isDeleting(pod))
    return { expired: false, atMs: Infinity }
  return { expired: nowMs >= startMs + Number(seconds) * 1_000, atMs: startMs + Number(seconds) * 1_000 }
}

export function shallEnd(pod: Pod, state: PodState): boolean {
  return state.gone || isDeleting(pod) || state.givenUp !== undefined || hasEnded(pod) || hasFinished(pod, state)
}

/** Nothing is to run: the pod ends, or its node stops. */
export const shallStop = (pod: Pod, state: PodState): boolean =>
  state.nodeStopsAtMs !== undefined || shallEnd(pod, state)

/** Nothing of the pod will run again: its containers ended and its restart policy lets them. */
export function hasFinished(pod: Pod, state: PodState): boolean {
  if (state.givenUp !== undefined) return true
  const policy = pod.spec.restartPolicy ?? 'Always'
  const failedInit = initContainersOf(pod).some(
    container =>
      !isSidecar(container) &&
      policy === 'Never' &&
      hasExited(newestOf(state, container.name)) &&
      newestOf(state, container.name)!.exitCode !== 0,
  )
  if (failedInit) return true
  if (policy === 'Always') return false
  if (isCutOff(pod, state)) return true
  return pod.spec.containers.every(({ name }) => {
    const exitCode = exitCodeOf(pod, state, name)
    return exitCode !== undefined && !state.busy.has(`start:${name}`) && (policy === 'Never' || exitCode === 0)
  })
}

/** A pod that is never restarted had begun its work, and its sandbox is gone: it gets no second one. */
export function isCutOff(pod: Pod, state: PodState): boolean {
  if (pod.spec.restartPolicy !== 'Never' || state.sandbox?.ready === true || isUnderWay(state)) return false
  const names = pod.spec.containers.map(({ name }) => name)
  return (
    !names.some(name => isRunning(newestOf(state, name))) &&
    names.some(name => newestOf(state, name) !== undefined || reportedStatus(pod, name)?.containerID !== undefined)
  )
}

/** How the container ended; undefined while it runs or before it ran. */
function exitCodeOf(pod: Pod, state: PodState, name: string): number | undefined {
  const newest = newestOf(state, name)
  if (newest === undefined) return reportedStatus(pod, name)?.state?.terminated?.exitCode
  return hasExited(newest) ? newest.exitCode : undefined
}

/** Something starts or stops at this moment. */
const isUnderWay = ({ busy }: PodState): boolean =>
  [...busy].some(key => /^(sandbox$|prepare$|clean$|start:|stop:|stop-sandbox:)/.test(key))

/** Nothing of the pod runs or is about to. */
export const isAtRest = (state: PodState): boolean =>
  !isUnderWay(state) &&
  ![state.sandbox, ...state.oldSandboxes.values()].some(sandbox => sandbox?.ready === true) &&
  ![...state.containers.values()].some(([newest]) => isRunning(newest))

// ---- running

function planRun(pod: Pod, state: PodState, nowMs: number): Plan {
  const draft = new Draft(state, nowMs)
  const alive = [...state.containers.values()].some(attempts => isRunning(attempts[0]))
  if (!state.volumesReady) draft.attempt('prepare', { type: 'prepare' })
  if (state.sandbox?.ready !== true) {
    for (const old of [state.sandbox, ...state.oldSandboxes.values()])
      if (old !== undefined && old.isStopped !== true && !alive)
        draft.attempt(`stop-sandbox:${old.id}`, { type: 'stop-sandbox', id: old.id })
    if (!alive) draft.attempt('sandbox', { type: 'start-sandbox', attempt: (state.sandbox?.attempt ?? -1) + 1 })
    else
      for (const [name, attempts] of state.containers)
        if (isRunning(attempts[0]))
          draft.stop(name, attempts[0], 0, 'Pod sandbox changed, it will be killed and re-created.')
  }
  const due = containersDue(pod, state, draft)
  for (const container of due) planContainer(pod, container, state, draft)
  collectOld(pod, draft)
  return draft.done()
}

/** Init containers one after the other; the others all at once when those are done. */
function containersDue(pod: Pod, state: PodState, draft: Draft): readonly Container[] {
  const due: Container[] = []
  for (const container of initContainersOf(pod)) {
    const newest = currentAttempt(state, container.name)
    if (isSidecar(container)) {
      due.push(container)
      if (!isRunning(newest) || state.probes.get(newest.id)?.started !== true) return due
    } else if (!(hasExited(newest) && newest.exitCode === 0)) {
      // When containers run already, the record of a finished init container was merely cleaned away.
      if (newest === undefined && pod.spec.containers.some(({ name }) => currentAttempt(state, name) !== undefined))
        continue
      due.push(container)
      return due
    }
  }
  due.push(...pod.spec.containers)
  for (const { name } of pod.spec.ephemeralContainers ?? [])
    if (newestOf(state, name) === undefined && reportedStatus(pod, name)?.containerID === undefined)
      draft.ephemeral(name)
  return due
}

/** Attempts in an earlier sandbox do not count: a new sandbox begins from the start. */
function currentAttempt(state: PodState, name: string): ContainerStatus | undefined {
  const newest = newestOf(state, name)
  return newest !== undefined &&
    (state.sandbox === undefined || newest.sandboxId === '' || newest.sandboxId === state.sandbox.id)
    ? newest
    : undefined
}

function planContainer(pod: Pod, container: Container, state: PodState, draft: Draft): void {
  const { name } = container
  const newest = newestOf(state, name)
  if (isRunning(newest)) {
    const unhealthy = state.probes.get(newest.id)?.unhealthy
    if (unhealthy !== undefined) draft.stop(name, newest, probeGracePeriod(pod, container), unhealthy)
    else if (hasOtherImage(newest, container))
      draft.stop(name, newest, gracePeriodSecondsOf(pod), `Container ${name} definition changed, will be restarted`)
    return
  }
  const inThisSandbox = currentAttempt(state, name)
  const changed = inThisSandbox !== undefined && hasOtherImage(inThisSandbox, container)
  if (hasExited(inThisSandbox) && !changed && !mayRestart(pod, container, inThisSandbox.exitCode)) return
  // Work that is done is not done again in another sandbox.
  const exitCode = exitCodeOf(pod, state, name)
  const isMain = pod.spec.containers.includes(container)
  if (inThisSandbox === undefined && isMain && exitCode !== undefined && !mayRestart(pod, container, exitCode)) return
  // What ended with its sandbox is no crash of its own.
  const backOff =
    hasExited(inThisSandbox) && !changed
      ? nextBackOff(state.restarts.get(name), inThisSandbox.finishedAtMs, draft.nowMs)
      : undefined
  if (backOff !== undefined && backOff.waitUntilMs > draft.nowMs) return draft.wakeAt(backOff.waitUntilMs)
  draft.start(name, attemptsBefore(pod, newest, name), backOff?.next)
}

/** How often the container was made already, as the runtime or else the pod's status knows. */
function attemptsBefore(pod: Pod, newest: ContainerStatus | undefined, name: string): number {
  if (newest !== undefined) return newest.attempt + 1
  const reported = reportedStatus(pod, name)
  return reported?.containerID === undefined ? 0 : reported.restartCount + 1
}

/** The image is the only part of a container that may be changed in a running pod. */
const hasOtherImage = (running: ContainerStatus, container: Container): boolean =>
  running.annotations[imageAnnotation] !== undefined && running.annotations[imageAnnotation] !== container.image

function mayRestart(pod: Pod, container: Container, exitCode: number): boolean {
  if (isSidecar(container) && initContainersOf(pod).includes(container)) return true
  const policy = pod.spec.restartPolicy ?? 'Always'
  if (policy === 'Never') return false
  return policy === 'OnFailure' || initContainersOf(pod).includes(container) ? exitCode !== 0 : true
}

/** The first restart is at once, the next after 10 s, 20 s, ... since the end of the container. */
export function nextBackOff(
  last: RestartBackOff | undefined,
  finishedAtMs: number,
  nowMs: number,
): { waitUntilMs: number; next: RestartBackOff } {
  const fresh = { waitUntilMs: nowMs, next: { delayMs: restartBackOff.initialMs, sinceMs: nowMs } }
  if (last === undefined || finishedAtMs - last.sinceMs > restartBackOff.resetAfterMs) return fresh
  return {
    waitUntilMs: finishedAtMs + last.delayMs,
    next: { delayMs: Math.min(last.delayMs * 2, restartBackOff.maximumMs), sinceMs: nowMs },
  }
}

export function crashLoopMessage(pod: Pod, name: string, state: PodState): string {
  const delayMs = state.restarts.get(name)?.delayMs ?? restartBackOff.initialMs
  return `back-off ${goDuration(delayMs)} restarting failed container=${name} pod=${podText(pod)}`
}

const goDuration = (milliseconds: number): string => {
  const seconds = milliseconds / 1_000
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`
}

const probeGracePeriod = (pod: Pod, container: Container): number =>
  Number(
    container.livenessProbe?.terminationGracePeriodSeconds ??
      container.startupProbe?.terminationGracePeriodSeconds ??
      gracePeriodSecondsOf(pod),
  )

/** One ended attempt of each container is kept, for `logs --previous`. */
function collectOld(pod: Pod, draft: Draft): void {
  for (const [name, attempts] of draft.state.containers) {
    const keep = isRunning(attempts[0]) || pod.spec.containers.some(container => container.name === name) ? 2 : 1
    for (const old of attempts.slice(keep))
      draft.attempt(`remove:${old.id}`, { type: 'remove-container', container: name, id: old.id })
  }
  const inUse = new Set([...draft.state.containers.values()].flat().map(({ sandboxId }) => sandboxId))
  for (const { id, isStopped } of draft.state.oldSandboxes.values())
    if (isStopped === true && !inUse.has(id)) draft.attempt(`remove-sandbox:${id}`, { type: 'remove-sandbox', id })
}

// ---- ending

function planEnd(pod: Pod, state: PodState, nowMs: number): Plan {
  const draft = new Draft(state, nowMs)
  const removing = state.gone || isDeleting(pod)
  const graceSeconds = state.gone ? Math.min(gracePeriodSecondsOf(pod), 1) : gracePeriodSecondsOf(pod)
  const endMs = Math.min((state.stoppingSinceMs ?? nowMs) + graceSeconds * 1_000, state.nodeStopsAtMs ?? Infinity)
  const remainingSeconds = Math.max(state.gone ? 1 : 0, Math.ceil((endMs - nowMs) / 1_000))
  const running = (containers: readonly { readonly name: string }[]): readonly (readonly [string, ContainerStatus])[] =>
    containers.flatMap(({ name }) => {
      const newest = newestOf(state, name)
      return isRunning(newest) ? [[name, newest] as const] : []
    })
  const sidecars = initContainersOf(pod).filter(isSidecar)
  const main = running([
    ...pod.spec.containers,
    ...initContainersOf(pod).filter(container => !isSidecar(container)),
    ...(pod.spec.ephemeralContainers ?? []),
  ])
  // Sidecars serve the others to the end, then stop in reverse order.
  const next = main.length > 0 ? main : running(sidecars).slice(-1)
  for (const [name, container] of next) draft.stop(name, container, remainingSeconds, 'Stopping container')
  if (next.length > 0 || isUnderWay(state)) return draft.done()
  const sandboxes = [state.sandbox, ...state.oldSandboxes.values()].filter(sandbox => sandbox?.ready === true)
  for (const sandbox of sandboxes)
    draft.attempt(`stop-sandbox:${sandbox!.id}`, { type: 'stop-sandbox', id: sandbox!.id })
  if (removing && sandboxes.length === 0) draft.attempt('clean', { type: 'clean' })
  return draft.done()
}

// ---- collecting actions

/** Collects actions; leaves out what is under way and what must wait after a failure. */
class Draft {
  readonly state: PodState
  readonly nowMs: number
  private readonly actions: Action[] = []
  private wakeAtMs = Infinity

  constructor(state: PodState, nowMs: number) {
    this.state = state
    this.nowMs = nowMs
  }

  attempt(key: string, action: Action): void {
    const failure = this.state.failures.get(key)
    if (this.state.busy.has(key)) return
    if (failure !== undefined && failure.retryAtMs > this.nowMs) this.wakeAt(failure.retryAtMs)
    else this.actions.push(action)
  }

  start(container: string, attempt: number, backOff: RestartBackOff | undefined): void {
    const { state } = this
    const starting = state.busy.has(`start:${container}`)
    if (!starting && !state.images.has(container))
      this.attempt(`image:${container}`, { type: 'ensure-image', container })
    const possible =
      state.images.has(container) && state.volumesReady && state.sandbox?.ready === true && !state.busy.has('sandbox')
    if (possible) this.attempt(`start:${container}`, { type: 'start-container', container, attempt, backOff })
  }

  ephemeral(container: string): void {
    this.start(container, 0, undefined)
  }

  stop(container: string, { id }: ContainerStatus, gracePeriodSeconds: number, why: string): void {
    this.attempt(`stop:${container}`, { type: 'stop-container', container, id, gracePeriodSeconds, why })
  }

  wakeAt(timeMs: number): void {
    this.wakeAtMs = Math.min(this.wakeAtMs, timeMs)
  }

  done(): Plan {
    return { actions: this.actions, wakeAtMs: this.wakeAtMs }
  }
}
