// What opens a connection (CONNECT) is admitted with the options of its query as the object, before anything is
// looked up; what admission leaves of them is what counts.
// Source: apiserver pkg/endpoints/handlers (ConnectResource), apimachinery pkg/conversion/queryparams and pkg/runtime (conversion).
import { badRequest, internalError } from '../../api/api-error.ts'
import { admitPosted } from '../admission/admission.ts'
import type { Upgrade } from './subresource.ts'
import { queryFlag } from '../query-flag.ts'
import { wholeNumber } from '../whole-number.ts'
import type { Target } from '../request.ts'
import type { ServerContext } from '../server-context.ts'

/** Of PodExecOptions and PodAttachOptions; only the former have a command, which is null without any word. */
export interface CommandOptions {
  readonly stdin?: boolean
  readonly stdout?: boolean
  readonly stderr?: boolean
  readonly tty?: boolean
  readonly container?: string
  readonly command?: readonly string[] | null
}

/** Of PodPortForwardOptions. */
export interface PortForwardOptions {
  readonly ports?: readonly number[]
}

/** Of PodProxyOptions, ServiceProxyOptions and NodeProxyOptions: below the subresource, without slashes at its ends. */
export interface ProxyOptions {
  readonly path?: string
}

export function commandOptions(query: URLSearchParams, hasCommand: boolean): CommandOptions {
  const flag = (name: 'stdin' | 'stdout' | 'stderr' | 'tty'): object => (queryFlag(query, name) ? { [name]: true } : {})
  const container = query.get('container')
  return {
    ...flag('stdin'),
    ...flag('stdout'),
    ...flag('stderr'),
    ...flag('tty'),
    ...(container && { container }),
    ...(hasCommand && { command: query.has('command') ? query.getAll('command') : null }),
  }
}

/** @throws ApiError BadRequest */
export function portForwardOptions(query: URLSearchParams): PortForwardOptions {
  const ports = query
    .getAll('ports')
    .flatMap(list => list.split(','))
    .map(text => wholeNumber(text))
  return ports.length > 0 ? { ports } : {}
}

/** @returns the options as admission left them */
export async function admitConnection<T extends object>(
  context: ServerContext,
  target: Target,
  kind: string,
  options: T,
  { query, caller }: Pick<Upgrade, 'query' | 'caller'>,
): Promise<T> {
  if (query.has('dryRun')) throw badRequest('dryRun is not supported')
  return admitPosted<T>(context, 'CONNECT', target, { kind, apiVersion: 'v1', ...options }, caller, {
    check: after => checkTypes(kind, after),
  })
}

const isText = (value: unknown): boolean => typeof value === 'string'
const isFlag = (value: unknown): boolean => typeof value === 'boolean'
const listOf =
  (is: (value: unknown) => boolean) =>
  (value: unknown): boolean =>
    Array.isArray(value) && value.every(is)
const types: Readonly<Record<string, readonly [check: (value: unknown) => boolean, name: string]>> = {
  stdin: [isFlag, 'true or false'],
  stdout: [isFlag, 'true or false'],
  stderr: [isFlag, 'true or false'],
  tty: [isFlag, 'true or false'],
  container: [isText, 'text'],
  path: [isText, 'text'],
  command: [listOf(isText), 'a list of texts'],
  ports: [listOf(Number.isInteger), 'a list of whole numbers'],
}

/** What does not fit is a fault of whoever changed it. */
function checkTypes(kind: string, options: object): void {
  for (const [field, value] of Object.entries(options)) {
    const type = Object.hasOwn(types, field) ? types[field] : undefined
    if (type !== undefined && value !== null && !type[0](value))
      throw internalError(
        `admission made no ${kind} of what it was given: ${field} must be ${type[1]}, but is ${JSON.stringify(value)}`,
      )
  }
}
