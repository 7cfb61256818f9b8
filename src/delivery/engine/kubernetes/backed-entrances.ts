// Requests that are led to an entrance before the cluster knows what stands behind it get no answer: it is waited for.
import type { EndpointSlice } from '../../../api/generated/models.ts'
import { serviceNameLabel } from '../../../api/endpoint-slice-labels.ts'
import { endpointSlices } from '../../../api/resources.ts'
import { objectName } from './labels.ts'
import type { LiveOptions } from './live-list.ts'
import { liveUntil } from './live-until.ts'

const limitMs = 15_000

/** @returns those behind which nothing is ready */
export async function unbackedEntrances(
  live: LiveOptions,
  namespace: string,
  entrances: readonly string[],
): Promise<readonly string[]> {
  const found = await Promise.all(
    entrances.map(name =>
      liveUntil<EndpointSlice, true>(
        live,
        { resource: endpointSlices, namespace, labelSelector: `${serviceNameLabel}=${objectName(name)}` },
        limitMs,
        slices => (slices.some(hasReady) ? true : undefined),
      ),
    ),
  )
  return entrances.filter((_name, index) => found[index] === undefined)
}

const hasReady = ({ endpoints }: EndpointSlice): boolean =>
  (endpoints ?? []).some(({ conditions }) => conditions?.ready !== false)
