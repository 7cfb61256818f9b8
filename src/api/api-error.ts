// The one registry of error reasons. Every expected failure inside Sampan is an `ApiError`, which is a
// Kubernetes `Status` with a code; the server writes it out as it is. Ask the predicates, never the text.
// Reasons, codes and wording: apimachinery pkg/api/errors.
import type { FieldError } from './field-error.ts'
import { groupResource } from './resource.ts'

export interface StatusCause {
  reason?: string
  message?: string
  field?: string
}

export interface Status {
  kind: 'Status'
  apiVersion: 'v1'
  metadata: Record<string, unknown>
  status: 'Success' | 'Failure'
  message?: string
  reason?: string
  details?: {
    name?: string
    group?: string
    kind?: string
    uid?: string
    causes?: StatusCause[]
    retryAfterSeconds?: number
  }
  code?: number
}

export class ApiError extends Error {
  readonly status: Status

  constructor(code: number, reason: string, message: string, details?: Status['details']) {
    super(message)
    this.name = 'ApiError'
    this.status = {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      ...(reason !== '' && { reason }),
      ...(details && { details }),
      code,
    }
  }

  get code(): number {
    return this.status.code ?? 500
  }

  get reason(): string {
    return this.status.reason ?? ''
  }

  /** Revives an error that came over the wire. */
  static fromStatus(status: Status): ApiError {
    return new ApiError(status.code ?? 500, status.reason ?? '', status.message ?? '', status.details)
  }
}

/** An error that clients get as bare text: Kubernetes tells it before, or beside, the part of it that speaks of Status. */
export class PlainError extends ApiError {}

const reasons: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  406: 'NotAcceptable',
  409: 'Conflict',
  410: 'Gone',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
}

/** An answer whose body is no Status, by its code alone. */
export const errorByCode = (code: number, message: string, retryAfterSeconds?: number): ApiError =>
  new ApiError(code, reasons[code] ?? '', message, retryAfterSeconds === undefined ? undefined : { retryAfterSeconds })

/** What an error is about: a resource, or a group and a kind or plural. */
export interface Subject {
  readonly group: string
  readonly plural: string
}

const detailsOf = (subject: Subject, name: string): Status['details'] => ({
  ...(name !== '' && { name }),
  ...(subject.group !== '' && { group: subject.group }),
  kind: subject.plural,
})

export const notFound = (subject: Subject, name: string): ApiError =>
  new ApiError(404, 'NotFound', `${groupResource(subject)} "${name}" not found`, detailsOf(subject, name))
export const alreadyExists = (subject: Subject, name: string): ApiError =>
  new ApiError(409, 'AlreadyExists', `${groupResource(subject)} "${name}" already exists`, detailsOf(subject, name))
export const conflict = (
  subject: Subject,
  name: string,
  why = 'the object has been modified; please apply your changes to the latest version and try again',
): ApiError =>
  new ApiError(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${groupResource(subject)} "${name}": ${why}`,
    detailsOf(subject, name),
  )
/** The object is another than the client thinks. */
export const preconditionFailed = (
  subject: Subject,
  name: string,
  part: 'UID' | 'ResourceVersion',
  wanted: string,
  found: string | number,
): ApiError =>
  conflict(subject, name, `Precondition failed: ${part} in precondition: ${wanted}, ${part} in object meta: ${found}`)
export const forbidden = (subject: Subject, name: string, why: string): ApiError =>
  new ApiError(
    403,
    'Forbidden',
    `${groupResource(subject)}${name === '' ? '' : ` "${name}"`} is forbidden: ${why}`,
    detailsOf(subject, name),
  )
export const badRequest = (message: string): ApiError => new ApiError(400, 'BadRequest', message)
export const unauthorized = (): ApiError => new ApiError(401, 'Unauthorized', 'Unauthorized')
export const methodNotAllowed = (
  message = 'the server does not allow this method on the requested resource',
  subject?: Subject,
): ApiError => new ApiError(405, 'MethodNotAllowed', message, subject === undefined ? {} : detailsOf(subject, ''))
/** The resource, path or server function does not exist at all. */
export const noSuchPath = (): ApiError =>
  new ApiError(404, 'NotFound', 'the server could not find the requested resource', {})
/** The same for paths that nobody has claimed, custom resources among them. */
export const noSuchPage = (): ApiError => new PlainError(404, 'NotFound', '404 page not found', {})
export const notAcceptable = (accepted: readonly string[]): ApiError =>
  new ApiError(406, 'NotAcceptable', `406: Not Acceptable\n\nAvailable representations: ${accepted.join(', ')}`, {})
export const unsupportedMediaType = (accepted: readonly string[]): ApiError =>
  new ApiError(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  )
/** The asked-for revision is no longer kept. @param continueToken where a list may go on as of now */
export function expired(message: string, continueToken?: string): ApiError {
  const error = new ApiError(410, 'Expired', message)
  if (continueToken !== undefined) error.status.metadata = { continue: continueToken }
  return error
}
/** The asked-for revision is still to come; the client may try again. */
export const tooLargeRevision = (wanted: number, current: number): ApiError =>
  new ApiError(504, 'Timeout', `Timeout: Too large resource version: ${wanted}, current: ${current}`, {
    retryAfterSeconds: 1,
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
  })
export const requestEntityTooLarge = (limit: string): ApiError =>
  new ApiError(413, 'RequestEntityTooLarge', `Request entity too large: ${limit}`)
export const internalError = (message: string): ApiError =>
  new ApiError(500, 'InternalError', `Internal error occurred: ${message}`, { causes: [{ message }] })
export const timedOut = (): ApiError =>
  new ApiError(504, 'Timeout', 'Timeout: request did not complete within the allotted timeout', {})
export const serviceUnavailable = (message: string): ApiError => new ApiError(503, 'ServiceUnavailable', message)

/** 422 with every finding as a cause. `kind` is the kind (`Pod`), not the plural. */
export function invalid(group: string, kind: string, name: string, errors: readonly FieldError[]): ApiError {
  const texts = [...new Set(errors.map(error => `${error.field}: ${error.message}`))]
  const all = texts.length === 1 ? texts[0]! : `[${texts.join(', ')}]`
  const causes = errors.map(({ reason, message, field }) => ({ reason, message, field }))
  return new ApiError(422, 'Invalid', `${kind}${group === '' ? '' : `.${group}`} "${name}" is invalid: ${all}`, {
    ...(name !== '' && { name }),
    ...(group !== '' && { group }),
    ...(kind !== '' && { kind }),
    causes,
  })
}

const hasReason = (error: unknown, reason: string): boolean => error instanceof ApiError && error.reason === reason
export const isNotFound = (error: unknown): boolean => hasReason(error, 'NotFound')
export const isForbidden = (error: unknown): boolean => hasReason(error, 'Forbidden')
export const isAlreadyExists = (error: unknown): boolean => hasReason(error, 'AlreadyExists')
export const isConflict = (error: unknown): boolean => hasReason(error, 'Conflict')
export const isInvalid = (error: unknown): boolean => hasReason(error, 'Invalid')
export const isUnavailable = (error: unknown): boolean => hasReason(error, 'ServiceUnavailable')
export const isExpired = (error: unknown): boolean => hasReason(error, 'Expired') || hasReason(error, 'Gone')
