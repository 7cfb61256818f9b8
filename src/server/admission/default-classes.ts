// DefaultStorageClass and DefaultIngressClass: who names no class gets the one marked as default.
import type { Ingress, IngressClass, PersistentVolumeClaim, StorageClass } from '../../api/generated/models.ts'
import { forbidden } from '../../api/api-error.ts'
import { isDefaultClass } from '../../api/ingress-classes.ts'
import { choosesClass, defaultClassOf } from '../../api/persistent-storage.ts'
import { ingressClasses, ingresses, storageClasses } from '../../api/resources.ts'
import type { AdmissionPlugin } from '../server-context.ts'
import { isPlainResource } from './admission.ts'

export const defaultStorageClass: AdmissionPlugin = {
  name: 'DefaultStorageClass',
  mutate(request, { storage }) {
    if (request.operation !== 'CREATE' || !isPlainResource(request, '', 'persistentvolumeclaims')) return
    const claim = request.object as PersistentVolumeClaim
    if (choosesClass(claim)) return
    const standard = defaultClassOf(
      storage
        .cache(storageClasses)
        .list()
        .map(({ object }) => object as StorageClass),
    )
    if (standard !== undefined) claim.spec.storageClassName = standard.metadata.name
  },
}

export const defaultIngressClass: AdmissionPlugin = {
  name: 'DefaultIngressClass',
  mutate(request, { storage }) {
    if (request.operation !== 'CREATE' || !isPlainResource(request, 'networking.k8s.io', 'ingresses')) return
    const { spec, metadata } = request.object as Ingress
    if (spec.ingressClassName !== undefined || metadata.annotations?.['kubernetes.io/ingress.class'] !== undefined)
      return
    const marked = storage
      .cache(ingressClasses)
      .list()
      .map(({ object }) => object as IngressClass)
      .filter(isDefaultClass)
    if (marked.length > 1)
      throw forbidden(
        ingresses,
        metadata.name ?? '',
        `${marked.length} default IngressClasses were found, only 1 allowed`,
      )
    if (marked[0] !== undefined) spec.ingressClassName = marked[0].metadata.name
  },
}
