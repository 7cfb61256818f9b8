// The control groups above those of containers, as Kubernetes lays them out: all pods together weigh as much
// as the machine has processors, and below that each pod as much as it asks for. Pods whose limits equal their
// requests come first, then those that ask for something, together in one group; the rest shares what is left. What
// a pod's containers may use together bounds its group, too, with what is in it beside them.
// Source: kubernetes pkg/kubelet/cm/qos_container_manager_linux.go, pod_container_manager_linux.go.
import { join } from 'node:path'
import type { Pod } from '../api/generated/models.ts'
import { podRequests } from '../api/pod-requests.ts'
import { removeCgroup, shareOut, type CgroupFacts, type GroupLimits } from '../host/cgroups.ts'
import type { Logger } from '../lib/logger.ts'
import { podGroupLimits, sharesOf } from './cgroup-resources.ts'
import { qosClassOf } from './pod-facts.ts'

export interface PodCgroupsOptions {
  readonly facts: CgroupFacts
  /** E.g. `/sampan/default`. */
  readonly root: string
  readonly processors: number
  readonly logger: Logger
}

const folders = { Guaranteed: '', Burstable: 'burstable', BestEffort: 'besteffort' } as const

export class PodCgroups {
  private readonly options: PodCgroupsOptions
  /** What each burstable pod asks for, in thousandths of a processor, by uid. */
  private readonly burstable = new Map<string, number>()
  private isPrepared = false

  constructor(options: PodCgroupsOptions) {
    this.options = options
  }

  /** Path below each hierarchy's root. */
  groupOf(pod: Pod): string {
    return join(this.options.root, folders[qosClassOf(pod)], `pod${pod.metadata.uid}`)
  }

  get version(): 1 | 2 {
    return this.options.facts.version
  }

  /** Gives the pod its group, or another weight and other limits after its resources changed. */
  admit(pod: Pod): void {
    const milliCpus = podRequests(pod.spec).get('cpu') ?? 0
    this.prepare()
    if (qosClassOf(pod) === 'Burstable') {
      this.burstable.set(pod.metadata.uid, milliCpus)
      this.weighBurstable()
    }
    this.set(this.groupOf(pod), sharesOf(milliCpus), podGroupLimits(pod))
  }

  /** Takes the pod's group away once nothing runs in it. */
  release(pod: Pod): void {
    removeCgroup(this.options.facts, this.groupOf(pod))
    if (this.burstable.delete(pod.metadata.uid)) this.weighBurstable()
  }

  private prepare(): void {
    if (this.isPrepared) return
    this.isPrepared = true
    this.set(this.options.root, sharesOf(this.options.processors * 1_000))
    this.set(join(this.options.root, folders.BestEffort), sharesOf(0))
  }

  private weighBurstable(): void {
    this.set(
      join(this.options.root, folders.Burstable),
      sharesOf([...this.burstable.values()].reduce((sum, milliCpus) => sum + milliCpus, 0)),
    )
  }

  /** Pods run without it too. */
  private set(group: string, cpuShares: number, limits?: GroupLimits): void {
    try {
      shareOut(this.options.facts, group, { cpuShares, ...(limits && { limits }) })
    } catch (error) {
      this.options.logger.debug('control group has not got all of its share', { group, error: String(error) })
    }
  }
}
