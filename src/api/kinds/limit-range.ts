// LimitRange: what a container, a pod or a claim of a namespace may ask for, and gets without asking.
import type { FieldError } from '../field-error.ts'
import { duplicate, forbiddenField, invalidValue, joinErrors, required } from '../field-error.ts'
import type { LimitRange, LimitRangeItem } from '../generated/models.ts'
import { defineKind } from '../kind.ts'
import { canonicalizeResourceList, compareQuantities } from '../quantity.ts'
import { limitRanges } from '../resources.ts'
import { checkQualifiedName } from '../validation/formats.ts'
import { collect } from '../validation/scalars.ts'
import { columns } from './cells.ts'

type Bound = 'max' | 'min' | 'default' | 'defaultRequest' | 'maxLimitRequestRatio'
const bounds: readonly Bound[] = ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio']

export const limitRangeKind = defineKind({
  resource: limitRanges,
  model: 'V1LimitRange',
  singular: 'limitrange',
  shortNames: ['limits'],
  defaults(draft) {
    draft.spec ??= { limits: [] }
    draft.spec.limits ??= []
    draft.spec.limits.forEach(defaultItem)
  },
  validate,
  validateUpdate: () => [],
  columns: columns('Name', 'Created At:date'),
  row: range => [range.metadata.name, range.metadata.creationTimestamp],
})

/** The default limit is the maximum; the default request is the default limit, else the minimum. */
function defaultItem(item: LimitRangeItem): void {
  for (const bound of bounds) canonicalizeResourceList(item[bound])
  if (item.type !== 'Container') return
  const limits = { ...item.max, ...item.default }
  const requests = { ...item.min, ...limits, ...item.defaultRequest }
  if (Object.keys(limits).length > 0) item.default = limits
  if (Object.keys(requests).length > 0) item.defaultRequest = requests
}

function validate({ spec }: LimitRange): FieldError[] {
  const seen = new Set<string>()
  return spec!.limits.flatMap((item, index) => {
    const field = `spec.limits[${index}]`
    const again = seen.has(item.type) ? [duplicate(`${field}.type`, item.type)] : []
    seen.add(item.type)
    return joinErrors(again, validateItem(item, field))
  })
}

function validateItem(item: LimitRangeItem, field: string): FieldError[] {
  const names = new Set(bounds.flatMap(bound => Object.keys(item[bound] ?? {})))
  return joinErrors(
    (item.type ?? '') === '' ? [required(`${field}.type`)] : [],
    item.type === 'Pod'
      ? (['default', 'defaultRequest'] as const)
          .filter(bound => item[bound] !== undefined)
          .map(bound => forbiddenField(`${field}.${bound}`, "may not be specified when `type` is 'Pod'"))
      : [],
    item.type === 'PersistentVolumeClaim' && item.min?.storage === undefined && item.max?.storage === undefined
      ? [required(`${field}.limits`, 'either minimum or maximum storage value is required, but neither was provided')]
      : [],
    [...names].flatMap(name => joinErrors(collect(checkQualifiedName, field, name), validateOrder(item, name, field))),
  )
}

/** Whatever a resource is called, also `constructor`. */
const boundOf = (item: LimitRangeItem, bound: Bound, name: string): string | undefined => {
  const values = item[bound]
  return values !== undefined && Object.hasOwn(values, name) ? values[name] : undefined
}

/** min ≤ defaultRequest ≤ default ≤ max. */
function validateOrder(item: LimitRangeItem, name: string, field: string): FieldError[] {
  const order = (
    low: Bound,
    high: Bound,
    at: Bound,
    text: (lowValue: string, highValue: string) => string,
  ): FieldError[] => {
    const [small, large] = [boundOf(item, low, name), boundOf(item, high, name)]
    return small === undefined || large === undefined || compareQuantities(small, large) <= 0
      ? []
      : [invalidValue(`${field}.${at}[${name}]`, boundOf(item, at, name), text(small, large))]
  }
  const ratio = boundOf(item, 'maxLimitRequestRatio', name)
  return joinErrors(
    order('min', 'max', 'min', (min, max) => `min value ${min} is greater than max value ${max}`),
    order(
      'min',
      'defaultRequest',
      'defaultRequest',
      (min, request) => `min value ${min} is greater than default request value ${request}`,
    ),
    order(
      'defaultRequest',
      'max',
      'defaultRequest',
      (request, max) => `default request value ${request} is greater than max value ${max}`,
    ),
    order(
      'defaultRequest',
      'default',
      'defaultRequest',
      (request, limit) => `default request value ${request} is greater than default limit value ${limit}`,
    ),
    order('min', 'default', 'default', (min, limit) => `min value ${min} is greater than default value ${limit}`),
    order('default', 'max', 'default', (limit, max) => `default value ${limit} is greater than max value ${max}`),
    ratio !== undefined && compareQuantities(ratio, '1') < 0
      ? [invalidValue(`${field}.maxLimitRequestRatio[${name}]`, ratio, `ratio ${ratio} is less than 1`)]
      : [],
  )
}
