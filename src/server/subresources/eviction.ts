// `pods/eviction`: deletion as kubectl drain asks for it. Disruption budgets join with their kind.
import type { Eviction } from '../../api/generated/models.ts'
import { decodeBody, mediaTypeOf, readBody } from '../http/body.ts'
import { sendValue } from '../http/respond.ts'
import { remove, type DeletionOptions } from '../operations/delete.ts'
import type { Caller, Target } from '../request.ts'
import type { ServerContext } from '../server-context.ts'
import type { SubresourceRoute } from './subresource.ts'

export async function evict(context: ServerContext, target: Target, eviction: Partial<Eviction>, caller: Caller): Promise<void> {
  const { kind, name, namespace } = target
  await remove(context, { kind, name, namespace }, (eviction.deleteOptions ?? {}) as DeletionOptions, caller)
}

export function evictionRoute(context: ServerContext): SubresourceRoute {
  return {
    async serve(exchange, target) {
      const { value } = decodeBody(await readBody(exchange.request), mediaTypeOf(exchange.request), 'V1Eviction', 'Ignore')
      await evict(context, target, (value ?? {}) as Partial<Eviction>, exchange.caller)
      return sendValue(exchange, 201, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 }, 'V1Status')
    },
  }
}
