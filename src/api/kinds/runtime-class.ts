// RuntimeClass: by which handler of the container runtime a pod runs.
import { defineKind } from '../kind.ts'
import { joinErrors } from '../field-error.ts'
import { canonicalizeResourceList } from '../quantity.ts'
import { runtimeClasses } from '../resources.ts'
import { checkLabel } from '../validation/formats.ts'
import { validateLabels } from '../validation/object-meta.ts'
import { validateTolerations } from '../validation/placement.ts'
import { collect, validateImmutable } from '../validation/scalars.ts'
import { age, columns } from './cells.ts'

export const runtimeClassKind = defineKind({
  resource: runtimeClasses,
  model: 'V1RuntimeClass',
  singular: 'runtimeclass',
  defaults(draft) {
    canonicalizeResourceList(draft.overhead?.podFixed)
  },
  validate: one =>
    joinErrors(
      collect(checkLabel, 'handler', one.handler ?? ''),
      validateLabels(one.scheduling?.nodeSelector, 'scheduling.nodeSelector'),
      validateTolerations(one.scheduling?.tolerations, 'scheduling.tolerations'),
    ),
  validateUpdate: (one, old) => validateImmutable(one.handler, old.handler, 'handler'),
  columns: columns('Name', 'Handler', 'Age'),
  row: (one, nowMs) => [one.metadata.name, one.handler, age(one, nowMs)],
})
