// A runtime that runs nothing: sandboxes and containers are entries in maps, their ends come from a
// script. For unit tests of the agent and for experiments with thousands of nodes on one machine.
import { PassThrough, type Duplex } from 'node:stream'
import type { Clock, Timer } from '../lib/clock.ts'
import type { RemoteSession, StreamOptions } from '../streams/node-streams.ts'
import {
  RuntimeError,
  type ContainerConfig,
  type ContainerResources,
  type ContainerStatus,
  type ExecResult,
  type ImageSummary,
  type Labels,
  type Runtime,
  type RuntimeEvent,
  type SandboxConfig,
  type SandboxStatus,
} from './runtime.ts'

/** What a started container does: runs until stopped, or ends by itself. */
export interface SimulatedProgram {
  readonly exitsAfterMs?: number
  readonly exitCode?: number
  readonly reason?: string
  /** What the runtime says of its end. */
  readonly message?: string
  /** Ignores SIGTERM: ends only after the grace period. */
  readonly stubborn?: boolean
}

export interface SimulationOptions {
  readonly clock: Clock
  readonly program?: (config: ContainerConfig) => SimulatedProgram
  readonly exec?: (
    config: ContainerConfig,
    command: readonly string[],
  ) => { exitCode: number; stdout?: string; stderr?: string }
  /** Images that are there already; all others can be pulled unless `pull` throws. */
  readonly images?: readonly string[]
  readonly pull?: (image: string) => void
  /** Called before each step, e.g. to make one fail. */
  readonly before?: (step: string, config: SandboxConfig | ContainerConfig) => void
}

interface SimulatedContainer {
  readonly config: ContainerConfig
  status: ContainerStatus
  timer?: Timer
  resources: ContainerResources
}

const killedExitCode = 137

export class SimulatedRuntime implements Runtime {
  readonly sandboxes = new Map<string, SandboxStatus>()
  readonly containers = new Map<string, SimulatedContainer>()
  /** Every call in order, e.g. `startContainer web`. */
  readonly journal: string[] = []
  private readonly options: SimulationOptions
  private readonly images = new Map<string, ImageSummary>()
  private readonly listeners = new Set<(event: RuntimeEvent) => void>()
  private count = 0

  constructor(options: SimulationOptions) {
    this.options = options
    for (const image of options.images ?? []) this.addImage(image)
  }

  async version(): ReturnType<Runtime['version']> {
    return { name: 'simulated', version: '1' }
  }

  async ready(): Promise<void> {}

  async runPodSandbox(config: SandboxConfig): Promise<string> {
    this.note('runPodSandbox', config)
    const id = this.newId()
    const number = this.sandboxes.size + 2
    this.sandboxes.set(id, {
      id,
      name: config.name,
      uid: config.uid,
      namespace: config.namespace,
      attempt: config.attempt,
      ready: true,
      createdAtMs: this.options.clock.now(),
      labels: config.labels,
      annotations: config.annotations,
      namespaces: config.namespaces,
      ...(config.namespaces.network === 'pod' && { address: `10.99.${Math.floor(number / 250)}.${number % 250}` }),
    })
    return id
  }

  async stopPodSandbox(id: string): Promise<void> {
    const sandbox = this.sandboxes.get(id)
    if (sandbox === undefined) return
    this.journal.push(`stopPodSandbox ${sandbox.name}`)
    for (const container of this.containers.values())
      if (container.status.sandboxId === id) this.end(container, killedExitCode, 'Error')
    this.sandboxes.set(id, { ...sandbox, ready: false })
  }

  async removePodSandbox(id: string): Promise<void> {
    await this.stopPodSandbox(id)
    for (const container of this.containers.values())
      if (container.status.sandboxId === id) this.containers.delete(container.status.id)
    this.sandboxes.delete(id)
  }

  async listPodSandboxes(labels: Labels = {}): ReturnType<Runtime['listPodSandboxes']> {
    return [...this.sandboxes.values()].filter(sandbox => matches(sandbox.labels, labels))
  }

  async podSandboxStatus(id: string): Promise<SandboxStatus> {
    return this.sandboxes.get(id) ?? missing('sandbox', id)
  }

  async createContainer(sandboxId: string, config: ContainerConfig): Promise<string> {
    this.note('createContainer', config)
    const image = this.images.get(config.image)
    if (!this.sandboxes.has(sandboxId)) missing('sandbox', sandboxId)
    if (image === undefined) missing('image', config.image)
    const id = this.newId()
    this.containers.set(id, {
      config,
      resources: config.resources,
      status: {
        id,
        sandboxId,
        name: config.name,
        attempt: config.attempt,
        state: 'created',
        createdAtMs: this.options.clock.now(),
        labels: config.labels,
        annotations: config.annotations,
        startedAtMs: 0,
        finishedAtMs: 0,
        exitCode: 0,
        reason: '',
        message: '',
        image: config.image,
        imageRef: image.id,
        logPath: config.logPath,
      },
    })
    return id
  }

  async startContainer(id: string): Promise<void> {
    const container = this.containers.get(id) ?? missing('container', id)
    this.note('startContainer', container.config)
    container.status = { ...container.status, state: 'running', startedAtMs: this.options.clock.now() }
    const program = this.programOf(container)
    if (program.exitsAfterMs === undefined) return
    const exitCode = program.exitCode ?? 0
    container.timer = this.options.clock.after(program.exitsAfterMs, () =>
      this.end(container, exitCode, program.reason ?? (exitCode === 0 ? 'Completed' : 'Error'), program.message),
    )
  }

  async stopContainer(id: string, gracePeriodSeconds: number): Promise<void> {
    const container = this.containers.get(id)
    if (container === undefined) return
    this.journal.push(`stopContainer ${container.config.name} ${gracePeriodSeconds}`)
    if (container.status.state !== 'running') return
    if (this.programOf(container).stubborn === true && gracePeriodSeconds > 0) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.options.clock.after(gracePeriodSeconds * 1_000, resolve)
      await promise
    }
    this.end(container, this.programOf(container).stubborn === true ? killedExitCode : 0, 'Completed')
  }

  async removeContainer(id: string): Promise<void> {
    const container = this.containers.get(id)
    if (container === undefined) return
    this.journal.push(`removeContainer ${container.config.name}`)
    container.timer?.cancel()
    this.containers.delete(id)
  }

  async listContainers(labels: Labels = {}): ReturnType<Runtime['listContainers']> {
    return [...this.containers.values()]
      .map(container => container.status)
      .filter(status => matches(status.labels, labels))
  }

  async containerStatus(id: string): Promise<ContainerStatus> {
    return (this.containers.get(id) ?? missing('container', id)).status
  }

  async updateContainerResources(id: string, resources: ContainerResources): Promise<void> {
    ;(this.containers.get(id) ?? missing('container', id)).resources = resources
  }

  async reopenContainerLog(id: string): Promise<void> {
    if (!this.containers.has(id)) missing('container', id)
  }

  async containerStats(): ReturnType<Runtime['containerStats']> {
    return [...this.containers.values()]
      .filter(({ status }) => status.state === 'running')
      .map(({ status }) => ({
        containerId: status.id,
        name: status.name,
        labels: status.labels,
        timestampMs: this.options.clock.now(),
        cpuUsageNanoSeconds: 0,
        memoryWorkingSetBytes: 0,
        memoryUsageBytes: 0,
        memoryRssBytes: 0,
        writableLayerBytes: 0,
      }))
  }

  async execSync(id: string, command: readonly string[]): Promise<ExecResult> {
    const { exitCode, stdout = '', stderr = '' } = this.execute(id, command)
    return { exitCode, stdout: Buffer.from(stdout), stderr: Buffer.from(stderr) }
  }

  async exec(id: string, command: readonly string[], options: StreamOptions): Promise<RemoteSession> {
    const result = this.execute(id, command)
    const stdout = new PassThrough()
    const stderr = new PassThrough()
    stdout.end(result.stdout ?? '')
    stderr.end(result.stderr ?? '')
    const success = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' } as const
    return {
      ...(options.stdin && { stdin: new PassThrough().resume() }),
      ...(options.stdout && { stdout }),
      ...(options.stderr && !options.tty && { stderr }),
      resize: () => {},
      done: Promise.resolve(
        result.exitCode === 0
          ? success
          : {
              ...success,
              status: 'Failure' as const,
              reason: 'NonZeroExitCode',
              message: `command terminated with non-zero exit code: exit status ${result.exitCode}`,
              details: { causes: [{ reason: 'ExitCode', message: String(result.exitCode) }] },
            },
      ),
      abort: () => {},
    }
  }

  attach(id: string, options: StreamOptions): Promise<RemoteSession> {
    return this.exec(id, ['attach'], options)
  }

  async portForward(sandboxId: string): Promise<Duplex> {
    if (!this.sandboxes.has(sandboxId)) missing('sandbox', sandboxId)
    return new PassThrough()
  }

  async pullImage(image: string): Promise<string> {
    this.journal.push(`pullImage ${image}`)
    this.options.pull?.(image)
    return this.addImage(image).id
  }

  async imageStatus(image: string): Promise<ImageSummary | undefined> {
    return this.images.get(image)
  }

  async listImages(): Promise<ImageSummary[]> {
    return [...new Set(this.images.values())]
  }

  async removeImage(image: string): Promise<void> {
    const found = this.images.get(image)
    for (const [name, entry] of this.images) if (entry === found) this.images.delete(name)
  }

  subscribe(listener: (event: RuntimeEvent) => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  close(): void {
    this.listeners.clear()
  }

  /** Ends a running container from outside, as a crash would. */
  crash(name: string, exitCode: number, reason = 'Error'): void {
    for (const container of this.containers.values())
      if (container.config.name === name && container.status.state === 'running') this.end(container, exitCode, reason)
  }

  publish(event: RuntimeEvent): void {
    for (const listener of this.listeners) listener(event)
  }

  private execute(id: string, command: readonly string[]): { exitCode: number; stdout?: string; stderr?: string } {
    const container = this.containers.get(id) ?? missing('container', id)
    if (container.status.state !== 'running') throw new RuntimeError('Other', `container "${id}" is not running`)
    this.journal.push(`exec ${container.config.name} ${command.join(' ')}`)
    return this.options.exec?.(container.config, command) ?? { exitCode: 0 }
  }

  private programOf(container: SimulatedContainer): SimulatedProgram {
    return this.options.program?.(container.config) ?? {}
  }

  private end(container: SimulatedContainer, exitCode: number, reason: string, message = ''): void {
    if (container.status.state !== 'running') return
    container.timer?.cancel()
    container.status = {
      ...container.status,
      state: 'exited',
      finishedAtMs: this.options.clock.now(),
      exitCode,
      reason,
      message,
    }
    this.publish({ type: 'exited', containerId: container.status.id })
  }

  private note(step: string, config: SandboxConfig | ContainerConfig): void {
    this.journal.push(`${step} ${config.name}`)
    this.options.before?.(step, config)
  }

  private addImage(name: string): ImageSummary {
    const id = `sha256:${Buffer.from(name).toString('hex').padEnd(64, '0').slice(0, 64)}`
    const image = { id, tags: [name], digests: [], sizeBytes: name.length }
    this.images.set(name, image)
    this.images.set(id, image)
    return image
  }

  private newId(): string {
    this.count += 1
    return this.count.toString(16).padStart(64, '0')
  }
}

const matches = (labels: Labels, wanted: Labels): boolean =>
  Object.entries(wanted).every(([name, value]) => labels[name] === value)

function missing(what: string, id: string): never {
  throw new RuntimeError('NotFound', `rpc error: code = NotFound desc = ${what} "${id}" not found`)
}
