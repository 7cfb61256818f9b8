// ReferenceGrant: what other namespaces may refer to. It has no status, and is still stored as v1beta1.
import { gatewayDefinition } from './definition.ts'
import { group, kind, namespace, objectName } from './names-and-references.ts'
import { described, list, object, whole } from './schema.ts'

export const referenceGrant = gatewayDefinition({
  kind: 'ReferenceGrant',
  plural: 'referencegrants',
  shortName: 'refgrant',
  versions: ['v1', 'v1beta1'],
  stored: 'v1beta1',
  description: 'Lets objects of other namespaces refer to objects of its own.',
  spec: whole({
    from: described('Whose objects may refer.', list(whole({ group, kind, namespace }), 16, 1)),
    to: described(
      'To what they may refer; without a name, to each object of the kind.',
      list(object({ group, kind, name: objectName }, ['group', 'kind']), 16, 1),
    ),
  }),
})
