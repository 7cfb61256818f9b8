// The verbs on resources: finds the kind, reads parameters and body, calls the operation, writes the answer.
import {
  badRequest,
  invalid,
  methodNotAllowed,
  noSuchPage,
  noSuchPath,
  notFound,
  unsupportedMediaType,
  type Status,
} from '../../api/api-error.ts'
import { decodeObject } from '../../api/decode.ts'
import { forbiddenField, invalidValue, joinErrors, notSupported, required } from '../../api/field-error.ts'
import type { KindDefinition, Verb } from '../../api/kind.ts'
import type { KubeObject } from '../../api/object.ts'
import { returnsDeletedObject } from '../../api/returns-deleted-object.ts'
import { assertWantsBody } from '../../streams/websocket-body.ts'
import { create } from '../operations/create.ts'
import { remove, type DeletionOptions } from '../operations/delete.ts'
import { list } from '../operations/list.ts'
import { compileFilter } from '../operations/object-filter.ts'
import { patch, patchTypeOf } from '../operations/patch.ts'
import { current } from '../operations/read.ts'
import { update } from '../operations/update.ts'
import { keyOfTarget, type Target } from '../request.ts'
import type { ServerContext } from '../server-context.ts'
import { answerPosted, componentStatuses } from '../virtual-resources.ts'
import type { CachedObject } from '../storage/cached-object.ts'
import { findSubresource, type SubresourceRoutes, type Upgrade } from '../subresources/subresource.ts'
import type { ApiPath } from './api-path.ts'
import { checkTypeOf, checkVersionOfApplied, decodeBody, decodePatch, mediaTypeOf, readBody, yamlBody } from './body.ts'
import type { Exchange } from './exchange.ts'
import { sendList } from './list-body.ts'
import { readListOptions, readWatchOptions } from './list-options.ts'
import { mediaTypes, textualTypes } from './negotiation.ts'
import { negotiatePlain } from './negotiation.ts'
import { sendObject, sendValue } from './respond.ts'
import { queryFlag } from '../query-flag.ts'
import { wholeNumber } from '../whole-number.ts'
import { asBody, asMessages, streamWatch, type OpenWatch } from './watch-stream.ts'
import { isStored, readyToFind, readyToServe, storedResource } from '../storage/kind-storage.ts'

export interface ResourceRoutes {
  readonly context: ServerContext
  readonly subresources: SubresourceRoutes
  /** How to end each watch that is being served. */
  readonly openWatches: Set<() => void>
}

export async function serveResource(routes: ResourceRoutes, exchange: Exchange, path: ApiPath): Promise<void> {
  const kind = findKind(routes.context, path)
  if (kind.custom?.deprecationWarning !== undefined) exchange.caller.warnings.push(kind.custom.deprecationWarning)
  const { namespace, name, subresource } = path
  if (name === undefined) return serveCollection(routes, exchange, kind, namespace, path)
  const target: Target = { kind, name, namespace, subresource }
  if (kind.storage?.convert !== undefined) await readyToFind(routes.context.storage, kind, keyOfTarget(target))
  if (subresource !== undefined && !isPart(kind, subresource)) {
    const route = findSubresource(routes.subresources, target)
    if (route === undefined) throw kind.custom === undefined ? noSuchPath() : notFound(kind.resource, name)
    if (route.methods?.includes(exchange.request.method!) === false) throw methodNotAllowed()
    return route.serve(exchange, target, path.rest ?? '')
  }
  return serveObject(routes, exchange, target, path)
}

/** A request that wants to switch protocols: a subresource that does, or a watch over WebSocket. */
export async function serveUpgrade(routes: ResourceRoutes, upgrade: Upgrade, path: ApiPath): Promise<void> {
  const kind = findKind(routes.context, path)
  const { namespace, name, subresource } = path
  if (subresource === undefined && upgrade.request.method === 'GET' && isWatch(upgrade, path)) {
    assertWantsBody(upgrade.request)
    return serveWatch(routes, upgrade, kind, asMessages(upgrade), namespace, name)
  }
  if (name === undefined || subresource === undefined) throw badRequest(`${upgrade.path} does not switch protocols`)
  const target: Target = { kind, name, namespace, subresource }
  const route = findSubresource(routes.subresources, target)
  if (route === undefined) throw noSuchPath()
  if (route.upgrade === undefined) throw badRequest(`${upgrade.path} does not switch protocols`)
  return route.upgrade(upgrade, target, path.rest ?? '')
}

/** A part of the object itself: read and written as the object is. */
const isPart = (kind: KindDefinition, name: string): boolean =>
  kind.subresources?.[name] !== undefined && kind.connects?.some(connect => connect.name === name) !== true

function findKind(context: ServerContext, path: ApiPath): KindDefinition {
  const kind = context.kinds.find(path.group, path.version, path.plural)
  const wrongScope =
    kind?.resource.scope === 'Namespaced'
      ? path.namespace === undefined && path.name !== undefined
      : path.namespace !== undefined
  if (kind !== undefined && !wrongScope) return kind
  throw context.kinds.hasOwnGroup(path.group) ? noSuchPath() : noSuchPage()
}

function assertVerb(kind: KindDefinition, verb: Verb): void {
  if (kind.verbs !== undefined && !kind.verbs.includes(verb)) throw methodNotAllowed()
}

async function serveCollection(
  routes: ResourceRoutes,
  exchange: Exchange,
  kind: KindDefinition,
  namespace: string | undefined,
  path: ApiPath,
): Promise<void> {
  const { context } = routes
  switch (exchange.request.method) {
    case 'GET':
      return isWatch(exchange, path)
        ? serveWatch(routes, exchange, kind, asBody(exchange), namespace)
        : serveList(context, exchange, kind, namespace)
    case 'POST': {
      if (kind.resource.scope === 'Namespaced' && namespace === undefined) throw methodNotAllowed()
      assertVerb(kind, 'create')
      const { value, problems } = await readObject(context, exchange, kind)
      if (kind.stored === false) {
        const answer = await answerPosted(context, { kind, namespace }, value, exchange.caller, problems)
        return sendValue(exchange, 201, answer.value, answer.model, negotiatePlain(exchange.request.headers.accept))
      }
      const created = await create(context, { kind, namespace }, value, exchange.caller, { problems })
      return sendObject(exchange, 201, kind, created, context.clock.now())
    }
    case 'DELETE':
      return deleteCollection(context, exchange, kind, namespace)
    default:
      throw methodNotAllowed()
  }
}

const isWatch = ({ query }: Pick<Exchange, 'query'>, path: ApiPath): boolean => path.watch || queryFlag(query, 'watch')

async function serveList(
  context: ServerContext,
  exchange: Exchange,
  kind: KindDefinition,
  namespace: string | undefined,
): Promise<void> {
  assertVerb(kind, 'list')
  if (kind.stored === false)
    return sendList(
      exchange,
      kind,
      { objects: componentStatuses(), revision: context.storage.revision },
      context.clock.now(),
    )
  const { query } = exchange
  const options = readListOptions(query)
  const filter = compileFilter(kind, query.get('labelSelector'), query.get('fieldSelector'))
  const page = await list(context, kind, { namespace, filter, ...options })
  return sendList(exchange, kind, page, context.clock.now())
}

async function serveWatch(
  { context, openWatches }: ResourceRoutes,
  exchange: Pick<Exchange, 'request' | 'query'>,
  kind: KindDefinition,
  open: OpenWatch,
  namespace: string | undefined,
  name?: string,
): Promise<void> {
  assertVerb(kind, 'watch')
  const { query } = exchange
  const { resourceVersion, sendInitialEvents, allowWatchBookmarks } = readWatchOptions(query)
  await readyToWatch(context, kind, namespace)
  const fields = [query.get('fieldSelector') ?? '', ...(name === undefined ? [] : [`metadata.name=${name}`])]
    .filter(text => text !== '')
    .join(',')
  return streamWatch(
    exchange,
    context,
    kind,
    {
      namespace,
      filter: compileFilter(kind, query.get('labelSelector'), fields),
      resourceVersion,
      sendInitialEvents,
      allowWatchBookmarks,
    },
    open,
    openWatches,
  )
}

/** What a watch begins with, whatever happens to it meanwhile. */
async function readyToWatch(
  { storage }: ServerContext,
  kind: KindDefinition,
  namespace: string | undefined,
): Promise<void> {
  if (kind.storage?.convert === undefined) return
  const cache = storage.cache(storedResource(kind))
  const beginning = (): (CachedObject | undefined)[] => [
    ...cache.list(namespace),
    ...cache.since(cache.oldestRevision).flatMap(({ current, previous }) => [current, previous]),
  ]
  for (let pending; (pending = readyToServe(kind, beginning())) !== undefined;) await pending
}

async function serveObject(routes: ResourceRoutes, exchange: Exchange, target: Target, path: ApiPath): Promise<void> {
  const { context } = routes
  const { kind, name } = target
  switch (exchange.request.method) {
    case 'GET': {
      if (isWatch(exchange, path)) return serveWatch(routes, exchange, kind, asBody(exchange), target.namespace, name)
      assertVerb(kind, 'get')
      const found = kind.stored === false ? componentStatuses(name)[0]! : current(context, target)
      return sendObject(exchange, 200, kind, found, context.clock.now())
    }
    case 'PUT': {
      assertVerb(kind, 'update')
      const { value, problems } = await readObject(context, exchange, kind)
      return sendObject(
        exchange,
        200,
        kind,
        await update(context, target, { change: () => value, problems }, exchange.caller),
        context.clock.now(),
      )
    }
    case 'PATCH': {
      assertVerb(kind, 'patch')
      return servePatch(context, exchange, target)
    }
    case 'DELETE': {
      if (target.subresource !== undefined) throw methodNotAllowed()
      assertVerb(kind, 'delete')
      const options = await readDeletionOptions(exchange)
      const deletion = await remove(context, target, options, exchange.caller)
      // So it has been since before there were propagation policies.
      const code = !deletion.gone && options.orphanDependents === false ? 202 : 200
      if (!deletion.gone || returnsDeletedObject(kind.resource))
        return sendObject(exchange, code, kind, deletion.object, context.clock.now())
      return sendValue(exchange, 200, deletedStatus(kind, deletion.object), 'V1Status')
    }
    default:
      throw methodNotAllowed()
  }
}

function deletedStatus({ resource }: KindDefinition, { object }: CachedObject): Status {
  const { name, uid } = object.metadata
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { name, ...(resource.group !== '' && { group: resource.group }), kind: resource.plural, uid },
  }
}

async function servePatch(context: ServerContext, exchange: Exchange, target: Target): Promise<void> {
  const mediaType = mediaTypeOf(exchange.request)
  const type = patchTypeOf(mediaType, target.kind)
  const bytes = await readBody(exchange.request)
  const validation = exchange.caller.fieldValidation
  const { value, problems } = type === 'apply' ? yamlBody(bytes, validation) : decodePatch(bytes, type, validation)
  if (type === 'apply') {
    if (!exchange.query.get('fieldManager'))
      throw invalid('meta.k8s.io', 'PatchOptions', '', [required('fieldManager', 'is required for apply patch')])
    checkVersionOfApplied(value, target.kind)
    checkTypeOf(value, target.kind)
  } else if (exchange.query.has('force'))
    throw invalid('meta.k8s.io', 'PatchOptions', '', [
      forbiddenField('force', 'may not be specified for non-apply patch'),
    ])
  const result = await patch(context, target, type, value, exchange.caller, {
    force: queryFlag(exchange.query, 'force'),
    problems,
  })
  return sendObject(exchange, result.created ? 201 : 200, target.kind, result.object, context.clock.now())
}

async function readObject(
  { kinds }: ServerContext,
  exchange: Exchange,
  kind: KindDefinition,
): Promise<{ value: unknown; problems: readonly string[] }> {
  const mediaType = mediaTypeOf(exchange.request)
  if (kind.custom !== undefined && mediaType === mediaTypes.protobuf) throw unsupportedMediaType(textualTypes)
  const body = decodeBody(
    await readBody(exchange.request),
    mediaType,
    kind.model,
    exchange.caller.fieldValidation,
    kind.resource.kind,
  )
  if (body.value === undefined) throw badRequest('the request has no body, but an object was expected')
  checkTypeOf(body.value, kind, (apiVersion, name) => kinds.hasKind(apiVersion, name))
  return body
}

export async function readDeletionOptions({ request, query }: Exchange): Promise<DeletionOptions> {
  const { value } = decodeBody(await readBody(request), mediaTypeOf(request), 'V1DeleteOptions', 'Ignore')
  const fromBody = value === undefined ? {} : (decodeObject('V1DeleteOptions', value).object as DeletionOptions)
  const grace = query.get('gracePeriodSeconds')
  const policy = query.get('propagationPolicy') as DeletionOptions['propagationPolicy'] | null
  const options = {
    ...(grace !== null && { gracePeriodSeconds: wholeNumber(grace) }),
    ...(policy !== null && { propagationPolicy: policy }),
    ...(query.has('orphanDependents') && { orphanDependents: queryFlag(query, 'orphanDependents') }),
    ...fromBody,
  }
  checkDeletion(options)
  return options
}

/** As messages name them; the last one is no value. */
const propagationPolicies = ['Foreground', 'Background', 'Orphan', 'nil']

function checkDeletion({ propagationPolicy: policy, orphanDependents, dryRun = [] }: DeletionOptions): void {
  const field = 'propagationPolicy'
  const problems = joinErrors(
    policy === undefined || orphanDependents === undefined
      ? []
      : [invalidValue(field, policy, 'orphanDependents and deletionPropagation cannot be both set')],
    policy === undefined || propagationPolicies.slice(0, 3).includes(policy)
      ? []
      : [notSupported(field, policy, propagationPolicies)],
    dryRun.every(value => value === 'All') ? [] : [notSupported('dryRun', dryRun, ['All'])],
  )
  if (problems.length > 0) throw invalid('meta.k8s.io', 'DeleteOptions', '', problems)
}

async function deleteCollection(
  context: ServerContext,
  exchange: Exchange,
  kind: KindDefinition,
  namespace: string | undefined,
): Promise<void> {
  assertVerb(kind, 'deletecollection')
  const { query, caller } = exchange
  const options = await readDeletionOptions(exchange)
  const page = await list(context, kind, {
    namespace,
    filter: compileFilter(kind, query.get('labelSelector'), query.get('fieldSelector')),
    limit: 0,
  })
  await Promise.all(page.objects.map(({ object }) => removeIfThere(context, kind, object, options, caller)))
  return sendList(exchange, kind, page, context.clock.now())
}

async function removeIfThere(
  context: ServerContext,
  kind: KindDefinition,
  { metadata }: KubeObject,
  options: DeletionOptions,
  caller: Exchange['caller'],
): Promise<void> {
  const target: Target = { kind, name: metadata.name, namespace: metadata.namespace }
  if (!isStored(context.storage, kind, keyOfTarget(target))) return
  await remove(context, target, options, caller)
}
