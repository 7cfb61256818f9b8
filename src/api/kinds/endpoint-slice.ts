// EndpointSlice: a part of the addresses behind a service, with their readiness.
import type { FieldError } from '../field-error.ts'
import { invalidValue, joinErrors, required, tooMany } from '../field-error.ts'
import type { EndpointSlice } from '../generated/models.ts'
import { defineKind } from '../kind.ts'
import { endpointSlices } from '../resources.ts'
import { validateEndpointAddress } from '../validation/endpoint-address.ts'
import { checkLabel, checkSubdomain, ipMessage, isIPv4, isIPv6 } from '../validation/formats.ts'
import { collect, each, validateImmutable, validateOneOf, validatePort, validateUnique } from '../validation/scalars.ts'
import { age, columns, firstFew } from './cells.ts'

const endpointLimit = 1000
const addressLimit = 100

export const endpointSliceKind = defineKind({
  resource: endpointSlices,
  model: 'V1EndpointSlice',
  singular: 'endpointslice',
  generation: true,
  defaults(draft) {
    for (const endpoint of draft.endpoints ?? []) endpoint.conditions ??= {}
    for (const port of draft.ports ?? []) {
      port.name ??= ''
      port.protocol ||= 'TCP'
    }
  },
  validate,
  validateUpdate: (slice, old) =>
    joinErrors(validate(slice), validateImmutable(slice.addressType, old.addressType, 'addressType')),
  columns: columns('Name', 'AddressType', 'Ports', 'Endpoints', 'Age'),
  row: (slice, nowMs) => [
    slice.metadata.name,
    slice.addressType,
    firstFew(
      (slice.ports ?? []).map(port => `${port.port ?? '*'}`),
      '<unset>',
    ),
    firstFew(
      (slice.endpoints ?? []).flatMap(endpoint => endpoint.addresses),
      '<unset>',
    ),
    age(slice, nowMs),
  ],
})

function validate(slice: EndpointSlice): FieldError[] {
  const endpoints = slice.endpoints ?? []
  return joinErrors(
    validateOneOf(slice.addressType, ['FQDN', 'IPv4', 'IPv6'], 'addressType', true),
    endpoints.length > endpointLimit ? [tooMany('endpoints', endpoints.length, endpointLimit)] : [],
    each(endpoints, 'endpoints', ({ addresses = [], hostname }: { addresses?: string[]; hostname?: string }, field) =>
      joinErrors(
        addresses.length === 0 ? [required(`${field}.addresses`, 'must contain at least 1 address')] : [],
        addresses.length > addressLimit ? [tooMany(`${field}.addresses`, addresses.length, addressLimit)] : [],
        each(addresses, `${field}.addresses`, (address, path) => validateAddress(address, slice.addressType, path)),
        hostname === undefined ? [] : collect(checkLabel, `${field}.hostname`, hostname),
      ),
    ),
    each(slice.ports, 'ports', (port, field) =>
      joinErrors(
        port.name ? collect(checkLabel, `${field}.name`, port.name) : [],
        validateOneOf(port.protocol, ['SCTP', 'TCP', 'UDP'], `${field}.protocol`, true),
        port.port === undefined ? [] : validatePort(port.port, `${field}.port`),
      ),
    ),
    validateUnique(slice.ports, 'ports', port => port.name, 'name'),
  )
}

function validateAddress(address: string, type: string, field: string): FieldError[] {
  if (type === 'FQDN') return collect(checkSubdomain, field, address)
  return (type === 'IPv6' ? isIPv6 : isIPv4)(address)
    ? validateEndpointAddress(address, field)
    : [
        invalidValue(
          field,
          address,
          type === 'IPv6' ? 'must be a valid IPv6 address' : type === 'IPv4' ? 'must be an IPv4 address' : ipMessage,
        ),
      ]
}
