// The component schemas of a custom resource: its own schema with apiVersion, kind and metadata, and its
// list.
import type { KindDefinition } from '../kind.ts'
import type { Resource } from '../resource.ts'
import type { SchemaCollector } from './schemas.ts'

/** `example.com/v1 Boat` → `com.example.v1.Boat` */
export const customDefinition = ({ group, version, kind }: Resource): string => `${group.split('.').toReversed().join('.')}.${version}.${kind}`

export function addCustomSchema(kind: KindDefinition, collector: SchemaCollector): void {
  const { group, version, kind: name } = kind.resource
  const definition = customDefinition(kind.resource)
  const schema = kind.openApiSchema as { properties?: Readonly<Record<string, unknown>> }
  const typeMeta = {
    apiVersion: { type: 'string', description: 'The group and version of this object\'s schema.' },
    kind: { type: 'string', description: 'The kind of this object.' },
  }
  collector.schemas[definition] = {
    ...schema, type: 'object', properties: { ...typeMeta, ...schema.properties, metadata: { description: 'Name, labels and other metadata.', allOf: [collector.add('V1ObjectMeta')] } },
    'x-kubernetes-group-version-kind': [{ group, kind: name, version }],
  }
  collector.schemas[`${definition}List`] = {
    description: `${name}List is a list of ${name}`, type: 'object', required: ['items'],
    properties: { ...typeMeta, metadata: { description: 'The revision of the list and where it continues.', allOf: [collector.add('V1ListMeta')] }, items: { type: 'array', items: collector.reference(definition) } },
    'x-kubernetes-group-version-kind': [{ group, kind: `${name}List`, version }],
  }
}
