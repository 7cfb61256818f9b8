// Reading many: from the cache, or, when a client pages through a list that changes meanwhile, from the
// store at the revision of the first page.
import { badRequest, expired, tooLargeRevision } from '../../api/api-error.ts'
import type { KindDefinition } from '../../api/kind.ts'
import { CompactedError } from '../../store/store.ts'
import type { ServerContext } from '../server-context.ts'
import type { CachedObject } from '../storage/cached-object.ts'
import type { ObjectFilter } from './object-filter.ts'
import { asServed, readyToServe, storedResource } from '../storage/kind-storage.ts'

export interface ListQuery {
  readonly namespace?: string | undefined
  readonly filter: ObjectFilter
  readonly limit: number
  readonly continueToken?: string | undefined
  readonly resourceVersion?: string | undefined
  readonly resourceVersionMatch?: string | undefined
}

export interface ListPage {
  readonly objects: readonly CachedObject[]
  readonly revision: number
  readonly continueToken?: string
  readonly remaining?: number
}

interface Position {
  /** `asOfNow`: the state the list began with is gone, the rest is listed as it is now. */
  readonly revision: number
  /** Last key of the page before. */
  readonly after: string
}

const version = 'meta.k8s.io/v1'
const asOfNow = -1
const staleRevision = 'The resourceVersion for the provided list is too old.'
const staleToken =
  'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.'

export async function list(context: ServerContext, kind: KindDefinition, query: ListQuery): Promise<ListPage> {
  const { storage } = context
  const cache = storage.cache(storedResource(kind))
  const asked = revisionOf(query)
  const position = query.continueToken ? decodeToken(query.continueToken) : undefined
  if (position !== undefined && asked > 0)
    throw badRequest('specifying resource version is not allowed when using continue')
  const wanted =
    position === undefined
      ? exactRevision(query, asked, storage.revision)
      : position.revision === asOfNow
        ? undefined
        : position.revision
  if (wanted !== undefined && wanted > storage.revision) throw tooLargeRevision(wanted, storage.revision)
  const unchanged = wanted === undefined || (cache.remembers(wanted) && cache.since(wanted).length === 0)
  if (!unchanged) return listPast(context, kind, query, wanted, position)
  const { revision } = storage
  const all = await servedList(kind, cache.list(query.namespace))
  const start = position === undefined ? 0 : all.findIndex(object => object.key > position.after)
  return page(start < 0 ? [] : start === 0 ? all : all.slice(start), query, wanted ?? revision)
}

async function servedList(kind: KindDefinition, stored: CachedObject[]): Promise<CachedObject[]> {
  if (kind.storage === undefined) return stored
  await readyToServe(kind, stored)
  return stored.map(object => asServed(kind, object))
}

/** 0: none in particular. */
function revisionOf({ resourceVersion = '' }: ListQuery): number {
  const revision = Number(resourceVersion)
  if (!Number.isSafeInteger(revision) || revision < 0)
    throw badRequest(
      `resourceVersion: Invalid value: "${resourceVersion}": strconv.ParseUint: parsing "${resourceVersion}": invalid syntax`,
    )
  return revision
}

/** A page of a revision without more words is of exactly that one, as before there were words for it. */
function exactRevision(
  { resourceVersionMatch, limit }: ListQuery,
  revision: number,
  newest: number,
): number | undefined {
  if (revision === 0) return undefined
  if (revision > newest) throw tooLargeRevision(revision, newest)
  return resourceVersionMatch === 'Exact' || (!resourceVersionMatch && limit > 0) ? revision : undefined
}

async function listPast(
  context: ServerContext,
  kind: KindDefinition,
  query: ListQuery,
  revision: number,
  position: Position | undefined,
): Promise<ListPage> {
  try {
    const { objects } = await context.storage.listAt(storedResource(kind), revision, {
      limit: 0,
      ...(query.namespace !== undefined && { namespace: query.namespace }),
      ...(position !== undefined && { fromKey: `${position.after}\0` }),
    })
    return page(await servedList(kind, objects), query, revision)
  } catch (error) {
    if (!(error instanceof CompactedError)) throw error
    throw position === undefined
      ? expired(staleRevision)
      : expired(staleToken, encodeToken({ ...position, revision: asOfNow }))
  }
}

function page(candidates: readonly CachedObject[], { filter, limit }: ListQuery, revision: number): ListPage {
  if (filter.matchesAll) {
    if (limit <= 0 || candidates.length <= limit) return { objects: candidates, revision }
    const objects = candidates.slice(0, limit)
    return {
      objects,
      revision,
      continueToken: encodeToken({ revision, after: objects.at(-1)!.key }),
      remaining: candidates.length - limit,
    }
  }
  const objects: CachedObject[] = []
  for (const [index, candidate] of candidates.entries()) {
    if (!filter.matches(candidate)) continue
    objects.push(candidate)
    // A full page: whether anything behind it matches is the next request's matter.
    if (objects.length === limit && index < candidates.length - 1)
      return { objects, revision, continueToken: encodeToken({ revision, after: candidate.key }) }
  }
  return { objects, revision }
}

function encodeToken({ revision, after }: Position): string {
  return Buffer.from(JSON.stringify({ v: version, rv: revision, start: `${after}\0` })).toString('base64url')
}

function decodeToken(token: string): Position {
  const text = Buffer.from(token, 'base64url').toString()
  let problem = 'it was not made by this server'
  try {
    const { v, rv, start } = JSON.parse(text) as { v: string; rv: number; start: string }
    if (v === version && Number.isSafeInteger(rv) && typeof start === 'string')
      return { revision: rv, after: start.replace(/\0$/, '') }
  } catch {
    problem =
      text === '' ? 'unexpected end of JSON input' : `invalid character '${text[0]}' looking for beginning of value`
  }
  throw badRequest(`invalid continue token: continue key is not valid: ${problem}`)
}
