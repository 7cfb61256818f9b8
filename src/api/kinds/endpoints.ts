// Endpoints: the addresses behind a service in one object; EndpointSlice is its successor.
import type { FieldError } from '../field-error.ts'
import { invalidValue, joinErrors, required } from '../field-error.ts'
import type { Endpoints, EndpointSubset } from '../generated/models.ts'
import { defineKind } from '../kind.ts'
import { endpoints } from '../resources.ts'
import { validateEndpointAddress } from '../validation/endpoint-address.ts'
import { checkLabel, ipMessage, isIP } from '../validation/formats.ts'
import { each, requireText, validateOneOf, validatePort } from '../validation/scalars.ts'
import { age, columns, firstFew, none } from './cells.ts'

export const endpointsKind = defineKind({
  resource: endpoints,
  model: 'V1Endpoints',
  singular: 'endpoints',
  shortNames: ['ep'],
  defaults(draft) {
    for (const subset of draft.subsets ?? []) for (const port of subset.ports ?? []) port.protocol ||= 'TCP'
  },
  validate,
  validateUpdate: validate,
  columns: columns('Name', 'Endpoints', 'Age'),
  row: (object, nowMs) => [object.metadata.name, firstFew(addressesOf(object), none), age(object, nowMs)],
})

function validate({ subsets }: Endpoints): FieldError[] {
  return each(subsets, 'subsets', (subset, field) =>
    joinErrors(
      (subset.addresses ?? []).length + (subset.notReadyAddresses ?? []).length === 0
        ? [required(field, 'must specify `addresses` or `notReadyAddresses`')]
        : [],
      each(subset.addresses, `${field}.addresses`, validateAddress),
      each(subset.notReadyAddresses, `${field}.notReadyAddresses`, validateAddress),
      validatePorts(subset, field),
    ),
  )
}

function validateAddress({ ip, hostname }: { ip: string; hostname?: string }, field: string): FieldError[] {
  return joinErrors(
    isIP(ip ?? '') ? validateEndpointAddress(ip, `${field}.ip`) : [invalidValue(`${field}.ip`, ip, ipMessage)],
    hostname ? requireText(hostname, `${field}.hostname`, checkLabel) : [],
  )
}

const validatePorts = ({ ports = [] }: EndpointSubset, field: string): FieldError[] =>
  each(ports, `${field}.ports`, (port, path) =>
    joinErrors(
      ports.length > 1 ? requireText(port.name, `${path}.name`, checkLabel) : [],
      validatePort(port.port, `${path}.port`),
      validateOneOf(port.protocol, ['SCTP', 'TCP', 'UDP'], `${path}.protocol`, true),
    ),
  )

function addressesOf({ subsets = [] }: Endpoints): string[] {
  return subsets.flatMap(({ addresses = [], ports = [] }) =>
    ports.length === 0
      ? addresses.map(({ ip }) => ip)
      : ports.flatMap(port => addresses.map(({ ip }) => `${ip.includes(':') ? `[${ip}]` : ip}:${port.port}`)),
  )
}
