// PUT and PATCH: both give a new state for a stored object, computed from the current one. The write is
// repeated on the newer state when somebody else was faster, unless the client named the revision it meant.
import { badRequest, conflict, notFound, preconditionFailed, type ApiError } from '../../api/api-error.ts'
import { joinErrors } from '../../api/field-error.ts'
import type { KindDefinition, SubresourceKind } from '../../api/kind.ts'
import type { KubeObject } from '../../api/object.ts'
import { DecodeError } from '../../api/scalars.ts'
import { validateObjectMetaUpdate } from '../../api/validation/object-meta.ts'
import { sameJson } from '../../api/validation/scalars.ts'
import { mutateByAdmission, validateByAdmission } from '../admission/admission.ts'
import type { AdmissionRequest } from '../server-context.ts'
import { keyOfTarget, type Caller, type Target } from '../request.ts'
import type { ServerContext } from '../server-context.ts'
import { CachedObject } from '../storage/cached-object.ts'
import { withoutRevision } from './create.ts'
import { collectWarnings, draftOf, recordOwner, throwIfInvalid } from './finish-object.ts'
import { mergeEqualOwners } from './owner-references.ts'
import { sameContent, sameIgnoringMetadata, sameIgnoringMetadataAndStatus } from './object-comparison.ts'
import { deleteObject, findObject, isStoredAsWritten, putObject, readyToFind } from '../storage/kind-storage.ts'

const maximumAttempts = 20

export interface UpdateOptions {
  /** Gives the wanted state. Called again with the newer state after a lost race. May return what it got. */
  readonly change: (current: KubeObject) => unknown
  readonly problems?: readonly string[]
  /** The answer when the wanted state cannot be read as an object of the kind; else a bad request. */
  readonly refusal?: (error: DecodeError, wanted: unknown) => ApiError
  /** Server-side apply computes the managed fields itself. */
  readonly keepsManagedFields?: boolean
  /** What admission sees instead of the object. */
  readonly view?: UpdateView
}

/** A subresource that shows a part of the object as an object of another kind, as `scale` does. */
export interface UpdateView {
  readonly subresource: string
  readonly model: string
  of(object: KubeObject): KubeObject
  /** Takes over into the draft what admission made of its view. */
  apply(draft: KubeObject, view: KubeObject): void
}

export async function update(
  context: ServerContext,
  target: Target,
  options: UpdateOptions,
  caller: Caller,
): Promise<CachedObject> {
  const { kind } = target
  const key = keyOfTarget(target)
  await kind.load?.()
  for (let attempt = 1; ; attempt++) {
    if (kind.storage?.convert !== undefined) await readyToFind(context.storage, kind, key)
    const current = findObject(context.storage, kind, key)
    if (current === undefined) throw notFound(kind.resource, target.name)
    const draft = wantedDraft(kind, current.object, options, caller, attempt === 1 ? options.problems : [])
    checkIdentity(target, draft, current)
    mergeEqualOwners(draft, caller)
    const result = await tryStore(context, target, draft, current, caller, options)
    if (result !== undefined) return result
    if (attempt >= maximumAttempts) throw conflict(kind.resource, target.name)
  }
}

function wantedDraft(
  kind: KindDefinition,
  current: KubeObject,
  { change, refusal }: UpdateOptions,
  caller: Caller,
  problems: readonly string[] = [],
): KubeObject {
  const wanted = change(current)
  try {
    return draftOf(kind, wanted, caller, problems, refusal !== undefined)
  } catch (error) {
    throw error instanceof DecodeError && refusal !== undefined ? refusal(error, wanted) : error
  }
}

/** A revision that the client named is still in the wanted state after a lost race, and then no longer the current one. */
function checkIdentity({ kind, name, namespace }: Target, draft: KubeObject, current: CachedObject): void {
  const { metadata } = draft
  if (!metadata.name)
    throw badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`)
  if (metadata.name !== name)
    throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`)
  if (metadata.namespace && metadata.namespace !== namespace)
    throw badRequest(
      `the namespace of the object (${metadata.namespace}) does not match the namespace on the URL (${namespace ?? ''})`,
    )
  const old = current.object.metadata
  if (metadata.uid && metadata.uid !== old.uid) {
    throw preconditionFailed(kind.resource, name, 'UID', metadata.uid, old.uid)
  }
  const asked = metadata.resourceVersion
  const named = asked !== undefined && asked !== '' && asked !== '0'
  if (named && asked !== String(current.revision)) throw conflict(kind.resource, name)
}

function keepSystemMetadata(draft: KubeObject, old: KubeObject): void {
  const { metadata } = draft
  const before = old.metadata
  metadata.name = before.name
  if (before.namespace !== undefined) metadata.namespace = before.namespace
  metadata.uid = before.uid
  metadata.creationTimestamp = before.creationTimestamp
  if (before.generateName !== undefined) metadata.generateName ??= before.generateName
  copyOrDelete(metadata, before, 'deletionTimestamp')
  copyOrDelete(metadata, before, 'deletionGracePeriodSeconds')
  copyOrDelete(metadata, before, 'generation')
  delete metadata.selfLink
}

function copyOrDelete<K extends keyof KubeObject['metadata']>(
  to: KubeObject['metadata'],
  from: KubeObject['metadata'],
  field: K,
): void {
  if (from[field] === undefined) delete to[field]
  else to[field] = from[field]
}

/** undefined: somebody else wrote first. */
async function tryStore(
  context: ServerContext,
  target: Target,
  draft: KubeObject,
  current: CachedObject,
  caller: Caller,
  { keepsManagedFields = false, view }: UpdateOptions,
): Promise<CachedObject | undefined> {
  const { kind, subresource } = target
  const old = current.object
  keepSystemMetadata(draft, old)
  const part = subresource === undefined ? undefined : kind.subresources?.[subresource]
  kind.defaults?.(draft)
  if (!keepsManagedFields) recordOwner(kind, draft, old, caller, context, subresource)
  const request: AdmissionRequest =
    view === undefined
      ? { operation: 'UPDATE', target, caller, object: draft, old }
      : {
          operation: 'UPDATE',
          target: { ...target, subresource: view.subresource },
          caller,
          object: view.of(draft),
          old: view.of(old),
          model: view.model,
        }
  await mutateByAdmission(request, context)
  view?.apply(draft, request.object!)
  prepare(kind, part, draft, old)
  if (part === undefined && startsGeneration(kind, draft, old))
    draft.metadata.generation = Number(old.metadata.generation ?? 0) + 1
  throwIfInvalid(
    kind,
    target.name,
    joinErrors(
      validateObjectMetaUpdate(draft.metadata, old.metadata, kind.anyFinalizer),
      validationErrors(kind, part, draft, old),
    ),
  )
  collectWarnings(kind, draft, old, caller)
  await validateByAdmission(request, context)
  const allocation =
    part === undefined ? await context.services.allocateFor(kind, draft, old, caller.dryRun) : undefined
  if (caller.dryRun) return dryRunResult(draft, current)
  if (sameContent(draft, old) && isStoredAsWritten(context.storage, kind, current)) return current
  // When this throws, the object may still have been stored: what was allocated stays, until repair looks.
  const written = isFinished(draft)
    ? await removeFinished(context, kind, draft, current)
    : await putObject(context.storage, kind, current.key, draft, current.revision)
  await (written.ok ? allocation?.commit() : allocation?.revert())
  return written.ok ? written.object : undefined
}

function startsGeneration({ generation }: KindDefinition, draft: KubeObject, old: KubeObject): boolean {
  if (generation === undefined || generation === false) return false
  if (generation === 'status-too') return !sameIgnoringMetadata(draft, old)
  return (
    !sameIgnoringMetadataAndStatus(draft, old) ||
    (generation === 'annotations-too' && !sameJson(draft.metadata.annotations ?? {}, old.metadata.annotations ?? {}))
  )
}

function prepare(
  kind: KindDefinition,
  part: SubresourceKind<KubeObject> | undefined,
  draft: KubeObject,
  old: KubeObject,
): void {
  if (part === undefined) return kind.prepareForUpdate?.(draft, old)
  part.prepare(draft, old)
  for (const field of part.keeps ?? []) copyOrDelete(draft.metadata, old.metadata, field)
}

function validationErrors(
  kind: KindDefinition,
  part: SubresourceKind<KubeObject> | undefined,
  draft: KubeObject,
  old: KubeObject,
): ReturnType<NonNullable<KindDefinition['validate']>> {
  if (part !== undefined) return part.validate?.(draft, old) ?? []
  // Some kinds check the whole object again in their own order.
  const found = joinErrors(
    kind.validateUpdated?.(draft, old) ?? kind.validate?.(draft) ?? [],
    kind.validateUpdate?.(draft, old) ?? [],
  )
  return found.length < 2
    ? found
    : [...new Map(found.map(error => [`${error.field} ${error.message}`, error])).values()]
}

/** An object that is being deleted and waits for nobody any more. */
function isFinished({ metadata }: KubeObject): boolean {
  return (
    metadata.deletionTimestamp !== undefined &&
    (metadata.finalizers ?? []).length === 0 &&
    (metadata.deletionGracePeriodSeconds ?? 0) === 0
  )
}

async function removeFinished(
  context: ServerContext,
  kind: KindDefinition,
  draft: KubeObject,
  current: CachedObject,
): ReturnType<ServerContext['storage']['delete']> {
  const { spec } = draft as KubeObject & { spec?: { finalizers?: string[] } }
  if (kind.resource.plural === 'namespaces' && (spec?.finalizers ?? []).length > 0)
    return putObject(context.storage, kind, current.key, draft, current.revision)
  const written = await deleteObject(context.storage, kind, current)
  if (written.ok) await context.services.release(kind, current.object)
  return written
}

function dryRunResult(draft: KubeObject, current: CachedObject): CachedObject {
  draft.metadata.resourceVersion = String(current.revision)
  return new CachedObject(current.key, current.revision, withoutRevision(draft), draft)
}
