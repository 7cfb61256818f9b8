// A route has arrived when it is served. Sampan's own gateway says so in the Ingress within milliseconds, or within a second
// when it is the first route of the cluster; of others nobody knows whether they ever say so, and they are not waited for.
import { gatewayClassName, gatewayController } from '../../../api/gateway-names.ts'
import type { Ingress, IngressClass } from '../../../api/generated/models.ts'
import type { ObjectName } from '../../../api/object.ts'
import { ingresses } from '../../../api/resources.ts'
import { keepLive, type LiveOptions } from './live-list.ts'
import { ifPermitted } from './permitted.ts'

/** It goes on by itself then: a route that nothing serves yet is no failure. */
const limitMs = 15_000

/** @param classes undefined: they are not to be known */
export async function untilServed(
  { client, clock, signal }: LiveOptions,
  { namespace = '', name }: ObjectName,
  classes: readonly IngressClass[] | undefined,
): Promise<void> {
  const over = new AbortController()
  const timer = clock.after(limitMs, () => over.abort())
  try {
    await ifPermitted(
      keepLive<Ingress>(
        { client, clock, signal: AbortSignal.any([signal, over.signal]) },
        { resource: ingresses, namespace, fieldSelector: `metadata.name=${name}` },
        ([ingress]) => {
          if (ingress === undefined || !isOurs(ingress, classes) || isServed(ingress)) over.abort()
        },
      ),
    )
  } finally {
    timer.cancel()
  }
}

function isOurs(
  { spec: { ingressClassName: wanted } }: Ingress,
  classes: readonly IngressClass[] | undefined,
): boolean {
  if (classes === undefined) return wanted === gatewayClassName
  return classes.find(({ metadata }) => metadata.name === wanted)?.spec?.controller === gatewayController
}

const isServed = ({ status }: Ingress): boolean => (status?.loadBalancer?.ingress ?? []).length > 0
