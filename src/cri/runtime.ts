// What the node agent asks of a container runtime: the calls of the container runtime interface (CRI)
// it needs, in plain objects. `contract.ts` is the suite that every implementation runs;
// `grpc-runtime.ts` speaks to containerd or CRI-O, `simulated-runtime.ts` runs nothing at all.
// Promise: an `exited` event comes only once `containerStatus` shows the end of that container.
import type { Duplex } from 'node:stream'
import type { RemoteSession, StreamOptions } from '../streams/node-streams.ts'

export type Labels = Readonly<Record<string, string>>
/** `target`: that of another container, named by `targetId`. */
export type NamespaceMode = 'pod' | 'container' | 'node' | 'target'

export interface Namespaces {
  readonly network: NamespaceMode
  readonly pid: NamespaceMode
  readonly ipc: NamespaceMode
  readonly targetId?: string
}

/** Of seccomp or AppArmor; `localhostProfile` is a file of the one, a loaded profile's name of the other. */
export interface SecurityProfile {
  readonly type: 'RuntimeDefault' | 'Unconfined' | 'Localhost'
  readonly localhostProfile?: string
}

export interface PortMapping {
  readonly protocol: 'TCP' | 'UDP' | 'SCTP'
  readonly containerPort: number
  readonly hostPort: number
  readonly hostIp?: string
}

export interface SandboxConfig {
  readonly name: string
  readonly uid: string
  readonly namespace: string
  readonly attempt: number
  readonly hostname: string
  /** Container logs are written below this directory. */
  readonly logDirectory: string
  readonly dns: {
    readonly servers: readonly string[]
    readonly searches: readonly string[]
    readonly options: readonly string[]
  }
  readonly portMappings: readonly PortMapping[]
  readonly labels: Labels
  readonly annotations: Labels
  readonly cgroupParent: string
  readonly sysctls: Labels
  readonly namespaces: Namespaces
  readonly privileged: boolean
  readonly runAsUser?: number
  readonly runAsGroup?: number
  readonly supplementalGroups: readonly number[]
  readonly seccomp?: SecurityProfile
}

export interface Mount {
  readonly containerPath: string
  readonly hostPath: string
  readonly readOnly: boolean
  readonly propagation?: 'None' | 'HostToContainer' | 'Bidirectional'
}

export interface ContainerResources {
  readonly cpuPeriod?: number
  readonly cpuQuota?: number
  readonly cpuShares?: number
  readonly memoryLimitBytes?: number
  readonly oomScoreAdjust?: number
  /** Files of control groups of version 2, by name. */
  readonly unified?: Labels
}

export interface ContainerSecurity {
  readonly privileged: boolean
  readonly addCapabilities: readonly string[]
  readonly dropCapabilities: readonly string[]
  readonly runAsUser?: number
  readonly runAsGroup?: number
  readonly readOnlyRootFilesystem: boolean
  readonly supplementalGroups: readonly number[]
  readonly noNewPrivileges: boolean
  readonly unmaskedProc: boolean
  readonly namespaces: Namespaces
  readonly seccomp?: SecurityProfile
  /** Absent: the runtime's own default. */
  readonly appArmor?: SecurityProfile
}

export interface ContainerConfig {
  readonly name: string
  readonly attempt: number
  /** A reference or an image id. */
  readonly image: string
  readonly command: readonly string[]
  readonly args: readonly string[]
  readonly workingDirectory: string
  readonly environment: readonly { readonly name: string; readonly value: string }[]
  readonly mounts: readonly Mount[]
  readonly labels: Labels
  readonly annotations: Labels
  /** Relative to the sandbox's log directory. */
  readonly logPath: string
  readonly stdin: boolean
  readonly stdinOnce: boolean
  readonly tty: boolean
  readonly resources: ContainerResources
  readonly security: ContainerSecurity
}

export interface SandboxSummary {
  readonly id: string
  readonly name: string
  readonly uid: string
  readonly namespace: string
  readonly attempt: number
  readonly ready: boolean
  readonly createdAtMs: number
  readonly labels: Labels
  readonly annotations: Labels
}

export interface SandboxStatus extends SandboxSummary {
  /** Absent for sandboxes in the node's network. */
  readonly address?: string
  readonly namespaces: Namespaces
}

export type ContainerState = 'created' | 'running' | 'exited' | 'unknown'

export interface ContainerSummary {
  readonly id: string
  readonly sandboxId: string
  readonly name: string
  readonly attempt: number
  readonly state: ContainerState
  readonly createdAtMs: number
  readonly labels: Labels
  readonly annotations: Labels
}

export interface ContainerStatus extends ContainerSummary {
  /** 0 when it has not happened. */
  readonly startedAtMs: number
  readonly finishedAtMs: number
  readonly exitCode: number
  /** `OOMKilled`, `Completed`, `Error`, ... */
  readonly reason: string
  readonly message: string
  /** The image's name and its digest reference or id. */
  readonly image: string
  readonly imageRef: string
  readonly logPath: string
}

export interface ImageSummary {
  readonly id: string
  readonly tags: readonly string[]
  readonly digests: readonly string[]
  readonly sizeBytes: number
  /** The user of the image's configuration: a number or a name. */
  readonly userId?: number
  readonly userName?: string
}

export interface RegistryCredentials {
  readonly username: string
  readonly password: string
}

export interface ContainerStats {
  readonly containerId: string
  readonly name: string
  readonly labels: Labels
  readonly timestampMs: number
  readonly cpuUsageNanoSeconds: number
  readonly memoryWorkingSetBytes: number
  readonly memoryUsageBytes: number
  readonly memoryRssBytes: number
  readonly writableLayerBytes: number
}

export interface ExecResult {
  readonly exitCode: number
  readonly stdout: Buffer
  readonly stderr: Buffer
}

export interface RuntimeVersion {
  readonly name: string
  readonly version: string
}

export type RuntimeEvent =
  | { readonly type: 'exited'; readonly containerId: string }
  /** A sandbox is no longer ready. */
  | { readonly type: 'sandbox-exited'; readonly sandboxId: string }
  /** Events may have been missed: look at everything again. */
  | { readonly type: 'relist' }

export interface AttachOptions extends StreamOptions {
  /** Whether the container's input ends when the first session that has it ends it. */
  readonly stdinOnce: boolean
}

export interface Runtime {
  version(): Promise<RuntimeVersion>
  /** Resolves when runtime and network are ready; @throws RuntimeError with what is missing. */
  ready(): Promise<void>

  runPodSandbox(config: SandboxConfig): Promise<string>
  /** Stops what runs inside and gives the address back. Ids that do not exist are no error. */
  stopPodSandbox(id: string): Promise<void>
  removePodSandbox(id: string): Promise<void>
  listPodSandboxes(labels?: Labels): Promise<SandboxSummary[]>
  /** @throws RuntimeError NotFound */
  podSandboxStatus(id: string): Promise<SandboxStatus>

  createContainer(sandboxId: string, config: ContainerConfig, sandbox: SandboxConfig): Promise<string>
  startContainer(id: string): Promise<void>
  /** SIGTERM (or the image's stop signal), after the grace period SIGKILL; resolves when it has ended. */
  stopContainer(id: string, gracePeriodSeconds: number): Promise<void>
  removeContainer(id: string): Promise<void>
  listContainers(labels?: Labels): Promise<ContainerSummary[]>
  /** @throws RuntimeError NotFound */
  containerStatus(id: string): Promise<ContainerStatus>
  updateContainerResources(id: string, resources: ContainerResources): Promise<void>
  reopenContainerLog(id: string): Promise<void>
  containerStats(): Promise<ContainerStats[]>

  /** @throws RuntimeError Timeout */
  execSync(id: string, command: readonly string[], timeoutSeconds: number): Promise<ExecResult>
  exec(id: string, command: readonly string[], options: StreamOptions): Promise<RemoteSession>
  attach(id: string, options: AttachOptions): Promise<RemoteSession>
  portForward(sandboxId: string, port: number): Promise<Duplex>

  /** Returns the image's reference for `createContainer`. */
  pullImage(image: string, credentials?: RegistryCredentials): Promise<string>
  /** undefined when it is not here. */
  imageStatus(image: string): Promise<ImageSummary | undefined>
  listImages(): Promise<ImageSummary[]>
  removeImage(image: string): Promise<void>

  /** Calls the listener until the returned function is called. */
  subscribe(listener: (event: RuntimeEvent) => void): () => void
  close(): void
}

export type RuntimeErrorReason = 'NotFound' | 'Timeout' | 'Unavailable' | 'Other'

export class RuntimeError extends Error {
  readonly reason: RuntimeErrorReason

  constructor(reason: RuntimeErrorReason, message: string) {
    super(message)
    this.name = 'RuntimeError'
    this.reason = reason
  }
}

export const isRuntimeNotFound = (error: unknown): boolean =>
  error instanceof RuntimeError && error.reason === 'NotFound'
export const isRuntimeTimeout = (error: unknown): boolean => error instanceof RuntimeError && error.reason === 'Timeout'
