// Whether the plain requests of an Ingress are sent to where TLS is. Pure.
import type { Ingress } from '../../api/generated/models.ts'

/** As people write it for other gateways. */
const annotationNames = [
  'ingress.kubernetes.io/ssl-redirect',
  'nginx.ingress.kubernetes.io/ssl-redirect',
  'nginx.ingress.kubernetes.io/force-ssl-redirect',
]

/** That an Ingress has a certificate says nothing by itself: both are served. */
export const wantsTls = ({ metadata: { annotations = {} } }: Pick<Ingress, 'metadata'>): boolean =>
  annotationNames.some(name => annotations[name] === 'true')
