// `serviceaccounts/token`: a signed token for a service account, for the audiences and time asked for.
import { badRequest, conflict, invalid, notFound } from '../../api/api-error.ts'
import { decodeObject } from '../../api/decode.ts'
import { invalidValue, joinErrors, type FieldError } from '../../api/field-error.ts'
import type {
  AuthenticationTokenRequest as TokenRequest,
  BoundObjectReference,
  Pod,
  ServiceAccount,
} from '../../api/generated/models.ts'
import type { KubeObject, New } from '../../api/object.ts'
import type { Resource } from '../../api/resource.ts'
import { nodes, pods, secrets } from '../../api/resources.ts'
import { formatTime } from '../../lib/clock.ts'
import { admitPosted } from '../admission/admission.ts'
import type { TokenRequestFacts } from '../auth/service-account-tokens.ts'
import { decodeBody, mediaTypeOf, readBody } from '../http/body.ts'
import { current } from '../operations/read.ts'
import { sendValue } from '../http/respond.ts'
import type { Caller, Target } from '../request.ts'
import type { ServerContext } from '../server-context.ts'
import type { SubresourceRoute } from './subresource.ts'

const model = 'AuthenticationV1TokenRequest'
const minimumSeconds = 600
const maximumSeconds = 2 ** 32
const defaultSeconds = 3600

/** The token is for what the request wants as admission left it. */
export async function requestToken(
  context: ServerContext,
  target: Target,
  request: New<TokenRequest>,
  caller: Caller,
): Promise<TokenRequest> {
  const spec = {
    ...request.spec,
    audiences: request.spec?.audiences ?? [],
    expirationSeconds: request.spec?.expirationSeconds ?? defaultSeconds,
  }
  const posted = {
    ...request,
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    metadata: { ...request.metadata },
    spec,
  }
  const admitted = await admitPosted(context, 'CREATE', { ...target, subresource: 'token' }, posted, caller, {
    model,
    check: after => check(context, target, after),
  })
  const account = current(context, target).object as ServiceAccount
  const {
    audiences = [],
    expirationSeconds = defaultSeconds,
    boundObjectRef,
  } = (admitted.spec ?? {}) as Partial<TokenRequest['spec']>
  const token = await context.tokens.issue({
    namespace: target.namespace!,
    account: { name: account.metadata.name, uid: account.metadata.uid },
    audiences,
    expirationSeconds: Number(expirationSeconds),
    ...(boundObjectRef !== undefined && boundTo(context, account, boundObjectRef)),
  })
  const { name, namespace } = account.metadata
  const nowMs = context.clock.now()
  return {
    kind: 'TokenRequest',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: { name, namespace, creationTimestamp: formatTime(nowMs) } as TokenRequest['metadata'],
    spec: {
      audiences: audiences.length > 0 ? audiences : [...context.tokens.audiences],
      expirationSeconds,
      boundObjectRef: boundObjectRef ?? (null as unknown as undefined),
    },
    status: { token, expirationTimestamp: formatTime(nowMs + Number(expirationSeconds) * 1000) },
  }
}

type Posted = Pick<New<TokenRequest>, 'metadata' | 'spec'>

/** @throws ApiError Invalid, or NotFound where there is no such account */
function check(context: ServerContext, target: Target, posted: Posted): void {
  throwIfAny(target.name, placeProblems(posted, target))
  current(context, target)
  throwIfAny('', durationProblems(posted))
}

function throwIfAny(name: string, problems: readonly FieldError[]): void {
  if (problems.length > 0) throw invalid('authentication.k8s.io', 'TokenRequest', name, problems)
}

const placeProblems = ({ metadata }: Posted, { name, namespace }: Target): FieldError[] =>
  joinErrors(
    metadata?.name && metadata.name !== name
      ? [invalidValue('metadata.name', metadata.name, 'must match the service account name if specified')]
      : [],
    metadata?.namespace && metadata.namespace !== namespace
      ? [
          invalidValue(
            'metadata.namespace',
            metadata.namespace,
            'must match the service account namespace if specified',
          ),
        ]
      : [],
  )

function durationProblems({ spec }: Posted): FieldError[] {
  const { expirationSeconds = defaultSeconds } = (spec ?? {}) as Partial<TokenRequest['spec']>
  return joinErrors(
    expirationSeconds < minimumSeconds
      ? [invalidValue('spec.expirationSeconds', expirationSeconds, 'may not specify a duration less than 10 minutes')]
      : [],
    expirationSeconds > maximumSeconds
      ? [
          invalidValue(
            'spec.expirationSeconds',
            expirationSeconds,
            'may not specify a duration larger than 2^32 seconds',
          ),
        ]
      : [],
  )
}

/** The object that the token lives and dies with, which must be there; a pod brings its node along. */
function boundTo(
  { storage }: ServerContext,
  { metadata: { namespace, name: account } }: ServiceAccount,
  { apiVersion, kind, name = '', uid }: BoundObjectReference,
): Pick<TokenRequestFacts, 'bound' | 'node'> {
  const find = (resource: Resource, key: string): KubeObject => {
    const found = storage.get(resource, key)?.object
    if (found === undefined) throw notFound(resource, name)
    if (uid && uid !== found.metadata.uid)
      throw conflict(
        resource,
        name,
        `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`,
      )
    return found
  }
  const bound = (object: KubeObject): TokenRequestFacts['bound'] => ({ kind: kind!, name, uid: object.metadata.uid })
  if (apiVersion !== undefined && apiVersion !== 'v1')
    throw badRequest(`cannot bind token to object of type ${apiVersion}, Kind=${kind}`)
  switch (kind) {
    case 'Pod': {
      const pod = find(pods, `${namespace}/${name}`) as Pod
      if (pod.spec.serviceAccountName !== account)
        throw badRequest(
          `cannot bind token for serviceaccount ${JSON.stringify(account)} to pod running with different serviceaccount name.`,
        )
      const node = pod.spec.nodeName ? storage.get(nodes, pod.spec.nodeName)?.object : undefined
      return {
        bound: bound(pod),
        ...(pod.spec.nodeName && {
          node: { name: pod.spec.nodeName, ...(node !== undefined && { uid: node.metadata.uid }) },
        }),
      }
    }
    case 'Secret':
      return { bound: bound(find(secrets, `${namespace}/${name}`)) }
    case 'Node':
      return { bound: bound(find(nodes, name)) }
    default:
      throw badRequest(`cannot bind token to object of type ${apiVersion ?? ''}, Kind=${kind ?? ''}`)
  }
}

export function tokenRoute(context: ServerContext): SubresourceRoute {
  return {
    methods: ['POST'],
    async serve(exchange, target) {
      const { value } = decodeBody(await readBody(exchange.request), mediaTypeOf(exchange.request), model, 'Ignore')
      return sendValue(
        exchange,
        201,
        await requestToken(
          context,
          target,
          decodeObject(model, value ?? {}).object as unknown as New<TokenRequest>,
          exchange.caller,
        ),
        model,
      )
    },
  }
}
