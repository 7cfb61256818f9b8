// The labels by which EndpointSlices are found: whose service they belong to, and who looks after them.

export const serviceNameLabel = 'kubernetes.io/service-name'
export const managedByLabel = 'endpointslice.kubernetes.io/managed-by'
