// DeviceClass: a sort of devices that can be asked for by name.
import { defineKind } from '../kind.ts'
import { deviceClasses } from '../resources.ts'
import { validateSelectors } from '../validation/device-claims.ts'
import { age, columns } from './cells.ts'

export const deviceClassKind = defineKind({
  resource: deviceClasses,
  model: 'V1DeviceClass',
  singular: 'deviceclass',
  generation: true,
  defaults(draft) {
    draft.spec ??= {}
  },
  validate: ({ spec }) => validateSelectors(spec.selectors, 'spec.selectors'),
  columns: columns('Name', 'Age'),
  row: (one, nowMs) => [one.metadata.name, age(one, nowMs)],
})
