// Ending a pod: its containers with their hooks and grace periods, its sandboxes, and at last everything that
// is left of it. Whoever calls takes care that no step runs twice at the same time and that failed steps are
// tried again.
import { rm } from 'node:fs/promises'
import { pods } from '../api/resources.ts'
import { removeObject } from '../control/removal.ts'
import { isRuntimeNotFound } from '../cri/runtime.ts'
import { unmountBelow } from '../host/mounts.ts'
import type { AgentContext } from './agent-context.ts'
import { endContainer } from './end-container.ts'
import type { PodDirectories } from './pod-directories.ts'
import { containerOf } from './pod-facts.ts'
import type { PodOnNode } from './pod-on-node.ts'
import { isRunning, newestOf, type PodState } from './pod-state.ts'
import type { PodVolumes } from './pod-volumes.ts'

export class PodEnder {
  private readonly subject: PodOnNode
  private readonly context: AgentContext
  private readonly state: PodState
  private readonly directories: PodDirectories
  private readonly volumes: PodVolumes

  constructor(subject: PodOnNode, volumes: PodVolumes) {
    this.subject = subject
    this.context = subject.context
    this.state = subject.state
    this.directories = subject.directories
    this.volumes = volumes
  }

  /** Runs the preStop hook, then stops the container within what is left of the grace period. */
  async stopContainer(name: string, id: string, gracePeriodSeconds: number, why: string): Promise<void> {
    const { runtime, clock } = this.context
    const container = containerOf(this.subject.pod, name)
    this.subject.say('Normal', 'Killing', why === 'Stopping container' ? `Stopping container ${name}` : why, container)
    // Only what runs can run a hook.
    const hooked = isRunning(newestOf(this.state, name)) ? container : undefined
    await endContainer({
      target: this.subject.probeTarget(hooked ?? { name }, id),
      clock,
      gracePeriodSeconds,
      onHookFailed: message =>
        this.subject.say('Warning', 'FailedPreStopHook', `PreStopHook failed: ${message}`, container),
      limitSeconds: () => (this.state.gone ? 1 : Infinity),
    })
    const status = await runtime.containerStatus(id).catch((error: unknown) => {
      if (isRuntimeNotFound(error)) return undefined
      throw error
    })
    if (status !== undefined) await this.subject.observe(status)
    else this.subject.forgetContainer(name, id)
  }

  /** A shorter grace period came while containers are being stopped. */
  hasten(gracePeriodSeconds: number): void {
    for (const key of this.state.busy) {
      const newest = key.startsWith('stop:') ? newestOf(this.state, key.slice('stop:'.length)) : undefined
      // Should this fail, the stop that is under way still ends the container.
      if (newest !== undefined) void this.context.runtime.stopContainer(newest.id, gracePeriodSeconds).catch(() => {})
    }
  }

  async stopSandbox(id: string): Promise<void> {
    await this.context.runtime.stopPodSandbox(id)
    const stopped = { ready: false, isStopped: true }
    if (this.state.sandbox?.id === id) this.state.sandbox = { ...this.state.sandbox, ...stopped }
    const old = this.state.oldSandboxes.get(id)
    if (old !== undefined) this.state.oldSandboxes.set(id, { ...old, ...stopped })
  }

  /** Takes a sandbox away of which no container is left. */
  async removeSandbox(id: string): Promise<void> {
    await this.context.runtime.removePodSandbox(id)
    this.state.oldSandboxes.delete(id)
  }

  /** Takes an ended container away, with its log. */
  async removeContainer(name: string, id: string): Promise<void> {
    await this.context.runtime.removeContainer(id)
    const attempt = this.state.containers.get(name)?.find(container => container.id === id)?.attempt
    this.subject.forgetContainer(name, id)
    if (attempt === undefined) return
    await Promise.all([
      rm(this.directories.containerLog(name, attempt), { force: true }),
      rm(this.directories.terminationMessage(name, attempt), { force: true }),
    ])
  }

  /** Everything has ended: tells the API, then takes away what is left on the machine. */
  async clean(): Promise<void> {
    const { client, runtime, tokens, cgroups, clock } = this.context
    this.subject.stopProbes()
    await Promise.all([this.state.gone ? undefined : this.subject.status.flush(), unmountBelow(this.directories.root)])
    if (!this.state.gone) await removeObject(client, pods, this.subject.pod, { gracePeriodSeconds: 0 })
    const sandboxes = [
      ...(this.state.sandbox === undefined ? [] : [this.state.sandbox.id]),
      ...this.state.oldSandboxes.keys(),
    ]
    await Promise.all(sandboxes.map(id => runtime.removePodSandbox(id)))
    await Promise.all([this.volumes.remove(), rm(this.directories.logs, { recursive: true, force: true })])
    this.state.cleaned = true
    tokens.forget(this.subject.pod.metadata.uid)
    cgroups.release(this.subject.pod)
    // The kernel lets go of an empty group a moment later.
    clock.after(1_000, () => cgroups.release(this.subject.pod))
  }
}
