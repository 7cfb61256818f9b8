// What the gateway sees of the cluster when it makes its model.
import type { EndpointSlice, Ingress, IngressClass, Service } from '../../api/generated/models.ts'

export interface Observed {
  readonly ingressClasses: readonly IngressClass[]
  readonly ingresses: readonly Ingress[]
  readonly service: (namespace: string, name: string) => Service | undefined
  readonly slices: (namespace: string, service: string) => readonly EndpointSlice[]
}
