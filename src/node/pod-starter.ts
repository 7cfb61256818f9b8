// Starting a pod: its volumes, its sandbox, its images and containers, each one step of a plan. Whoever calls
// takes care that no step runs twice at the same time and that failed steps are tried again.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Container } from '../api/generated/models.ts'
import { isRuntimeNotFound, type ImageSummary, type SandboxConfig } from '../cri/runtime.ts'
import type { Timer } from '../lib/clock.ts'
import type { AgentContext } from './agent-context.ts'
import { buildContainer } from './build-container.ts'
import { hostsFile } from './name-resolution.ts'
import { shallStop } from './plan.ts'
import type { PodDirectories } from './pod-directories.ts'
import { allContainersOf, containerOf, gracePeriodSecondsOf, isHostNetwork, podText } from './pod-facts.ts'
import type { PodOnNode } from './pod-on-node.ts'
import { isRunning, newestOf, type PodState } from './pod-state.ts'
import type { PodVolumes } from './pod-volumes.ts'
import { runHook } from './probe-actions.ts'
import { sandboxConfig } from './sandbox-config.ts'

const defaultHookLimitMs = 600_000

/** A container that could not be started; `reason` is what its status shows. */
export class StartError extends Error {
  readonly reason: string

  constructor(reason: string, message: string) {
    super(message)
    this.name = 'StartError'
    this.reason = reason
  }
}

export class PodStarter {
  private readonly subject: PodOnNode
  private readonly context: AgentContext
  private readonly state: PodState
  private readonly directories: PodDirectories
  private readonly volumes: PodVolumes
  private readonly images = new Map<string, ImageSummary>()
  private volumePaths: ReadonlyMap<string, string> = new Map()
  private renewal: Timer | undefined

  constructor(subject: PodOnNode, volumes: PodVolumes) {
    this.subject = subject
    this.context = subject.context
    this.state = subject.state
    this.directories = subject.directories
    this.volumes = volumes
  }

  /** Volumes are kept up to date no longer. */
  halt(): void {
    this.renewal?.cancel()
  }

  /** Makes the volumes and the directories of the logs. */
  async prepare(): Promise<void> {
    const logDirectories = allContainersOf(this.subject.pod).map(({ name }) =>
      dirname(this.directories.containerLog(name, 0)),
    )
    const [paths] = await Promise.all([
      this.volumes.prepare(this.subject.pod),
      ...logDirectories.map(directory => mkdir(directory, { recursive: true, mode: 0o755 })),
    ])
    this.volumePaths = paths
    this.state.volumesReady = true
    this.scheduleRenewal()
  }

  private scheduleRenewal(): void {
    this.renewal?.cancel()
    const { renewAtMs } = this.volumes
    if (renewAtMs !== Infinity && !this.subject.halted)
      this.renewal = this.context.clock.after(renewAtMs - this.context.clock.now(), () => void this.refreshVolumes())
  }

  async refreshVolumes(): Promise<void> {
    if (!this.state.volumesReady || shallStop(this.subject.pod, this.state)) return
    try {
      await this.volumes.refresh(this.subject.pod)
      this.scheduleRenewal()
    } catch (error) {
      this.context.logger.debug('volumes not refreshed', { pod: podText(this.subject.pod), error: String(error) })
      this.renewal = this.context.clock.after(60_000, () => void this.refreshVolumes())
    }
  }

  private sandboxConfig(attempt: number): SandboxConfig {
    const { network, hostDns } = this.context
    return sandboxConfig(this.subject.pod, attempt, {
      network,
      hostDns: hostDns(),
      logDirectory: this.directories.logs,
      cgroupParent: this.subject.cgroup,
    })
  }

  async startSandbox(attempt: number): Promise<void> {
    if (shallStop(this.subject.pod, this.state)) return
    const { runtime, network } = this.context
    this.context.cgroups.admit(this.subject.pod)
    const config = this.sandboxConfig(attempt)
    const id = await runtime.runPodSandbox(config)
    const status = await runtime.podSandboxStatus(id)
    await mkdir(this.directories.root, { recursive: true, mode: 0o750 })
    const address = isHostNetwork(this.subject.pod) ? network.nodeAddress : (status.address ?? '')
    const nodeHosts = isHostNetwork(this.subject.pod) ? await readFile('/etc/hosts', 'utf8').catch(() => '') : ''
    await writeFile(this.directories.hostsFile, hostsFile(this.subject.pod, address, network.domain, nodeHosts), {
      mode: 0o644,
    })
    if (this.state.sandbox !== undefined) this.state.oldSandboxes.set(this.state.sandbox.id, this.state.sandbox)
    this.state.sandbox = status
  }

  async ensureImage(name: string): Promise<void> {
    const container = containerOf(this.subject.pod, name)!
    const image = await this.context.images.ensure(this.subject.pod, container, (type, reason, message) =>
      this.subject.say(type, reason, message, container),
    )
    this.images.set(name, image)
    this.state.images.add(name)
  }

  /** Returns the container's id when its postStart hook is still to run: until then it counts as not running. */
  async startContainer(name: string, attempt: number): Promise<string | undefined> {
    const { runtime } = this.context
    const { sandbox } = this.state
    const container = containerOf(this.subject.pod, name)
    if (sandbox === undefined || container === undefined || shallStop(this.subject.pod, this.state)) return undefined
    // A container that ended may have ended with its sandbox.
    if (attempt > 0 && (await this.hasEnded(sandbox.id))) {
      this.subject.sandboxEnded(sandbox.id)
      return undefined
    }
    // The next start looks for the image again: it may have been removed, or its policy is Always.
    this.state.images.delete(name)
    const targetName = this.subject.pod.spec.ephemeralContainers?.find(
      ephemeral => ephemeral.name === name,
    )?.targetContainerName
    const target = targetName === undefined ? undefined : newestOf(this.state, targetName)
    const config = await buildContainer(this.context, this.subject.pod, container, {
      attempt,
      image: this.images.get(name)!,
      directories: this.directories,
      volumePaths: this.volumePaths,
      podAddress: isHostNetwork(this.subject.pod) ? this.context.network.nodeAddress : (sandbox.address ?? ''),
      ...(isRunning(target) && { targetId: target.id }),
    })
    const id = await runtime
      .createContainer(sandbox.id, config, this.sandboxConfig(sandbox.attempt))
      .catch(async (error: unknown) => {
        // Perhaps because the sandbox died unnoticed.
        if (await this.hasEnded(sandbox.id)) this.subject.sandboxEnded(sandbox.id)
        throw error
      })
    this.subject.say('Normal', 'Created', `Created container: ${name}`, container)
    try {
      await runtime.startContainer(id)
    } catch (error) {
      await this.subject.observe(await runtime.containerStatus(id))
      throw new StartError('RunContainerError', (error as Error).message)
    }
    this.subject.say('Normal', 'Started', `Started container ${name}`, container)
    const hooked = container.lifecycle?.postStart !== undefined
    const status = await runtime.containerStatus(id)
    await this.subject.observe({
      ...status,
      sandboxId: sandbox.id,
      ...(hooked && status.state === 'running' && { state: 'created' as const }),
    })
    return hooked ? id : undefined
  }

  /** No answer says nothing: the runtime may be busy, and the sandbox well. */
  private async hasEnded(sandboxId: string): Promise<boolean> {
    return await this.context.runtime.podSandboxStatus(sandboxId).then(({ ready }) => !ready, isRuntimeNotFound)
  }

  /** Runs the hook; a container whose hook fails is stopped. */
  async postStart(container: Container, id: string): Promise<void> {
    this.subject.status.wake()
    try {
      await runHook(
        container.lifecycle!.postStart!,
        this.subject.probeTarget(container, id),
        defaultHookLimitMs,
        milliseconds => this.subject.sleep(milliseconds),
      )
    } catch (error) {
      this.subject.say('Warning', 'FailedPostStartHook', `PostStartHook failed: ${(error as Error).message}`, container)
      await this.context.runtime.stopContainer(id, gracePeriodSecondsOf(this.subject.pod))
    }
    await this.subject.observe(await this.context.runtime.containerStatus(id))
  }
}
