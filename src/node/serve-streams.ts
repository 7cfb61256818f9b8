// Logs, exec, attach and port-forward for the pods of this node, refusing with the kubelet's words.
import { Readable } from 'node:stream'
import { ApiError, badRequest, internalError, notFound } from '../api/api-error.ts'
import type { ContainerState, ContainerStatus as ApiContainerStatus } from '../api/generated/models.ts'
import { pods } from '../api/resources.ts'
import { RuntimeError, type ContainerStatus, type Runtime } from '../cri/runtime.ts'
import type { ContainerTarget, NodeStreams } from '../streams/node-streams.ts'
import type { LogFiles } from './log-files.ts'
import { readLog } from './log-reader.ts'
import { containerOf } from './pod-facts.ts'
import type { PodPool } from './pod-pool.ts'
import { isRunning, newestOf } from './pod-state.ts'
import type { PodWorker } from './pod-worker.ts'
import { podStatus } from './pod-status.ts'

export function nodeStreams(
  pool: PodPool,
  logs: LogFiles,
  runtime: Runtime,
  nodeAddress: string,
  now: () => number,
): Omit<NodeStreams, 'endpoint'> {
  const workerOf = (target: Omit<ContainerTarget, 'container'>): PodWorker => {
    const worker = pool.workerOf(target.namespace, target.pod, target.podUid)
    if (worker === undefined) throw notFound(pods, target.pod)
    return worker
  }
  const runningContainer = (target: ContainerTarget): ContainerStatus => {
    const newest = newestOf(workerOf(target).state, target.container)
    if (!isRunning(newest)) throw new ApiError(500, 'InternalError', `container not found ("${target.container}")`)
    return newest
  }
  return {
    async logs(target, options) {
      const worker = workerOf(target)
      const { pod, state, directories } = worker
      if (containerOf(pod, target.container) === undefined)
        throw badRequest(`container ${target.container} is not valid for pod ${target.pod}`)
      const status = podStatus(pod, state, nodeAddress, now())
      const container = logContainer(
        target,
        options.previous === true,
        status,
        state.containers.get(target.container) ?? [],
      )
      const file = directories.containerLog(target.container, container.attempt)
      const follow =
        options.follow !== true
          ? undefined
          : {
              isRunning: () => logs.isRunning(container.id),
              onChange: (listener: () => void) => logs.onChange(container.id, listener),
            }
      return Readable.from(readLog(file, options, now(), follow), { objectMode: false })
    },
    exec: async (target, command, options) => await told(runtime.exec(runningContainer(target).id, command, options)),
    async attach(target, options) {
      const { id } = runningContainer(target)
      const { stdin = false, stdinOnce = false } = containerOf(workerOf(target).pod, target.container) ?? {}
      // A container without input takes none.
      return await told(runtime.attach(id, { ...options, stdin: options.stdin && stdin, stdinOnce }))
    },
    async portForward(target, port) {
      const { sandbox } = workerOf(target).state
      if (sandbox?.ready !== true)
        throw badRequest(
          `unable to forward port because pod is not running. Current status=${workerOf(target).pod.status.phase ?? 'Pending'}`,
        )
      return await told(runtime.portForward(sandbox.id, port))
    },
  }
}

/** What the runtime refuses or breaks off is no fault of the server: a container may have ended a moment ago. */
async function told<T>(stream: Promise<T>): Promise<T> {
  return await stream.catch((error: unknown) => {
    const isBroken = error instanceof Error && 'syscall' in error
    throw error instanceof RuntimeError || isBroken ? internalError(error.message) : error
  })
}

/** Which attempt's log is meant. @throws ApiError BadRequest when there is none */
function logContainer(
  { container, pod }: ContainerTarget,
  previous: boolean,
  status: {
    containerStatuses?: ApiContainerStatus[]
    initContainerStatuses?: ApiContainerStatus[]
    ephemeralContainerStatuses?: ApiContainerStatus[]
  },
  attempts: readonly ContainerStatus[],
): ContainerStatus {
  const all = [
    ...(status.containerStatuses ?? []),
    ...(status.initContainerStatuses ?? []),
    ...(status.ephemeralContainerStatuses ?? []),
  ]
  const shown = all.find(({ name }) => name === container)
  const where = `container "${container}" in pod "${pod}"`
  const attemptOf = (state: ContainerState | undefined): ContainerStatus | undefined =>
    attempts.find(({ id }) => `containerd://${id}` === state?.terminated?.containerID)
  if (previous) {
    const last = attemptOf(shown?.lastState)
    if (last === undefined) throw badRequest(`previous terminated ${where} not found`)
    return last
  }
  const current =
    shown?.state?.running !== undefined ? attempts[0] : (attemptOf(shown?.state) ?? attemptOf(shown?.lastState))
  if (current !== undefined) return current
  if (shown?.state?.terminated !== undefined) throw badRequest(`${where} is terminated`)
  const reason = shown?.state?.waiting?.reason
  if (reason === 'ErrImagePull') throw badRequest(`${where} is waiting to start: image can't be pulled`)
  if (reason === 'ImagePullBackOff') throw badRequest(`${where} is waiting to start: trying and failing to pull image`)
  throw badRequest(
    reason === undefined ? `${where} is waiting to start - no logs yet` : `${where} is waiting to start: ${reason}`,
  )
}
