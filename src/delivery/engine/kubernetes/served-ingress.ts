// An Ingress has arrived when it is served. Sampan's own gateway says so in it within milliseconds, or within a second when
// it is the first route of the cluster; of others nobody knows whether they ever say so.
import type { Ingress, IngressClass } from '../../../api/generated/models.ts'
import type { ObjectName } from '../../../api/object.ts'
import { ingresses } from '../../../api/resources.ts'
import type { LiveOptions } from './live-list.ts'
import { liveUntil } from './live-until.ts'
import { isOfSampan } from './ingress-class.ts'

/** It goes on by itself then: a route that nothing serves yet is no failure. */
const limitMs = 15_000

export interface ServedBy {
  /** undefined: they are not to be known. */
  readonly classes: readonly IngressClass[] | undefined
  /** Waits for others, too. */
  readonly others: boolean
}

export async function untilServed(
  live: LiveOptions,
  { namespace = '', name }: ObjectName,
  { classes, others }: ServedBy,
): Promise<void> {
  await liveUntil<Ingress, true>(
    live,
    { resource: ingresses, namespace, fieldSelector: `metadata.name=${name}` },
    limitMs,
    ([ingress]) =>
      ingress === undefined || isServed(ingress) || (!others && !isOfSampan(ingress.spec?.ingressClassName, classes))
        ? true
        : undefined,
  )
}

export const isServed = ({ status }: Ingress): boolean => (status?.loadBalancer?.ingress ?? []).length > 0
