// The labels by which EndpointSlices are found: whose service they belong to, and who looks after them.

import type { EndpointSlice } from './generated/models.ts'

export const serviceNameLabel = 'kubernetes.io/service-name'
export const managedByLabel = 'endpointslice.kubernetes.io/managed-by'

/** `namespace/name` of the service that it belongs to, as an index has it; none where it belongs to none. */
export function serviceKeys({ metadata: { namespace, labels } }: EndpointSlice): string[] {
  const name = labels?.[serviceNameLabel]
  return name === undefined ? [] : [`${namespace}/${name}`]
}
