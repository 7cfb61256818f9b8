// A pod as this node knows it: the object, the state of its containers, their probes, its directories and
// the status that goes to the API. What starts, ends and plans works on it, and tells it what it saw.
import type { Container, Pod } from '../api/generated/models.ts'
import type { EventType } from '../control/event-recorder.ts'
import type { ContainerStatus } from '../cri/runtime.ts'
import type { AgentContext } from './agent-context.ts'
import { ContainerProber } from './container-prober.ts'
import { PodDirectories } from './pod-directories.ts'
import { containerOf, initContainersOf, isHostNetwork, isSidecar } from './pod-facts.ts'
import { newPodState, type PodState } from './pod-state.ts'
import { podStatus } from './pod-status.ts'
import { runProbe, type ProbeTarget } from './probe-actions.ts'
import { StatusWriter } from './status-writer.ts'
import { terminationMessage } from './termination-message.ts'

export interface PodOnNodeOptions {
  readonly context: AgentContext
  readonly pod: Pod
  /** A container started or ended: whoever follows its log looks again. */
  readonly onContainerChange: (containerId: string, logFile: string, running: boolean) => void
  /** Something changed that the plan depends on. */
  readonly onChange: () => void
}

export class PodOnNode {
  readonly context: AgentContext
  readonly state: PodState = newPodState()
  readonly directories: PodDirectories
  readonly status: StatusWriter
  pod: Pod
  /** Nobody looks after the pod any more. */
  halted = false
  private readonly options: PodOnNodeOptions
  private readonly probers = new Map<string, ContainerProber>()

  constructor(options: PodOnNodeOptions) {
    this.options = options
    this.context = options.context
    this.pod = options.pod
    this.directories = new PodDirectories(this.context.dataDirectory, options.pod)
    const { client, clock, logger, network } = this.context
    this.status = new StatusWriter(client, clock, logger, () =>
      this.state.gone || this.halted
        ? undefined
        : { pod: this.pod, status: podStatus(this.pod, this.state, network.nodeAddress, clock.now()) },
    )
  }

  get cgroup(): string {
    return this.context.cgroups.groupOf(this.pod)
  }

  /** Found not to be ready any more. */
  sandboxEnded(id: string): void {
    if (this.state.sandbox?.id !== id || !this.state.sandbox.ready) return
    this.state.sandbox = { ...this.state.sandbox, ready: false }
    this.options.onChange()
  }

  /** Notes a container's newest status; starts or ends what hangs on it. */
  async observe(seen: ContainerStatus): Promise<void> {
    const container = containerOf(this.pod, seen.name)
    const attempts = this.state.containers.get(seen.name) ?? []
    const before = attempts.find(({ id }) => id === seen.id)
    const status = { ...seen, sandboxId: seen.sandboxId === '' ? (before?.sandboxId ?? '') : seen.sandboxId }
    if (before?.state === 'exited') return
    if (status.state === 'exited' && container !== undefined && !this.state.terminationMessages.has(status.id)) {
      const message = await terminationMessage(
        container,
        status.exitCode,
        this.directories.terminationMessage(seen.name, seen.attempt),
        this.directories.containerLog(seen.name, seen.attempt),
      )
      this.state.terminationMessages.set(status.id, message)
    }
    const others = (this.state.containers.get(seen.name) ?? []).filter(({ id }) => id !== seen.id)
    this.state.containers.set(
      seen.name,
      [status, ...others].sort((a, b) => b.attempt - a.attempt || b.createdAtMs - a.createdAtMs),
    )
    if (status.state === 'running' && container !== undefined) this.startProbing(container, status)
    if (status.state === 'exited') this.stopProbing(status.id)
    this.options.onContainerChange(
      status.id,
      this.directories.containerLog(status.name, status.attempt),
      status.state === 'running',
    )
  }

  /** The runtime knows the container no longer. */
  forgetContainer(name: string, id: string): void {
    this.stopProbing(id)
    this.state.terminationMessages.delete(id)
    this.state.containers.set(
      name,
      (this.state.containers.get(name) ?? []).filter(container => container.id !== id),
    )
    this.options.onContainerChange(id, '', false)
  }

  private startProbing(container: Container, status: ContainerStatus): void {
    if (this.probers.has(status.id) || this.halted) return
    const known = [
      ...(this.pod.status?.containerStatuses ?? []),
      ...(this.pod.status?.initContainerStatuses ?? []),
    ].find(({ containerID }) => containerID === `containerd://${status.id}`)
    const init = initContainersOf(this.pod).includes(container) && !isSidecar(container)
    // Init containers have no probes; they count as started.
    const probed: Container = init ? { name: container.name } : container
    const prober = new ContainerProber(
      probed,
      status.startedAtMs,
      {
        clock: this.context.clock,
        run: probe => runProbe(probe, this.probeTarget(container, status.id)),
        onChange: () => this.options.onChange(),
        onUnhealthy: (kind, message) =>
          this.say(
            'Warning',
            'Unhealthy',
            `${kind.charAt(0).toUpperCase()}${kind.slice(1)} probe failed: ${message}`,
            container,
          ),
      },
      known === undefined ? undefined : { started: known.started === true, ready: known.ready },
    )
    this.probers.set(status.id, prober)
    this.state.probes.set(status.id, prober.state)
    prober.start()
  }

  private stopProbing(id: string): void {
    this.probers.get(id)?.stop()
    this.probers.delete(id)
    this.state.probes.delete(id)
  }

  /** A container that is to end is not restarted because it looks dead. */
  stopLivenessProbes(): void {
    for (const prober of this.probers.values()) prober.stopLiveness()
  }

  stopProbes(): void {
    for (const prober of this.probers.values()) prober.stop()
  }

  probeTarget(container: Container, containerId: string): ProbeTarget {
    const address = isHostNetwork(this.pod) ? '127.0.0.1' : (this.state.sandbox?.address ?? '')
    return { runtime: this.context.runtime, containerId, container, address }
  }

  /** Records an event about the pod, or about one of its containers. */
  say(type: EventType, reason: string, message: string, container?: Container): void {
    const list =
      container !== undefined && initContainersOf(this.pod).includes(container) ? 'initContainers' : 'containers'
    this.context.events.recordEvent(this.pod, type, reason, message, {
      fieldPath: container && `spec.${list}{${container.name}}`,
    })
  }

  sleep(milliseconds: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.context.clock.after(milliseconds, resolve)
    return promise
  }
}
