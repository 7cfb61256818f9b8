// ListenerSet: listeners that are added to a gateway from elsewhere.
import { pendingStatus } from './conditions.ts'
import { ageColumn, conditionColumn, gatewayDefinition } from './definition.ts'
import { listenerSetListeners, listenerStatuses } from './listeners.ts'
import { parentGatewayReference } from './names-and-references.ts'
import { described, whole } from './schema.ts'

export const listenerSet = gatewayDefinition({
  kind: 'ListenerSet',
  plural: 'listenersets',
  shortName: 'lset',
  columns: [conditionColumn('Accepted'), conditionColumn('Programmed'), ageColumn],
  description: 'Adds listeners to a gateway from elsewhere.',
  spec: whole({
    listeners: described('Ports that are listened at beside those of the gateway.', listenerSetListeners),
    parentRef: described('The gateway, which has to allow it in allowedListeners.', parentGatewayReference),
  }),
  status: pendingStatus(['Accepted', 'Programmed'], { listeners: listenerStatuses }),
})
