// Probes and lifecycle handlers of containers.
import type { FieldError } from '../field-error.ts'
import { forbiddenField, invalidValue, joinErrors, required } from '../field-error.ts'
import type { HTTPGetAction, Lifecycle, LifecycleHandler, Probe } from '../generated/models.ts'
import {
  each,
  requireText,
  validateNonNegative,
  validateOneOf,
  validatePort,
  validatePortNumberOrName,
  validatePositive,
} from './scalars.ts'

type Handler = Pick<Probe, 'exec' | 'httpGet' | 'tcpSocket' | 'grpc'> & Pick<LifecycleHandler, 'sleep'>
type ProbeName = 'livenessProbe' | 'readinessProbe' | 'startupProbe'

export function validateProbe(probe: Probe | undefined, name: ProbeName, container: string): FieldError[] {
  if (probe === undefined) return []
  const field = `${container}.${name}`
  const numbers = [
    'initialDelaySeconds',
    'timeoutSeconds',
    'periodSeconds',
    'successThreshold',
    'failureThreshold',
  ] as const
  return joinErrors(
    validateHandler(probe, field),
    numbers.flatMap(number => validateNonNegative(probe[number], `${field}.${number}`)),
    validateGrace(probe, name, field),
    name !== 'readinessProbe' && probe.successThreshold !== 1
      ? [invalidValue(`${field}.successThreshold`, probe.successThreshold, 'must be 1')]
      : [],
  )
}

function validateGrace({ terminationGracePeriodSeconds: grace }: Probe, name: ProbeName, field: string): FieldError[] {
  if (grace === undefined) return []
  const path = `${field}.terminationGracePeriodSeconds`
  return name === 'readinessProbe'
    ? [invalidValue(path, grace, 'must not be set for readinessProbes')]
    : validatePositive(grace, path)
}

export function validateLifecycle(lifecycle: Lifecycle | undefined, field: string): FieldError[] {
  if (lifecycle === undefined) return []
  return joinErrors(
    lifecycle.postStart ? validateHandler(lifecycle.postStart, `${field}.postStart`) : [],
    lifecycle.preStop ? validateHandler(lifecycle.preStop, `${field}.preStop`) : [],
  )
}

const kinds = ['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep'] as const

function validateHandler(handler: Handler, field: string): FieldError[] {
  const given = kinds.filter(kind => handler[kind] !== undefined)
  const [first, ...others] = given
  if (first === undefined) return [required(field, 'must specify a handler type')]
  return joinErrors(
    validateAction(handler, first, `${field}.${first}`),
    others.map(kind => forbiddenField(`${field}.${kind}`, 'may not specify more than 1 handler type')),
  )
}

function validateAction(handler: Handler, kind: (typeof kinds)[number], field: string): FieldError[] {
  switch (kind) {
    case 'exec':
      return (handler.exec?.command ?? []).length === 0 ? [required(`${field}.command`)] : []
    case 'httpGet':
      return validateHttpGet(handler.httpGet!, field)
    case 'tcpSocket':
      return validatePortNumberOrName(handler.tcpSocket!.port, `${field}.port`)
    case 'grpc':
      return validatePort(handler.grpc!.port, `${field}.port`)
    case 'sleep':
    default:
      return validatePositive(handler.sleep!.seconds, `${field}.seconds`)
  }
}

const headerName = /^[-A-Za-z0-9]+$/

function validateHttpGet(get: HTTPGetAction, field: string): FieldError[] {
  return joinErrors(
    requireText(get.path, `${field}.path`),
    validatePortNumberOrName(get.port, `${field}.port`),
    validateOneOf(get.scheme, ['HTTP', 'HTTPS'], `${field}.scheme`),
    each(get.httpHeaders, `${field}.httpHeaders`, ({ name }, path) =>
      headerName.test(name)
        ? []
        : [
            invalidValue(
              path,
              name,
              "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')",
            ),
          ],
    ),
  )
}
