// All pods of this node: one worker each, found by uid, name and container. Brings events of the API and
// of the runtime to the right worker, and takes away what belongs to no pod.
import type { ObjectMeta, Pod } from '../api/generated/models.ts'
import { podReferences } from '../api/pod-references.ts'
import { controllerOf } from '../control/ownership.ts'
import type { ContainerStatus, RuntimeEvent } from '../cri/runtime.ts'
import { isRuntimeNotFound } from '../cri/runtime.ts'
import { rejectionOf, type NodeView } from './admission.ts'
import type { Timer } from '../lib/clock.ts'
import type { AgentContext } from './agent-context.ts'
import { endRecorded } from './container-records.ts'
import type { LogFiles } from './log-files.ts'
import { isAtRest } from './plan.ts'
import { hasEnded, isDeleting } from './pod-facts.ts'
import type { SandboxRecord } from './pod-state.ts'
import { PodWorker } from './pod-worker.ts'
import { RejectionPace } from './rejection-pace.ts'
import type { RuntimeList } from './relist.ts'
import { labelNames } from './sandbox-config.ts'

const earlyEndMs = 200

interface Found {
  readonly sandboxes: SandboxRecord[]
  readonly containers: ContainerStatus[]
}

export class PodPool {
  private readonly context: AgentContext
  private readonly logs: LogFiles
  private readonly workers = new Map<string, PodWorker>()
  /** What ran before this agent started, until its pod is seen. */
  private found = new Map<string, Found>()
  private isStopping = false
  private readonly pace = new RejectionPace()
  /** Pods that are looked at again, by uid. */
  private readonly undecided = new Map<string, Timer>()
  private relisting: Promise<void> | undefined
  private relistWanted = false

  constructor(context: AgentContext, logs: LogFiles) {
    this.context = context
    this.logs = logs
  }

  workerOf(namespace: string, name: string, uid: string): PodWorker | undefined {
    const worker = this.workers.get(uid)
    if (worker !== undefined) return worker
    return uid === ''
      ? [...this.workers.values()].find(({ pod }) => pod.metadata.name === name && pod.metadata.namespace === namespace)
      : undefined
  }

  /** What runs already. */
  async observeRuntime(): Promise<void> {
    this.found = await this.listRuntime()
  }

  podChanged(pod: Pod): void {
    const { uid } = pod.metadata
    const worker = this.workers.get(uid)
    if (worker !== undefined) return worker.update(pod)
    // What comes now starts with the node again.
    if (this.isStopping) return
    const found = this.found.get(uid)
    // An ended pod of which nothing is left needs nobody.
    if (hasEnded(pod) && found === undefined && !isDeleting(pod)) return
    // What had begun before stays, whatever became of the node.
    const isNew = found === undefined && pod.status?.startTime === undefined && !hasEnded(pod) && !isDeleting(pod)
    const rejection = isNew ? rejectionOf(pod, this.view()) : undefined
    if (rejection !== undefined && this.waits(pod)) return
    this.undecide(uid)
    const created = this.create(pod)
    if (rejection !== undefined) created.reject(rejection)
    this.found.delete(uid)
    if (found === undefined) created.wake()
    else void created.adopt(found.sandboxes, found.containers)
  }

  podDeleted(pod: Pod): void {
    this.undecide(pod.metadata.uid)
    this.workers.get(pod.metadata.uid)?.removed()
  }

  sourceChanged(kind: 'configMaps' | 'secrets', metadata: ObjectMeta): void {
    for (const worker of this.workers.values()) {
      if (worker.pod.metadata.namespace === metadata.namespace && podReferences(worker.pod)[kind].has(metadata.name))
        worker.sourcesChanged()
    }
  }

  async runtimeEvent(event: RuntimeEvent): Promise<void> {
    if (event.type === 'relist') return await this.relist()
    if (event.type === 'sandbox-exited') {
      for (const worker of this.workers.values())
        if (worker.state.sandbox?.id === event.sandboxId) worker.sandboxEnded(event.sandboxId)
      return
    }
    const worker = this.workerOfContainer(event.containerId)
    if (worker !== undefined) return await worker.containerEnded(event.containerId)
    // It ended before its start was noted: look again in a moment.
    this.context.clock.after(
      earlyEndMs,
      () => void this.workerOfContainer(event.containerId)?.containerEnded(event.containerId),
    )
  }

  async removeOrphans(known: ReadonlySet<string>): Promise<void> {
    const orphans = [...this.found].filter(([uid]) => !known.has(uid))
    this.found = new Map()
    await Promise.allSettled(
      orphans.flatMap(([, { sandboxes }]) =>
        sandboxes.map(async ({ id }) => {
          await endRecorded(this.context.runtime, this.context.clock, 1, ({ sandboxId }) => sandboxId === id)
          await this.context.runtime.stopPodSandbox(id)
          await this.context.runtime.removePodSandbox(id)
        }),
      ),
    )
  }

  /** Ends all containers as deletion does, by `atMs` at the latest; pods and what is known of them stay. */
  async stopPods(atMs: number, onProgress: (left: readonly string[]) => void): Promise<void> {
    this.isStopping = true
    const workers = [...this.workers.values()]
    const left = new Set(workers.filter(({ state }) => !isAtRest(state)))
    const tell = (): void =>
      onProgress([...left].map(({ pod }) => `${pod.metadata.namespace}/${pod.metadata.name}`).toSorted())
    tell()
    await Promise.all(
      workers.map(async worker => {
        await worker.stopWithNode(atMs)
        if (left.delete(worker)) tell()
      }),
    )
  }

  async halt(): Promise<void> {
    for (const uid of this.undecided.keys()) this.undecide(uid)
    for (const worker of this.workers.values()) worker.halt()
    this.workers.clear()
  }

  /** Whether a pod that would be rejected has to wait for that, since another one of its workload just was. */
  private waits(pod: Pod): boolean {
    const { clock } = this.context
    const { uid } = pod.metadata
    const workload = controllerOf(pod)?.uid ?? uid
    const waitMs = this.pace.waitMs(workload, clock.now())
    this.undecide(uid)
    if (waitMs === 0) this.pace.told(workload, clock.now())
    else
      this.undecided.set(
        uid,
        clock.after(waitMs, () => this.podChanged(pod)),
      )
    return waitMs > 0
  }

  private undecide(uid: string): void {
    this.undecided.get(uid)?.cancel()
    this.undecided.delete(uid)
  }

  private view(): NodeView {
    const others = [...this.workers.values()].filter(worker => worker.isActive).map(({ pod }) => pod)
    return { node: this.context.ownNode(), others, hasAppArmor: this.context.hasAppArmor }
  }

  private create(pod: Pod): PodWorker {
    const { uid } = pod.metadata
    const worker = new PodWorker({
      context: this.context,
      pod,
      onCleaned: () => this.workers.delete(uid),
      onContainerChange: (id, file, running) => this.logs.containerChanged(id, file, running),
    })
    this.workers.set(uid, worker)
    return worker
  }

  private workerOfContainer(containerId: string): PodWorker | undefined {
    for (const worker of this.workers.values()) {
      for (const attempts of worker.state.containers.values())
        if (attempts.some(({ id }) => id === containerId)) return worker
    }
    return undefined
  }

  /** One list at a time, however often it is asked for: each is work for a machine that may be busy already. */
  private async relist(): Promise<void> {
    this.relistWanted = true
    this.relisting ??= this.relistWhileWanted().finally(() => (this.relisting = undefined))
    await this.relisting
  }

  private async relistWhileWanted(): Promise<void> {
    while (this.relistWanted) {
      this.relistWanted = false
      await this.relistOnce().catch((error: unknown) =>
        this.context.logger.warn('runtime not listed', { error: String(error) }),
      )
    }
  }

  private async relistOnce(): Promise<void> {
    const { runtime } = this.context
    const known = [...this.workers.values()].map(worker => ({ worker, known: worker.knownToRun }))
    const [sandboxes, containers] = await Promise.all([runtime.listPodSandboxes(), runtime.listContainers()])
    const list: RuntimeList = {
      readySandboxes: new Set(sandboxes.filter(({ ready }) => ready).map(({ id }) => id)),
      containers: new Map(containers.map(({ id, state }) => [id, state])),
    }
    await Promise.all(known.map(entry => entry.worker.relisted(entry.known, list)))
  }

  private async listRuntime(): Promise<Map<string, Found>> {
    const { runtime } = this.context
    const [sandboxes, containers] = await Promise.all([runtime.listPodSandboxes(), runtime.listContainers()])
    const groups = new Map<string, Found>()
    const groupOf = (uid: string): Found => {
      if (!groups.has(uid)) groups.set(uid, { sandboxes: [], containers: [] })
      return groups.get(uid)!
    }
    const gone = (error: unknown): undefined => {
      if (!isRuntimeNotFound(error)) throw error
    }
    const details = await Promise.all(
      sandboxes.map(async sandbox =>
        sandbox.ready ? await runtime.podSandboxStatus(sandbox.id).catch(gone) : sandbox,
      ),
    )
    const statuses = await Promise.all(containers.map(container => runtime.containerStatus(container.id).catch(gone)))
    const sandboxIds = new Map(containers.map(({ id, sandboxId }) => [id, sandboxId]))
    for (const sandbox of details)
      if (sandbox !== undefined) groupOf(sandbox.labels[labelNames.podUid] ?? sandbox.uid).sandboxes.push(sandbox)
    for (const status of statuses)
      if (status !== undefined)
        groupOf(status.labels[labelNames.podUid] ?? '').containers.push({
          ...status,
          sandboxId: sandboxIds.get(status.id)!,
        })
    return groups
  }
}
