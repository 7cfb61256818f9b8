// Sees to it that a pod's volumes are there before the pod is bound to its node. What is under way counts at
// once (`reserve`), so that two pods do not get the same volume; the control loop and the provisioner do the
// work, and the change of the claims that they cause ends the wait.
import type { Node, PersistentVolume, PersistentVolumeClaim, Pod } from '../api/generated/models.ts'
import { keyOf } from '../api/object.ts'
import { classOfVolume, isFullyBound, setAside, volumeAnnotations } from '../api/persistent-storage.ts'
import { persistentVolumeClaims, persistentVolumes, storageClasses } from '../api/resources.ts'
import type { Client } from '../client/client.ts'
import { reaches } from '../control/volume-match.ts'
import type { Clock } from '../lib/clock.ts'
import { selectedNode, volumePlan, type StorageView, type VolumePlan } from './volumes.ts'

const limitMs = 600_000

/** The volumes of a pod that was to go to a node. */
export interface Reservation {
  readonly pod: Pod
  readonly node: Node
  readonly plan: VolumePlan
}

/** The volumes did not come; the message is that of the pod's condition. */
export class VolumeBindingError extends Error {
  constructor(message: string) {
    super(`running PreBind plugin "VolumeBinding": ${message}`)
    this.name = 'VolumeBindingError'
  }
}

interface Wait {
  readonly reservation: Reservation
  readonly settle: (error?: VolumeBindingError) => void
}

export class VolumeBinder implements StorageView {
  private readonly client: Client
  private readonly clock: Clock
  /** By the name of the volume: the claim that is about to get it. */
  private readonly takenBy = new Map<string, string>()
  /** By claim: the node that its volume is made for. */
  private readonly nodes = new Map<string, string>()
  private readonly waits = new Set<Wait>()
  private readonly byClass: (className: string) => readonly PersistentVolume[]

  constructor(client: Client, clock: Clock) {
    this.client = client
    this.clock = clock
    this.byClass = client.informer(persistentVolumes).index('class', volume => [classOfVolume(volume)])
  }

  claim(namespace: string | undefined, name: string): PersistentVolumeClaim | undefined {
    return this.client.informer(persistentVolumeClaims).get({ namespace, name })
  }

  volume(name: string): PersistentVolume | undefined {
    return this.client.informer(persistentVolumes).get({ name })
  }

  volumesOf(className: string): readonly PersistentVolume[] {
    return this.byClass(className)
  }

  storageClass(name: string) {
    return this.client.informer(storageClasses).get({ name })
  }

  nodeOf(claim: PersistentVolumeClaim): string | undefined {
    return this.nodes.get(keyOf(claim)) ?? selectedNode(claim)
  }

  isTaken(volumeName: string, claim: PersistentVolumeClaim): boolean {
    const owner = this.takenBy.get(volumeName)
    return owner !== undefined && owner !== keyOf(claim)
  }

  /** Undefined when the pod's volumes are all there, or cannot come. */
  reserve(pod: Pod, node: Node): Reservation | undefined {
    const plan = volumePlan(pod, node, this)
    if (plan === undefined || plan.bind.length + plan.provision.length === 0) return undefined
    for (const { claim, volume } of plan.bind) this.takenBy.set(volume.metadata.name, keyOf(claim))
    for (const claim of plan.provision) this.nodes.set(keyOf(claim), node.metadata.name)
    return { pod, node, plan }
  }

  /** Resolves when all claims are bound. @throws VolumeBindingError, ApiError */
  async bind(reservation: Reservation): Promise<void> {
    const {
      plan: { bind, provision },
      node,
    } = reservation
    try {
      await Promise.all([
        ...bind.map(({ claim, volume }) => this.client.update(persistentVolumes, setAside(volume, claim))),
        ...provision
          .filter(claim => selectedNode(claim) === undefined)
          .map(claim =>
            this.client.patch(persistentVolumeClaims, claim.metadata, {
              type: 'merge',
              value: {
                metadata: {
                  uid: claim.metadata.uid,
                  annotations: { [volumeAnnotations.selectedNode]: node.metadata.name },
                },
              },
            }),
          ),
      ])
      await this.untilBound(reservation)
    } finally {
      for (const { volume } of bind) this.takenBy.delete(volume.metadata.name)
      for (const claim of provision) this.nodes.delete(keyOf(claim))
    }
  }

  private async untilBound(reservation: Reservation): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const wait: Wait = { reservation, settle: error => (error === undefined ? resolve() : reject(error)) }
    const timer = this.clock.after(limitMs, () =>
      wait.settle(new VolumeBindingError('binding volumes: context deadline exceeded')),
    )
    this.waits.add(wait)
    this.look(wait)
    await promise.finally(() => {
      timer.cancel()
      this.waits.delete(wait)
    })
  }

  claimChanged(key: string): void {
    for (const wait of this.waits) if (claimsOf(wait.reservation).some(claim => keyOf(claim) === key)) this.look(wait)
  }

  podGone(uid: string): void {
    for (const wait of this.waits)
      if (wait.reservation.pod.metadata.uid === uid) wait.settle(new VolumeBindingError('the pod was deleted'))
  }

  stop(): void {
    for (const wait of this.waits) wait.settle(new VolumeBindingError('the scheduler ends'))
  }

  private look(wait: Wait): void {
    const states = claimsOf(wait.reservation).map(claim => this.stateOf(claim, wait.reservation))
    const failure = states.find(state => state !== 'bound' && state !== 'waits')
    if (failure !== undefined) wait.settle(new VolumeBindingError(`binding volumes: ${failure}`))
    else if (states.every(state => state === 'bound')) wait.settle()
  }

  /** `bound`, `waits`, or why the claim is not going to be bound here. */
  private stateOf(planned: PersistentVolumeClaim, { node, plan }: Reservation): string {
    const { namespace, name, uid } = planned.metadata
    const claim = this.claim(namespace, name)
    if (claim?.metadata.uid !== uid) return `persistentvolumeclaim "${name}" not found`
    if (isFullyBound(claim)) {
      const volume = this.volume(claim.spec.volumeName!)
      return volume === undefined || reaches(volume, node)
        ? 'bound'
        : `PersistentVolume "${volume.metadata.name}"'s node affinity doesn't match node "${node.metadata.name}"`
    }
    return plan.provision.includes(planned) && selectedNode(claim) !== node.metadata.name
      ? `provisioning failed for PVC "${name}"`
      : 'waits'
  }
}

const claimsOf = ({ plan }: Reservation): PersistentVolumeClaim[] => [
  ...plan.bind.map(({ claim }) => claim),
  ...plan.provision,
]
