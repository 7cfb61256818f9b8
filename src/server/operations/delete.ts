// DELETE: at once, after a grace period, or when the last finalizer is gone.
import { notFound, preconditionFailed } from '../../api/api-error.ts'
import type { Namespace } from '../../api/generated/models.ts'
import type { KindDefinition } from '../../api/kind.ts'
import type { KubeObject } from '../../api/object.ts'
import { formatTime } from '../../lib/clock.ts'
import { mutateByAdmission, validateByAdmission } from '../admission/admission.ts'
import { keyOfTarget, type Caller, type Target } from '../request.ts'
import type { AdmissionRequest, ServerContext } from '../server-context.ts'
import type { CachedObject } from '../storage/cached-object.ts'
import { deleteObject, findObject, putObject, readyToFind } from '../storage/kind-storage.ts'

export interface DeletionOptions {
  readonly gracePeriodSeconds?: number
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan'
  readonly orphanDependents?: boolean
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string }
  readonly dryRun?: readonly string[]
}

export interface Deletion {
  /** The object as it now is, or as it was last. */
  readonly object: CachedObject
  /** False: it goes on existing for a while. */
  readonly gone: boolean
}

const foreground = 'foregroundDeletion'
const orphan = 'orphan'

/** @param admitted whether somebody has let it pass already, as a part of something else */
export async function remove(
  context: ServerContext,
  target: Target,
  options: DeletionOptions,
  asking: Caller,
  admitted = false,
): Promise<Deletion> {
  const { kind } = target
  const caller = options.dryRun?.includes('All') === true ? { ...asking, dryRun: true } : asking
  for (;;) {
    const key = keyOfTarget(target)
    if (kind.storage?.convert !== undefined) await readyToFind(context.storage, kind, key)
    const current = findObject(context.storage, kind, key)
    if (current === undefined) throw notFound(kind.resource, target.name)
    checkPreconditions(target, current, options)
    if (!admitted) await admitDeletion(context, target, options, caller, current.object)
    const draft = markForDeletion(kind, current.object, options, context.clock.now())
    if (caller.dryRun) return { object: current, gone: draft === undefined }
    if (draft !== undefined && draft === current.object) return { object: current, gone: false }
    const written =
      draft === undefined
        ? await deleteObject(context.storage, kind, current)
        : await putObject(context.storage, kind, current.key, draft, current.revision)
    if (!written.ok) continue
    if (draft === undefined) await context.services.release(kind, current.object)
    return { object: written.object, gone: draft === undefined }
  }
}

async function admitDeletion(
  context: ServerContext,
  target: Target,
  deletion: DeletionOptions,
  caller: Caller,
  old: KubeObject,
): Promise<void> {
  const request: AdmissionRequest = { operation: 'DELETE', target, caller, object: undefined, old, deletion }
  await mutateByAdmission(request, context)
  // Whoever validates sees the grace period that will be given.
  const gracePeriodSeconds = target.kind.gracePeriodSeconds?.(old, requestedGrace(deletion))
  await validateByAdmission(
    gracePeriodSeconds === undefined ? request : { ...request, deletion: { ...deletion, gracePeriodSeconds } },
    context,
  )
}

const requestedGrace = ({ gracePeriodSeconds }: DeletionOptions): number | undefined =>
  gracePeriodSeconds !== undefined && gracePeriodSeconds < 0 ? 1 : gracePeriodSeconds

function checkPreconditions({ kind, name }: Target, current: CachedObject, { preconditions }: DeletionOptions): void {
  const { uid } = current.object.metadata
  if (preconditions?.uid !== undefined && preconditions.uid !== uid) {
    throw preconditionFailed(kind.resource, name, 'UID', preconditions.uid, uid)
  }
  if (preconditions?.resourceVersion !== undefined && preconditions.resourceVersion !== String(current.revision)) {
    throw preconditionFailed(kind.resource, name, 'ResourceVersion', preconditions.resourceVersion, current.revision)
  }
}

/** RFC 3339 has no later one; a grace period without end would need it. */
const lastTimeMs = Date.UTC(9999, 11, 31, 23, 59, 59)

/** The object with its deletion noted; the object itself when nothing changes; undefined when it can go at once. */
function markForDeletion(
  kind: KindDefinition,
  current: KubeObject,
  options: DeletionOptions,
  nowMs: number,
): KubeObject | undefined {
  const graceSeconds = kind.gracePeriodSeconds?.(current, requestedGrace(options)) ?? 0
  const prepared = prepare(kind, current, nowMs)
  const finalizers = finalizersAfter(prepared.metadata.finalizers ?? [], kind, options)
  const waits = graceSeconds > 0 || finalizers.length > 0 || holdsNamespace(current)
  if (!waits) return undefined
  const { deletionTimestamp, deletionGracePeriodSeconds } = current.metadata
  const sooner = deletionTimestamp === undefined || graceSeconds < (deletionGracePeriodSeconds ?? 0)
  if (!sooner && sameSet(finalizers, current.metadata.finalizers ?? [])) return current
  const draft = structuredClone(prepared) as Namespace | KubeObject
  if (sooner) {
    // The time counts from the first request; a shorter grace period moves it forward.
    const startMs =
      deletionTimestamp === undefined
        ? nowMs
        : Date.parse(deletionTimestamp) - Number(deletionGracePeriodSeconds ?? 0) * 1000
    draft.metadata.deletionTimestamp = formatTime(Math.min(startMs + graceSeconds * 1000, lastTimeMs))
    draft.metadata.deletionGracePeriodSeconds = graceSeconds
    if (kind.generation && deletionTimestamp === undefined)
      draft.metadata.generation = Number(draft.metadata.generation ?? 0) + 1
  }
  if (finalizers.length > 0) draft.metadata.finalizers = finalizers
  else delete draft.metadata.finalizers
  if (holdsNamespace(draft)) (draft as Namespace).status = { ...(draft as Namespace).status, phase: 'Terminating' }
  if (kind.resource.plural === 'namespaces') delete draft.metadata.deletionGracePeriodSeconds
  return draft
}

function prepare({ prepareForDelete }: KindDefinition, current: KubeObject, nowMs: number): KubeObject {
  if (prepareForDelete === undefined || current.metadata.deletionTimestamp !== undefined) return current
  const draft = structuredClone(current)
  prepareForDelete(draft, formatTime(nowMs))
  return draft
}

function holdsNamespace(object: KubeObject): boolean {
  return (
    object.kind === 'Namespace' &&
    object.apiVersion === 'v1' &&
    ((object as Namespace).spec?.finalizers ?? []).length > 0
  )
}

function finalizersAfter(
  present: readonly string[],
  kind: KindDefinition,
  { propagationPolicy, orphanDependents }: DeletionOptions,
): string[] {
  const explicit =
    propagationPolicy ?? (orphanDependents === undefined ? undefined : orphanDependents ? 'Orphan' : 'Background')
  const others = present.filter(name => name !== foreground && name !== orphan)
  if (explicit === undefined) {
    if (present.includes(foreground) || present.includes(orphan)) return [...present]
    return kind.defaultPropagation === 'Orphan'
      ? [...others, orphan]
      : kind.defaultPropagation === 'Foreground'
        ? [...others, foreground]
        : others
  }
  switch (explicit) {
    case 'Orphan':
      return [...others, orphan]
    case 'Foreground':
      return [...others, foreground]
    case 'Background':
      return others
  }
}

const sameSet = (left: readonly string[], right: readonly string[]): boolean =>
  left.length === right.length && left.every(item => right.includes(item))
