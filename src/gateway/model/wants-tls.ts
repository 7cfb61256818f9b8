// Whether the plain requests of an Ingress are sent to where TLS is. Pure.
import type { Ingress } from '../../api/generated/models.ts'

/** As people write it for other gateways. */
const annotationNames = [
  'ingress.kubernetes.io/ssl-redirect',
  'nginx.ingress.kubernetes.io/ssl-redirect',
  'nginx.ingress.kubernetes.io/force-ssl-redirect',
]

/** Of other gateways, whose annotations say what this one does not do. */
const foreignPrefixes =
  /^((nginx|traefik|haproxy|konghq|alb)\.ingress\.kubernetes\.io|haproxy(-ingress\.github\.io|\.org)|konghq\.com)\//

/** Names of annotations that somebody may rely on, and that say nothing here. */
export const unheededAnnotations = ({ metadata: { annotations = {} } }: Pick<Ingress, 'metadata'>): readonly string[] =>
  Object.keys(annotations).filter(name => foreignPrefixes.test(name) && !annotationNames.includes(name))

/** That an Ingress has a certificate says nothing by itself: both are served. */
export const wantsTls = ({ metadata: { annotations = {} } }: Pick<Ingress, 'metadata'>): boolean =>
  annotationNames.some(name => annotations[name] === 'true')
