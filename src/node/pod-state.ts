// What the agent knows about one pod at run time, beside the pod object itself: the observed side of
// `plan`. Only the pod's worker changes it.
import type { Pod } from '../api/generated/models.ts'
import type { ContainerStatus, SandboxSummary } from '../cri/runtime.ts'

export interface SandboxRecord extends SandboxSummary {
  readonly address?: string
  /** The runtime was told to stop it: its address and network are given back. */
  readonly isStopped?: boolean
}

/** Why something has not happened, as a container's waiting state shows it. */
export interface Failure {
  readonly reason: string
  readonly message: string
  readonly retryAtMs: number
}

export interface ProbeState {
  /** False until a startup probe succeeded; true where there is none. */
  started: boolean
  ready: boolean
  /** Set when liveness or startup probes failed for good. */
  unhealthy?: string
}

/** Growing pauses between restarts; `sinceMs` is the last restart. */
export interface RestartBackOff {
  readonly delayMs: number
  readonly sinceMs: number
}

export interface PodState {
  sandbox: SandboxRecord | undefined
  /** Older sandboxes that are still there. */
  readonly oldSandboxes: Map<string, SandboxRecord>
  /** By container name, the newest attempt first. */
  readonly containers: Map<string, readonly ContainerStatus[]>
  /** By container id. */
  readonly probes: Map<string, ProbeState>
  /** Operations under way: `prepare`, `sandbox`, `image:web`, `start:web`, `stop:web`, ... */
  readonly busy: Set<string>
  /** By operation. */
  readonly failures: Map<string, Failure>
  readonly restarts: Map<string, RestartBackOff>
  /** Images found or pulled for the next start of a container. */
  readonly images: Set<string>
  volumesReady: boolean
  /** By container id: what its end left behind. */
  readonly terminationMessages: Map<string, string>
  /** Why the whole pod was given up (`DeadlineExceeded`, `Evicted`). */
  givenUp: { readonly reason: string; readonly message: string } | undefined
  /** The node did not take it: nothing of it ever ran. */
  isRejected: boolean
  /** The pod's object is gone from the API. */
  gone: boolean
  /** When containers began to be stopped for good. */
  stoppingSinceMs: number | undefined
  /** The node stops: by then containers have to have ended, and the pod stays to start again with the node. */
  nodeStopsAtMs: number | undefined
  cleaned: boolean
}

export function newPodState(): PodState {
  return {
    sandbox: undefined,
    oldSandboxes: new Map(),
    containers: new Map(),
    probes: new Map(),
    busy: new Set(),
    failures: new Map(),
    restarts: new Map(),
    images: new Set(),
    volumesReady: false,
    terminationMessages: new Map(),
    givenUp: undefined,
    isRejected: false,
    gone: false,
    stoppingSinceMs: undefined,
    nodeStopsAtMs: undefined,
    cleaned: false,
  }
}

export const newestOf = (state: PodState, name: string): ContainerStatus | undefined => state.containers.get(name)?.[0]

export const isRunning = (
  container: ContainerStatus | undefined,
): container is ContainerStatus & { state: 'running' } => container?.state === 'running'

/** Every container runs and is ready. */
export const isServing = (pod: Pod, state: PodState): boolean =>
  pod.spec.containers.every(({ name }) => {
    const newest = newestOf(state, name)
    return isRunning(newest) && state.probes.get(newest.id)?.ready === true
  })

/** Created counts as running here: it will run in a moment, or its start failed and it is replaced. */
export const hasExited = (
  container: ContainerStatus | undefined,
): container is ContainerStatus & { state: 'exited' | 'unknown' } =>
  container?.state === 'exited' || container?.state === 'unknown'
