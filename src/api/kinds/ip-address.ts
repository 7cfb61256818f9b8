// IPAddress: an address of a service, and who has it.
import type { FieldError } from '../field-error.ts'
import { invalidValue, joinErrors, required } from '../field-error.ts'
import type { IPAddress } from '../generated/models.ts'
import { defineKind } from '../kind.ts'
import { ipAddresses } from '../resources.ts'
import { ipMessage, isIP } from '../validation/formats.ts'
import { requireText, validateImmutable } from '../validation/scalars.ts'
import { columns } from './cells.ts'

export const ipAddressKind = defineKind({
  resource: ipAddresses,
  model: 'V1IPAddress',
  singular: 'ipaddress',
  shortNames: ['ip'],
  generation: true,
  nameRule: 'path-segment',
  validate,
  validateUpdate: (address, old) => validateImmutable(address.spec?.parentRef, old.spec?.parentRef, 'spec.parentRef'),
  columns: columns('Name', 'ParentRef'),
  row: address => [address.metadata.name, parentCell(address)],
  selectableFields: {
    'spec.parentRef.group': ({ spec }) => spec?.parentRef?.group ?? '',
    'spec.parentRef.resource': ({ spec }) => spec?.parentRef?.resource ?? '',
    'spec.parentRef.namespace': ({ spec }) => spec?.parentRef?.namespace ?? '',
    'spec.parentRef.name': ({ spec }) => spec?.parentRef?.name ?? '',
  },
})

function parentCell({ spec }: IPAddress): string {
  const { group = '', resource, namespace = '', name } = spec?.parentRef ?? { name: '', resource: '' }
  return [group === '' ? resource : `${resource}.${group}`, namespace, name].filter(part => part !== '').join('/')
}

function validate({ metadata, spec }: IPAddress): FieldError[] {
  const parent = spec?.parentRef
  const name = metadata.name ?? ''
  return joinErrors(
    isIP(name) ? [] : [invalidValue('metadata.name', name, ipMessage)],
    parent === undefined
      ? [required('spec.parentRef')]
      : joinErrors(
          requireText(parent.resource, 'spec.parentRef.resource'),
          requireText(parent.name, 'spec.parentRef.name'),
        ),
  )
}
