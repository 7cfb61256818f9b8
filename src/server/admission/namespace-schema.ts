// What expressions see of the namespace of an object.
import { schemaType, type SchemaType } from '../../api/cel/schema-type.ts'
import type { JSONSchemaProps } from '../../api/generated/models.ts'

const text: JSONSchemaProps = { type: 'string' }
const time: JSONSchemaProps = { type: 'string', format: 'date-time' }
const integer: JSONSchemaProps = { type: 'integer' }
const texts: JSONSchemaProps = { type: 'array', items: text }
const textMap: JSONSchemaProps = { type: 'object', additionalProperties: text }
const objectOf = (properties: Record<string, JSONSchemaProps>): JSONSchemaProps => ({ type: 'object', properties })

export const namespaceSchema: SchemaType = schemaType(
  objectOf({
    metadata: objectOf({
      name: text,
      generateName: text,
      namespace: text,
      labels: textMap,
      annotations: textMap,
      UID: text,
      creationTimestamp: time,
      deletionGracePeriodSeconds: integer,
      deletionTimestamp: time,
      generation: integer,
      resourceVersion: text,
      finalizers: texts,
    }),
    spec: objectOf({ finalizers: texts }),
    status: objectOf({
      phase: text,
      conditions: {
        type: 'array',
        items: objectOf({ type: text, status: text, lastTransitionTime: time, message: text, reason: text }),
      },
    }),
  }),
  false,
  'kubernetes.Namespace',
)!
