// Conditions of a status, and what stands there until a controller has written its own.
import type { JSONSchemaProps as Schema } from '../../api/generated/models.ts'
import { subdomain } from './names-and-references.ts'
import { listByKey, object, oneOf, text, withDefault } from './schema.ts'

const condition = object(
  {
    type: {
      ...text(316),
      pattern: `^(${subdomain}/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$`,
    },
    status: oneOf('True', 'False', 'Unknown'),
    reason: { ...text(1024, 1), pattern: '^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$' },
    message: text(32768),
    lastTransitionTime: { type: 'string', format: 'date-time' },
    observedGeneration: { type: 'integer', format: 'int64', minimum: 0 },
  },
  ['lastTransitionTime', 'message', 'reason', 'status', 'type'],
)

export const conditions = (minItems = 0): Schema => listByKey('type', condition, 8, minItems)

/** A status with conditions that are unknown from the start, each on its own and all together. */
export function pendingStatus(types: readonly string[], more: Record<string, Schema>): Schema {
  const pending = types.map(type => ({
    type,
    status: 'Unknown',
    reason: 'Pending',
    message: 'Waiting for controller',
    lastTransitionTime: '1970-01-01T00:00:00Z',
  }))
  return withDefault(object({ conditions: withDefault(conditions(), pending), ...more }), { conditions: pending })
}
