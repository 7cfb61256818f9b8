// Listeners, as gateways and sets of listeners have them: protocols, certificates, and whose routes they take.
import type { JSONSchemaProps as Schema, ValidationRule } from '../../api/generated/models.ts'
import { conditions } from './conditions.ts'
import { hostname, port, routeKind, secretReference, sectionName, subdomain } from './names-and-references.ts'
import { list, listByKey, map, object, oneOf, rule, ruled, text, withDefault } from './schema.ts'

const labelSelector: Schema = {
  ...object({
    matchLabels: { type: 'object', additionalProperties: { type: 'string' } },
    matchExpressions: {
      type: 'array',
      'x-kubernetes-list-type': 'atomic',
      items: object(
        {
          key: { type: 'string' },
          operator: { type: 'string' },
          values: { type: 'array', 'x-kubernetes-list-type': 'atomic', items: { type: 'string' } },
        },
        ['key', 'operator'],
      ),
    },
  }),
  'x-kubernetes-map-type': 'atomic',
}

/** The first choice of all is `usual`. */
export const namespacesFrom = (usual: string, choices: readonly string[]): Schema =>
  withDefault(object({ from: withDefault(oneOf(...choices), usual), selector: labelSelector }), { from: usual })

const protocol: Schema = {
  ...text(255, 1),
  pattern: String.raw`^[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?$|${subdomain}\/[A-Za-z0-9]+$`,
}

/** Values of annotations and of what implementations may be told. */
export const freeText = text(4096)

const listenerTls = ruled(
  object({
    mode: withDefault(oneOf('Terminate', 'Passthrough'), 'Terminate'),
    certificateRefs: list(secretReference, 64),
    options: map(freeText, 16),
  }),
  rule(
    'certificateRefs or options must be specified when mode is Terminate',
    "self.mode == 'Terminate' ? size(self.certificateRefs) > 0 || size(self.options) > 0 : true",
  ),
)

const allowedRoutes = withDefault(
  object({
    namespaces: namespacesFrom('Same', ['All', 'Selector', 'Same']),
    kinds: list(routeKind, 8),
  }),
  { namespaces: { from: 'Same' } },
)

const listener = object({ name: sectionName, hostname, port, protocol, tls: listenerTls, allowedRoutes }, [
  'name',
  'port',
  'protocol',
])

/** @param areDistinct decides whether two listeners share no port, protocol and hostname */
const listenersWhere = (areDistinct: string): Schema =>
  ruled(listByKey('name', listener, 64, 1), ...listenerRules, rule(distinctMessage, areDistinct))

const listenerRules: readonly ValidationRule[] = [
  rule(
    "tls must not be specified for protocols ['HTTP', 'TCP', 'UDP']",
    "self.all(l, l.protocol in ['HTTP', 'TCP', 'UDP'] ? !has(l.tls) : true)",
  ),
  rule(
    'tls mode must be Terminate for protocol HTTPS',
    "self.all(l, (l.protocol == 'HTTPS' && has(l.tls)) ? (l.tls.mode == '' || l.tls.mode == 'Terminate') : true)",
  ),
  rule(
    'tls mode must be set for protocol TLS',
    "self.all(l, (l.protocol == 'TLS' ? has(l.tls) && has(l.tls.mode) && l.tls.mode != '' : true))",
  ),
  rule(
    "hostname must not be specified for protocols ['TCP', 'UDP']",
    "self.all(l, l.protocol in ['TCP', 'UDP']  ? (!has(l.hostname) || l.hostname == '') : true)",
  ),
  rule('Listener name must be unique within the Gateway', 'self.all(l1, self.exists_one(l2, l1.name == l2.name))'),
]

const distinctMessage = 'Combination of port, protocol and hostname must be unique for each listener'
const shareAllButPort =
  'l1.protocol == l2.protocol && (has(l1.hostname) && has(l2.hostname) ? ' +
  'l1.hostname == l2.hostname : !has(l1.hostname) && !has(l2.hostname))'

export const gatewayListeners = listenersWhere(
  `self.all(l1, self.exists_one(l2, l1.port == l2.port && ${shareAllButPort}))`,
)
export const listenerSetListeners = listenersWhere(
  `self.all(l1, !has(l1.port) || self.exists_one(l2, has(l2.port) && l1.port == l2.port && ${shareAllButPort}))`,
)

const listenerStatus = object(
  {
    name: sectionName,
    supportedKinds: list(routeKind, 8),
    attachedRoutes: { type: 'integer', format: 'int32' },
    conditions: conditions(),
  },
  ['attachedRoutes', 'conditions', 'name'],
)
export const listenerStatuses = listByKey('name', listenerStatus, 64)
