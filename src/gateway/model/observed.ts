// What the gateway sees of the cluster when it makes its model.
import type { EndpointSlice, Ingress, IngressClass, Service } from '../../api/generated/models.ts'
import type { FoundCertificate } from './certificate-of.ts'

export interface Observed {
  readonly ingressClasses: readonly IngressClass[]
  readonly ingresses: readonly Ingress[]
  readonly service: (namespace: string, name: string) => Service | undefined
  readonly slices: (namespace: string, service: string) => readonly EndpointSlice[]
  /** Of a Secret. */
  readonly certificate: (namespace: string, name: string) => FoundCertificate
}
