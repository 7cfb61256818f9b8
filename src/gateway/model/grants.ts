// Whether an object may lead to one of another namespace: only where somebody there granted it. Pure.
// Source: Gateway API, ReferenceGrant.
import type { ReferenceGrant } from '../../api/gateway-api/types.ts'

export interface ReferenceEnd {
  readonly group: string
  readonly kind: string
  readonly namespace: string
}

export const isGranted = (
  grants: readonly ReferenceGrant[],
  from: ReferenceEnd,
  to: ReferenceEnd & { readonly name: string },
): boolean =>
  from.namespace === to.namespace ||
  grants.some(
    ({ metadata, spec }) =>
      metadata.namespace === to.namespace &&
      spec.from.some(
        each => each.group === from.group && each.kind === from.kind && each.namespace === from.namespace,
      ) &&
      spec.to.some(
        each =>
          each.group === to.group &&
          each.kind === to.kind &&
          (each.name === undefined || each.name === '' || each.name === to.name),
      ),
  )
