// Gateway: where traffic comes in, with its addresses and listeners.
import type { JSONSchemaProps as Schema } from '../../api/generated/models.ts'
import { pendingStatus } from './conditions.ts'
import { ageColumn, column, conditionColumn, gatewayDefinition } from './definition.ts'
import { freeText, gatewayListeners, listenerStatuses, namespacesFrom } from './listeners.ts'
import {
  localReference,
  objectName,
  objectReference,
  pathOfName,
  port,
  secretReference,
  subdomain,
  wildcardHostname,
} from './names-and-references.ts'
import { described, list, listByKey, map, object, oneOf, rule, ruled, text, whole, withDefault } from './schema.ts'

const isHostname = `self.value.matches(r"""${wildcardHostname}""")`

/** Only what calls itself an IPAddress has to be one. */
const address = (
  value: Schema,
  required: readonly string[],
  valueRule: readonly [message: string, test: string],
): Schema => ({
  ...ruled(
    object(
      {
        type: withDefault(
          { ...text(253, 1), pattern: `^Hostname|IPAddress|NamedAddress|${subdomain}${pathOfName}` },
          'IPAddress',
        ),
        value,
      },
      required,
    ),
    rule(
      `Hostname value must ${valueRule[0]} valid characters (matching ${wildcardHostname})`,
      `self.type == 'Hostname' ? ${valueRule[1]}: true`,
    ),
  ),
  oneOf: [
    {
      properties: { type: { enum: ['IPAddress'] }, value: { anyOf: [{ format: 'ipv4' }, { format: 'ipv6' }] } },
    },
    { properties: { type: { not: { enum: ['IPAddress'] } } } },
  ],
})

const addresses = ruled(
  list(address(text(253), [], ['be empty or contain only', `(!has(self.value) || ${isHostname})`]), 16),
  ...['IPAddress', 'Hostname'].map(type =>
    rule(
      `${type} values must be unique`,
      `self.all(a1, a1.type == '${type}' && has(a1.value) ? ` +
        'self.exists_one(a2, a2.type == a1.type && has(a2.value) && a2.value == a1.value) : true )',
    ),
  ),
)

const qualifiedName = String.raw`^(${subdomain}/)?([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$`
const qualifiedMap = (name: 'Label' | 'Annotation', value: Schema, maxProperties: number): Schema =>
  ruled(
    map(value, maxProperties),
    rule(
      `${name} keys must be in the form of an optional DNS subdomain prefix ` +
        'followed by a required name segment of up to 63 characters.',
      `self.all(key, key.matches(r"""${qualifiedName}"""))`,
    ),
    rule(
      `If specified, the ${name.toLowerCase()} key's prefix must be a DNS subdomain ` +
        'not longer than 253 characters in total.',
      'self.all(key, key.split("/")[0].size() < 253)',
    ),
  )

const infrastructure = object({
  labels: qualifiedMap('Label', { ...text(63), pattern: '^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$' }, 8),
  annotations: qualifiedMap('Annotation', freeText, 16),
  parametersRef: localReference,
})

const clientValidation = object({
  validation: object(
    {
      caCertificateRefs: list(objectReference, 16, 1),
      mode: withDefault(oneOf('AllowValidOnly', 'AllowInsecureFallback'), 'AllowValidOnly'),
    },
    ['caCertificateRefs'],
  ),
})

const tls = object({
  backend: object({ clientCertificateRef: secretReference }),
  frontend: object(
    {
      default: clientValidation,
      perPort: ruled(
        listByKey('port', whole({ port, tls: clientValidation }), 64),
        rule(
          'Port for TLS configuration must be unique within the Gateway',
          'self.all(t1, self.exists_one(t2, t1.port == t2.port))',
        ),
      ),
    },
    ['default'],
  ),
})

export const gateway = gatewayDefinition({
  kind: 'Gateway',
  plural: 'gateways',
  shortName: 'gtw',
  versions: ['v1', 'v1beta1'],
  columns: [
    column('Class', '.spec.gatewayClassName'),
    column('Address', '.status.addresses[*].value'),
    conditionColumn('Programmed'),
    ageColumn,
  ],
  description: 'Takes traffic in at its listeners and hands it to the routes that are attached to them.',
  spec: object(
    {
      gatewayClassName: described('The class, which says who serves the gateway.', objectName),
      listeners: described('The ports that are listened at, for which protocol and which names.', gatewayListeners),
      addresses: described('Where it is to be reached; left out, wherever its controller sees fit.', addresses),
      infrastructure: described('What is said of the objects that are made for the gateway.', infrastructure),
      allowedListeners: described(
        'Of which namespaces sets of listeners may add to it; none, unless it is said.',
        object({ namespaces: namespacesFrom('None', ['All', 'Selector', 'Same', 'None']) }),
      ),
      tls: described('The certificate that services are shown, and which ones clients have to show.', tls),
    },
    ['gatewayClassName', 'listeners'],
  ),
  status: pendingStatus(['Accepted', 'Programmed'], {
    addresses: list(address(text(253, 1), ['value'], ['only contain', isHostname]), 16),
    listeners: listenerStatuses,
    attachedListenerSets: { type: 'integer', format: 'int32' },
  }),
})
