// The ServiceCIDR `kubernetes`: the range of service addresses that the cluster was started with. Made when
// it is not there; what became of it otherwise is left as it is.
import type { ServiceCIDR } from '../../api/generated/models.ts'
import { serviceCidrs } from '../../api/resources.ts'
import { defaultServiceCidrName, readyCondition, serviceCidrFinalizer } from '../../api/service-ranges.ts'
import { formatTime } from '../../lib/clock.ts'
import type { ServerContext } from '../server-context.ts'

/** Resolves when it is there. @returns how to stop making it again when somebody deleted it */
export async function keepDefaultServiceCidr(context: ServerContext, cidr: string): Promise<() => void> {
  const cache = context.storage.cache(serviceCidrs)
  await make(context, cidr)
  return cache.subscribe(({ type, current: { key } }) => {
    if (type !== 'DELETED' || key !== defaultServiceCidrName) return
    make(context, cidr).catch((error: Error) =>
      context.logger.warn('the default range of service addresses could not be made again', { error: error.message }),
    )
  })
}

/** Past admission, in one write; another server on the same store may be faster. */
async function make({ storage, clock, random }: ServerContext, cidr: string): Promise<void> {
  if (storage.get(serviceCidrs, defaultServiceCidrName) !== undefined) return
  const now = formatTime(clock.now())
  const range: ServiceCIDR = {
    kind: 'ServiceCIDR',
    apiVersion: 'networking.k8s.io/v1',
    metadata: {
      name: defaultServiceCidrName,
      uid: random.uuid(),
      resourceVersion: '',
      generation: 1,
      creationTimestamp: now,
      finalizers: [serviceCidrFinalizer],
    },
    spec: { cidrs: [cidr] },
    status: { conditions: [readyCondition('True', '', 'Kubernetes default Service CIDR is ready', now)] },
  }
  await storage.put(serviceCidrs, defaultServiceCidrName, range, 0)
}
