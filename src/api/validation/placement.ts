// Where a pod may go: affinity, tolerations, spread.
import type { FieldError } from '../field-error.ts'
import { forbiddenField, invalidValue, joinErrors, required } from '../field-error.ts'
import type {
  Affinity,
  NodeAffinity,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodAffinity,
  PodAffinityTerm,
  Toleration,
  TopologySpreadConstraint,
} from '../generated/models.ts'
import { checkLabel, checkLabelValue, checkQualifiedName } from './formats.ts'
import { validateLabelSelector } from './label-selector.ts'
import { collect, each, optionalOneOf, validateOneOf } from './scalars.ts'

export function validateAffinity(affinity: Affinity | undefined, field: string): FieldError[] {
  if (affinity === undefined) return []
  return joinErrors(
    affinity.nodeAffinity ? validateNodeAffinity(affinity.nodeAffinity, `${field}.nodeAffinity`) : [],
    affinity.podAffinity ? validatePodAffinity(affinity.podAffinity, `${field}.podAffinity`) : [],
    affinity.podAntiAffinity ? validatePodAffinity(affinity.podAntiAffinity, `${field}.podAntiAffinity`) : [],
  )
}

const requiredName = 'requiredDuringSchedulingIgnoredDuringExecution'
const preferredName = 'preferredDuringSchedulingIgnoredDuringExecution'

function validateNodeAffinity(affinity: NodeAffinity, field: string): FieldError[] {
  const needed = affinity[requiredName]
  const terms = `${field}.${requiredName}.nodeSelectorTerms`
  return joinErrors(
    needed === undefined
      ? []
      : (needed.nodeSelectorTerms ?? []).length === 0
        ? [required(terms, 'must have at least one node selector term')]
        : each(needed.nodeSelectorTerms, terms, validateNodeTerm),
    each(affinity[preferredName], `${field}.${preferredName}`, (term, path) =>
      joinErrors(validateWeight(term.weight, path), validateNodeTerm(term.preference, `${path}.preference`)),
    ),
  )
}

const validateWeight = (weight: number, field: string): FieldError[] =>
  weight >= 1 && weight <= 100 ? [] : [invalidValue(`${field}.weight`, weight, 'must be in the range 1-100')]

function validateNodeTerm(term: NodeSelectorTerm, field: string): FieldError[] {
  return joinErrors(
    each(term.matchExpressions, `${field}.matchExpressions`, (requirement, path) =>
      joinErrors(validateNodeOperator(requirement, path), collect(checkQualifiedName, `${path}.key`, requirement.key)),
    ),
    each(term.matchFields, `${field}.matchFields`, (requirement, path) =>
      joinErrors(
        ['In', 'NotIn'].includes(requirement.operator)
          ? []
          : [invalidValue(`${path}.operator`, requirement.operator, 'not a valid selector operator')],
        requirement.values?.length === 1
          ? []
          : [
              required(
                `${path}.values`,
                "must be only one value when `operator` is 'In' or 'NotIn' for node field selector",
              ),
            ],
        requirement.key === 'metadata.name'
          ? []
          : [invalidValue(`${path}.key`, requirement.key, 'not a valid field selector key')],
      ),
    ),
  )
}

function validateNodeOperator({ operator, values = [] }: NodeSelectorRequirement, field: string): FieldError[] {
  switch (operator) {
    case 'In':
    case 'NotIn':
      return values.length === 0
        ? [required(`${field}.values`, "must be specified when `operator` is 'In' or 'NotIn'")]
        : []
    case 'Exists':
    case 'DoesNotExist':
      return values.length > 0
        ? [forbiddenField(`${field}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")]
        : []
    case 'Gt':
    case 'Lt':
      return values.length === 1
        ? []
        : [required(`${field}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'")]
    default:
      return [invalidValue(`${field}.operator`, operator, 'not a valid selector operator')]
  }
}

function validatePodAffinity(affinity: PodAffinity, field: string): FieldError[] {
  return joinErrors(
    each(affinity[requiredName], `${field}.${requiredName}`, validatePodTerm),
    each(affinity[preferredName], `${field}.${preferredName}`, (term, path) =>
      joinErrors(validateWeight(term.weight, path), validatePodTerm(term.podAffinityTerm, `${path}.podAffinityTerm`)),
    ),
  )
}

function validatePodTerm(term: Partial<PodAffinityTerm>, field: string): FieldError[] {
  const { topologyKey = '' } = term
  return joinErrors(
    validateLabelSelector(term.labelSelector, `${field}.labelSelector`),
    validateLabelSelector(term.namespaceSelector, `${field}.namespaceSelector`),
    each(term.namespaces, `${field}.namespaces`, (namespace, path) => collect(checkLabel, path, namespace)),
    topologyKey === '' ? [required(`${field}.topologyKey`, 'can not be empty')] : [],
    collect(checkQualifiedName, `${field}.topologyKey`, topologyKey),
  )
}

export const validateTolerations = (tolerations: readonly Toleration[] | undefined, field: string): FieldError[] =>
  each(tolerations, field, (toleration, path) => {
    const { key = '', operator = '', effect = '', tolerationSeconds } = toleration
    return joinErrors(
      key === '' ? [] : collect(checkQualifiedName, `${path}.key`, key),
      key === '' && operator !== 'Exists'
        ? [
            invalidValue(
              `${path}.operator`,
              operator,
              'operator must be Exists when `key` is empty, which means "match all values and all keys"',
            ),
          ]
        : [],
      tolerationSeconds !== undefined && effect !== 'NoExecute'
        ? [invalidValue(`${path}.effect`, effect, "effect must be 'NoExecute' when `tolerationSeconds` is set")]
        : [],
      validateTolerationOperator(toleration, path),
      optionalOneOf(effect, ['NoSchedule', 'PreferNoSchedule', 'NoExecute'], `${path}.effect`),
    )
  })

function validateTolerationOperator(toleration: Toleration, field: string): FieldError[] {
  const { operator = '', value = '' } = toleration
  if (operator === '' || operator === 'Equal') return collect(checkLabelValue, `${field}.operator`, value)
  if (operator === 'Exists')
    return value === ''
      ? []
      : [invalidValue(`${field}.operator`, toleration, "value must be empty when `operator` is 'Exists'")]
  return validateOneOf(operator, ['Equal', 'Exists'], `${field}.operator`)
}

export const validateSpread = (
  constraints: readonly TopologySpreadConstraint[] | undefined,
  field: string,
): FieldError[] =>
  each(constraints, field, (constraint, path) =>
    joinErrors(
      constraint.maxSkew > 0 ? [] : [invalidValue(`${path}.maxSkew`, constraint.maxSkew, 'must be greater than zero')],
      !constraint.topologyKey
        ? [required(`${path}.topologyKey`, 'can not be empty')]
        : collect(checkQualifiedName, `${path}.topologyKey`, constraint.topologyKey),
      validateOneOf(constraint.whenUnsatisfiable, ['DoNotSchedule', 'ScheduleAnyway'], `${path}.whenUnsatisfiable`),
      validateLabelSelector(constraint.labelSelector, `${path}.labelSelector`),
    ),
  )
