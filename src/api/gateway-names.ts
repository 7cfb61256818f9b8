// How Sampan's own gateway is named in the objects that say who serves a route.

/** In the `spec.controller` of an IngressClass, and in the `spec.controllerName` of a GatewayClass. */
export const gatewayController = 'sampan.dev/gateway'
export const gatewayClassName = 'sampan'
