// `serviceaccounts/token`: a signed token for a service account, for the audiences and time asked for.
import { invalid } from '../../api/api-error.ts'
import { invalidValue } from '../../api/field-error.ts'
import type { AuthenticationTokenRequest as TokenRequest } from '../../api/generated/models.ts'
import type { New } from '../../api/object.ts'
import { formatTime } from '../../lib/clock.ts'
import { decodeBody, mediaTypeOf, readBody } from '../http/body.ts'
import { current } from '../operations/read.ts'
import { sendValue } from '../http/respond.ts'
import type { Target } from '../request.ts'
import type { ServerContext } from '../server-context.ts'
import type { SubresourceRoute } from './subresource.ts'

const model = 'AuthenticationV1TokenRequest'
const minimumSeconds = 600
const maximumSeconds = 2 ** 32
const defaultSeconds = 3600

export async function requestToken(context: ServerContext, target: Target, request: New<TokenRequest>): Promise<TokenRequest> {
  const account = current(context, target).object
  const { audiences = [], expirationSeconds = defaultSeconds, boundObjectRef } = request.spec ?? { audiences: [] }
  if (expirationSeconds < minimumSeconds) throw invalid('authentication.k8s.io', 'TokenRequest', '', [invalidValue('spec.expirationSeconds', expirationSeconds, 'may not specify a duration less than 10 minutes')])
  if (expirationSeconds > maximumSeconds) throw invalid('authentication.k8s.io', 'TokenRequest', '', [invalidValue('spec.expirationSeconds', expirationSeconds, 'may not specify a duration larger than 2^32 seconds')])
  const token = await context.tokens.issue({
    namespace: target.namespace!,
    account: { name: account.metadata.name, uid: account.metadata.uid },
    audiences,
    expirationSeconds,
    ...(boundObjectRef?.name !== undefined && { bound: { kind: boundObjectRef.kind ?? 'Pod', name: boundObjectRef.name, uid: boundObjectRef.uid ?? '' } }),
  })
  const { name, namespace } = account.metadata
  const nowMs = context.clock.now()
  return {
    kind: 'TokenRequest',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: { name, namespace, creationTimestamp: formatTime(nowMs) } as TokenRequest['metadata'],
    spec: { audiences: audiences.length > 0 ? audiences : [...context.tokens.audiences], expirationSeconds, boundObjectRef: boundObjectRef ?? (null as unknown as undefined) },
    status: { token, expirationTimestamp: formatTime(nowMs + expirationSeconds * 1000) },
  }
}

export function tokenRoute(context: ServerContext): SubresourceRoute {
  return {
    async serve(exchange, target) {
      const { value } = decodeBody(await readBody(exchange.request), mediaTypeOf(exchange.request), model, 'Ignore')
      return sendValue(exchange, 201, await requestToken(context, target, (value ?? { metadata: {} }) as New<TokenRequest>), model)
    },
  }
}
