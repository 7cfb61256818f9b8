// Validation of structured label selectors.
import type { FieldError } from '../field-error.ts'
import { forbiddenField, invalidValue, joinErrors, required } from '../field-error.ts'
import type { LabelSelector, LabelSelectorRequirement } from '../generated/models.ts'
import { checkLabelValue, checkQualifiedName } from './formats.ts'
import { validateLabels } from './object-meta.ts'

export function validateLabelSelector(selector: LabelSelector | undefined, field: string): FieldError[] {
  if (selector === undefined) return []
  return joinErrors(
    validateLabels(selector.matchLabels, `${field}.matchLabels`),
    (selector.matchExpressions ?? []).flatMap((requirement, index) =>
      validateRequirement(requirement, `${field}.matchExpressions[${index}]`),
    ),
  )
}

function validateRequirement(requirement: Partial<LabelSelectorRequirement>, field: string): FieldError[] {
  const { key = '', values = [] } = requirement
  return joinErrors(
    validateOperator(requirement, field),
    checkQualifiedName(key).map(found => invalidValue(`${field}.key`, key, found)),
    values.flatMap((value, index) =>
      checkLabelValue(value).map(found => invalidValue(`${field}.values[${index}]`, value, found)),
    ),
  )
}

function validateOperator(
  { operator = '', values = [] }: Partial<LabelSelectorRequirement>,
  field: string,
): FieldError[] {
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
    default:
      return [invalidValue(`${field}.operator`, operator, 'not a valid selector operator')]
  }
}
