import { describe, expect, test } from 'vitest'
import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from '../../api/generated/models.ts'
import { claimNamed, volumeNamed } from '../../testing/storage.ts'
import { planClaim, planVolume, type Supply } from './plan.ts'

const bound = { 'pv.kubernetes.io/bind-completed': 'yes' }
const ours = { 'pv.kubernetes.io/bound-by-controller': 'yes' }
const made = { 'pv.kubernetes.io/provisioned-by': 'example.com/disks' }
const classNamed = (name: string, volumeBindingMode: string, provisioner = 'example.com/disks'): StorageClass => ({
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name, uid: name, resourceVersion: '1', creationTimestamp: '' },
  provisioner,
  volumeBindingMode,
})

function decide(
  claim: PersistentVolumeClaim,
  {
    volumes = [],
    classes = [],
    waitingPods = [],
    standard,
  }: { volumes?: PersistentVolume[]; classes?: StorageClass[]; waitingPods?: string[]; standard?: StorageClass } = {},
): string {
  const supply: Supply = {
    volume: name => volumes.find(one => one.metadata.name === name),
    volumes: () => volumes,
    storageClass: name => classes.find(one => one.metadata.name === name),
    defaultClass: () => standard,
    waitingPods: () => waitingPods,
  }
  const next = planClaim(claim, supply)
  switch (next.step) {
    case 'bind':
      return `bind ${next.volume.metadata.name}`
    case 'join-class':
      return `join ${next.name}`
    case 'provision':
      return `${next.note.reason} ${next.provisioner}`
    default:
      return `${next.step}${next.note === undefined ? '' : ` ${next.note.reason}: ${next.note.message}`}`
  }
}

const referring = (uid = 'uid-of-data') => ({ claimRef: { namespace: 'n', name: 'data', uid } })
const late = classNamed('late', 'WaitForFirstConsumer')

describe('a claim', () => {
  test.each<[string, PersistentVolumeClaim, Parameters<typeof decide>[1], string]>([
    [
      'that is bound stays so',
      claimNamed('data', { volumeName: 'v' }, bound),
      { volumes: [volumeNamed('v', referring())] },
      'bind v',
    ],
    [
      'whose volume forgot it is bound again',
      claimNamed('data', { volumeName: 'v' }, bound),
      { volumes: [volumeNamed('v')] },
      'bind v',
    ],
    [
      "whose volume is another's is lost",
      claimNamed('data', { volumeName: 'v' }, bound),
      { volumes: [volumeNamed('v', referring('other'))] },
      'lose ClaimMisbound: Two claims are bound to the same volume, this one is bound incorrectly',
    ],
    [
      'that forgot its volume is lost',
      claimNamed('data', {}, bound),
      {},
      'lose ClaimLost: Bound claim has lost reference to PersistentVolume. Data on the volume is lost!',
    ],
    ['that names a volume waits for it', claimNamed('data', { volumeName: 'v' }), {}, 'wait'],
    [
      'of a class that waits does',
      claimNamed('data', { storageClassName: 'late' }),
      { classes: [late], volumes: [volumeNamed('v', { storageClassName: 'late' })] },
      'wait WaitForFirstConsumer: waiting for first consumer to be created before binding',
    ],
    [
      'names the pods that have no node yet',
      claimNamed('data', { storageClassName: 'late' }),
      { classes: [late], waitingPods: ['a', 'b'] },
      'wait WaitForPodScheduled: waiting for pods a,b to be scheduled',
    ],
    [
      'whose node is known is provisioned',
      claimNamed('data', { storageClassName: 'late' }, { 'volume.kubernetes.io/selected-node': 'x' }),
      { classes: [late] },
      'ExternalProvisioning example.com/disks',
    ],
    [
      'is not provisioned by what cannot',
      claimNamed('data', { storageClassName: 'hand' }),
      { classes: [classNamed('hand', 'Immediate', 'kubernetes.io/no-provisioner')] },
      'wait ProvisioningFailed: no volume plugin matched name: kubernetes.io/no-provisioner',
    ],
    [
      'without a class gets the default',
      claimNamed('data', { storageClassName: undefined }),
      { standard: late },
      'join late',
    ],
    [
      'that wants no class gets none',
      claimNamed('data'),
      { standard: late },
      'wait FailedBinding: no persistent volumes available for this claim and no storage class is set',
    ],
  ])('%s', (_, claim, given, expected) => expect(decide(claim, given)).toBe(expected))
})

const outcome = (volume: PersistentVolume, claim?: PersistentVolumeClaim): string => {
  const next = planVolume(volume, claim)
  if (next.step === 'show') return next.phase
  return next.step === 'release' && next.failure !== undefined ? `release ${next.failure.reason}` : next.step
}

describe('a volume', () => {
  test.each<[string, PersistentVolume, PersistentVolumeClaim | undefined, string]>([
    ['of nobody is available', volumeNamed('v'), undefined, 'Available'],
    [
      'set aside by a user is available',
      volumeNamed('v', { claimRef: { namespace: 'n', name: 'data' } }),
      claimNamed('data'),
      'Available',
    ],
    ['follows its claim', volumeNamed('v', referring()), claimNamed('data', { volumeName: 'v' }), 'Bound'],
    ['waits for its claim', volumeNamed('v', referring()), claimNamed('data'), 'leave'],
    [
      'does not become what it is not',
      volumeNamed('v', { ...referring(), volumeMode: 'Block' }),
      claimNamed('data'),
      'mismatch',
    ],
    ['of a claim that is gone is released', volumeNamed('v', referring()), undefined, 'release'],
    [
      'of an earlier claim of the name is released',
      volumeNamed('v', referring('earlier')),
      claimNamed('data', { volumeName: 'v' }),
      'release',
    ],
    [
      'is given back when its claim has another one',
      volumeNamed('v', referring(), ours),
      claimNamed('data', { volumeName: 'w' }),
      'give-back',
    ],
    [
      'made for a claim that has another one is not needed',
      volumeNamed('v', { ...referring(), persistentVolumeReclaimPolicy: 'Delete' }, { ...ours, ...made }),
      claimNamed('data', { volumeName: 'w' }),
      'release',
    ],
    [
      'is deleted by who made it',
      volumeNamed('v', { ...referring(), persistentVolumeReclaimPolicy: 'Delete' }, made),
      undefined,
      'release',
    ],
    [
      'that a user made cannot be deleted',
      volumeNamed('v', { ...referring(), persistentVolumeReclaimPolicy: 'Delete' }),
      undefined,
      'release VolumeFailedDelete',
    ],
    [
      'cannot be recycled',
      volumeNamed('v', { ...referring(), persistentVolumeReclaimPolicy: 'Recycle' }),
      undefined,
      'release VolumeFailedRecycle',
    ],
  ])('%s', (_, volume, claim, expected) => expect(outcome(volume, claim)).toBe(expected))
})
