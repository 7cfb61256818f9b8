// Requests for devices, which claims, their templates and (in parts) device classes share.
import type { FieldError } from '../field-error.ts'
import { invalidValue, joinErrors, notSupported, required, tooMany } from '../field-error.ts'
import type {
  DeviceClaim,
  DeviceRequest,
  DeviceSelector,
  ExactDeviceRequest,
  ResourceClaimSpec,
} from '../generated/models.ts'
import { checkLabel, checkSubdomain } from './formats.ts'
import { each, requireText, validateUnique } from './scalars.ts'

const mostRequests = 32

export function defaultClaimSpec(spec: ResourceClaimSpec): void {
  for (const request of spec.devices?.requests ?? []) {
    if (request.exactly !== undefined) defaultRequest(request.exactly)
    for (const alternative of request.firstAvailable ?? []) defaultRequest(alternative)
  }
}

function defaultRequest(request: Pick<ExactDeviceRequest, 'allocationMode' | 'count'>): void {
  request.allocationMode ||= 'ExactCount'
  if (request.allocationMode === 'ExactCount') request.count ||= 1
}

export function validateClaim(devices: DeviceClaim | undefined, field: string): FieldError[] {
  const requests = devices?.requests ?? []
  return joinErrors(
    requests.length > mostRequests ? [tooMany(`${field}.requests`, requests.length, mostRequests)] : [],
    each(requests, `${field}.requests`, validateRequest),
    validateUnique(requests, `${field}.requests`, request => request.name),
  )
}

function validateRequest({ name, exactly, firstAvailable = [] }: DeviceRequest, field: string): FieldError[] {
  const named = requireText(name, `${field}.name`, checkLabel)
  if (exactly === undefined && firstAvailable.length === 0)
    return [...named, required(field, 'exactly one of `exactly` or `firstAvailable` is required')]
  if (exactly !== undefined && firstAvailable.length > 0)
    return [
      ...named,
      invalidValue(
        field,
        name,
        'exactly one of `exactly` or `firstAvailable` is required, but multiple fields are set',
      ),
    ]
  return joinErrors(
    named,
    exactly === undefined ? [] : validateExact(exactly, `${field}.exactly`),
    each(firstAvailable, `${field}.firstAvailable`, (alternative, path) =>
      joinErrors(requireText(alternative.name, `${path}.name`, checkLabel), validateExact(alternative, path)),
    ),
  )
}

function validateExact(
  request: Pick<ExactDeviceRequest, 'allocationMode' | 'count' | 'deviceClassName' | 'selectors'>,
  field: string,
): FieldError[] {
  const { allocationMode = '', count = 0 } = request
  return joinErrors(
    requireText(request.deviceClassName, `${field}.deviceClassName`, checkSubdomain),
    validateSelectors(request.selectors, `${field}.selectors`),
    allocationMode === 'ExactCount'
      ? count > 0
        ? []
        : [invalidValue(`${field}.count`, count, 'must be greater than zero')]
      : allocationMode === 'All'
        ? count === 0
          ? []
          : [invalidValue(`${field}.count`, count, "must not be specified when allocationMode is 'All'")]
        : [notSupported(`${field}.allocationMode`, allocationMode, ['All', 'ExactCount'])],
  )
}

export const validateSelectors = (selectors: readonly DeviceSelector[] | undefined, field: string): FieldError[] =>
  each(selectors, field, (selector, path) =>
    selector.cel === undefined
      ? [required(`${path}.cel`)]
      : requireText(selector.cel.expression, `${path}.cel.expression`),
  )
