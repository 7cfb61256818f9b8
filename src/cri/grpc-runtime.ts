// The container runtime behind a CRI socket (containerd 1.6 or newer). The end of containers is learnt from
// containerd's own event stream on the same socket, because containerd 1.6 lacks CRI's, and commands are run
// through containerd's own task service. Without that stream it is looked at again every second, and every
// minute in any case.
import { setTimeout as sleep } from 'node:timers/promises'
import type { RemoteSession, StreamOptions } from '../streams/node-streams.ts'
import { attachTo } from './containerd-attach.ts'
import { execInContainer, execTypes } from './containerd-exec.ts'
import { containerdMessages, criNamespace } from './containerd-wire.ts'
import { criMessages } from './cri-wire.ts'
import { endOfProcess } from './end-of-process.ts'
import { containerConfigMessage, resourcesMessage, sandboxConfigMessage } from './grpc-requests.ts'
import {
  containerStatsOf,
  containerStatusOf,
  containerSummaryOf,
  imageOf,
  sandboxStatusOf,
  sandboxSummaryOf,
  type Message,
} from './grpc-answers.ts'
import type { CallOptions, GrpcChannel } from '../grpc/channel.ts'
import { runtimeChannel } from './runtime-channel.ts'
import { messageCodecs } from '../grpc/protobuf-messages.ts'
import {
  RuntimeError,
  isRuntimeNotFound,
  type AttachOptions,
  type Labels,
  type Runtime,
  type RuntimeEvent,
} from './runtime.ts'
import { openPortForward, openRemoteSession } from '../streams/remote-client.ts'

const runtimeService = '/runtime.v1.RuntimeService/'
const imageService = '/runtime.v1.ImageService/'
const subscribePath = '/containerd.services.events.v1.Events/Subscribe'

export interface GrpcRuntimeOptions {
  readonly socketPath: string
  readonly relistMs?: number
}

export function grpcRuntime(options: GrpcRuntimeOptions): Runtime {
  const channel = runtimeChannel(options.socketPath, messageCodecs({ ...criMessages, ...containerdMessages }), path => {
    if (path === subscribePath) return { request: 'SubscribeRequest', response: 'Envelope' }
    const ofExec = execTypes[path]
    if (ofExec !== undefined) return ofExec
    const method = path.slice(path.lastIndexOf('/') + 1)
    return { request: `${method}Request`, response: `${method}Response` }
  })
  return new GrpcRuntime(channel, options)
}

class GrpcRuntime implements Runtime {
  private readonly channel: GrpcChannel
  private readonly socketPath: string
  private readonly relistMs: number
  private readonly listeners = new Set<(event: RuntimeEvent) => void>()
  private stopEvents: (() => void) | undefined
  private closed = false
  /** Those that were made or listed here, with their sandboxes. */
  private readonly containers = new Map<string, string>()

  constructor(channel: GrpcChannel, { socketPath, relistMs = 60_000 }: GrpcRuntimeOptions) {
    this.channel = channel
    this.socketPath = socketPath
    this.relistMs = relistMs
  }

  async version(): ReturnType<Runtime['version']> {
    const answer = await this.runtime('Version', { version: 'v1' })
    return { name: answer['runtimeName'] as string, version: answer['runtimeVersion'] as string }
  }

  async ready(): Promise<void> {
    const answer = await this.runtime('Status', {})
    const { conditions } = answer['status'] as {
      conditions: { type: string; status: boolean; reason: string; message: string }[]
    }
    const failing = conditions.filter(condition => !condition.status)
    if (failing.length > 0)
      throw new RuntimeError(
        'Unavailable',
        failing.map(({ type, reason, message }) => `${type}: ${reason}: ${message}`).join('; '),
      )
  }

  async runPodSandbox(config: Parameters<Runtime['runPodSandbox']>[0]): Promise<string> {
    const answer = await this.runtime('RunPodSandbox', { config: sandboxConfigMessage(config) }, { timeoutMs: 240_000 })
    return answer['podSandboxId'] as string
  }

  async stopPodSandbox(id: string): Promise<void> {
    await this.tolerant('StopPodSandbox', { podSandboxId: id })
  }

  async removePodSandbox(id: string): Promise<void> {
    await this.tolerant('RemovePodSandbox', { podSandboxId: id })
    for (const [container, sandbox] of this.containers) if (sandbox === id) this.containers.delete(container)
  }

  async listPodSandboxes(labels?: Labels): ReturnType<Runtime['listPodSandboxes']> {
    const answer = await this.runtime(
      'ListPodSandbox',
      labels === undefined ? {} : { filter: { labelSelector: labels } },
    )
    return (answer['items'] as Message[]).map(sandboxSummaryOf)
  }

  async podSandboxStatus(id: string): ReturnType<Runtime['podSandboxStatus']> {
    const answer = await this.runtime('PodSandboxStatus', { podSandboxId: id })
    return sandboxStatusOf(answer['status'] as Message)
  }

  async createContainer(
    sandboxId: string,
    ...[config, sandbox]: Parameters<Runtime['createContainer']> extends [string, ...infer Rest] ? Rest : never
  ): Promise<string> {
    const answer = await this.runtime('CreateContainer', {
      podSandboxId: sandboxId,
      config: containerConfigMessage(config),
      sandboxConfig: sandboxConfigMessage(sandbox),
    })
    const id = answer['containerId'] as string
    this.containers.set(id, sandboxId)
    return id
  }

  async startContainer(id: string): Promise<void> {
    await this.runtime('StartContainer', { containerId: id })
  }

  async stopContainer(id: string, gracePeriodSeconds: number): Promise<void> {
    const timeout = Math.max(0, Math.ceil(gracePeriodSeconds))
    await this.tolerant('StopContainer', { containerId: id, timeout }, { timeoutMs: timeout * 1_000 + 120_000 })
  }

  async removeContainer(id: string): Promise<void> {
    await this.tolerant('RemoveContainer', { containerId: id })
    this.containers.delete(id)
  }

  async listContainers(labels?: Labels): ReturnType<Runtime['listContainers']> {
    const answer = await this.runtime(
      'ListContainers',
      labels === undefined ? {} : { filter: { labelSelector: labels } },
    )
    const found = (answer['containers'] as Message[]).map(containerSummaryOf)
    for (const { id, sandboxId } of found) this.containers.set(id, sandboxId)
    return found
  }

  async containerStatus(id: string): ReturnType<Runtime['containerStatus']> {
    const answer = await this.runtime('ContainerStatus', { containerId: id })
    return containerStatusOf(answer['status'] as Message)
  }

  async updateContainerResources(
    id: string,
    resources: Parameters<Runtime['updateContainerResources']>[1],
  ): Promise<void> {
    await this.runtime('UpdateContainerResources', { containerId: id, linux: resourcesMessage(resources) })
  }

  async reopenContainerLog(id: string): Promise<void> {
    await this.runtime('ReopenContainerLog', { containerId: id })
  }

  async containerStats(): ReturnType<Runtime['containerStats']> {
    const answer = await this.runtime('ListContainerStats', {})
    return (answer['stats'] as Message[]).map(containerStatsOf)
  }

  async execSync(id: string, command: readonly string[], timeoutSeconds: number): ReturnType<Runtime['execSync']> {
    const limits = timeoutSeconds > 0 ? { timeoutMs: timeoutSeconds * 1_000 + 5_000 } : { timeoutMs: 0 }
    const answer = await this.runtime('ExecSync', { containerId: id, cmd: command, timeout: timeoutSeconds }, limits)
    return {
      exitCode: answer['exitCode'] as number,
      stdout: answer['stdout'] as Buffer,
      stderr: answer['stderr'] as Buffer,
    }
  }

  async exec(id: string, command: readonly string[], options: StreamOptions): Promise<RemoteSession> {
    return await execInContainer(this.channel, this.socketPath, id, command, wantedStreams(options))
  }

  async attach(id: string, options: AttachOptions): Promise<RemoteSession> {
    const open = async (streams: StreamOptions): Promise<RemoteSession> => {
      const answer = await this.runtime('Attach', { containerId: id, ...streams })
      return await openRemoteSession(answer['url'] as string, streams)
    }
    const onExit = (listener: () => void): (() => void) => this.onExit(id, listener)
    return await attachTo({ open, onExit }, { ...wantedStreams(options), stdinOnce: options.stdinOnce })
  }

  /** Calls back once, when the container does not run any more. @returns how to stop waiting */
  private onExit(id: string, listener: () => void): () => void {
    const stop = this.subscribe(event => {
      if (event.type === 'exited' && event.containerId === id) end()
      else if (event.type === 'relist') void look()
    })
    const end = (): void => {
      stop()
      listener()
    }
    const look = async (): Promise<void> => {
      const runs = await this.containerStatus(id).then(
        ({ state }) => state === 'running',
        error => !isRuntimeNotFound(error),
      )
      if (!runs) end()
    }
    void look()
    return stop
  }

  async portForward(sandboxId: string, port: number): ReturnType<Runtime['portForward']> {
    const answer = await this.runtime('PortForward', { podSandboxId: sandboxId, port: [port] })
    return await openPortForward(answer['url'] as string, port)
  }

  async pullImage(image: string, auth?: Parameters<Runtime['pullImage']>[1]): Promise<string> {
    const answer = await this.images('PullImage', { image: { image }, ...(auth && { auth }) }, { timeoutMs: 3_600_000 })
    return answer['imageRef'] as string
  }

  async imageStatus(image: string): ReturnType<Runtime['imageStatus']> {
    const answer = await this.images('ImageStatus', { image: { image } })
    return answer['image'] === null || answer['image'] === undefined ? undefined : imageOf(answer['image'] as Message)
  }

  async listImages(): ReturnType<Runtime['listImages']> {
    const answer = await this.images('ListImages', {})
    return (answer['images'] as Message[]).map(imageOf)
  }

  async removeImage(image: string): Promise<void> {
    await this.images('RemoveImage', { image: { image } })
  }

  subscribe(listener: (event: RuntimeEvent) => void): () => void {
    this.listeners.add(listener)
    if (this.stopEvents === undefined) this.startEvents()
    return () => this.listeners.delete(listener)
  }

  close(): void {
    this.closed = true
    this.stopEvents?.()
    this.channel.close()
  }

  private startEvents(): void {
    const relist = setInterval(() => this.publish({ type: 'relist' }), this.relistMs)
    relist.unref()
    let cancel = (): void => {}
    let retry: NodeJS.Timeout | undefined
    const listen = (isAgain: boolean): void => {
      const request = { filters: [`namespace==${criNamespace},topic=="/tasks/exit"`] }
      cancel = this.channel.receive(
        subscribePath,
        request,
        message => this.onEnvelope(message),
        () => {
          if (this.closed) return
          retry = setTimeout(listen, 1_000, true)
          retry.unref()
        },
      )
      // What happened while nobody listened.
      if (isAgain) this.publish({ type: 'relist' })
    }
    listen(false)
    this.stopEvents = () => {
      clearInterval(relist)
      clearTimeout(retry)
      cancel()
    }
  }

  private onEnvelope(envelope: Message): void {
    const event = envelope['event'] as { value: Buffer } | null
    if (event === null) return
    const exit = taskExit.decode(event.value)
    // Processes of an exec have ids of their own.
    if (exit['id'] === exit['containerId']) void this.publishEnd(exit['containerId'] as string)
  }

  private async publishEnd(id: string): Promise<void> {
    const event = await endOfProcess({
      id,
      isContainer: this.containers.has(id),
      containerState: container => this.orGone(this.containerStatus(container).then(({ state }) => state)),
      sandboxReady: sandbox => this.orGone(this.podSandboxStatus(sandbox).then(({ ready }) => ready)),
      sleep: milliseconds => sleep(milliseconds, undefined, { ref: false }),
      isClosed: () => this.closed,
    })
    if (event !== undefined) this.publish(event)
  }

  private async orGone<T>(answer: Promise<T>): Promise<T | undefined> {
    return await answer.catch((error: unknown) => {
      if (!isRuntimeNotFound(error)) throw error
      return undefined
    })
  }

  private publish(event: RuntimeEvent): void {
    if (!this.closed) for (const listener of this.listeners) listener(event)
  }

  private runtime(method: string, request: object, options?: CallOptions): Promise<Message> {
    return this.channel.call(runtimeService + method, request, options)
  }

  private images(method: string, request: object, options?: CallOptions): Promise<Message> {
    return this.channel.call(imageService + method, request, options)
  }

  private async tolerant(method: string, request: object, options?: CallOptions): Promise<void> {
    await this.orGone(this.runtime(method, request, options))
  }
}

const taskExit = messageCodecs({
  TaskExit: containerdMessages['TaskExit']!,
  Timestamp: containerdMessages['Timestamp']!,
})('TaskExit')

/** With a terminal there is no separate standard error; containerd refuses the combination. */
const wantedStreams = (options: StreamOptions): StreamOptions => ({
  tty: options.tty,
  stdin: options.stdin,
  stdout: options.stdout,
  stderr: options.stderr && !options.tty,
})
