// A name under which instances are reached, as a Service; what comes from outside, as an Ingress. Pure.
import type { Ingress, Service } from '../../../api/generated/models.ts'
import type { New } from '../../../api/object.ts'
import { ingresses, services } from '../../../api/resources.ts'
import type { Entrance, Route } from '../parts.ts'
import { annotation, label, labelValue, objectName, serviceLabels, trackLabels } from './labels.ts'
import { typed, type TypedObject } from './typed-object.ts'

const metadataOf = (namespace: string, name: string, service: string): New<Service>['metadata'] => ({
  name: objectName(name),
  namespace,
  labels: serviceLabels(service),
  annotations: { [annotation.part]: name },
})

export function entranceObject(namespace: string, { name, service, leadsTo, ports }: Entrance): TypedObject {
  const isExternal = ports.some(({ external }) => external !== undefined)
  return typed<Service>(services, {
    metadata: metadataOf(namespace, name, service),
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

/** @param className of the IngressClass, where the cluster does not choose one by itself */
export function routeObject(
  namespace: string,
  { name, service, host, path, entrance, port }: Route,
  className?: string,
): TypedObject {
  const backend = { service: { name: objectName(entrance), port: { name: port } } }
  return typed<Ingress>(ingresses, {
    metadata: metadataOf(namespace, name, service),
    spec: {
      ...(className !== undefined && { ingressClassName: className }),
      rules: [{ host, http: { paths: [{ path, pathType: 'Prefix', backend }] } }],
    },
  })
}
