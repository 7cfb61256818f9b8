// CSINode: which storage drivers a node has.
import { defineKind } from '../kind.ts'
import { joinErrors } from '../field-error.ts'
import { csiNodes } from '../resources.ts'
import { checkSubdomain } from '../validation/formats.ts'
import { each, requireText, validateNonNegative, validateUnique } from '../validation/scalars.ts'
import { age, columns } from './cells.ts'

export const csiNodeKind = defineKind({
  resource: csiNodes,
  model: 'V1CSINode',
  singular: 'csinode',
  defaults(draft) {
    draft.spec ??= { drivers: [] }
    // Always printed, null where there are none.
    draft.spec.drivers ??= null as unknown as []
  },
  validate: ({ spec }) =>
    joinErrors(
      each(spec.drivers ?? [], 'spec.drivers', (driver, path) =>
        joinErrors(
          requireText(driver.name, `${path}.name`, checkSubdomain),
          requireText(driver.nodeID, `${path}.nodeID`),
          validateNonNegative(driver.allocatable?.count, `${path}.allocatable.count`),
        ),
      ),
      validateUnique(spec.drivers ?? [], 'spec.drivers', driver => driver.name, 'name'),
    ),
  columns: columns('Name', 'Drivers:integer', 'Age'),
  row: (node, nowMs) => [node.metadata.name, node.spec.drivers?.length ?? 0, age(node, nowMs)],
})
