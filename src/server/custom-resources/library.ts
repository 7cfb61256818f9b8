// What acting on definitions takes, in one module that is loaded with the first definition.
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionCondition as Condition,
} from '../../api/generated/models.ts'
import { withCondition } from '../../api/custom-resources/naming.ts'

export { kindsOfDefinition } from '../../api/custom-resources/kinds-of-definition.ts'
export { converterOf } from './conversion.ts'
export { keepApiServices } from './custom-api-services.ts'
export { isTrue, mayViolate, planStatus } from '../../api/custom-resources/naming.ts'

/** The definition with its deletion's progress noted. */
export function terminating(
  definition: CustomResourceDefinition,
  condition: Omit<Condition, 'type' | 'lastTransitionTime'>,
  timestamp: string,
): CustomResourceDefinition {
  const { status } = definition
  return {
    ...definition,
    status: {
      ...status,
      conditions: withCondition(status.conditions ?? [], { type: 'Terminating', ...condition }, timestamp),
    },
  }
}
