// One pod on this node: asks `plan` what to do, has it done, and reports the status. Actions run side by side;
// each is noted as busy while it runs and wakes the worker when it ends. Nothing polls.
import type { Container, Pod } from '../api/generated/models.ts'
import { sameJson } from '../api/validation/scalars.ts'
import type { EventType } from '../control/event-recorder.ts'
import type { ContainerStatus } from '../cri/runtime.ts'
import type { Timer } from '../lib/clock.ts'
import { errorText } from '../lib/error-text.ts'
import { controllerOf } from '../control/ownership.ts'
import type { Rejection } from './admission.ts'
import type { AgentContext } from './agent-context.ts'
import { cgroupResources } from './cgroup-resources.ts'
import { ConfigError } from './environment.ts'
import { ImageError } from './image-provider.ts'
import { isAtRest, plan, shallStop, type Action } from './plan.ts'
import type { PodDirectories } from './pod-directories.ts'
import { PodEnder } from './pod-ender.ts'
import { allContainersOf, containerOf, gracePeriodSecondsOf, isDeleting, podText } from './pod-facts.ts'
import { PodOnNode, type PodOnNodeOptions } from './pod-on-node.ts'
import { PodStarter, StartError } from './pod-starter.ts'
import { isRunning, isServing, newestOf, type PodState, type SandboxRecord } from './pod-state.ts'
import { crashLooping } from './pod-status.ts'
import { PodVolumes } from './pod-volumes.ts'
import { corrections, knownToRun, type KnownToRun, type RuntimeList } from './relist.ts'
import type { StartingPod } from './start-queue.ts'

const retryMs = 2_000
const backOffShownAfterMs = 1_500

export interface PodWorkerOptions extends Omit<PodOnNodeOptions, 'onChange'> {
  /** The pod is done with and forgotten. */
  readonly onCleaned: () => void
}

export class PodWorker {
  private readonly context: AgentContext
  private readonly subject: PodOnNode
  private readonly starter: PodStarter
  private readonly ender: PodEnder
  private readonly onCleaned: () => void
  /** By container name: the attempt whose wait for the next one was told. */
  private readonly backOffsSaid = new Map<string, string>()
  private timer: Timer | undefined
  private waking = false
  private adopting = false
  /** Resolves when the pod's end is reached: nothing runs. */
  private readonly rest = Promise.withResolvers<void>()

  constructor({ onCleaned, ...options }: PodWorkerOptions) {
    this.onCleaned = onCleaned
    this.context = options.context
    this.subject = new PodOnNode({ ...options, onChange: () => this.wake() })
    const volumes = new PodVolumes(this.subject.directories, this.context)
    this.starter = new PodStarter(this.subject, volumes)
    this.ender = new PodEnder(this.subject, volumes)
  }

  /** The node does not take the pod: it fails before anything of it runs. */
  reject({ reason, message }: Rejection): void {
    this.state.givenUp = { reason, message: `Pod was rejected: ${message}` }
    this.state.isRejected = true
    this.say('Warning', reason, message)
  }

  get pod(): Pod {
    return this.subject.pod
  }

  get state(): PodState {
    return this.subject.state
  }

  get directories(): PodDirectories {
    return this.subject.directories
  }

  private get starting(): StartingPod {
    const { uid } = this.pod.metadata
    return { uid, workload: controllerOf(this.pod)?.uid ?? uid }
  }

  // ---- what happens outside

  update(pod: Pod): void {
    const before = this.pod
    this.subject.pod = pod
    if (
      JSON.stringify([before.metadata.labels, before.metadata.annotations]) !==
      JSON.stringify([pod.metadata.labels, pod.metadata.annotations])
    )
      void this.starter.refreshVolumes()
    this.resize(before)
    if (isDeleting(pod) && isDeleting(before) && gracePeriodSecondsOf(pod) < gracePeriodSecondsOf(before))
      this.ender.hasten(gracePeriodSecondsOf(pod))
    this.wake()
  }

  /** Resources may change while containers run. */
  private resize(before: Pod): void {
    if (this.state.sandbox === undefined || sameJson(before.spec, this.pod.spec)) return
    const { cgroups, node, runtime } = this.context
    cgroups.admit(this.pod)
    const changes = allContainersOf(this.pod).map(async container => {
      const newest = newestOf(this.state, container.name)
      if (!isRunning(newest) || sameJson(containerOf(before, container.name)?.resources, container.resources)) return
      const machine = { memoryBytes: node.memoryBytes, cgroupVersion: cgroups.version }
      await runtime
        .updateContainerResources(newest.id, cgroupResources(this.pod, container, machine))
        .catch((error: unknown) => this.say('Warning', 'ResizeError', (error as Error).message, container))
    })
    // The kernel takes no limit that is less than those of the containers: it comes after them.
    void Promise.all(changes).then(() => cgroups.admit(this.pod))
  }

  /** The object is gone although the pod had not ended: it was deleted by force. */
  removed(): void {
    this.state.gone = true
    this.ender.hasten(1)
    this.wake()
  }

  /** A ConfigMap or Secret that the pod uses changed. */
  sourcesChanged(): void {
    for (const key of this.state.failures.keys()) if (key === 'prepare' || key.startsWith('start:')) this.retryNow(key)
    void this.starter.refreshVolumes()
    this.wake()
  }

  async containerEnded(id: string): Promise<void> {
    const status = await this.context.runtime.containerStatus(id).catch(() => undefined)
    if (status !== undefined) await this.subject.observe(status)
    this.wake()
  }

  /** Takes over what runs already, after a restart of the agent. */
  async adopt(sandboxes: readonly SandboxRecord[], containers: readonly ContainerStatus[]): Promise<void> {
    this.adopting = true
    this.context.cgroups.admit(this.pod)
    const [newest, ...older] = [...sandboxes].sort((a, b) => Number(b.ready) - Number(a.ready) || b.attempt - a.attempt)
    this.state.sandbox = newest
    for (const sandbox of older) this.state.oldSandboxes.set(sandbox.id, sandbox)
    for (const container of [...containers].sort((a, b) => a.attempt - b.attempt)) await this.subject.observe(container)
    this.adopting = false
    this.wake()
  }

  sandboxEnded(id: string): void {
    this.subject.sandboxEnded(id)
  }

  get knownToRun(): KnownToRun {
    return knownToRun(this.state)
  }

  /** Repairs what events missed. */
  async relisted(known: KnownToRun, list: RuntimeList): Promise<void> {
    const { endedSandbox, ended, lost } = corrections(this.state, known, list)
    if (endedSandbox !== undefined) this.subject.sandboxEnded(endedSandbox)
    for (const { name, id } of lost) this.subject.forgetContainer(name, id)
    await Promise.all(ended.map(id => this.containerEnded(id)))
    this.wake()
  }

  /** The node stops: containers end as when the pod is deleted, by `atMs` at the latest; the pod stays. */
  async stopWithNode(atMs: number): Promise<void> {
    const before = this.state.nodeStopsAtMs
    this.state.nodeStopsAtMs = Math.min(atMs, before ?? Infinity)
    if (before !== undefined && atMs < before)
      this.ender.hasten(Math.max(0, Math.ceil((atMs - this.context.clock.now()) / 1_000)))
    this.wake()
    await this.rest.promise
    if (!this.state.cleaned) await this.subject.status.flush()
  }

  /** Containers run, or are about to. Who deletes by force does not wait for their end. */
  get isActive(): boolean {
    return !this.state.gone && (!isAtRest(this.state) || !shallStop(this.pod, this.state))
  }

  /** Stops looking after the pod; its containers run on. */
  halt(): void {
    this.subject.halted = true
    this.timer?.cancel()
    this.starter.halt()
    this.subject.stopProbes()
  }

  wake(): void {
    if (this.waking || this.adopting || this.subject.halted) return
    this.waking = true
    queueMicrotask(() => {
      this.waking = false
      this.sync()
    })
  }

  // ---- the loop

  private sync(): void {
    if (this.subject.halted || this.state.cleaned) return
    const nowMs = this.context.clock.now()
    this.timer?.cancel()
    const isEnding = shallStop(this.pod, this.state)
    if (isEnding) {
      this.state.stoppingSinceMs ??= nowMs
      this.subject.stopLivenessProbes()
    }
    if (isEnding || isServing(this.pod, this.state)) this.context.starts.settled(this.pod.metadata.uid)
    const { actions, wakeAtMs } = plan(this.pod, this.state, nowMs)
    for (const action of actions) this.begin(action)
    this.sayBackOffs(nowMs)
    this.subject.status.wake()
    if (isEnding && isAtRest(this.state)) this.rest.resolve()
    if (wakeAtMs !== Infinity) this.timer = this.context.clock.after(wakeAtMs - nowMs, () => this.wake())
  }

  private sayBackOffs(nowMs: number): void {
    for (const { container, endedId } of crashLooping(this.pod, this.state, nowMs)) {
      if (this.backOffsSaid.get(container.name) === endedId) continue
      this.backOffsSaid.set(container.name, endedId)
      this.say(
        'Warning',
        'BackOff',
        `Back-off restarting failed container ${container.name} in pod ${podText(this.pod)}`,
        container,
      )
    }
  }

  private begin(action: Action): void {
    switch (action.type) {
      case 'prepare':
        return this.operate('prepare', () => this.starter.prepare())
      case 'start-sandbox':
        return this.operate('sandbox', () =>
          this.context.starts.run(this.starting, false, () => this.starter.startSandbox(action.attempt)),
        )
      case 'stop-sandbox':
        return this.operate(`stop-sandbox:${action.id}`, () => this.ender.stopSandbox(action.id))
      case 'remove-sandbox':
        return this.operate(`remove-sandbox:${action.id}`, () => this.ender.removeSandbox(action.id))
      case 'ensure-image':
        return this.operate(`image:${action.container}`, () => this.starter.ensureImage(action.container))
      case 'start-container':
        return this.operate(`start:${action.container}`, async () => {
          if (action.backOff !== undefined) this.state.restarts.set(action.container, action.backOff)
          const hooked = await this.context.starts.run(this.starting, true, () =>
            this.starter.startContainer(action.container, action.attempt),
          )
          if (hooked !== undefined) await this.starter.postStart(containerOf(this.pod, action.container)!, hooked)
        })
      case 'stop-container':
        return this.operate(`stop:${action.container}`, () =>
          this.ender.stopContainer(action.container, action.id, action.gracePeriodSeconds, action.why),
        )
      case 'remove-container':
        return this.operate(`remove:${action.id}`, () => this.ender.removeContainer(action.container, action.id))
      case 'give-up':
        this.state.givenUp = { reason: action.reason, message: action.message }
        this.say('Warning', action.reason, action.message)
        return this.wake()
      case 'clean':
        return this.operate('clean', () => this.clean())
    }
  }

  private operate(key: string, work: () => Promise<void>): void {
    this.state.busy.add(key)
    void work()
      .then(
        () => this.state.failures.delete(key),
        (error: unknown) => this.failed(key, error),
      )
      .finally(() => {
        this.state.busy.delete(key)
        this.wake()
      })
  }

  private failed(key: string, error: unknown): void {
    const { clock, logger } = this.context
    const message = errorText(error)
    logger.debug('pod operation failed', { pod: podText(this.pod), operation: key, error: message })
    const [operation, name] = key.split(':') as [string, string | undefined]
    const container = name === undefined ? undefined : containerOf(this.pod, name)
    const note = (reason: string, retryAfterMs: number): void =>
      void this.state.failures.set(key, { reason, message, retryAtMs: clock.now() + retryAfterMs })
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
      const reason =
        error instanceof ConfigError
          ? 'CreateContainerConfigError'
          : error instanceof StartError
            ? error.reason
            : 'CreateContainerError'
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
      this.state.failures.set(key, {
        reason: 'ImagePullBackOff',
        message: `${text}: ErrImagePull: ${message}`,
        retryAtMs: failure.retryAtMs,
      })
      this.say('Normal', 'BackOff', text, container)
      this.say('Warning', 'Failed', 'Error: ImagePullBackOff', container)
      this.subject.status.wake()
    })
  }

  private retryNow(key: string): void {
    const failure = this.state.failures.get(key)
    if (failure !== undefined) this.state.failures.set(key, { ...failure, retryAtMs: 0 })
  }

  private async clean(): Promise<void> {
    this.starter.halt()
    await this.ender.clean()
    this.halt()
    this.rest.resolve()
    this.onCleaned()
  }

  private say(type: EventType, reason: string, message: string, container?: Container): void {
    this.subject.say(type, reason, message, container)
  }
}
