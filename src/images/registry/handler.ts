// From a request to the endpoint that answers it. Whatever goes wrong there becomes an answer too.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Logger } from '../../lib/logger.ts'
import { callerOf, type Access } from './access.ts'
import { sendJson } from './answer.ts'
import type { Collections } from './collection/collections.ts'
import { serveBlob } from './endpoints/blobs.ts'
import { serveManifest } from './endpoints/manifests.ts'
import { servePrune } from './endpoints/prune.ts'
import { serveReferrers } from './endpoints/referrers.ts'
import { serveCatalog, serveTags } from './endpoints/tags.ts'
import { serveUpload, startUpload } from './endpoints/uploads.ts'
import { sendError } from './error-answer.ts'
import type { Exchange } from './exchange.ts'
import { RegistryError } from './registry-error.ts'
import type { RegistryStore } from './registry-store.ts'
import { routeOf } from './route.ts'

export interface HandlerOptions {
  readonly store: RegistryStore
  readonly access: Access
  /** undefined: nobody may ask for one here. */
  readonly collections?: Collections
  /** Registries elsewhere, by the name in `?ns=`; undefined: this one is asked. */
  readonly foreign?: (namespace: string, exchange: Exchange) => Promise<void> | undefined
  readonly logger: Logger
}

export type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>

export function requestHandler(options: HandlerOptions): Handler {
  return async (request, response) => {
    try {
      await handle(options, request, response)
    } catch (error) {
      sendError(request, response, error, options.logger)
    }
  }
}

async function handle(options: HandlerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { store, access, foreign } = options
  const [path = '', ...query] = (request.url ?? '').split('?')
  response.setHeader('Docker-Distribution-Api-Version', 'registry/2.0')
  const caller = await callerOf(access, request)
  const exchange = { request, response, path, query: new URLSearchParams(query.join('?')), caller, store }
  const namespace = exchange.query.get('ns')
  const answered = namespace === null ? undefined : foreign?.(namespace, exchange)
  return answered ?? dispatch(options, exchange)
}

function dispatch({ collections }: HandlerOptions, exchange: Exchange): Promise<void> | void {
  const route = routeOf(exchange.path)
  switch (route.kind) {
    case 'base':
      return serveBase(exchange)
    case 'catalog':
      return serveCatalog(exchange)
    case 'tags':
      return serveTags(exchange, route.repository)
    case 'manifest':
      return serveManifest(exchange, route.repository, route.reference)
    case 'blob':
      return serveBlob(exchange, route.repository, route.digest)
    case 'uploads':
      return startUpload(exchange, route.repository)
    case 'upload':
      return serveUpload(exchange, route.repository, route.id)
    case 'referrers':
      return serveReferrers(exchange, route.repository, route.subject)
    case 'extension':
      if (route.name === 'prune' && collections !== undefined) return servePrune(exchange, collections)
      throw new RegistryError(404, 'UNSUPPORTED', `there is nothing at ${exchange.path.slice(0, 300)}`)
  }
}

/** Who logs in asks for this to see whether the password is good, and sends none unless he is asked for one. */
function serveBase({ response, caller }: Exchange): void {
  if (caller.isAnonymous)
    throw new RegistryError(401, 'UNAUTHORIZED', 'log in with a token of the cluster as password', {
      'WWW-Authenticate': 'Basic realm="sampan"',
    })
  sendJson(response, 200, {})
}
