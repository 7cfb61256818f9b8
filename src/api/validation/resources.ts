// Requests and limits.
import type { FieldError } from '../field-error.ts'
import { invalidValue, joinErrors } from '../field-error.ts'
import type { ResourceRequirements } from '../generated/models.ts'
import { compareQuantities } from '../quantity.ts'
import { checkQualifiedName } from './formats.ts'
import { collect } from './scalars.ts'

const standard = new Set(['cpu', 'memory', 'ephemeral-storage'])
const isStandard = (name: string): boolean => standard.has(name) || name.startsWith('hugepages-')
const overcommits = (name: string): boolean => standard.has(name)

export function validateResources(resources: ResourceRequirements | undefined, field: string): FieldError[] {
  if (resources === undefined) return []
  return joinErrors(
    validateList(resources.limits, `${field}.limits`),
    validateList(resources.requests, `${field}.requests`),
    validateRequestsWithinLimits(resources, field),
  )
}

function validateList(list: Record<string, string> | undefined, field: string): FieldError[] {
  let found = joinErrors()
  for (const name in list)
    found = joinErrors(found, validateName(name, field), validateNonNegativeQuantity(list[name]!, `${field}[${name}]`))
  return found
}

function validateName(name: string, field: string): FieldError[] {
  const found = collect(checkQualifiedName, field, name)
  if (found.length > 0 || name.includes('/') || isStandard(name)) return found
  return [
    invalidValue(`${field}[${name}]`, name, 'must be a standard resource type or fully qualified'),
    invalidValue(`${field}[${name}]`, name, 'must be a standard resource for containers'),
  ]
}

export const validateNonNegativeQuantity = (value: string, field: string): FieldError[] =>
  compareQuantities(value, '0') < 0 ? [invalidValue(field, value, 'must be greater than or equal to 0')] : []

function validateRequestsWithinLimits(
  { limits = {}, requests = {} }: ResourceRequirements,
  field: string,
): FieldError[] {
  return Object.entries(requests).flatMap(([name, request]) => {
    // A resource may have the name of something that every object has.
    const limit = Object.hasOwn(limits, name) ? limits[name] : undefined
    if (limit === undefined)
      return overcommits(name)
        ? []
        : [invalidValue(`${field}.limits`, '', `Limit must be set for non overcommitable resources`)]
    const order = compareQuantities(request, limit)
    if (!overcommits(name) && order !== 0)
      return [invalidValue(`${field}.requests`, request, `must be equal to ${name} limit of ${limit}`)]
    return order > 0
      ? [invalidValue(`${field}.requests`, request, `must be less than or equal to ${name} limit of ${limit}`)]
      : []
  })
}
