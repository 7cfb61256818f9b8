// One pod on this node: holds its state, asks `plan` what to do, does it, and reports the status. Actions
// run side by side; each is noted as busy while it runs and wakes the worker when it ends. Nothing polls.
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isNotFound } from '../api/api-error.ts'
import type { Container, Pod } from '../api/generated/models.ts'
import { pods } from '../api/resources.ts'
import { sameJson } from '../api/validation/scalars.ts'
import type { EventType } from '../control/event-recorder.ts'
import { RuntimeError, isRuntimeNotFound, type ContainerStatus, type ImageSummary, type SandboxConfig } from '../cri/runtime.ts'
import { removeCgroup } from '../host/cgroups.ts'
import { unmountBelow } from '../host/mounts.ts'
import type { Timer } from '../lib/clock.ts'
import type { AgentContext } from './agent-context.ts'
import { buildContainer } from './build-container.ts'
import { cgroupResources } from './cgroup-resources.ts'
import { ContainerProber } from './container-prober.ts'
import { ConfigError } from './environment.ts'
import { ImageError } from './image-provider.ts'
import { hostsFile } from './name-resolution.ts'
import { plan, shallEnd, type Action } from './plan.ts'
import { PodDirectories } from './pod-directories.ts'
import { allContainersOf, containerOf, gracePeriodSecondsOf, initContainersOf, isDeleting, isHostNetwork, isSidecar, podText } from './pod-facts.ts'
import { isRunning, newPodState, newestOf, type PodState, type SandboxRecord } from './pod-state.ts'
import { crashLooping, podStatus } from './pod-status.ts'
import { PodVolumes } from './pod-volumes.ts'
import { runHook, runProbe, type ProbeTarget } from './probe-actions.ts'
import { sandboxConfig } from './sandbox-config.ts'
import { StatusWriter } from './status-writer.ts'
import { terminationMessage } from './termination-message.ts'

const retryMs = 2_000
const backOffShownAfterMs = 1_500
const defaultHookLimitMs = 600_000

export interface PodWorkerOptions {
  readonly context: AgentContext
  readonly pod: Pod
  /** The pod is done with and forgotten. */
  readonly onCleaned: () => void
  /** A container started or ended: whoever follows its log looks again. */
  readonly onContainerChange: (containerId: string, logFile: string, running: boolean) => void
}

export class PodWorker {
  readonly state: PodState = newPodState()
  readonly directories: PodDirectories
  pod: Pod
  private readonly context: AgentContext
  private readonly options: PodWorkerOptions
  private readonly volumes: PodVolumes
  private readonly status: StatusWriter
  private readonly probers = new Map<string, ContainerProber>()
  private readonly images = new Map<string, ImageSummary>()
  /** By container name: the attempt whose wait for the next one was told. */
  private readonly backOffsSaid = new Map<string, string>()
  private volumePaths: ReadonlyMap<string, string> = new Map()
  private timer: Timer | undefined
  private renewal: Timer | undefined
  private waking = false
  private adopting = false
  private halted = false

  constructor(options: PodWorkerOptions) {
    this.options = options
    this.context = options.context
    this.pod = options.pod
    this.directories = new PodDirectories(this.context.dataDirectory, options.pod)
    this.volumes = new PodVolumes(this.directories, this.context)
    const { client, clock, logger, network } = this.context
    this.status = new StatusWriter(client, clock, logger, () => (this.state.gone || this.halted ? undefined
      : { pod: this.pod, status: podStatus(this.pod, this.state, network.nodeAddress, clock.now()) }))
  }

  get cgroup(): string {
    return join(this.context.cgroupRoot, `pod${this.pod.metadata.uid}`)
  }

  // ---- what happens outside

  update(pod: Pod): void {
    const before = this.pod
    this.pod = pod
    if (JSON.stringify([before.metadata.labels, before.metadata.annotations]) !== JSON.stringify([pod.metadata.labels, pod.metadata.annotations])) void this.refreshVolumes()
    this.resize(before)
    if (isDeleting(pod) && isDeleting(before) && gracePeriodSecondsOf(pod) < gracePeriodSecondsOf(before)) this.hasten(gracePeriodSecondsOf(pod))
    this.wake()
  }

  /** Resources may change while containers run. */
  private resize(before: Pod): void {
    for (const container of allContainersOf(this.pod)) {
      const newest = newestOf(this.state, container.name)
      if (!isRunning(newest) || sameJson(containerOf(before, container.name)?.resources, container.resources)) continue
      const resources = cgroupResources(this.pod, container, this.context.node.memoryBytes)
      this.context.runtime.updateContainerResources(newest.id, resources).catch((error: unknown) => {
        this.say('Warning', 'ResizeError', (error as Error).message, container)
      })
    }
  }

  /** The object is gone although the pod had not ended: it was deleted by force. */
  removed(): void {
    this.state.gone = true
    this.hasten(1)
    this.wake()
  }

  /** A ConfigMap or Secret that the pod uses changed. */
  sourcesChanged(): void {
    for (const key of this.state.failures.keys()) if (key === 'prepare' || key.startsWith('start:')) this.retryNow(key)
    void this.refreshVolumes()
    this.wake()
  }

  async containerEnded(id: string): Promise<void> {
    const status = await this.context.runtime.containerStatus(id).catch(() => undefined)
    if (status !== undefined) await this.observe(status)
    this.wake()
  }

  /** Takes over what runs already, after a restart of the agent. */
  async adopt(sandboxes: readonly SandboxRecord[], containers: readonly ContainerStatus[]): Promise<void> {
    this.adopting = true
    const [newest, ...older] = [...sandboxes].sort((a, b) => Number(b.ready) - Number(a.ready) || b.attempt - a.attempt)
    this.state.sandbox = newest
    for (const sandbox of older) this.state.oldSandboxes.set(sandbox.id, sandbox)
    for (const container of [...containers].sort((a, b) => a.attempt - b.attempt)) await this.observe(container)
    this.adopting = false
    this.wake()
  }

  sandboxEnded(id: string): void {
    if (this.state.sandbox?.id !== id || !this.state.sandbox.ready) return
    this.state.sandbox = { ...this.state.sandbox, ready: false }
    this.wake()
  }

  /** What a slow relist found: repairs what events missed. */
  async relisted(sandboxes: readonly SandboxRecord[], containers: readonly ContainerStatus[]): Promise<void> {
    const known = this.state.sandbox
    const now = known && sandboxes.find(({ id }) => id === known.id)
    if (known !== undefined && !this.state.busy.has('sandbox') && (now === undefined || now.ready !== known.ready)) {
      this.state.sandbox = { ...known, ready: now?.ready ?? false }
    }
    for (const container of containers) {
      const before = this.state.containers.get(container.name)?.find(({ id }) => id === container.id)
      if (before !== undefined && before.state !== container.state && before.state !== 'exited') await this.observe(container)
    }
    this.wake()
  }

  /** Stops looking after the pod; its containers run on. */
  halt(): void {
    this.halted = true
    this.timer?.cancel()
    this.renewal?.cancel()
    for (const prober of this.probers.values()) prober.stop()
  }

  wake(): void {
    if (this.waking || this.adopting || this.halted) return
    this.waking = true
    queueMicrotask(() => {
      this.waking = false
      this.sync()
    })
  }

  // ---- the loop

  private sync(): void {
    if (this.halted || this.state.cleaned) return
    const nowMs = this.context.clock.now()
    this.timer?.cancel()
    if (shallEnd(this.pod, this.state)) {
      this.state.stoppingSinceMs ??= nowMs
      for (const prober of this.probers.values()) prober.stopLiveness()
    }
    const { actions, wakeAtMs } = plan(this.pod, this.state, nowMs)
    for (const action of actions) this.begin(action)
    this.sayBackOffs(nowMs)
    this.status.wake()
    if (wakeAtMs !== Infinity) this.timer = this.context.clock.after(wakeAtMs - nowMs, () => this.wake())
  }

  private sayBackOffs(nowMs: number): void {
    for (const { container, endedId } of crashLooping(this.pod, this.state, nowMs)) {
      if (this.backOffsSaid.get(container.name) === endedId) continue
      this.backOffsSaid.set(container.name, endedId)
      this.say('Warning', 'BackOff', `Back-off restarting failed container ${container.name} in pod ${podText(this.pod)}`, container)
    }
  }

  private begin(action: Action): void {
    switch (action.type) {
      case 'prepare': return this.operate('prepare', () => this.prepare())
      case 'start-sandbox': return this.operate('sandbox', () => this.context.starts.run(() => this.startSandbox(action.attempt)))
      case 'stop-sandbox': return this.operate(`stop-sandbox:${action.id}`, () => this.stopSandbox(action.id))
      case 'ensure-image': return this.operate(`image:${action.container}`, () => this.ensureImage(action.container))
      case 'start-container': return this.operate(`start:${action.container}`, async () => {
        if (action.backOff !== undefined) this.state.restarts.set(action.container, action.backOff)
        const hooked = await this.context.starts.run(() => this.startContainer(action.container, action.attempt))
        if (hooked !== undefined) await this.postStart(containerOf(this.pod, action.container)!, hooked)
      })
      case 'stop-container': return this.operate(`stop:${action.container}`, () => this.stopContainer(action.container, action.id, action.gracePeriodSeconds, action.why))
      case 'remove-container': return this.operate(`remove:${action.id}`, () => this.removeContainer(action.container, action.id))
      case 'give-up':
        this.state.givenUp = { reason: action.reason, message: action.message }
        this.say('Warning', action.reason, action.message)
        return this.wake()
      case 'clean': return this.operate('clean', () => this.clean())
    }
  }

  private operate(key: string, work: () => Promise<void>): void {
    this.state.busy.add(key)
    void work().then(() => this.state.failures.delete(key), (error: unknown) => this.failed(key, error)).finally(() => {
      this.state.busy.delete(key)
      this.wake()
    })
  }

  private failed(key: string, error: unknown): void {
    const { clock, logger } = this.context
    const message = error instanceof Error ? error.message : String(error)
    logger.debug('pod operation failed', { pod: podText(this.pod), operation: key, error: message })
    const [operation, name] = key.split(':') as [string, string | undefined]
    const container = name === undefined ? undefined : containerOf(this.pod, name)
    const note = (reason: string, retryAfterMs: number): void => void this.state.failures.set(key, { reason, message, retryAtMs: clock.now() + retryAfterMs })
    if (error instanceof ImageError) {
      note(error.reason, error.retryAfterMs)
      if (error.reason === 'ErrImagePull') this.showBackOff(key, container!, message)
    } else if (operation === 'prepare') {
      note('FailedMount', retryMs)
      this.say('Warning', 'FailedMount', message)
    } else if (operation === 'sandbox') {
      note('FailedCreatePodSandBox', retryMs)
      this.say('Warning', 'FailedCreatePodSandBox', `Failed to create pod sandbox: ${message}`)
    } else if (operation === 'start' || operation === 'image') {
      const reason = error instanceof ConfigError ? 'CreateContainerConfigError' : error instanceof StartError ? error.reason : 'CreateContainerError'
      note(reason, retryMs)
      this.say('Warning', 'Failed', `Error: ${message}`, container)
    } else note('Failed', retryMs)
  }

  /** Kubernetes shows the failure itself for a moment, then that it is waiting to try again. */
  private showBackOff(key: string, container: Container, message: string): void {
    this.context.clock.after(backOffShownAfterMs, () => {
      const failure = this.state.failures.get(key)
      if (failure?.reason !== 'ErrImagePull' || this.state.busy.has(key)) return
      const text = `Back-off pulling image "${container.image}"`
      this.state.failures.set(key, { reason: 'ImagePullBackOff', message: `${text}: ErrImagePull: ${message}`, retryAtMs: failure.retryAtMs })
      this.say('Normal', 'BackOff', text, container)
      this.say('Warning', 'Failed', 'Error: ImagePullBackOff', container)
      this.status.wake()
    })
  }

  private retryNow(key: string): void {
    const failure = this.state.failures.get(key)
    if (failure !== undefined) this.state.failures.set(key, { ...failure, retryAtMs: 0 })
  }

  // ---- starting

  private async prepare(): Promise<void> {
    const logDirectories = allContainersOf(this.pod).map(({ name }) => dirname(this.directories.containerLog(name, 0)))
    const [paths] = await Promise.all([
      this.volumes.prepare(this.pod),
      ...logDirectories.map(directory => mkdir(directory, { recursive: true, mode: 0o755 })),
    ])
    this.volumePaths = paths
    this.state.volumesReady = true
    this.scheduleRenewal()
  }

  private scheduleRenewal(): void {
    this.renewal?.cancel()
    const { renewAtMs } = this.volumes
    if (renewAtMs !== Infinity && !this.halted) this.renewal = this.context.clock.after(renewAtMs - this.context.clock.now(), () => void this.refreshVolumes())
  }

  private async refreshVolumes(): Promise<void> {
    if (!this.state.volumesReady || shallEnd(this.pod, this.state)) return
    try {
      await this.volumes.refresh(this.pod)
      this.scheduleRenewal()
    } catch (error) {
      this.context.logger.debug('volumes not refreshed', { pod: podText(this.pod), error: String(error) })
      this.renewal = this.context.clock.after(60_000, () => void this.refreshVolumes())
    }
  }

  private sandboxConfig(attempt: number): SandboxConfig {
    const { network, hostDns } = this.context
    return sandboxConfig(this.pod, attempt, { network, hostDns, logDirectory: this.directories.logs, cgroupParent: this.cgroup })
  }

  private async startSandbox(attempt: number): Promise<void> {
    if (shallEnd(this.pod, this.state)) return
    const { runtime, network, hostsFile: nodeHosts } = this.context
    const config = this.sandboxConfig(attempt)
    const id = await runtime.runPodSandbox(config)
    const status = await runtime.podSandboxStatus(id)
    await mkdir(this.directories.root, { recursive: true, mode: 0o750 })
    const address = isHostNetwork(this.pod) ? network.nodeAddress : status.address ?? ''
    await writeFile(this.directories.hostsFile, hostsFile(this.pod, address, network.domain, nodeHosts), { mode: 0o644 })
    if (this.state.sandbox !== undefined) this.state.oldSandboxes.set(this.state.sandbox.id, this.state.sandbox)
    this.state.sandbox = status
  }

  private async ensureImage(name: string): Promise<void> {
    const container = containerOf(this.pod, name)!
    const image = await this.context.images.ensure(this.pod, container, (type, reason, message) => this.say(type, reason, message, container))
    this.images.set(name, image)
    this.state.images.add(name)
  }

  /** Returns the container's id when its postStart hook is still to run: until then it counts as not running. */
  private async startContainer(name: string, attempt: number): Promise<string | undefined> {
    const { runtime } = this.context
    const { sandbox } = this.state
    const container = containerOf(this.pod, name)
    if (sandbox === undefined || container === undefined || shallEnd(this.pod, this.state)) return undefined
    // A container that ended may have ended with its sandbox.
    if (attempt > 0 && !(await runtime.podSandboxStatus(sandbox.id).then(status => status.ready, () => false))) {
      this.sandboxEnded(sandbox.id)
      return undefined
    }
    // The next start looks for the image again: it may have been removed, or its policy is Always.
    this.state.images.delete(name)
    const targetName = this.pod.spec.ephemeralContainers?.find(ephemeral => ephemeral.name === name)?.targetContainerName
    const target = targetName === undefined ? undefined : newestOf(this.state, targetName)
    const config = await buildContainer(this.context, this.pod, container, {
      attempt, image: this.images.get(name)!, directories: this.directories, volumePaths: this.volumePaths,
      podAddress: isHostNetwork(this.pod) ? this.context.network.nodeAddress : sandbox.address ?? '',
      ...(isRunning(target) && { targetId: target.id }),
    })
    const id = await runtime.createContainer(sandbox.id, config, this.sandboxConfig(sandbox.attempt)).catch(async (error: unknown) => {
      // Perhaps because the sandbox died unnoticed.
      const ready = await runtime.podSandboxStatus(sandbox.id).then(status => status.ready, () => false)
      if (!ready) this.sandboxEnded(sandbox.id)
      throw error
    })
    this.say('Normal', 'Created', `Created container: ${name}`, container)
    try {
      await runtime.startContainer(id)
    } catch (error) {
      await this.observe(await runtime.containerStatus(id))
      throw new StartError('RunContainerError', (error as Error).message)
    }
    this.say('Normal', 'Started', `Started container ${name}`, container)
    const hooked = container.lifecycle?.postStart !== undefined
    const status = await runtime.containerStatus(id)
    await this.observe({ ...status, sandboxId: sandbox.id, ...(hooked && status.state === 'running' && { state: 'created' as const }) })
    return hooked ? id : undefined
  }

  private async postStart(container: Container, id: string): Promise<void> {
    this.status.wake()
    try {
      await runHook(container.lifecycle!.postStart!, this.probeTarget(container, id), defaultHookLimitMs, milliseconds => this.sleep(milliseconds))
    } catch (error) {
      this.say('Warning', 'FailedPostStartHook', `PostStartHook failed: ${(error as Error).message}`, container)
      await this.context.runtime.stopContainer(id, gracePeriodSecondsOf(this.pod))
    }
    await this.observe(await this.context.runtime.containerStatus(id))
  }

  /** Notes a container's newest status; starts or ends what hangs on it. */
  private async observe(seen: ContainerStatus): Promise<void> {
    const container = containerOf(this.pod, seen.name)
    const attempts = this.state.containers.get(seen.name) ?? []
    const before = attempts.find(({ id }) => id === seen.id)
    const status = { ...seen, sandboxId: seen.sandboxId === '' ? before?.sandboxId ?? '' : seen.sandboxId }
    if (before?.state === 'exited') return
    if (status.state === 'exited' && container !== undefined && !this.state.terminationMessages.has(status.id)) {
      const message = await terminationMessage(container, status.exitCode, this.directories.terminationMessage(seen.name, seen.attempt), this.directories.containerLog(seen.name, seen.attempt))
      this.state.terminationMessages.set(status.id, message)
    }
    const others = (this.state.containers.get(seen.name) ?? []).filter(({ id }) => id !== seen.id)
    this.state.containers.set(seen.name, [status, ...others].sort((a, b) => b.attempt - a.attempt || b.createdAtMs - a.createdAtMs))
    if (status.state === 'running' && container !== undefined) this.startProbing(container, status)
    if (status.state === 'exited') this.stopProbing(status.id)
    this.options.onContainerChange(status.id, this.directories.containerLog(status.name, status.attempt), status.state === 'running')
  }

  private startProbing(container: Container, status: ContainerStatus): void {
    if (this.probers.has(status.id) || this.halted) return
    const known = [...(this.pod.status?.containerStatuses ?? []), ...(this.pod.status?.initContainerStatuses ?? [])].find(({ containerID }) => containerID === `containerd://${status.id}`)
    const init = initContainersOf(this.pod).includes(container) && !isSidecar(container)
    // Init containers have no probes; they count as started.
    const probed: Container = init ? { name: container.name } : container
    const prober = new ContainerProber(probed, status.startedAtMs, {
      clock: this.context.clock,
      run: probe => runProbe(probe, this.probeTarget(container, status.id)),
      onChange: () => this.wake(),
      onUnhealthy: (kind, message) => this.say('Warning', 'Unhealthy', `${kind.charAt(0).toUpperCase()}${kind.slice(1)} probe failed: ${message}`, container),
    }, known === undefined ? undefined : { started: known.started === true, ready: known.ready })
    this.probers.set(status.id, prober)
    this.state.probes.set(status.id, prober.state)
    prober.start()
  }

  private stopProbing(id: string): void {
    this.probers.get(id)?.stop()
    this.probers.delete(id)
    this.state.probes.delete(id)
  }

  private probeTarget(container: Container, containerId: string): ProbeTarget {
    const address = isHostNetwork(this.pod) ? '127.0.0.1' : this.state.sandbox?.address ?? ''
    return { runtime: this.context.runtime, containerId, container, address }
  }

  // ---- stopping

  private async stopContainer(name: string, id: string, gracePeriodSeconds: number, why: string): Promise<void> {
    const { runtime, clock } = this.context
    const container = containerOf(this.pod, name)
    this.say('Normal', 'Killing', why === 'Stopping container' ? `Stopping container ${name}` : why, container)
    const startMs = clock.now()
    const preStop = container?.lifecycle?.preStop
    if (preStop !== undefined && gracePeriodSeconds > 0 && isRunning(newestOf(this.state, name))) {
      try {
        await this.limited(runHook(preStop, this.probeTarget(container!, id), gracePeriodSeconds * 1_000, milliseconds => this.sleep(milliseconds)), gracePeriodSeconds * 1_000)
      } catch (error) {
        this.say('Warning', 'FailedPreStopHook', `PreStopHook failed: ${(error as Error).message}`, container)
      }
    }
    // A hook that used everything up leaves two seconds, as the kubelet does.
    const usedSeconds = (clock.now() - startMs) / 1_000
    const remaining = preStop === undefined || gracePeriodSeconds === 0 ? gracePeriodSeconds : Math.max(2, gracePeriodSeconds - usedSeconds)
    await runtime.stopContainer(id, this.state.gone ? Math.min(1, remaining) : remaining)
    const status = await runtime.containerStatus(id).catch((error: unknown) => {
      if (isRuntimeNotFound(error)) return undefined
      throw error
    })
    if (status !== undefined) await this.observe(status)
    else this.forgetContainer(name, id)
  }

  /** A shorter grace period came while containers are being stopped. */
  private hasten(gracePeriodSeconds: number): void {
    for (const key of this.state.busy) {
      const newest = key.startsWith('stop:') ? newestOf(this.state, key.slice('stop:'.length)) : undefined
      if (newest !== undefined) void this.context.runtime.stopContainer(newest.id, gracePeriodSeconds).catch(() => {})
    }
  }

  private async stopSandbox(id: string): Promise<void> {
    await this.context.runtime.stopPodSandbox(id)
    if (this.state.sandbox?.id === id) this.state.sandbox = { ...this.state.sandbox, ready: false }
    const old = this.state.oldSandboxes.get(id)
    if (old !== undefined) this.state.oldSandboxes.set(id, { ...old, ready: false })
  }

  private async removeContainer(name: string, id: string): Promise<void> {
    await this.context.runtime.removeContainer(id)
    const attempt = this.state.containers.get(name)?.find(container => container.id === id)?.attempt
    this.forgetContainer(name, id)
    if (attempt === undefined) return
    await Promise.all([
      rm(this.directories.containerLog(name, attempt), { force: true }), rm(this.directories.terminationMessage(name, attempt), { force: true }),
    ])
  }

  private forgetContainer(name: string, id: string): void {
    this.stopProbing(id)
    this.state.terminationMessages.delete(id)
    this.state.containers.set(name, (this.state.containers.get(name) ?? []).filter(container => container.id !== id))
    this.options.onContainerChange(id, '', false)
  }

  /** Everything has ended: tells the API, then takes away what is left on the machine. */
  private async clean(): Promise<void> {
    const { client, runtime, tokens, cgroups, clock } = this.context
    this.renewal?.cancel()
    for (const prober of this.probers.values()) prober.stop()
    await Promise.all([this.state.gone ? undefined : this.status.flush(), unmountBelow(this.directories.root)])
    const { name, namespace, uid } = this.pod.metadata
    if (!this.state.gone) {
      await client.delete(pods, { namespace, name }, { gracePeriodSeconds: 0, preconditions: { uid } }).catch((error: unknown) => {
        if (!isNotFound(error)) throw error
      })
    }
    const sandboxes = [...(this.state.sandbox === undefined ? [] : [this.state.sandbox.id]), ...this.state.oldSandboxes.keys()]
    await Promise.all(sandboxes.map(id => runtime.removePodSandbox(id)))
    await Promise.all([this.volumes.remove(), rm(this.directories.logs, { recursive: true, force: true })])
    this.state.cleaned = true
    tokens.forget(uid)
    // The kernel lets go of an empty group a moment later.
    removeCgroup(cgroups, this.cgroup)
    clock.after(1_000, () => removeCgroup(cgroups, this.cgroup))
    this.halt()
    this.options.onCleaned()
  }

  // ---- small things

  private say(type: EventType, reason: string, message: string, container?: Container): void {
    const list = container !== undefined && initContainersOf(this.pod).includes(container) ? 'initContainers' : 'containers'
    this.context.events.recordEvent(this.pod, type, reason, message, container && `spec.${list}{${container.name}}`)
  }

  private sleep(milliseconds: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.context.clock.after(milliseconds, resolve)
    return promise
  }

  private async limited(work: Promise<void>, limitMs: number): Promise<void> {
    const late = Promise.withResolvers<never>()
    const timer = this.context.clock.after(limitMs, () => late.reject(new RuntimeError('Timeout', `did not end within ${limitMs / 1_000}s`)))
    await Promise.race([work, late.promise]).finally(() => timer.cancel())
  }
}

class StartError extends Error {
  readonly reason: string

  constructor(reason: string, message: string) {
    super(message)
    this.name = 'StartError'
    this.reason = reason
  }
}
