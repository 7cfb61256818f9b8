// Consumer: somebody who asks, and how one shows to be them.
import { conditions } from '../conditions.ts'
import { ageColumn, column, conditionColumn } from '../definition.ts'
import { objectName } from '../names-and-references.ts'
import { described, list, object, oneOf, text, whole } from '../schema.ts'
import { policyDefinition } from './definition.ts'

export const consumer = policyDefinition({
  kind: 'Consumer',
  plural: 'consumers',
  columns: [
    conditionColumn('Accepted'),
    column('Message', '.status.conditions[?(@.type=="Accepted")].message', 1),
    ageColumn,
  ],
  description: 'Somebody who asks, for the access policies of the namespace.',
  spec: object({
    groups: described('That policies let in as a whole.', list(text(63, 1), 32)),
    credentials: described(
      'Key: a Secret with key. Basic: a Secret with username and password.',
      list(whole({ type: oneOf('Key', 'Basic'), secretRef: whole({ name: objectName }) }), 16),
    ),
  }),
  status: object({ conditions: conditions() }),
})
