// Resources that are answered rather than stored: reviews of tokens and permissions, bindings, and the
// health of the components.
import { badRequest, notFound, type Status } from '../api/api-error.ts'
import type {
  Binding,
  ComponentStatus,
  ResourceAttributes,
  SelfSubjectAccessReviewSpec,
  SelfSubjectRulesReviewSpec,
  SubjectAccessReviewSpec,
  TokenReview,
} from '../api/generated/models.ts'
import type { KubeObject } from '../api/object.ts'
import { pods } from '../api/resources.ts'
import { admitPosted } from './admission/admission.ts'
import { nodeNameOf } from './auth/node-authorizer.ts'
import { RefusedToken } from './auth/verified-token.ts'
import { draftOf, placeInNamespace, recordOwner, throwIfInvalid } from './operations/finish-object.ts'
import type { Caller, Target, UserInfo } from './request.ts'
import type { ServerContext } from './server-context.ts'
import { CachedObject } from './storage/cached-object.ts'
import { withoutRevision } from './operations/create.ts'
import { bind } from './subresources/binding.ts'

export interface VirtualAnswer {
  readonly value: object
  readonly model: string
}

/** POST on a kind that is not stored. */
export async function answerPosted(
  context: ServerContext,
  { kind, namespace }: Omit<Target, 'name'>,
  body: unknown,
  caller: Caller,
  problems: readonly string[],
): Promise<VirtualAnswer> {
  const draft = draftOf(kind, body, caller, problems)
  placeInNamespace(draft.metadata, namespace)
  throwIfInvalid(kind, draft.metadata.name ?? '', kind.validate?.(draft) ?? [])
  if (kind.resource.plural === 'bindings')
    return {
      value: await bindPod(context, { kind, namespace, name: draft.metadata.name ?? '' }, draft as Binding, caller),
      model: 'V1Status',
    }
  const target: Target = { kind, namespace, name: '' }
  await admitPosted(context, 'CREATE', target, draft, caller)
  recordOwner(kind, draft, undefined, caller, context)
  const { status: _given, ...rest } = draft as KubeObject & { status?: unknown }
  return { value: { ...rest, status: await review(context, draft, caller) }, model: kind.model }
}

async function review(context: ServerContext, draft: KubeObject, caller: Caller): Promise<object> {
  const { user } = caller
  const { spec } = draft as KubeObject & { spec?: unknown }
  switch (draft.kind) {
    case 'SelfSubjectReview':
      return { userInfo: userInfo(user) }
    case 'TokenReview':
      return reviewToken(context, spec as TokenReview['spec'], caller)
    case 'SelfSubjectRulesReview':
      return rulesOf(context, user, (spec as SelfSubjectRulesReviewSpec | undefined)?.namespace)
    case 'SelfSubjectAccessReview':
      return decisionOn(context, user, spec as SelfSubjectAccessReviewSpec)
    default:
      return decisionOn(context, subjectOf(spec as SubjectAccessReviewSpec), spec as SubjectAccessReviewSpec)
  }
}

const subjectOf = ({ user = '', groups = [], uid }: SubjectAccessReviewSpec): UserInfo => ({
  username: user,
  groups,
  ...(uid !== undefined && { uid }),
})

function decisionOn(
  { authorizer }: ServerContext,
  user: UserInfo,
  { resourceAttributes: asked, nonResourceAttributes }: SelfSubjectAccessReviewSpec,
): object {
  const attributes =
    asked === undefined
      ? { verb: nonResourceAttributes?.verb ?? '', path: nonResourceAttributes?.path ?? '' }
      : {
          verb: asked.verb ?? '',
          group: asked.group ?? '',
          resource: asked.resource ?? '',
          subresource: asked.subresource || undefined,
          namespace: asked.namespace || undefined,
          name: asked.name || undefined,
          fieldSelector: fieldSelectorOf(asked),
        }
  const { allowed, reason } = authorizer.authorize(user, attributes)
  return { allowed, ...(reason !== '' && { reason }) }
}

/** Only what asks for equality narrows anything down. */
function fieldSelectorOf({ fieldSelector }: ResourceAttributes): string | undefined {
  if (fieldSelector?.rawSelector) return fieldSelector.rawSelector
  const terms = (fieldSelector?.requirements ?? []).flatMap(({ key, operator, values = [] }) =>
    operator === 'In' && values.length === 1 ? [`${key}=${values[0]!.replace(/[\\,=]/g, '\\$&')}`] : [],
  )
  return terms.length > 0 ? terms.join(',') : undefined
}

function rulesOf({ authorizer }: ServerContext, user: UserInfo, namespace: string | undefined): object {
  if (!namespace) throw badRequest('no namespace on request')
  const rules = authorizer.rules(user, namespace)
  const resourceRules = rules
    .filter(({ resources }) => resources !== undefined)
    .map(({ verbs, apiGroups, resources, resourceNames }) => ({
      verbs,
      apiGroups,
      resources,
      ...(resourceNames !== undefined && { resourceNames }),
    }))
  const nonResourceRules = rules
    .filter(({ nonResourceURLs }) => nonResourceURLs !== undefined)
    .map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs }))
  // What a node may depends on its pods, which no list of rules tells.
  if (nodeNameOf(user) !== undefined)
    return {
      resourceRules,
      nonResourceRules,
      incomplete: true,
      evaluationError: 'node authorizer does not support user rule resolution',
    }
  return { resourceRules, nonResourceRules, incomplete: false }
}

const userInfo = ({ username, uid, groups, extra }: UserInfo): object => ({
  username,
  ...(uid !== undefined && { uid }),
  groups,
  ...(extra !== undefined && Object.keys(extra).length > 0 && { extra }),
})

async function reviewToken(
  { tokens, bearers }: ServerContext,
  spec: TokenReview['spec'] | undefined,
  { warnings, annotate }: Caller,
): Promise<object> {
  const asked = (spec?.audiences ?? []).length > 0 ? spec!.audiences! : undefined
  const verified = spec?.token ? await bearers.verify(spec.token, asked).catch(refusedToken) : undefined
  warnings.push(...(verified?.notes?.warnings ?? []))
  for (const [key, value] of verified?.notes?.annotations ?? []) annotate?.(key, value)
  if (verified === undefined || verified instanceof RefusedToken)
    return { user: {}, error: verified?.why ?? 'invalid bearer token' }
  return {
    authenticated: true,
    user: userInfo(verified.user),
    audiences:
      verified.audiences ?? (asked ?? tokens.audiences).filter(audience => tokens.audiences.includes(audience)),
  }
}

function refusedToken(error: unknown): RefusedToken {
  if (error instanceof RefusedToken) return error
  throw error
}

/** As `pods/binding`, but admitted as what it is; uids count only there. Source: pkg/registry/core/pod/storage (LegacyBindingREST). */
async function bindPod(context: ServerContext, target: Target, binding: Binding, caller: Caller): Promise<Status> {
  const kind = context.kinds.find(pods.group, pods.version, pods.plural)!
  const { uid: _uid, ...metadata } = binding.metadata
  await bind(context, { ...target, kind }, { ...binding, metadata: metadata as Binding['metadata'] }, caller, target)
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 }
}

/** GET on componentstatuses: what of the original's components lives in this process, which answers. */
export function componentStatuses(name?: string): CachedObject[] {
  const healthy = ['controller-manager', 'etcd-0', 'scheduler'].map(component => {
    const status: ComponentStatus = {
      apiVersion: 'v1',
      kind: 'ComponentStatus',
      metadata: { name: component } as ComponentStatus['metadata'],
      conditions: [{ type: 'Healthy', status: 'True', message: 'ok' }],
    }
    return cached(status)
  })
  if (name === undefined) return healthy
  const found = healthy.filter(({ key }) => key === name)
  if (found.length === 0) throw notFound({ group: '', plural: 'componentstatuses' }, name)
  return found
}

const cached = (object: KubeObject): CachedObject =>
  new CachedObject(object.metadata.name, 0, withoutRevision(object), object)
