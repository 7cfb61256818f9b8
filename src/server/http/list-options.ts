// The query parameters of lists and watches, checked as Kubernetes checks them
// (apimachinery pkg/apis/meta/internalversion/validation).
import { invalid } from '../../api/api-error.ts'
import { forbiddenField, joinErrors, notSupported, type FieldError } from '../../api/field-error.ts'
import { queryFlag } from '../query-flag.ts'
import { wholeNumber } from '../whole-number.ts'

export interface ListOptions {
  /** 0: all. */
  readonly limit: number
  readonly continueToken?: string | undefined
  readonly resourceVersion?: string | undefined
  readonly resourceVersionMatch?: string | undefined
}

/** @throws ApiError BadRequest, Invalid */
export function readListOptions(query: URLSearchParams): ListOptions {
  const options = readOptions(query)
  const { resourceVersion, resourceVersionMatch: match, continueToken } = options
  refuse(
    joinErrors(
      !match || resourceVersion
        ? []
        : [forbiddenMatch('resourceVersionMatch is forbidden unless resourceVersion is provided')],
      !match || !continueToken ? [] : [forbiddenMatch('resourceVersionMatch is forbidden when continue is provided')],
      !match || ['Exact', 'NotOlderThan'].includes(match)
        ? []
        : [notSupported('resourceVersionMatch', match, ['Exact', 'NotOlderThan', ''])],
      match !== 'Exact' || resourceVersion !== '0'
        ? []
        : [forbiddenMatch('resourceVersionMatch "exact" is forbidden for resourceVersion "0"')],
      query.has('sendInitialEvents')
        ? [forbiddenField('sendInitialEvents', 'sendInitialEvents is forbidden for list')]
        : [],
    ),
  )
  return options
}

/** @throws ApiError BadRequest, Invalid */
export function readWatchOptions(
  query: URLSearchParams,
): ListOptions & { readonly sendInitialEvents: boolean; readonly allowWatchBookmarks: boolean } {
  const options = readOptions(query)
  const { resourceVersionMatch: match, continueToken } = options
  const saysWhetherToSend = query.has('sendInitialEvents')
  refuse(
    joinErrors(
      !saysWhetherToSend || match === 'NotOlderThan'
        ? []
        : [forbiddenMatch('sendInitialEvents requires setting resourceVersionMatch to NotOlderThan')],
      !match || saysWhetherToSend
        ? []
        : [forbiddenMatch('resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided')],
      !match || match === 'NotOlderThan' ? [] : [notSupported('resourceVersionMatch', match, ['NotOlderThan'])],
      !match || !continueToken ? [] : [forbiddenMatch('resourceVersionMatch is forbidden when continue is provided')],
    ),
  )
  return {
    ...options,
    sendInitialEvents: queryFlag(query, 'sendInitialEvents'),
    allowWatchBookmarks: queryFlag(query, 'allowWatchBookmarks'),
  }
}

const forbiddenMatch = (why: string): FieldError => forbiddenField('resourceVersionMatch', why)

function refuse(errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalid('meta.k8s.io', 'ListOptions', '', errors)
}

function readOptions(query: URLSearchParams): ListOptions {
  numberOf(query, 'timeoutSeconds')
  return {
    limit: Math.max(0, numberOf(query, 'limit')),
    continueToken: query.get('continue') ?? undefined,
    resourceVersion: query.get('resourceVersion') ?? undefined,
    resourceVersionMatch: query.get('resourceVersionMatch') ?? undefined,
  }
}

const numberOf = (query: URLSearchParams, name: string): number => wholeNumber(query.get(name) || '0')
