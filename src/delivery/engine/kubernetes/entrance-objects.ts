// A name under which instances are reached, as a Service. Pure.
import type { Service } from '../../../api/generated/models.ts'
import { services } from '../../../api/resources.ts'
import type { Entrance } from '../parts.ts'
import { label, labelValue, partMetadata, trackLabels } from './labels.ts'
import { typed, type TypedObject } from './typed-object.ts'

export function entranceObject(namespace: string, { name, service, leadsTo, ports }: Entrance): TypedObject {
  const isExternal = ports.some(({ external }) => external !== undefined)
  return typed<Service>(services, {
    metadata: partMetadata(namespace, name, service),
    spec: {
      type: isExternal ? 'NodePort' : 'ClusterIP',
      selector:
        leadsTo === 'serving'
          ? { [label.service]: labelValue(service), [label.serving]: 'true' }
          : trackLabels(service, leadsTo.track),
      ports: ports.map(({ name: portName, port, protocol, external }) => ({
        name: portName,
        port,
        targetPort: portName,
        protocol,
        ...(external !== undefined && { nodePort: external }),
      })),
    },
  })
}
