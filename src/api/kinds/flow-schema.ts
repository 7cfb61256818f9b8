// FlowSchema: which requests belong to which priority level.
import type { FieldError } from '../field-error.ts'
import { invalidValue, joinErrors, notSupported } from '../field-error.ts'
import type { FlowSchema } from '../generated/models.ts'
import { defineKind } from '../kind.ts'
import { flowSchemas } from '../resources.ts'
import { requireText } from '../validation/scalars.ts'
import { age, columns, none } from './cells.ts'
import { clientMetadata, keepStatus, statusOnly } from './strategy.ts'

const lastPrecedence = 10_000

export const flowSchemaKind = defineKind({
  resource: flowSchemas,
  model: 'V1FlowSchema',
  singular: 'flowschema',
  generation: true,
  defaults(draft) {
    draft.spec ??= {} as FlowSchema['spec']
    draft.spec.matchingPrecedence ||= 1000
    draft.status ??= {}
  },
  prepareForCreate(draft) {
    draft.status = {}
  },
  prepareForUpdate: keepStatus,
  subresources: statusOnly(undefined, clientMetadata),
  validate,
  columns: columns('Name', 'PriorityLevel', 'MatchingPrecedence:integer', 'DistinguisherMethod', 'Age', 'MissingPL'),
  row: (schema, nowMs) => [
    schema.metadata.name,
    schema.spec?.priorityLevelConfiguration?.name ?? '',
    schema.spec?.matchingPrecedence ?? 0,
    schema.spec?.distinguisherMethod?.type ?? none,
    age(schema, nowMs),
    schema.status?.conditions?.find(condition => condition.type === 'Dangling')?.status ?? '?',
  ],
})

function validate({ spec, metadata }: FlowSchema): FieldError[] {
  const { matchingPrecedence: precedence = 0, distinguisherMethod: method } = spec
  return joinErrors(
    precedence < 1 ? [invalidValue('spec.matchingPrecedence', precedence, 'must be a positive value')] : [],
    precedence > lastPrecedence
      ? [invalidValue('spec.matchingPrecedence', precedence, `must not be greater than ${lastPrecedence}`)]
      : [],
    precedence === 1 && metadata.name !== 'exempt'
      ? [
          invalidValue(
            'spec.matchingPrecedence',
            precedence,
            "only the schema named 'exempt' may have matchingPrecedence 1",
          ),
        ]
      : [],
    method === undefined || ['ByNamespace', 'ByUser'].includes(method.type)
      ? []
      : [notSupported('spec.distinguisherMethod', method.type, ['ByNamespace', 'ByUser'])],
    requireText(spec.priorityLevelConfiguration?.name, 'spec.priorityLevelConfiguration.name'),
  )
}
