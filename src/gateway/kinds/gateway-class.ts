// GatewayClass: which controller serves the gateways of a class.
import { pendingStatus } from './conditions.ts'
import { ageColumn, column, conditionColumn, gatewayDefinition } from './definition.ts'
import { controllerName, objectReference } from './names-and-references.ts'
import { described, listByKey, object, rule, ruled, text, whole } from './schema.ts'

export const gatewayClass = gatewayDefinition({
  kind: 'GatewayClass',
  plural: 'gatewayclasses',
  shortName: 'gc',
  scope: 'Cluster',
  versions: ['v1', 'v1beta1'],
  columns: [
    column('Controller', '.spec.controllerName'),
    conditionColumn('Accepted'),
    ageColumn,
    column('Description', '.spec.description', 1),
  ],
  description: 'Says which controller serves the gateways of a class.',
  spec: object(
    {
      controllerName: described(
        'Who serves gateways of this class: sampan.dev/gateway is the one of this cluster. It stays as it is.',
        ruled(controllerName, rule('Value is immutable', 'self == oldSelf')),
      ),
      parametersRef: described('Settings of the controller.', objectReference),
      description: described('For people.', text(64)),
    },
    ['controllerName'],
  ),
  status: pendingStatus(['Accepted'], {
    supportedFeatures: listByKey('name', whole({ name: { type: 'string' } }), 64),
  }),
})
