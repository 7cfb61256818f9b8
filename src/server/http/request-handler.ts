// The first and last step of every request: who asks, what for, and how an error reads.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { ApiError, noSuchPage, noSuchPath, PlainError, serviceUnavailable } from '../../api/api-error.ts'
import type { Timer } from '../../lib/clock.ts'
import type { Aggregator } from '../aggregation/aggregator.ts'
import type { Audit, AuditRecord } from '../audit/audit.ts'
import { attributesOf, forbiddenTo, isPath, type Attributes } from '../auth/attributes.ts'
import { anonymous, type Authenticator, type Recognized } from '../auth/authenticate.ts'
import { impersonated } from '../auth/impersonate.ts'
import { RefusedToken, type TokenNotes } from '../auth/verified-token.ts'
import { Refusal, type FlowControl, type Passage } from '../flow-control/flow-control.ts'
import type { ServerMetrics } from '../metrics.ts'
import type { Caller, FieldValidation, UserInfo } from '../request.ts'
import { parseApiPath, type ApiPath } from './api-path.ts'
import type { DiscoveryRoutes } from './discovery-routes.ts'
import type { Exchange } from './exchange.ts'
import { healthPaths, isHealthPath, serveHealth, type HealthCheck } from './health-routes.ts'
import { serveResource, serveUpgrade, type ResourceRoutes } from './resource-routes.ts'
import { storedResource } from '../storage/kind-storage.ts'
import { allottedMs, isLongRunning } from './request-time.ts'
import { issuerPaths, serveIssuer } from './issuer-routes.ts'
import { checkWriteOptions } from './request-options.ts'
import { caching, plainText, sendBytes, sendError, sendTimedOut, sendValue, tellable } from './respond.ts'
import { sharedTurn } from './shared-turn.ts'

export interface RequestHandlerOptions {
  readonly routes: ResourceRoutes
  readonly discovery: DiscoveryRoutes
  readonly authenticator: Authenticator
  readonly aggregator: Aggregator
  readonly flowControl: FlowControl
  readonly metrics: ServerMetrics
  readonly checks: readonly HealthCheck[]
  readonly draining: () => boolean
  readonly audit?: Audit
}

const objectsPerSeat = 100
const mostSeats = 10

const singlePaths = ['/apis', '/metrics', '/openapi/v2', '/openapi/v3', '/version', ...issuerPaths]

export class RequestHandler {
  private readonly options: RequestHandlerOptions

  constructor(options: RequestHandlerOptions) {
    this.options = options
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    await sharedTurn()
    if (response.closed) return // The client has left already; nobody would hear of it again.
    const url = splitUrl(request.url ?? '/')
    const auditId = this.auditIdOf(request)
    response.setHeader('Audit-Id', auditId)
    response.setHeader('Cache-Control', caching)
    if (isHealthPath(url.path)) return this.serveHealth(request, response, url)
    const parts = parseApiPath(url.path)
    const attributes = attributesOf(request.method ?? 'GET', url.path, parts, url.query)
    const longRunning = isLongRunning(attributes)
    const caller = callerOf(request, url.query, anonymous)
    const observed = this.options.metrics.begin({
      attributes,
      version: parts?.version ?? '',
      isDryRun: caller.dryRun,
      isLongRunning: longRunning,
    })
    let exchange: Exchange = { request, response, ...url, caller }
    let deadline: Timer | undefined
    let passage: Passage | undefined
    let record: AuditRecord | undefined
    response.once('close', () => {
      record?.finished(response.statusCode)
      deadline?.cancel()
      passage?.leave()
      observed(response.statusCode)
    })
    try {
      if (this.options.draining() && url.path !== '/metrics') {
        response.setHeader('Retry-After', '1')
        throw serviceUnavailable('apiserver is shutting down')
      }
      const { user: real, notes } = await this.recognized(auditId, request, response, attributes, parts)
      record = this.options.audit?.begin(auditId, request, response, attributes, parts, real, longRunning)
      if (notes !== undefined) {
        caller.warnings.push(...notes.warnings)
        auditNotes(notes, record)
      }
      const user = this.actingAs(real, request, record)
      exchange = {
        ...exchange,
        caller: { ...caller, user, ...(record !== undefined && { annotate: record.annotate }) },
      }
      if (!longRunning) deadline = this.deadlineFor(exchange)
      passage = await this.letIn(exchange, attributes, parts, longRunning)
      this.authorize(user, attributes, record)
      record?.started()
      await this.route(exchange, parts)
    } catch (error) {
      const told = tellable(error, fault => this.report(request, fault))
      record?.failed(told.status, told !== error)
      await this.sendFailure(exchange, told)
    }
  }

  /** Also when the server is full or shutting down. */
  private async serveHealth(
    request: IncomingMessage,
    response: ServerResponse,
    url: { path: string; query: URLSearchParams },
  ): Promise<void> {
    const { checks } = this.options
    const exchange = { request, response, ...url, caller: callerOf(request, url.query, anonymous) }
    try {
      const { user: real } = await this.options.authenticator.authenticate(request)
      this.authorize(this.actingAs(real, request), { verb: (request.method ?? 'GET').toLowerCase(), path: url.path })
      await serveHealth(exchange, checks)
    } catch (error) {
      await this.sendFailure(
        exchange,
        tellable(error, fault => this.report(request, fault)),
      )
    }
  }

  /** An answer that cannot be written must not end the server. */
  private async sendFailure(exchange: Exchange, error: ApiError): Promise<void> {
    try {
      await sendError(exchange, error)
    } catch (fault) {
      this.report(exchange.request, fault)
      exchange.response.destroy()
    }
  }

  /** Answers in the place of a request that takes too long. */
  private deadlineFor(exchange: Exchange): Timer {
    return this.options.routes.context.clock.after(allottedMs(exchange.query), () => {
      if (!exchange.response.headersSent) void sendTimedOut(exchange)
    })
  }

  /** Waits until it is the request's turn. @throws Refusal */
  private async letIn(
    { caller, response }: Exchange,
    attributes: Attributes,
    parts: ApiPath | undefined,
    longRunning: boolean,
  ): Promise<Passage> {
    const { metrics, flowControl, routes } = this.options
    const beganMs = routes.context.clock.now()
    let passage: Passage
    try {
      passage = await flowControl.enter(caller.user, attributes, this.seatsOf(attributes, parts))
    } catch (error) {
      if (error instanceof Refusal) tellPlace(response, error)
      throw error
    }
    const { schema, level } = passage
    if (schema === undefined || level === undefined) return passage
    metrics.letIn(schema.metadata.name, level.name, routes.context.clock.now() - beganMs)
    tellPlace(response, { schema, level })
    // Streams hold no seat once they are open; and a client may have left while it waited.
    if (longRunning || response.closed) passage.leave()
    return passage
  }

  /** A list takes a seat for every hundred objects that are looked at. */
  private seatsOf(attributes: Attributes, parts: ApiPath | undefined): number {
    if (isPath(attributes) || attributes.verb !== 'list') return 1
    const { kinds, storage } = this.options.routes.context
    const kind = kinds.find(attributes.group, parts!.version, attributes.resource)
    return kind === undefined
      ? 1
      : Math.min(mostSeats, Math.max(1, Math.ceil(storage.cache(storedResource(kind)).size / objectsPerSeat)))
  }

  /** A request that wants to switch protocols. Errors are answered as plain HTTP. */
  async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => socket.destroy())
    let record: AuditRecord | undefined
    let code = 101
    const auditId = this.auditIdOf(request)
    try {
      const { path, query } = splitUrl(request.url ?? '/')
      const parts = parseApiPath(path)
      const attributes = attributesOf(request.method ?? 'GET', path, parts, query)
      const observed = this.options.metrics.begin({
        attributes,
        version: parts?.version ?? '',
        isDryRun: false,
        isLongRunning: true,
      })
      socket.once('close', () => observed(code))
      const { user: real, notes } = await this.recognized(auditId, request, undefined, attributes, parts)
      record = this.options.audit?.begin(auditId, request, undefined, attributes, parts, real, true)
      if (notes !== undefined) auditNotes(notes, record)
      socket.once('close', () => record?.finished(code))
      const user = this.actingAs(real, request, record)
      this.authorize(user, attributes, record)
      record?.started()
      const remote = this.options.aggregator.find(path)
      if (remote !== undefined)
        return await this.options.aggregator.upgrade(request, socket, head, remote, user, auditId)
      if (parts === undefined) throw noSuchPath()
      const upgrade = { request, socket, head, query, path, caller: callerOf(request, query, user) }
      return await serveUpgrade(this.options.routes, upgrade, parts)
    } catch (error) {
      const told = tellable(error, fault => this.report(request, fault))
      const [type, body] =
        told instanceof PlainError
          ? [plainText, `${told.message}\n`]
          : ['application/json', JSON.stringify(told.status)]
      code = told.code
      record?.failed(told.status, told !== error)
      const headers = {
        'Audit-Id': auditId,
        'Cache-Control': caching,
        'Content-Type': type,
        'Content-Length': Buffer.byteLength(body),
        Date: new Date().toUTCString(),
        Connection: 'close',
      }
      socket.end(
        `HTTP/1.1 ${code} ${STATUS_CODES[code] ?? ''}\r\n${Object.entries(headers)
          .map(([name, value]) => `${name}: ${value}\r\n`)
          .join('')}\r\n${body}`,
      )
      return undefined
    }
  }

  /** By which others find the request; whoever asks may choose it. Source: apiserver pkg/endpoints/filters/audit_init.go. */
  private auditIdOf({ headers }: IncomingMessage): string {
    return String(headers['audit-id'] ?? '') || this.options.routes.context.random.uuid()
  }

  /** Who the request comes from. @throws ApiError Unauthorized */
  private async recognized(
    auditId: string,
    request: IncomingMessage,
    response: ServerResponse | undefined,
    attributes: Attributes,
    parts: ApiPath | undefined,
  ): Promise<Recognized> {
    try {
      return await this.options.authenticator.authenticate(request)
    } catch (error) {
      if (error instanceof ApiError) {
        const record = this.options.audit?.begin(auditId, request, response, attributes, parts, undefined, false)
        if (error instanceof RefusedToken) auditNotes(error.notes, record)
        record?.refused(error.status)
      }
      throw error
    }
  }

  /** Who the request wants to be taken for. @throws ApiError Forbidden */
  private actingAs(real: UserInfo, request: IncomingMessage, record?: AuditRecord): UserInfo {
    const user = impersonated(real, request, this.options.routes.context.authorizer)
    record?.impersonated(user)
    return user
  }

  /** @throws ApiError Forbidden */
  private authorize(user: UserInfo, attributes: Attributes, record?: AuditRecord): void {
    const decision = this.options.routes.context.authorizer.authorize(user, attributes)
    record?.decided(decision)
    if (!decision.allowed) throw forbiddenTo(user, attributes, decision.reason)
  }

  private async route(exchange: Exchange, path: ApiPath | undefined): Promise<void> {
    const remote = this.options.aggregator.find(exchange.path)
    if (remote !== undefined) return this.options.aggregator.serve(exchange, remote)
    // What goes on to somebody else is his to check.
    if (path?.subresource !== 'proxy') checkWriteOptions(exchange.request.method, exchange.query)
    if (path !== undefined && this.options.routes.context.kinds.hasGroup(path.group))
      return serveResource(this.options.routes, exchange, path)
    if (path === undefined && (await this.options.discovery.serve(exchange))) return
    if (exchange.path === '/metrics')
      return sendBytes(
        exchange,
        200,
        'text/plain; version=0.0.4; charset=utf-8',
        Buffer.from(this.options.metrics.registry.text()),
      )
    if (path === undefined && serveIssuer(exchange, this.options.routes.context.tokens)) return
    if (exchange.path === '/')
      return sendValue(exchange, 200, {
        paths: [...singlePaths, ...this.options.discovery.paths(), ...healthPaths(this.options.checks)].toSorted(),
      })
    throw noSuchPage()
  }

  private report(request: IncomingMessage, error: unknown): void {
    const { message, stack } = error instanceof Error ? error : new Error(String(error))
    this.options.routes.context.logger.error('request failed', {
      method: request.method,
      url: request.url,
      error: message,
      stack,
    })
  }
}

/** By uid: names would tell how people are classified. */
function tellPlace(response: ServerResponse, { schema, level }: Pick<Refusal, 'schema' | 'level'>): void {
  response.setHeader('X-Kubernetes-PF-FlowSchema-UID', schema.metadata.uid)
  response.setHeader('X-Kubernetes-PF-PriorityLevel-UID', level.uid)
}

function auditNotes({ annotations }: TokenNotes, record: AuditRecord | undefined): void {
  for (const [key, value] of annotations) record?.annotate(key, value)
}

function splitUrl(url: string): { path: string; query: URLSearchParams } {
  const question = url.indexOf('?')
  return question < 0
    ? { path: url, query: new URLSearchParams() }
    : { path: url.slice(0, question), query: new URLSearchParams(url.slice(question + 1)) }
}

function callerOf(request: IncomingMessage, query: URLSearchParams, user: UserInfo): Caller {
  const given = givenOptions(query)
  return {
    user,
    fieldManager: query.get('fieldManager') || managerFromUserAgent(request.headers['user-agent']),
    fieldValidation: fieldValidationOf(query.get('fieldValidation')),
    dryRun: query.getAll('dryRun').includes('All'),
    warnings: [],
    ...(given !== undefined && { given }),
  }
}

function givenOptions(query: URLSearchParams): Caller['given'] {
  const [fieldManager, fieldValidation] = [query.get('fieldManager'), query.get('fieldValidation')]
  return fieldManager || fieldValidation
    ? { ...(fieldManager && { fieldManager }), ...(fieldValidation && { fieldValidation }) }
    : undefined
}

const longestManager = 128

/** Kubernetes' rule: what stands before the first slash. */
function managerFromUserAgent(userAgent: string | undefined): string {
  return (userAgent ?? '').split('/', 1)[0]!.slice(0, longestManager) || 'unknown'
}

function fieldValidationOf(text: string | null): FieldValidation {
  return text === 'Ignore' || text === 'Strict' ? text : 'Warn'
}
