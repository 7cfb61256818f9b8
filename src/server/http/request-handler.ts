// The first and last step of every request: who asks, what for, and how an error reads.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { badRequest, noSuchPath, serviceUnavailable, timedOut } from '../../api/api-error.ts'
import type { Timer } from '../../lib/clock.ts'
import type { Aggregator } from '../aggregation/aggregator.ts'
import { attributesOf, isPath, type Attributes } from '../auth/attributes.ts'
import { anonymous, type Authenticator } from '../auth/authenticate.ts'
import { impersonated } from '../auth/impersonate.ts'
import type { FlowControl, Passage } from '../flow-control/flow-control.ts'
import type { ServerMetrics } from '../metrics.ts'
import type { Caller, FieldValidation, UserInfo } from '../request.ts'
import { findSubresource } from '../subresources/subresource.ts'
import { parseApiPath, type ApiPath } from './api-path.ts'
import type { DiscoveryRoutes } from './discovery-routes.ts'
import type { Exchange } from './exchange.ts'
import { isHealthPath, serveHealth, type HealthCheck } from './health-routes.ts'
import { serveResource, type ResourceRoutes } from './resource-routes.ts'
import { storedResource } from '../storage/kind-storage.ts'
import { allottedMs, isLongRunning } from './request-time.ts'
import { serveIssuer } from './issuer-routes.ts'
import { checkWriteOptions } from './request-options.ts'
import { sendBytes, sendStatus, sendValue, statusOf } from './respond.ts'

export interface RequestHandlerOptions {
  readonly routes: ResourceRoutes
  readonly discovery: DiscoveryRoutes
  readonly authenticator: Authenticator
  readonly aggregator: Aggregator
  readonly flowControl: FlowControl
  readonly metrics: ServerMetrics
  readonly checks: readonly HealthCheck[]
  readonly buildDate: string
  readonly draining: () => boolean
}

const objectsPerSeat = 100
const mostSeats = 10

const rootPaths = ['/api', '/api/v1', '/apis', '/healthz', '/livez', '/metrics', '/openapi/v3', '/readyz', '/version']

export class RequestHandler {
  private readonly options: RequestHandlerOptions

  constructor(options: RequestHandlerOptions) {
    this.options = options
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = splitUrl(request.url ?? '/')
    if (isHealthPath(url.path)) return this.serveHealth(request, response, url)
    const parts = parseApiPath(url.path)
    const attributes = attributesOf(request.method ?? 'GET', url.path, parts, url.query)
    const caller = callerOf(request, url.query, anonymous)
    const observed = this.options.metrics.begin({ attributes, version: parts?.version ?? '', isDryRun: caller.dryRun, isLongRunning: isLongRunning(attributes) })
    let exchange: Exchange = { request, response, ...url, caller }
    let deadline: Timer | undefined
    let passage: Passage | undefined
    response.once('close', () => {
      deadline?.cancel()
      passage?.leave()
      observed(response.statusCode)
    })
    try {
      if (this.options.draining()) throw serviceUnavailable('the server is shutting down; try again in a moment')
      const user = await this.authenticated(request)
      exchange = { ...exchange, caller: { ...caller, user } }
      deadline = this.deadlineFor(exchange, attributes)
      passage = await this.letIn(exchange, attributes, parts)
      this.authorize(user, attributes)
      await this.route(exchange, parts)
    } catch (error) {
      await sendStatus(exchange, statusOf(error, fault => this.report(request, fault)))
    }
  }

  /** Also when the server is full or shutting down. */
  private async serveHealth(request: IncomingMessage, response: ServerResponse, url: { path: string; query: URLSearchParams }): Promise<void> {
    const { checks, buildDate } = this.options
    const caller = callerOf(request, url.query, anonymous)
    try {
      this.authorize(await this.authenticated(request), { verb: (request.method ?? 'GET').toLowerCase(), path: url.path })
      await serveHealth(url.path, url.query, response, checks, buildDate)
    } catch (error) {
      await sendStatus({ request, response, ...url, caller }, statusOf(error, fault => this.report(request, fault)))
    }
  }

  /** Answers in the place of a request that takes too long. */
  private deadlineFor(exchange: Exchange, attributes: Attributes): Timer | undefined {
    if (isLongRunning(attributes)) return undefined
    return this.options.routes.context.clock.after(allottedMs(exchange.query), () => {
      if (!exchange.response.headersSent) void sendStatus(exchange, timedOut().status)
    })
  }

  /** Waits until it is the request's turn. @throws ApiError TooManyRequests */
  private async letIn({ caller, response }: Exchange, attributes: Attributes, parts: ApiPath | undefined): Promise<Passage> {
    const { metrics, flowControl, routes } = this.options
    const beganMs = routes.context.clock.now()
    const passage = await flowControl.enter(caller.user, attributes, this.seatsOf(attributes, parts))
    const { schema, level } = passage
    if (schema === undefined || level === undefined) return passage
    metrics.letIn(schema.metadata.name, level.name, routes.context.clock.now() - beganMs)
    response.setHeader('X-Kubernetes-PF-FlowSchema-UID', schema.metadata.uid)
    response.setHeader('X-Kubernetes-PF-PriorityLevel-UID', level.uid)
    // Streams hold no seat once they are open; and a client may have left while it waited.
    if (isLongRunning(attributes) || response.closed) passage.leave()
    return passage
  }

  /** A list takes a seat for every hundred objects that are looked at. */
  private seatsOf(attributes: Attributes, parts: ApiPath | undefined): number {
    if (isPath(attributes) || attributes.verb !== 'list') return 1
    const { kinds, storage } = this.options.routes.context
    const kind = kinds.find(attributes.group, parts!.version, attributes.resource)
    return kind === undefined ? 1 : Math.min(mostSeats, Math.max(1, Math.ceil(storage.cache(storedResource(kind)).size / objectsPerSeat)))
  }

  /** A request that wants to switch protocols. Errors are answered as plain HTTP. */
  async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => socket.destroy())
    try {
      const { path, query } = splitUrl(request.url ?? '/')
      const parts = parseApiPath(path)
      const user = await this.authenticated(request)
      this.authorize(user, attributesOf(request.method ?? 'GET', path, parts, query))
      const remote = this.options.aggregator.find(path)
      if (remote !== undefined) return await this.options.aggregator.upgrade(request, socket, head, remote, user)
      const kind = parts === undefined ? undefined : this.options.routes.context.kinds.find(parts.group, parts.version, parts.plural)
      if (parts?.name === undefined || kind === undefined) throw noSuchPath()
      const target = { kind, name: parts.name, namespace: parts.namespace, subresource: parts.subresource }
      const route = findSubresource(this.options.routes.subresources, target)
      if (route.upgrade === undefined) throw badRequest(`${path} does not switch protocols`)
      return await route.upgrade({ request, socket, head, query, path, caller: callerOf(request, query, user) }, target, parts.rest ?? '')
    } catch (error) {
      const status = statusOf(error, fault => this.report(request, fault))
      const body = JSON.stringify(status)
      const code = status.code ?? 500
      socket.end(`HTTP/1.1 ${code} ${STATUS_CODES[code] ?? ''}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`)
      return undefined
    }
  }

  /** Who the request comes from, or wants to act as. @throws ApiError Unauthorized, Forbidden */
  private async authenticated(request: IncomingMessage): Promise<UserInfo> {
    return impersonated(await this.options.authenticator.authenticate(request), request.headers, this.options.routes.context.authorizer)
  }

  /** @throws ApiError Forbidden */
  private authorize(user: UserInfo, attributes: Attributes): void {
    this.options.routes.context.authorizer.assertAllowed(user, attributes)
  }

  private async route(exchange: Exchange, path: ApiPath | undefined): Promise<void> {
    const remote = this.options.aggregator.find(exchange.path)
    if (remote !== undefined) return this.options.aggregator.serve(exchange, remote)
    // What goes on to somebody else is his to check.
    if (path?.subresource !== 'proxy') checkWriteOptions(exchange.request.method, exchange.query)
    if (path !== undefined && this.options.routes.context.kinds.hasGroup(path.group)) return serveResource(this.options.routes, exchange, path)
    if (path === undefined && await this.options.discovery.serve(exchange)) return
    if (exchange.path === '/metrics') return sendBytes(exchange, 200, 'text/plain; version=0.0.4; charset=utf-8', Buffer.from(this.options.metrics.registry.text()))
    if (path === undefined && serveIssuer(exchange, this.options.routes.context.tokens)) return
    if (exchange.path === '/') return sendValue(exchange, 200, { paths: rootPaths })
    return sendBytes(exchange, 404, 'text/plain; charset=utf-8', Buffer.from('404 page not found\n'))
  }

  private report(request: IncomingMessage, error: unknown): void {
    const { message, stack } = error instanceof Error ? error : new Error(String(error))
    this.options.routes.context.logger.error('request failed', { method: request.method, url: request.url, error: message, stack })
  }
}

function splitUrl(url: string): { path: string; query: URLSearchParams } {
  const question = url.indexOf('?')
  return question < 0 ? { path: url, query: new URLSearchParams() } : { path: url.slice(0, question), query: new URLSearchParams(url.slice(question + 1)) }
}

function callerOf(request: IncomingMessage, query: URLSearchParams, user: UserInfo): Caller {
  return {
    user,
    fieldManager: query.get('fieldManager') || managerFromUserAgent(request.headers['user-agent']),
    fieldValidation: fieldValidationOf(query.get('fieldValidation')),
    dryRun: query.getAll('dryRun').includes('All'),
    warnings: [],
  }
}

const longestManager = 128

/** Kubernetes' rule: what stands before the first slash. */
function managerFromUserAgent(userAgent: string | undefined): string {
  return (userAgent ?? '').split('/', 1)[0]!.slice(0, longestManager) || 'unknown'
}

function fieldValidationOf(text: string | null): FieldValidation {
  return text === 'Ignore' || text === 'Strict' ? text : 'Warn'
}

