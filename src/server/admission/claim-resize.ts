// PersistentVolumeClaimResize: a claim grows only when it is bound and its class allows that.
import { forbidden } from '../../api/api-error.ts'
import type { PersistentVolumeClaim, StorageClass } from '../../api/generated/models.ts'
import { classOfClaim, requestedStorage } from '../../api/persistent-storage.ts'
import { compareQuantities } from '../../api/quantity.ts'
import { persistentVolumeClaims, storageClasses } from '../../api/resources.ts'
import type { AdmissionPlugin } from '../server-context.ts'
import { isPlainResource } from './admission.ts'

export const persistentVolumeClaimResize: AdmissionPlugin = {
  name: 'PersistentVolumeClaimResize',
  validate(request, { storage }) {
    if (request.operation !== 'UPDATE' || !isPlainResource(request, '', 'persistentvolumeclaims')) return
    const [claim, old] = [request.object as PersistentVolumeClaim, request.old as PersistentVolumeClaim]
    if (compareQuantities(requestedStorage(claim), requestedStorage(old)) <= 0) return
    const refuse = (why: string): Error => forbidden(persistentVolumeClaims, request.target.name, why)
    if (old.status?.phase !== 'Bound') throw refuse('Only bound persistent volume claims can be expanded')
    const name = classOfClaim(claim)
    const storageClass =
      name !== '' && name === classOfClaim(old)
        ? (storage.get(storageClasses, name)?.object as StorageClass | undefined)
        : undefined
    if (storageClass?.allowVolumeExpansion !== true)
      throw refuse(
        'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
      )
  },
}
