// The component schemas of a custom resource: its own schema with apiVersion, kind and metadata, and its
// list. OpenAPI 2 cannot say everything that version 3 can; what it cannot say is left open, because
// clients refuse whatever a document does not mention.
import type { JSONSchemaProps as Schema } from '../generated/models.ts'
import type { KindDefinition } from '../kind.ts'
import { isObject } from '../patch/json-value.ts'
import type { Resource } from '../resource.ts'
import { listMetadataText, metadataText } from './reference-text.ts'
import type { SchemaCollector } from './schemas.ts'

const named = ({ group, version }: Resource, name: string): string =>
  `${group.split('.').toReversed().join('.')}.${version}.${name}`

/** `example.com/v1 Boat` → `com.example.v1.Boat` */
export const customDefinition = ({ resource }: KindDefinition): string => named(resource, resource.kind)
export const customListDefinition = ({ resource, listKind = `${resource.kind}List` }: KindDefinition): string =>
  named(resource, listKind)

/** In the words in which every other kind has them. */
const typeMeta = (collector: SchemaCollector): object =>
  Object.fromEntries(
    ['apiVersion', 'kind'].map(name => {
      const description = collector.text('V1ConfigMap', name)
      return [name, { type: 'string', ...(description !== undefined && { description }) }]
    }),
  )

export function addCustomSchema(kind: KindDefinition, collector: SchemaCollector): void {
  const { group, version, kind: name } = kind.resource
  const listKind = kind.listKind ?? `${name}List`
  collector.schemas[customDefinition(kind)] = {
    ...rootSchema(kind.openApiSchema as Schema, collector),
    'x-kubernetes-group-version-kind': [{ group, kind: name, version }],
  }
  collector.schemas[customListDefinition(kind)] = {
    description: `${listKind} is a list of ${name}`,
    type: 'object',
    required: ['items'],
    properties: {
      ...typeMeta(collector),
      metadata: described(listMetadataText, 'V1ListMeta', collector),
      items: { type: 'array', items: collector.reference(customDefinition(kind)) },
    },
    'x-kubernetes-group-version-kind': [{ group, kind: listKind, version }],
  }
}

function described(description: string, model: string, collector: SchemaCollector): object {
  const reference = collector.add(model)
  return collector.version === 3 ? { description, allOf: [reference] } : { ...reference, description }
}

function rootSchema(schema: Schema, collector: SchemaCollector): object {
  if (collector.version === 2 && schema['x-kubernetes-preserve-unknown-fields'] === true) return { type: 'object' }
  const { properties, ...rest } = published(schema, collector)
  return { ...rest, type: 'object', properties: { ...typeMeta(collector), ...properties, ...metadataOf(collector) } }
}

const metadataOf = (collector: SchemaCollector): object => ({
  metadata: described(metadataText, 'V1ObjectMeta', collector),
})

interface Published extends Record<string, unknown> {
  readonly properties?: object
}

function published(given: Schema, collector: SchemaCollector): Published {
  const schema: Schema = collector.version === 2 ? speakableIn2(given) : given
  const inner = (value: unknown): unknown => (isObject(value) ? published(value as Schema, collector) : value)
  const properties =
    schema.properties &&
    Object.fromEntries(
      Object.entries(schema.properties).map(([name, property]) => [name, published(property, collector)]),
    )
  return {
    ...schema,
    ...(properties !== undefined && { properties }),
    ...(schema.items !== undefined && { items: inner(schema.items) }),
    ...(schema.additionalProperties !== undefined && { additionalProperties: inner(schema.additionalProperties) }),
    ...(schema['x-kubernetes-embedded-resource'] === true && embedded(schema, properties, collector)),
  }
}

function embedded({ required = [] }: Schema, properties: object | undefined, collector: SchemaCollector): object {
  return {
    properties: { ...typeMeta(collector), ...properties, ...metadataOf(collector) },
    required: [...new Set([...required, 'kind', 'apiVersion'])],
  }
}

/** Without what OpenAPI 2 does not know; where null, several types or unknown fields are allowed, nothing is said of the type. */
function speakableIn2(schema: Schema): Schema {
  const { allOf: _allOf, anyOf: _anyOf, oneOf: _oneOf, not: _not, nullable, default: _default, ...rest } = schema
  if (
    schema['x-kubernetes-preserve-unknown-fields'] === true ||
    schema['x-kubernetes-int-or-string'] === true ||
    nullable === true
  ) {
    const {
      type: _type,
      properties: _properties,
      items: _items,
      additionalProperties: _additional,
      required: _required,
      ...open
    } = rest
    return open
  }
  return rest
}
