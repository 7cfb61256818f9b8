// The Gateway API's group, and how Sampan's own gateway is named in the objects that say who serves a route.

export const gatewayGroup = 'gateway.networking.k8s.io'

/** Of the policies of this gateway. */
export const policyGroup = 'gateway.sampan.dev'
export const policyVersion = 'v1alpha1'

/** In the `spec.controller` of an IngressClass, and in the `spec.controllerName` of a GatewayClass. */
export const gatewayController = 'sampan.dev/gateway'
export const gatewayClassName = 'sampan'

/** Offered with each cluster; takes routes of every namespace. */
export const offeredGateway = { namespace: 'kube-system', name: gatewayClassName } as const

/** Where issuers have their keys and certificates. */
export const issuerNamespace = 'kube-system'
