// BackendTLSPolicy: how a gateway speaks TLS to a backend, and which certificates it trusts there.
import { conditions } from './conditions.ts'
import { gatewayGroup } from '../../api/gateway-names.ts'
import { gatewayDefinition } from './definition.ts'
import { freeText } from './listeners.ts'
import {
  controllerName,
  hostname,
  localReference,
  parentReference,
  policyTarget,
  preciseHostname,
  subdomain,
} from './names-and-references.ts'
import { distinctSections } from './routes.ts'
import { described, list, map, object, oneOf, rule, ruled, text, whole } from './schema.ts'

const uri = { ...text(253, 1), pattern: String.raw`^(([^:/?#]+):)(//([^/?#]*))([^?#]*)(\?([^#]*))?(#(.*))?` }
const alternativeName = ruled(
  object({ type: oneOf('Hostname', 'URI'), hostname, uri }, ['type']),
  ...[
    { type: 'Hostname', field: 'hostname' },
    { type: 'URI', field: 'uri' },
  ].flatMap(({ type, field }) => [
    rule(
      `SubjectAltName element must contain ${type}, if Type is set to ${type}`,
      `!(self.type == "${type}" && (!has(self.${field}) || self.${field} == ""))`,
    ),
    rule(
      `SubjectAltName element must not contain ${type}, if Type is not set to ${type}`,
      `!(self.type != "${type}" && has(self.${field}) && self.${field} != "")`,
    ),
  ]),
)

const hasReferences = 'has(self.caCertificateRefs) && size(self.caCertificateRefs) > 0'
const hasWellKnown = 'has(self.wellKnownCACertificates) && self.wellKnownCACertificates != ""'
const validation = ruled(
  object(
    {
      caCertificateRefs: list(localReference, 8),
      wellKnownCACertificates: {
        ...text(253, 1),
        pattern: `^(System|(${subdomain}/([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]))$`,
      },
      hostname: preciseHostname,
      subjectAltNames: list(alternativeName, 5),
    },
    ['hostname'],
  ),
  rule('must not contain both CACertificateRefs and WellKnownCACertificates', `!(${hasReferences} && ${hasWellKnown})`),
  rule('must specify either CACertificateRefs or WellKnownCACertificates', `(${hasReferences} || ${hasWellKnown})`),
)

const ancestor = whole({ ancestorRef: parentReference, controllerName, conditions: conditions(1) })

export const backendTlsPolicy = gatewayDefinition({
  kind: 'BackendTLSPolicy',
  plural: 'backendtlspolicies',
  shortName: 'btlspolicy',
  labels: { [`${gatewayGroup}/policy`]: 'Direct' },
  description: 'Says how gateways speak TLS to a backend.',
  spec: object(
    {
      targetRefs: described(
        'The services it is for; one port alone with sectionName.',
        ruled(list(policyTarget, 16, 1), ...distinctSections('targetRefs', 'target', false)),
      ),
      validation: described('Which certificate the service has to show.', validation),
      options: described('Further settings, by names with a domain.', map(freeText, 16)),
    },
    ['targetRefs', 'validation'],
  ),
  status: whole({ ancestors: list(ancestor, 16) }),
})
