// ListenerSet: listeners that are added to a gateway from elsewhere.
import { pendingStatus } from './conditions.ts'
import { ageColumn, conditionColumn, gatewayDefinition } from './definition.ts'
import { listenerSetListeners, listenerStatuses } from './listeners.ts'
import { parentGatewayReference } from './names-and-references.ts'
import { whole } from './schema-shapes.ts'

export const listenerSet = gatewayDefinition({
  kind: 'ListenerSet',
  plural: 'listenersets',
  shortName: 'lset',
  columns: [conditionColumn('Accepted'), conditionColumn('Programmed'), ageColumn],
  description: 'Adds listeners to a gateway.',
  spec: whole({ listeners: listenerSetListeners, parentRef: parentGatewayReference }),
  status: pendingStatus(['Accepted', 'Programmed'], { listeners: listenerStatuses }),
})
