// What policies can be for. Pure.
import type { PolicyTarget } from '../../../api/gateway-api/policies.ts'
import type { KubeObject } from '../../../api/object.ts'
import type { Observed } from '../observed.ts'

/** Whether an object that a policy names is there. */
export function targetsIn(observed: Observed): (target: PolicyTarget, namespace: string) => boolean {
  const lists: Readonly<Record<string, readonly KubeObject[]>> = {
    Gateway: observed.gateways,
    HTTPRoute: observed.httpRoutes,
    GRPCRoute: observed.grpcRoutes,
    Ingress: observed.ingresses,
  }
  return ({ kind, name }, namespace) =>
    kind === 'Service'
      ? observed.service(namespace, name) !== undefined
      : lists[kind]?.some(({ metadata }) => metadata.name === name && metadata.namespace === namespace) === true
}
