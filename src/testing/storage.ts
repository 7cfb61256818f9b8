// Claims and volumes for tests of what is decided about them.
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  PersistentVolumeClaimSpec,
  PersistentVolumeSpec,
} from '../api/generated/models.ts'

const metadata = { resourceVersion: '1', creationTimestamp: '' }

/** Of 5Gi, ReadWriteOnce and without a class, unless said otherwise. */
export const claimNamed = (
  name: string,
  spec: Partial<PersistentVolumeClaimSpec> = {},
  annotations: Record<string, string> = {},
): PersistentVolumeClaim => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { ...metadata, name, namespace: 'n', uid: `uid-of-${name}`, annotations },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '5Gi' } }, storageClassName: '', ...spec },
  status: { phase: 'Pending' },
})

/** Of 5Gi, ReadWriteOnce, Available and without a class, unless said otherwise. */
export const volumeNamed = (
  name: string,
  spec: Partial<PersistentVolumeSpec> = {},
  annotations: Record<string, string> = {},
  phase = 'Available',
): PersistentVolume => ({
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { ...metadata, name, uid: name, annotations, labels: { name } },
  spec: {
    accessModes: ['ReadWriteOnce'],
    capacity: { storage: '5Gi' },
    hostPath: { path: `/${name}` },
    storageClassName: '',
    ...spec,
  },
  status: { phase },
})
