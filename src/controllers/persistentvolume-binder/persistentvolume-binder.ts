// Binds claims to volumes, and releases volumes whose claims are gone. One key at a time, since two claims may
// want the same volume. Keys with a slash are claims, the others volumes.
import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from '../../api/generated/models.ts'
import { isDefaultStorageClass } from '../../api/kinds/storage-class.ts'
import { keyOf, splitKey } from '../../api/object.ts'
import {
  claimKeysOf,
  classOfClaim,
  classOfVolume,
  defaultClassOf,
  setAside,
  volumeAnnotations,
} from '../../api/persistent-storage.ts'
import { persistentVolumeClaims, persistentVolumes, pods, storageClasses } from '../../api/resources.ts'
import { sameJson } from '../../api/validation/scalars.ts'
import type { Client } from '../../client/client.ts'
import type { ControllerContext, Reconciler } from '../../control/controller.ts'
import { defineController, watch } from '../../control/controller.ts'
import { isActive } from '../../control/pods.ts'
import { writeStatus } from '../../control/write-status.ts'
import { formatTime } from '../../lib/clock.ts'
import { planClaim, planVolume, type Note, type Supply } from './plan.ts'

const ofClass = (name: string): string => `class/${name}`
const ofVolume = (name: string): string => `volume/${name}`

/** What a claim waits for: the volume that it names, or any of its class. */
function wants(claim: PersistentVolumeClaim): string[] {
  if (claim.spec.volumeName) return [ofVolume(claim.spec.volumeName)]
  return claim.metadata.annotations?.[volumeAnnotations.bindCompleted] === undefined
    ? [ofClass(classOfClaim(claim))]
    : []
}

const claimsThatWant = (client: Client, ...what: string[]): string[] => {
  const find = client.informer(persistentVolumeClaims).index('wanted storage', wants)
  return what.flatMap(one => find(one).map(keyOf))
}

function keysOfVolume(volume: PersistentVolume, client: Client): string[] {
  const {
    metadata: { name },
    spec: { claimRef },
  } = volume
  const claims =
    claimRef === undefined
      ? claimsThatWant(client, ofVolume(name), ofClass(classOfVolume(volume)))
      : [`${claimRef.namespace}/${claimRef.name}`, ...claimsThatWant(client, ofVolume(name))]
  return [name, ...claims]
}

const keysOfClass = (one: StorageClass, client: Client): string[] =>
  claimsThatWant(client, ofClass(one.metadata.name), ...(isDefaultStorageClass(one) ? [ofClass('')] : []))

export const persistentVolumeBinder = defineController({
  name: 'persistentvolume',
  concurrency: 1,
  watches: [
    watch({
      resource: persistentVolumeClaims,
      keysOf: claim => [keyOf(claim), ...(claim.spec.volumeName ? [claim.spec.volumeName] : [])],
    }),
    watch({ resource: persistentVolumes, keysOf: keysOfVolume }),
    watch({ resource: storageClasses, keysOf: keysOfClass }),
  ],
  reconciler: reconcileStorage,
})

function reconcileStorage({ client, clock, recorder }: ControllerContext): Reconciler {
  const claims = client.informer(persistentVolumeClaims)
  const volumes = client.informer(persistentVolumes)
  const classes = client.informer(storageClasses)
  const podsOf = client
    .informer(pods)
    .index('claims of pods without a node', pod => (isActive(pod) && !pod.spec.nodeName ? claimKeysOf(pod) : []))

  return async function reconcile(key) {
    const name = splitKey(key)
    if (name.namespace === undefined) {
      const volume = volumes.get(name)
      if (volume !== undefined) await settleVolume(volume)
    } else {
      const claim = claims.get(name)
      if (claim !== undefined) await settleClaim(claim)
    }
    return 'done'
  }

  async function settleClaim(claim: PersistentVolumeClaim): Promise<void> {
    const next = planClaim(claim, supplyFor(claim))
    switch (next.step) {
      case 'bind':
        return bind(next.volume, claim)
      case 'lose':
        if (claim.status.phase === 'Lost') return
        recorder.recordEvent(await showClaim(claim, 'Lost'), next.note.type, next.note.reason, next.note.message)
        return
      case 'wait':
        if (next.note !== undefined) say(claim, next.note)
        await showClaim(claim, 'Pending')
        return
      case 'provision':
        return ask(claim, next.provisioner, next.note)
      case 'join-class':
        await client.update(persistentVolumeClaims, { ...claim, spec: { ...claim.spec, storageClassName: next.name } })
    }
  }

  function supplyFor(claim: PersistentVolumeClaim): Supply {
    return {
      volume: name => volumes.get({ name }),
      volumes: () => volumes.list(),
      storageClass: name => classes.get({ name }),
      defaultClass: () => defaultClassOf(classes.list()),
      waitingPods: () =>
        podsOf(keyOf(claim))
          .map(pod => pod.metadata.name)
          .sort(),
    }
  }

  async function ask(claim: PersistentVolumeClaim, provisioner: string, note: Note): Promise<void> {
    const annotations = {
      ...claim.metadata.annotations,
      [volumeAnnotations.betaProvisioner]: provisioner,
      [volumeAnnotations.provisioner]: provisioner,
    }
    if (!sameJson(annotations, claim.metadata.annotations))
      await client.update(persistentVolumeClaims, { ...claim, metadata: { ...claim.metadata, annotations } })
    say(claim, note)
  }

  function say(object: PersistentVolumeClaim | PersistentVolume, { type, reason, message }: Note): void {
    recorder.recordEvent(object, type, reason, message)
  }

  /** First the volume, which only one claim can have, then the claim. */
  async function bind(volume: PersistentVolume, claim: PersistentVolumeClaim): Promise<void> {
    const wanted = setAside(volume, claim)
    const bound = await showVolume(wanted === volume ? volume : await client.update(persistentVolumes, wanted), 'Bound')
    await showClaim(await nameVolume(claim, bound.metadata.name), 'Bound', bound)
  }

  async function nameVolume(claim: PersistentVolumeClaim, volumeName: string): Promise<PersistentVolumeClaim> {
    const { bindCompleted, boundByController } = volumeAnnotations
    const { annotations = {} } = claim.metadata
    const isNamed = claim.spec.volumeName === volumeName
    if (isNamed && annotations[bindCompleted] !== undefined) return claim
    const metadata = {
      ...claim.metadata,
      annotations: { ...annotations, [bindCompleted]: 'yes', ...(!isNamed && { [boundByController]: 'yes' }) },
    }
    return client.update(persistentVolumeClaims, { ...claim, metadata, spec: { ...claim.spec, volumeName } })
  }

  /** The size of a bound claim is what whoever resizes it says. */
  function showClaim(
    claim: PersistentVolumeClaim,
    phase: string,
    volume?: PersistentVolume,
  ): Promise<PersistentVolumeClaim> {
    const { accessModes: _modes, capacity, ...rest } = claim.status
    const size = claim.status.phase === 'Bound' ? (capacity ?? volume?.spec.capacity) : volume?.spec.capacity
    return writeStatus(client, persistentVolumeClaims, claim, {
      ...rest,
      phase,
      ...(volume !== undefined && { accessModes: volume.spec.accessModes ?? [], capacity: size ?? {} }),
    })
  }

  async function showVolume(volume: PersistentVolume, phase: string, message?: string): Promise<PersistentVolume> {
    if (volume.status.phase === phase) return volume
    const { message: _old, ...rest } = volume.status
    return writeStatus(client, persistentVolumes, volume, {
      ...rest,
      phase,
      ...(message !== undefined && { message }),
      lastPhaseTransitionTime: formatTime(clock.now()),
    })
  }

  async function settleVolume(volume: PersistentVolume): Promise<void> {
    const { claimRef } = volume.spec
    const next = planVolume(
      volume,
      claimRef === undefined ? undefined : claims.get({ namespace: claimRef.namespace, name: claimRef.name ?? '' }),
    )
    switch (next.step) {
      case 'leave':
        return
      case 'show':
        await showVolume(volume, next.phase)
        return
      case 'mismatch':
        say(volume, {
          type: 'Warning',
          reason: 'VolumeMismatch',
          message: `Cannot bind PersistentVolume to requested PersistentVolumeClaim "${next.claim.metadata.name}" due to incompatible volumeMode.`,
        })
        return say(next.claim, {
          type: 'Warning',
          reason: 'VolumeMismatch',
          message: `Cannot bind PersistentVolume "${volume.metadata.name}" to requested PersistentVolumeClaim due to incompatible volumeMode.`,
        })
      case 'give-back':
        await showVolume(await client.update(persistentVolumes, withoutClaim(volume)), 'Available')
        return
      case 'release':
        return release(volume, next.failure)
    }
  }

  /** Released is told before Failed, and Failed stays. */
  async function release(volume: PersistentVolume, failure: Note | undefined): Promise<void> {
    if (volume.status.phase === 'Failed') return
    const released = await showVolume(volume, 'Released')
    if (failure !== undefined) say(await showVolume(released, 'Failed', failure.message), failure)
  }
}

/** A volume that a user set aside for a claim stays so. */
function withoutClaim(volume: PersistentVolume): PersistentVolume {
  const { [volumeAnnotations.boundByController]: isOurs, ...annotations } = volume.metadata.annotations ?? {}
  const { claimRef, ...spec } = volume.spec
  if (isOurs === undefined) return { ...volume, spec: { ...spec, claimRef: { ...claimRef, uid: '' } } }
  return { ...volume, metadata: { ...volume.metadata, annotations }, spec }
}
