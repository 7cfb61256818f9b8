// ReferenceGrant: what other namespaces may refer to. It has no status, and is still stored as v1beta1.
import { gatewayDefinition } from './definition.ts'
import { group, kind, namespace, objectName } from './names-and-references.ts'
import { list, object, whole } from './schema-shapes.ts'

export const referenceGrant = gatewayDefinition({
  kind: 'ReferenceGrant',
  plural: 'referencegrants',
  shortName: 'refgrant',
  versions: ['v1beta1', 'v1'],
  description: 'Lets objects of other namespaces refer to objects of its own.',
  spec: whole({
    from: list(whole({ group, kind, namespace }), 16, 1),
    to: list(object({ group, kind, name: objectName }, ['group', 'kind']), 16, 1),
  }),
})
