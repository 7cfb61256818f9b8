// The status of a pod as Kubernetes shows it, from what the agent observed. Pure.
// Rules: kubernetes pkg/kubelet/kubelet_pods.go (phase, container statuses) and pkg/kubelet/status/generate.go.
import type { Int64 } from '../lib/int64.ts'
import type {
  Container,
  ContainerState,
  ContainerStatus as ApiContainerStatus,
  Pod,
  PodCondition,
  PodStatus,
  VolumeMount,
  VolumeMountStatus,
} from '../api/generated/models.ts'
import type { ContainerStatus } from '../cri/runtime.ts'
import { formatTime } from '../lib/clock.ts'
import { crashLoopMessage, isCutOff, nextBackOff, shallEnd, shallStop } from './plan.ts'
import { hasEnded, initContainersOf, isDeleting, isHostNetwork, isSidecar, reportedStatus } from './pod-facts.ts'
import { hasExited, isRunning, newestOf, type PodState } from './pod-state.ts'

export function podStatus(pod: Pod, state: PodState, nodeAddress: string, nowMs: number): PodStatus {
  if (state.isRejected) return rejectedStatus(pod, state, nowMs)
  const statusOf = (container: Container): ApiContainerStatus => containerStatus(pod, container, state, nowMs)
  const inits = initContainersOf(pod).map(statusOf)
  const containers = pod.spec.containers.map(statusOf).sort((a, b) => (a.name < b.name ? -1 : 1))
  const ephemeral = (pod.spec.ephemeralContainers ?? []).map(container => statusOf(container))
  const phase = phaseOf(pod, state, inits, containers)
  const address = isHostNetwork(pod) ? nodeAddress : (state.sandbox?.address ?? pod.status?.podIP)
  const { generation } = pod.metadata
  const { reason, message, ...kept } = pod.status ?? {}
  const verdict = state.givenUp ?? (hasEnded(pod) ? { reason, message } : {})
  return {
    ...kept,
    ...(verdict.reason !== undefined && { reason: verdict.reason }),
    ...(verdict.message !== undefined && { message: verdict.message }),
    phase,
    ...(generation !== undefined && { observedGeneration: generation }),
    conditions: conditionsOf(pod, state, phase, inits, containers, nowMs),
    hostIP: nodeAddress,
    hostIPs: [{ ip: nodeAddress }],
    ...(address !== undefined && address !== '' && { podIP: address, podIPs: [{ ip: address }] }),
    startTime: pod.status?.startTime ?? formatTime(nowMs),
    ...(inits.length > 0 && { initContainerStatuses: inits }),
    containerStatuses: containers,
    ...(ephemeral.length > 0 && { ephemeralContainerStatuses: ephemeral }),
  }
}

/** Of a pod that never came to the node, there is nothing to say but why. */
function rejectedStatus({ metadata, status }: Pod, { givenUp }: PodState, nowMs: number): PodStatus {
  const { qosClass, conditions = [] } = status ?? {}
  const foreign = conditions.filter(({ type }) => !ownConditions.has(type))
  return {
    phase: 'Failed',
    ...givenUp,
    ...(metadata.generation !== undefined && { observedGeneration: metadata.generation }),
    ...(qosClass !== undefined && { qosClass }),
    ...(foreign.length > 0 && { conditions: foreign }),
    startTime: status?.startTime ?? formatTime(nowMs),
  }
}

// ---- containers

function containerStatus(pod: Pod, container: Container, state: PodState, nowMs: number): ApiContainerStatus {
  const { name } = container
  const attempts = state.containers.get(name) ?? []
  const newest = attempts[0]
  const known = reportedStatus(pod, name)
  if (newest === undefined && known?.state?.terminated !== undefined) return known
  if (
    newest === undefined &&
    shallEnd(pod, state) &&
    !hasEnded(pod) &&
    !isStarting(state) &&
    (isDeleting(pod) || state.givenUp !== undefined || isCutOff(pod, state))
  )
    return notFound(container, known)
  const waiting = waitingState(pod, container, state, nowMs)
  const probes = newest === undefined ? undefined : state.probes.get(newest.id)
  const current = waiting ?? (newest === undefined ? waitingToBeCreated(pod, state) : stateOf(newest, state))
  const init = initContainersOf(pod).some(other => other.name === name)
  const sidecar = init && isSidecar(container)
  const running = current.running !== undefined
  const mounts = container.volumeMounts ?? []
  return {
    name,
    state: current,
    lastState: lastStateOf(attempts, waiting !== undefined, known, state),
    ready: init && !sidecar ? current.terminated?.exitCode === 0 : running && (probes?.ready ?? false),
    restartCount: newest?.attempt ?? known?.restartCount ?? 0,
    image:
      newest === undefined || newest.image === '' || newest.image.startsWith('sha256:')
        ? (container.image ?? '')
        : newest.image,
    imageID: newest?.imageRef ?? '',
    ...idReported(newest, known),
    started: running && (init && !sidecar ? true : (probes?.started ?? false)),
    ...(container.resources?.requests !== undefined && { allocatedResources: container.resources.requests }),
    resources: container.resources ?? {},
    ...(mounts.length > 0 && { volumeMounts: mounts.map(mountStatus) }),
  }
}

const isStarting = (state: PodState): boolean =>
  [...state.busy].some(key => key === 'sandbox' || key.startsWith('start:'))

/** The attempt before; the one that waits for its next start counts as ended, too. */
function lastStateOf(
  attempts: readonly ContainerStatus[],
  isWaiting: boolean,
  known: ApiContainerStatus | undefined,
  state: PodState,
): ContainerState {
  const [newest, before] = attempts
  const last = isWaiting ? (newest ?? before) : before
  if (last !== undefined) return stateOf(last, state)
  // The runtime has forgotten it.
  const isOther = newest !== undefined && known?.containerID !== undefined && known.containerID !== idOf(newest)
  if (isOther && known.state?.terminated !== undefined) return known.state
  if (isOther && known.state?.running !== undefined) return unknownEnd
  return known?.lastState ?? {}
}

/** That of a container which the runtime has forgotten stays until there is another: it tells that it ran. */
function idReported(
  newest: ContainerStatus | undefined,
  known: ApiContainerStatus | undefined,
): Pick<ApiContainerStatus, 'containerID'> {
  if (newest !== undefined) return { containerID: idOf(newest) }
  return known?.containerID === undefined ? {} : { containerID: known.containerID }
}

const idOf = ({ id }: ContainerStatus): string => `containerd://${id}`

const unknownEnd: ContainerState = {
  terminated: {
    exitCode: 137,
    reason: 'ContainerStatusUnknown',
    message: 'The container could not be located when the pod was terminated',
  },
}

/** The pod ended before this container began, or the runtime has forgotten it. */
function notFound(container: Container, known: ApiContainerStatus | undefined): ApiContainerStatus {
  return {
    name: container.name,
    state: unknownEnd,
    lastState: known?.lastState ?? {},
    ready: false,
    restartCount: known?.restartCount ?? 0,
    ...idReported(undefined, known),
    image: container.image ?? '',
    imageID: '',
    started: false,
  }
}

function mountStatus({ name, mountPath, readOnly, recursiveReadOnly = 'Disabled' }: VolumeMount): VolumeMountStatus {
  return readOnly === true ? { name, mountPath, readOnly, recursiveReadOnly } : { name, mountPath }
}

/** Why the container is to run but does not; undefined when its newest attempt tells all. */
function waitingState(pod: Pod, container: Container, state: PodState, nowMs: number): ContainerState | undefined {
  const { name } = container
  const newest = newestOf(state, name)
  if (isRunning(newest) || (newest !== undefined && shallStop(pod, state))) return undefined
  const failure = state.failures.get(`start:${name}`) ?? state.failures.get(`image:${name}`)
  if (failure !== undefined && (newest === undefined || failure.retryAtMs > nowMs))
    return { waiting: { reason: failure.reason, message: failure.message } }
  if (newest?.state === 'created') return { waiting: { reason: 'ContainerCreating' } }
  if (hasExited(newest) && inBackOff(pod, container, state, newest, nowMs))
    return { waiting: { reason: 'CrashLoopBackOff', message: crashLoopMessage(pod, name, state) } }
  return undefined
}

/** Containers that ended and wait for their next start. */
export function crashLooping(
  pod: Pod,
  state: PodState,
  nowMs: number,
): readonly { readonly container: Container; readonly endedId: string }[] {
  return [...initContainersOf(pod), ...pod.spec.containers].flatMap(container => {
    const newest = newestOf(state, container.name)
    return hasExited(newest) && !shallStop(pod, state) && inBackOff(pod, container, state, newest, nowMs)
      ? [{ container, endedId: newest.id }]
      : []
  })
}

function inBackOff(pod: Pod, container: Container, state: PodState, newest: ContainerStatus, nowMs: number): boolean {
  const last = state.restarts.get(container.name)
  const policy = isSidecar(container) ? 'Always' : (pod.spec.restartPolicy ?? 'Always')
  if (
    last === undefined ||
    state.busy.has(`start:${container.name}`) ||
    policy === 'Never' ||
    (policy === 'OnFailure' && newest.exitCode === 0)
  )
    return false
  if (
    newest.exitCode === 0 &&
    !isSidecar(container) &&
    initContainersOf(pod).some(({ name }) => name === container.name)
  )
    return false
  return nextBackOff(last, newest.finishedAtMs, nowMs).waitUntilMs > nowMs
}

function waitingToBeCreated(pod: Pod, state: PodState): ContainerState {
  const inits = initContainersOf(pod)
  const initializing = inits.length > 0 && !isInitialized(pod, state)
  return { waiting: { reason: initializing ? 'PodInitializing' : 'ContainerCreating' } }
}

function stateOf(container: ContainerStatus, state: PodState): ContainerState {
  if (container.state === 'running') return { running: { startedAt: formatTime(container.startedAtMs) } }
  if (container.state === 'created') return { waiting: { reason: 'ContainerCreating' } }
  const message = state.terminationMessages.get(container.id) || container.message
  return {
    terminated: {
      exitCode: container.exitCode,
      reason: container.reason === '' ? (container.exitCode === 0 ? 'Completed' : 'Error') : container.reason,
      ...(message !== '' && { message }),
      startedAt: formatTime(container.startedAtMs || container.createdAtMs),
      finishedAt: formatTime(container.finishedAtMs),
      containerID: idOf(container),
    },
  }
}

// ---- phase

function isInitialized(pod: Pod, state: PodState): boolean {
  return (
    initContainersOf(pod).every(container => {
      const newest = newestOf(state, container.name)
      if (isSidecar(container)) return isRunning(newest) && state.probes.get(newest.id)?.started === true
      return hasExited(newest) && newest.exitCode === 0
    }) || pod.spec.containers.some(({ name }) => newestOf(state, name) !== undefined)
  )
}

function phaseOf(
  pod: Pod,
  state: PodState,
  inits: readonly ApiContainerStatus[],
  containers: readonly ApiContainerStatus[],
): string {
  if (hasEnded(pod)) return pod.status.phase!
  if (state.givenUp !== undefined) return 'Failed'
  const policy = pod.spec.restartPolicy ?? 'Always'
  const regular = inits.filter((_status, index) => !isSidecar(initContainersOf(pod)[index]!))
  if (
    policy === 'Never' &&
    regular.some(({ state: current }) => current?.terminated !== undefined && current.terminated.exitCode !== 0)
  )
    return 'Failed'
  if (inits.length > 0 && !isInitialized(pod, state)) return 'Pending'
  const sidecarsRunning = inits.some(
    (status, index) => isSidecar(initContainersOf(pod)[index]!) && status.state?.running !== undefined,
  )
  if (
    containers.some(
      ({ state: current, lastState }) => current?.waiting !== undefined && lastState?.terminated === undefined,
    )
  )
    return 'Pending'
  if (containers.some(({ state: current }) => current?.running !== undefined || current?.waiting !== undefined))
    return 'Running'
  if (sidecarsRunning && policy !== 'Always') return 'Running'
  if (policy === 'Always') return shallEnd(pod, state) ? endPhase(containers) : 'Running'
  if (containers.every(({ state: current }) => current?.terminated?.exitCode === 0)) return 'Succeeded'
  return policy === 'Never' || shallEnd(pod, state) ? 'Failed' : 'Running'
}

const endPhase = (containers: readonly ApiContainerStatus[]): string =>
  containers.every(({ state }) => state?.terminated?.exitCode === 0) ? 'Succeeded' : 'Failed'

// ---- conditions

const ownConditions: ReadonlySet<string> = new Set([
  'PodReadyToStartContainers',
  'Initialized',
  'Ready',
  'ContainersReady',
  'PodScheduled',
])

type Verdict = Pick<PodCondition, 'status' | 'reason' | 'message'>

function conditionsOf(
  pod: Pod,
  state: PodState,
  phase: string,
  inits: readonly ApiContainerStatus[],
  containers: readonly ApiContainerStatus[],
  nowMs: number,
): PodCondition[] {
  const ready = containersReady(pod, phase, inits, containers)
  const verdicts: [string, Verdict][] = [
    ['PodReadyToStartContainers', { status: state.sandbox?.ready === true ? 'True' : 'False' }],
    ['Initialized', initialized(pod, state, phase, inits)],
    ['Ready', ready.status === 'True' ? gates(pod) : ready],
    ['ContainersReady', ready],
    ['PodScheduled', { status: 'True' }],
  ]
  const old = pod.status?.conditions ?? []
  return [
    ...verdicts.map(([type, verdict]) =>
      condition(
        type,
        verdict,
        old.find(entry => entry.type === type),
        pod.metadata.generation,
        nowMs,
      ),
    ),
    ...old.filter(({ type }) => !ownConditions.has(type)),
  ]
}

function condition(
  type: string,
  verdict: Verdict,
  old: PodCondition | undefined,
  generation: Int64 | undefined,
  nowMs: number,
): PodCondition {
  const lastTransitionTime =
    old !== undefined && old.status === verdict.status && old.lastTransitionTime !== undefined
      ? old.lastTransitionTime
      : formatTime(nowMs)
  return {
    type,
    status: verdict.status,
    ...(generation !== undefined && { observedGeneration: generation }),
    lastTransitionTime,
    ...(verdict.reason !== undefined && { reason: verdict.reason }),
    ...(verdict.message !== undefined && { message: verdict.message }),
  }
}

function initialized(pod: Pod, state: PodState, phase: string, inits: readonly ApiContainerStatus[]): Verdict {
  if (isInitialized(pod, state)) return { status: 'True' }
  if (phase === 'Succeeded') return { status: 'True', reason: 'PodCompleted' }
  const incomplete = inits
    .filter((status, index) => (isSidecar(initContainersOf(pod)[index]!) ? status.started !== true : !status.ready))
    .map(({ name }) => name)
  return {
    status: 'False',
    reason: 'ContainersNotInitialized',
    message: `containers with incomplete status: [${incomplete.join(' ')}]`,
  }
}

function containersReady(
  pod: Pod,
  phase: string,
  inits: readonly ApiContainerStatus[],
  containers: readonly ApiContainerStatus[],
): Verdict {
  if (phase === 'Succeeded') return { status: 'False', reason: 'PodCompleted' }
  const sidecars = inits.filter((_status, index) => isSidecar(initContainersOf(pod)[index]!))
  const unready = [...sidecars, ...containers].filter(({ ready }) => !ready).map(({ name }) => name)
  if (phase === 'Failed') return { status: 'False', reason: 'PodFailed' }
  return unready.length === 0
    ? { status: 'True' }
    : {
        status: 'False',
        reason: 'ContainersNotReady',
        message: `containers with unready status: [${unready.join(' ')}]`,
      }
}

function gates(pod: Pod): Verdict {
  const missing = (pod.spec.readinessGates ?? []).flatMap(({ conditionType }) => {
    const found = pod.status?.conditions?.find(({ type }) => type === conditionType)
    if (found === undefined) return [`corresponding condition of pod readiness gate "${conditionType}" does not exist.`]
    return found.status === 'True'
      ? []
      : [`the status of pod readiness gate "${conditionType}" is not "True", but ${found.status}`]
  })
  if (missing.length === 0) return { status: 'True' }
  return {
    status: 'False',
    reason: 'ReadinessGatesNotReady',
    message: missing.length === 1 ? missing[0]! : `[${missing.join(', ')}]`,
  }
}
