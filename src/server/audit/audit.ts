// One record for each request that the policy asks for, written as events of audit.k8s.io/v1 at its stages.
// Source: staging/src/k8s.io/apiserver/pkg/endpoints/filters/audit.go.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Status } from '../../api/api-error.ts'
import {
  auditLevels,
  auditVerdict,
  type AuditedRequest,
  type AuditLevel,
  type AuditPolicy,
  type AuditStage,
  type AuditVerdict,
} from '../../api/audit-policy.ts'
import { isObject } from '../../api/patch/json-value.ts'
import { formatMicroTime, type Clock } from '../../lib/clock.ts'
import { isPath, type Attributes, type Decision } from '../auth/attributes.ts'
import { decodeBody, mediaTypeOf, observeBody } from '../http/body.ts'
import type { ApiPath } from '../http/api-path.ts'
import type { UserInfo } from '../request.ts'
import type { LineSink } from '../../host/line-file.ts'

/** Larger answers are not written. */
const mostBytes = 8 * 1024 * 1024

export interface AuditOptions {
  readonly policy: AuditPolicy
  readonly sink: LineSink
  readonly clock: Clock
  /** The model of the objects at a path, for bodies in protobuf. */
  readonly modelOf: (path: ApiPath) => string | undefined
}

export class Audit {
  private readonly options: AuditOptions

  constructor(options: AuditOptions) {
    this.options = options
  }

  /** undefined: the policy asks for nothing. @param user undefined: nobody was recognized */
  begin(
    id: string,
    request: IncomingMessage,
    response: ServerResponse | undefined,
    attributes: Attributes,
    path: ApiPath | undefined,
    user: UserInfo | undefined,
    isLongRunning: boolean,
  ): AuditRecord | undefined {
    const asked: AuditedRequest = {
      username: user?.username,
      groups: user?.groups ?? [],
      verb: attributes.verb,
      path: isPath(attributes) ? attributes.path : '',
      ...(!isPath(attributes) && { resource: attributes }),
    }
    const verdict = auditVerdict(this.options.policy, asked)
    return verdict.level === 'None'
      ? undefined
      : new AuditRecord(this.options, verdict, { id, request, response, attributes, path, user, isLongRunning })
  }

  close(): Promise<void> {
    return this.options.sink.close()
  }
}

interface Subject {
  readonly id: string
  readonly request: IncomingMessage
  readonly response: ServerResponse | undefined
  readonly attributes: Attributes
  readonly path: ApiPath | undefined
  readonly user: UserInfo | undefined
  readonly isLongRunning: boolean
}

const atLeast = (level: AuditLevel, wanted: AuditLevel): boolean =>
  auditLevels.indexOf(level) >= auditLevels.indexOf(wanted)

export class AuditRecord {
  private readonly options: AuditOptions
  private readonly verdict: AuditVerdict
  private readonly subject: Subject
  private readonly receivedMs: number
  private readonly annotations: Record<string, string> = {}
  private readonly answered: Buffer[] = []
  private answeredBytes = 0
  private asUser: UserInfo | undefined
  private posted: Buffer | undefined
  private status: Status | undefined
  private panicked = false

  constructor(options: AuditOptions, verdict: AuditVerdict, subject: Subject) {
    this.options = options
    this.verdict = verdict
    this.subject = subject
    this.receivedMs = options.clock.now()
    if (subject.user === undefined) return
    if (atLeast(verdict.level, 'Request') || subject.attributes.verb === 'create')
      observeBody(subject.request, bytes => {
        this.posted = bytes
      })
    if (atLeast(verdict.level, 'RequestResponse') && !subject.isLongRunning) this.collectAnswer()
    this.write('RequestReceived')
  }

  impersonated(user: UserInfo): void {
    if (user !== this.subject.user) this.asUser = user
  }

  decided({ allowed, reason }: Decision): void {
    this.annotate('authorization.k8s.io/decision', allowed ? 'allow' : 'forbid')
    this.annotate('authorization.k8s.io/reason', reason)
  }

  /** The first value that is said stays. */
  readonly annotate = (key: string, value: string): void => {
    this.annotations[key] ??= value
  }

  /** @param unexpected the server is at fault, not the request */
  failed(status: Status, unexpected: boolean): void {
    this.status = status
    this.panicked = unexpected
  }

  started(): void {
    if (this.subject.isLongRunning) this.write('ResponseStarted', 200)
  }

  /** Nobody was recognized; nothing else will be written. */
  refused(status: Status): void {
    this.status = {
      ...status,
      message: `Authentication failed, attempted: ${this.subject.request.headers.authorization === undefined ? 'x509' : 'bearer'}`,
    }
    this.write('ResponseStarted', 401)
  }

  finished(code: number): void {
    this.write(this.panicked ? 'Panic' : 'ResponseComplete', code)
  }

  /** Answers are kept as they are sent; compression is declined, so that they can be read. */
  private collectAnswer(): void {
    const { request, response } = this.subject
    if (response === undefined) return
    delete request.headers['accept-encoding']
    const keep = (chunk: unknown): void => {
      if (!(chunk instanceof Uint8Array) && typeof chunk !== 'string') return
      this.answeredBytes += chunk.length
      if (this.answeredBytes <= mostBytes) this.answered.push(Buffer.from(chunk))
    }
    for (const method of ['write', 'end'] as const) {
      const original = response[method].bind(response) as (...args: unknown[]) => never
      response[method] = (...args: unknown[]) => {
        keep(args[0])
        return original(...args)
      }
    }
  }

  private write(stage: AuditStage, code?: number): void {
    if (this.verdict.omitStages.has(stage)) return
    this.options.sink.append(JSON.stringify(this.event(stage, code)))
  }

  private event(stage: AuditStage, code: number | undefined): object {
    const { request, user, attributes } = this.subject
    const { level } = this.verdict
    const received = stage === 'RequestReceived'
    const posted = received ? undefined : this.requestObject()
    const answer =
      received || !atLeast(level, 'RequestResponse') || stage === 'ResponseStarted' ? undefined : this.responseObject()
    return {
      kind: 'Event',
      apiVersion: 'audit.k8s.io/v1',
      level,
      auditID: this.subject.id,
      stage,
      requestURI: request.url ?? '',
      verb: attributes.verb,
      user: user === undefined ? {} : userFields(user),
      ...(this.asUser !== undefined && { impersonatedUser: userFields(this.asUser) }),
      sourceIPs: sourceAddresses(request),
      ...(request.headers['user-agent'] !== undefined && { userAgent: request.headers['user-agent'] }),
      ...(!isPath(attributes) && { objectRef: this.objectReference(posted) }),
      ...(code !== undefined && { responseStatus: responseStatus(this.status, code) }),
      ...(posted !== undefined && atLeast(level, 'Request') && { requestObject: posted }),
      ...(answer !== undefined && { responseObject: answer }),
      requestReceivedTimestamp: formatMicroTime(this.receivedMs),
      stageTimestamp: formatMicroTime(this.options.clock.now()),
      ...(!received && Object.keys(this.annotations).length > 0 && { annotations: this.annotations }),
    }
  }

  private objectReference(posted: unknown): object {
    const { attributes, path } = this.subject
    if (isPath(attributes)) return {}
    const { group, resource, subresource, namespace, name } = attributes
    const metadata = isObject(posted) && isObject(posted['metadata']) ? posted['metadata'] : {}
    const shownName = name ?? metadata['name']
    return {
      resource,
      ...(namespace !== undefined && { namespace }),
      ...(typeof shownName === 'string' && { name: shownName }),
      ...(group !== '' && { apiGroup: group }),
      ...(path !== undefined && { apiVersion: path.version }),
      ...(subresource !== undefined && { subresource }),
    }
  }

  private requestObject(): unknown {
    const { request, path, attributes } = this.subject
    if (this.posted === undefined || this.posted.length === 0) return undefined
    const model = attributes.verb.startsWith('delete') ? 'V1DeleteOptions' : path && this.options.modelOf(path)
    return this.shown(
      decoded(this.posted, attributes.verb === 'patch' ? 'application/yaml' : mediaTypeOf(request), model),
    )
  }

  private responseObject(): unknown {
    const { response, path } = this.subject
    if (response === undefined || this.answeredBytes === 0 || this.answeredBytes > mostBytes) return undefined
    const type = String(response.getHeader('Content-Type') ?? '').split(';', 1)[0]!
    return this.shown(
      decoded(
        Buffer.concat(this.answered),
        type,
        this.status === undefined ? path && this.options.modelOf(path) : 'V1Status',
      ),
    )
  }

  private shown(object: unknown): unknown {
    return this.verdict.omitManagedFields ? withoutManagedFields(object) : object
  }
}

/** undefined: not to be read. */
function decoded(bytes: Buffer, mediaType: string, model: string | undefined): unknown {
  try {
    return decodeBody(bytes, mediaType, model ?? 'V1Status', 'Ignore').value
  } catch {
    // Whatever it was, the event tells of the request without it.
    return undefined
  }
}

function withoutManagedFields(object: unknown): unknown {
  if (!isObject(object)) return object
  const { metadata, items, ...rest } = object
  const kept = isObject(metadata)
    ? Object.fromEntries(Object.entries(metadata).filter(([name]) => name !== 'managedFields'))
    : metadata
  return {
    ...rest,
    ...(metadata !== undefined && { metadata: kept }),
    ...(items !== undefined && { items: Array.isArray(items) ? items.map(withoutManagedFields) : items }),
  }
}

const userFields = ({ username, uid, groups, extra }: UserInfo): object => ({
  username,
  ...(uid !== undefined && { uid }),
  groups,
  ...(extra !== undefined && { extra }),
})

function responseStatus(status: Status | undefined, code: number): object {
  if (status === undefined) return { metadata: {}, code }
  const { message, reason, details } = status
  return {
    metadata: {},
    status: 'Failure',
    ...(message !== undefined && { message }),
    ...(reason !== undefined && { reason }),
    ...(details !== undefined && { details }),
    code,
  }
}

/** As far as the request says, and the peer. */
function sourceAddresses({ headers, socket }: IncomingMessage): string[] {
  const forwarded = [headers['x-forwarded-for'] ?? [], headers['x-real-ip'] ?? []]
    .flat()
    .flatMap(text => text.split(','))
    .map(text => text.trim())
    .filter(text => text !== '')
  return [...new Set([...forwarded, ...(socket.remoteAddress === undefined ? [] : [socket.remoteAddress])])]
}
