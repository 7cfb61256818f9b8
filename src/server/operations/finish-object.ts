// The steps that every write shares: checking what was decoded, and recording who owns which field.
import { badRequest, invalid } from '../../api/api-error.ts'
import { decodeObject } from '../../api/decode.ts'
import type { FieldError } from '../../api/field-error.ts'
import type { KindDefinition } from '../../api/kind.ts'
import { recordUpdate } from '../../api/managed-fields/record-update.ts'
import type { Shape } from '../../api/managed-fields/shape.ts'
import type { KubeObject } from '../../api/object.ts'
import { apiVersionOf } from '../../api/resource.ts'
import { DecodeError } from '../../api/scalars.ts'
import { formatTime } from '../../lib/clock.ts'
import type { Caller } from '../request.ts'
import type { ServerContext } from '../server-context.ts'

/**
 * A private, mutable draft: pruned, typed, with metadata, spec and status present, kind and apiVersion set.
 * @param ofPatch tells problems in the order of Kubernetes, which reads the patch before the object that it makes
 * @throws DecodeError
 */
export function draftOf(
  kind: KindDefinition,
  value: unknown,
  caller: Caller,
  earlierProblems: readonly string[] = [],
  ofPatch = false,
): KubeObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw badRequest(
      `the body of the request must be a ${kind.resource.kind}, but it is ${value === null ? 'null' : typeof value}`,
    )
  const { object, unknownFields } =
    kind.custom === undefined ? decodeObject(kind.model, value) : kind.custom.decode(value)
  const unknown = (ofPatch ? unknownFields.toSorted() : unknownFields).map(field => `unknown field "${field}"`)
  reportProblems(ofPatch ? [...earlierProblems, ...unknown] : [...unknown, ...earlierProblems], kind, caller)
  const draft = object as unknown as KubeObject & { spec?: unknown; status?: unknown }
  draft.kind = kind.resource.kind
  draft.apiVersion = apiVersionOf(kind.resource)
  draft.metadata ??= {} as KubeObject['metadata']
  return draft
}

/** @param namespace of the request; none where objects have none. @throws ApiError BadRequest */
export function placeInNamespace(metadata: KubeObject['metadata'], namespace: string | undefined): void {
  if (namespace === undefined) delete metadata.namespace
  else if (metadata.namespace && metadata.namespace !== namespace)
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
  else metadata.namespace = namespace
}

function reportProblems(problems: readonly string[], kind: KindDefinition, caller: Caller): void {
  if (problems.length === 0 || caller.fieldValidation === 'Ignore') return
  if (caller.fieldValidation === 'Warn') {
    caller.warnings.push(...problems)
    return
  }
  const { kind: name, version } = kind.resource
  const problem = `strict decoding error: ${problems.join(', ')}`
  throw new DecodeError(`${name} in version "${version}" cannot be handled as a ${name}`, problem, problem)
}

export function throwIfInvalid(kind: KindDefinition, name: string, errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalid(kind.errorGroup ?? kind.resource.group, kind.resource.kind, name, errors)
}

/** What fields are owned by: the model, or the shape of a custom resource. */
export const shapeOf = ({ model, custom }: KindDefinition): string | Shape => custom?.shape ?? model

/** Notes in the draft's managedFields that the caller wrote what differs from `before`. */
export function recordOwner(
  kind: KindDefinition,
  draft: KubeObject,
  before: KubeObject | undefined,
  caller: Caller,
  context: ServerContext,
  subresource = '',
): void {
  const managed = recordUpdate({
    model: shapeOf(kind),
    before,
    after: draft,
    resetFields: resetFields(kind, subresource),
    manager: caller.fieldManager,
    apiVersion: apiVersionOf(kind.resource),
    subresource,
    timestamp: formatTime(context.clock.now()),
  })
  if (managed === undefined) delete draft.metadata.managedFields
  else draft.metadata.managedFields = managed
}

/** Nobody comes to own what a request cannot write: the status of a whole object, the rest of a status. */
export function resetFields(kind: KindDefinition, subresource: string): string[][] {
  if (kind.subresources?.status === undefined) return []
  if (subresource === '') return [['status']]
  if (kind.custom !== undefined) return [['metadata'], ['spec']]
  return [['spec'], ...(kind.subresources[subresource]?.keeps ?? []).map(field => ['metadata', field])]
}

/** Lets warnings of the kind reach the client. */
export function collectWarnings(
  kind: KindDefinition,
  draft: KubeObject,
  old: KubeObject | undefined,
  caller: Caller,
): void {
  if (kind.warnings !== undefined) caller.warnings.push(...kind.warnings(draft, old))
}
