// PATCH: turns a patch document into the wanted state of an update; server-side apply may also create.
import { badRequest, conflict, unsupportedMediaType, type ApiError } from '../../api/api-error.ts'
import { checkConfiguration, serverSideApply } from '../../api/managed-fields/server-side-apply.ts'
import type { KindDefinition } from '../../api/kind.ts'
import type { KubeObject } from '../../api/object.ts'
import { applyJsonPatch } from '../../api/patch/json-patch.ts'
import type { JsonObject } from '../../api/patch/json-value.ts'
import { applyMergePatch } from '../../api/patch/merge-patch.ts'
import { refusePatchedObject, refuseStrategicPatch } from '../../api/patch/patch-refusal.ts'
import { applyStrategicMergePatch } from '../../api/patch/strategic-merge-patch.ts'
import { apiVersionOf } from '../../api/resource.ts'
import type { DecodeError } from '../../api/scalars.ts'
import { formatTime } from '../../lib/clock.ts'
import { keyOfTarget, type Caller, type Target } from '../request.ts'
import type { ServerContext } from '../server-context.ts'
import type { CachedObject } from '../storage/cached-object.ts'
import { create } from './create.ts'
import { draftOf, resetFields, shapeOf } from './finish-object.ts'
import { update } from './update.ts'
import { checkTypeOfPatched } from './patched-type.ts'
import { isStored } from '../storage/kind-storage.ts'

export type PatchType = 'json' | 'merge' | 'strategic' | 'apply'

export const patchMediaTypes: Readonly<Record<string, PatchType>> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
  'application/apply-patch+cbor': 'apply',
}

/** Custom resources have no merge keys that a strategic merge could go by. */
const customPatchTypes = ['application/json-patch+json', 'application/merge-patch+json', 'application/apply-patch+yaml']

export function patchTypeOf(mediaType: string, { custom }: Pick<KindDefinition, 'custom'>): PatchType {
  const type = custom === undefined || customPatchTypes.includes(mediaType) ? patchMediaTypes[mediaType] : undefined
  if (type === undefined)
    throw unsupportedMediaType(custom === undefined ? Object.keys(patchMediaTypes) : customPatchTypes)
  return type
}

export interface PatchResult {
  readonly object: CachedObject
  readonly created: boolean
}

export async function patch(
  context: ServerContext,
  target: Target,
  type: PatchType,
  document: unknown,
  caller: Caller,
  options: { force?: boolean; problems?: readonly string[] } = {},
): Promise<PatchResult> {
  if (type === 'apply') return apply(context, target, document, caller, options)
  const change = changeBy(context, type, target, document)
  const problems = options.problems === undefined ? {} : { problems: options.problems }
  const refusal = (error: DecodeError, wanted: unknown): ApiError =>
    type === 'strategic' ? refuseStrategicPatch(document, error) : refusePatchedObject(wanted, error)
  return { object: await update(context, target, { change, refusal, ...problems }, caller), created: false }
}

function changeBy(
  context: ServerContext,
  type: Exclude<PatchType, 'apply'>,
  { kind }: Target,
  document: unknown,
): (current: KubeObject) => unknown {
  // The revision of the current state is no precondition; one that the patch sets is.
  const unversioned = (current: KubeObject): JsonObject => ({
    ...current,
    metadata: { ...current.metadata, resourceVersion: '' },
  })
  switch (type) {
    case 'json':
      return current => checkTypeOfPatched(context, kind, applyJsonPatch(current, document))
    case 'merge':
      return current => checkTypeOfPatched(context, kind, applyMergePatch(unversioned(current), document))
    case 'strategic':
      return current => applyStrategicMergePatch(kind.model, unversioned(current), document)
  }
}

async function apply(
  context: ServerContext,
  target: Target,
  document: unknown,
  caller: Caller,
  { force = false, problems = [] }: { force?: boolean; problems?: readonly string[] },
): Promise<PatchResult> {
  const { kind, subresource = '' } = target
  // Checked here, applied as it was sent: what the client wrote down counts, zero values included.
  const applied = checkConfiguration(document, shapeOf(kind))
  tellDuplicates(problems, caller)
  draftOf(kind, document, caller)
  const common = {
    model: shapeOf(kind),
    applied,
    resetFields: resetFields(kind, subresource),
    manager: caller.fieldManager,
    force,
    apiVersion: apiVersionOf(kind.resource),
    subresource,
    timestamp: formatTime(context.clock.now()),
  }
  if (!isStored(context.storage, kind, keyOfTarget(target)) && subresource === '') {
    const fresh = serverSideApply({ ...common, live: undefined })
    fresh.metadata.name = target.name
    if (fresh.metadata.uid)
      throw conflict(
        kind.resource,
        target.name,
        `uid mismatch: the provided object specified uid ${fresh.metadata.uid}, and no existing object was found`,
      )
    return { object: await create(context, target, fresh, caller, { keepsManagedFields: true }), created: true }
  }
  const object = await update(
    context,
    target,
    { change: live => serverSideApply({ ...common, live }), keepsManagedFields: true },
    caller,
  )
  return { object, created: false }
}

/** Unknown fields do not fit the schema and are refused in any case. */
function tellDuplicates(problems: readonly string[], caller: Caller): void {
  if (problems.length > 0 && caller.fieldValidation === 'Strict')
    throw badRequest(`error strict decoding YAML: error converting YAML to JSON: ${problems.join(', ')}`)
  caller.warnings.push(...problems)
}
