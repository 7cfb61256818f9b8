// ResourceSlice: devices that a driver has to offer, on a node or in the whole cluster.
import type { FieldError } from '../field-error.ts'
import { invalidValue, joinErrors, required } from '../field-error.ts'
import type { ResourceSlice } from '../generated/models.ts'
import { defineKind } from '../kind.ts'
import { resourceSlices } from '../resources.ts'
import { checkLabel, checkSubdomain } from '../validation/formats.ts'
import { each, requireText, validateImmutable, validatePositive, validateUnique } from '../validation/scalars.ts'
import { age, columns } from './cells.ts'

export const resourceSliceKind = defineKind({
  resource: resourceSlices,
  model: 'V1ResourceSlice',
  singular: 'resourceslice',
  generation: true,
  validate,
  validateUpdate: (slice, old) =>
    joinErrors(
      validateImmutable(slice.spec.driver, old.spec.driver, 'spec.driver'),
      validateImmutable(slice.spec.pool.name, old.spec.pool.name, 'spec.pool.name'),
      validateImmutable(slice.spec.nodeName, old.spec.nodeName, 'spec.nodeName'),
    ),
  columns: columns('Name', 'Node', 'Driver', 'Pool', 'Age'),
  row: (slice, nowMs) => [
    slice.metadata.name,
    slice.spec?.nodeName ?? '<unset>',
    slice.spec?.driver ?? '',
    slice.spec?.pool?.name ?? '',
    age(slice, nowMs),
  ],
  selectableFields: {
    'spec.driver': ({ spec }) => spec?.driver ?? '',
    'spec.nodeName': ({ spec }) => spec?.nodeName ?? '',
  },
})

function validate({ spec }: ResourceSlice): FieldError[] {
  const places = [
    spec.nodeName ? 'nodeName' : '',
    spec.nodeSelector === undefined ? '' : 'nodeSelector',
    spec.allNodes === true ? 'allNodes' : '',
    spec.perDeviceNodeSelection === true ? 'perDeviceNodeSelection' : '',
  ].filter(place => place !== '')
  return joinErrors(
    requireText(spec.driver, 'spec.driver', checkSubdomain),
    requireText(spec.pool.name, 'spec.pool.name'),
    validatePositive(spec.pool.resourceSliceCount ?? 0, 'spec.pool.resourceSliceCount'),
    places.length === 0
      ? [
          required(
            'spec',
            'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required',
          ),
        ]
      : places.length > 1
        ? [
            invalidValue(
              'spec',
              `{${places.join(', ')}}`,
              'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required, but multiple fields are set',
            ),
          ]
        : [],
    each(spec.devices, 'spec.devices', (device, path) => requireText(device.name, `${path}.name`, checkLabel)),
    validateUnique(spec.devices, 'spec.devices', device => device.name, 'name'),
  )
}
