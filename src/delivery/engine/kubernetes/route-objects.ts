// What comes from outside, as an HTTPRoute of a Gateway or as an Ingress. Pure.
import { httpRoutes } from '../../../api/gateway-api/resources.ts'
import type { HTTPRoute } from '../../../api/gateway-api/types.ts'
import { gatewayGroup } from '../../../api/gateway-names.ts'
import type { Ingress } from '../../../api/generated/models.ts'
import { ingresses } from '../../../api/resources.ts'
import type { Route, Weight } from '../parts.ts'
import { objectName, partMetadata } from './labels.ts'
import type { GatewayName } from './route-style.ts'
import { typed, type TypedObject } from './typed-object.ts'

/** Of one that leads to one entrance. @param className of the IngressClass, where the cluster does not choose one by itself */
export function ingressObject(namespace: string, route: Route, className?: string): TypedObject {
  const { name, service, host, path, entrance, port } = route
  const backend = { service: { name: objectName(entrance), port: { name: port } } }
  return typed<Ingress>(ingresses, {
    metadata: partMetadata(namespace, name, service),
    spec: {
      ...(className !== undefined && { ingressClassName: className }),
      rules: [{ host, http: { paths: [{ path, pathType: 'Prefix', backend }] } }],
    },
  })
}

/** Where a route leads. */
export const weightsOf = ({ entrance, weights }: Route): readonly Weight[] => weights ?? [{ entrance, weight: 1 }]

/** @param portOf number of the route's port at an entrance */
export function httpRouteObject(
  namespace: string,
  route: Route,
  gateway: GatewayName,
  portOf: (entrance: string) => number,
): TypedObject {
  const { name, service, host, path } = route
  return typed<HTTPRoute>(httpRoutes, {
    metadata: partMetadata(namespace, name, service),
    spec: {
      parentRefs: [{ group: gatewayGroup, kind: 'Gateway', ...gateway }],
      hostnames: [host],
      rules: [
        {
          matches: [{ path: { type: 'PathPrefix', value: path } }],
          backendRefs: weightsOf(route).map(({ entrance, weight }) => ({
            group: '',
            kind: 'Service',
            name: objectName(entrance),
            port: portOf(entrance),
            weight,
          })),
        },
      ],
    },
  })
}
