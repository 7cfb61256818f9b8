// `namespaces/finalize`: the only way to change a namespace's spec.finalizers; with the last one gone and
// a deletion under way, the namespace goes.
import type { Namespace } from '../../api/generated/models.ts'
import type { KubeObject } from '../../api/object.ts'
import { decodeBody, mediaTypeOf, readBody } from '../http/body.ts'
import { current } from '../operations/read.ts'
import { sendObject } from '../http/respond.ts'
import { keyOfTarget, type Target } from '../request.ts'
import type { ServerContext } from '../server-context.ts'
import type { CachedObject } from '../storage/cached-object.ts'
import type { SubresourceRoute } from './subresource.ts'

export async function finalize(
  context: ServerContext,
  target: Target,
  wanted: Partial<Namespace>,
): Promise<CachedObject> {
  for (;;) {
    const stored = current(context, target)
    const draft = structuredClone(stored.object) as Namespace
    draft.spec = { ...draft.spec, finalizers: wanted.spec?.finalizers ?? [] }
    if (draft.spec.finalizers?.length === 0) delete draft.spec.finalizers
    const gone =
      draft.metadata.deletionTimestamp !== undefined &&
      draft.spec.finalizers === undefined &&
      (draft.metadata.finalizers ?? []).length === 0
    const written = gone
      ? await context.storage.delete(target.kind.resource, stored)
      : await context.storage.put(target.kind.resource, keyOfTarget(target), draft as KubeObject, stored.revision)
    if (written.ok) return written.object
  }
}

export function finalizeRoute(context: ServerContext): SubresourceRoute {
  return {
    methods: ['PUT'],
    async serve(exchange, target) {
      const { value } = decodeBody(
        await readBody(exchange.request),
        mediaTypeOf(exchange.request),
        target.kind.model,
        'Ignore',
      )
      return sendObject(
        exchange,
        200,
        target.kind,
        await finalize(context, target, (value ?? {}) as Partial<Namespace>),
        context.clock.now(),
      )
    },
  }
}
