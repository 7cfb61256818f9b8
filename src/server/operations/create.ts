// POST: default, prepare, admit, validate, allocate, store.
import { alreadyExists, badRequest, methodNotAllowed } from '../../api/api-error.ts'
import { joinErrors } from '../../api/field-error.ts'
import type { KubeObject } from '../../api/object.ts'
import { validateObjectMeta } from '../../api/validation/object-meta.ts'
import { formatTime } from '../../lib/clock.ts'
import { nameSuffix } from '../../lib/random.ts'
import { mutateByAdmission, validateByAdmission } from '../admission/admission.ts'
import type { AdmissionRequest } from '../server-context.ts'
import { mergeEqualOwners } from './owner-references.ts'
import { keyOfTarget, type Caller, type Target } from '../request.ts'
import type { ServerContext } from '../server-context.ts'
import { CachedObject } from '../storage/cached-object.ts'
import { collectWarnings, draftOf, placeInNamespace, recordOwner, throwIfInvalid } from './finish-object.ts'
import { encodeForStore, withRevision } from '../storage/object-codec.ts'
import { isStored, putObject } from '../storage/kind-storage.ts'

const longestGeneratedBase = 58
const generateAttempts = 8

export interface CreateOptions {
  /** Mistakes found while the body was parsed, such as duplicate fields. */
  readonly problems?: readonly string[]
  /** Server-side apply computes the managed fields itself. */
  readonly keepsManagedFields?: boolean
}

export async function create(
  context: ServerContext,
  target: Omit<Target, 'name'>,
  body: unknown,
  caller: Caller,
  { problems = [], keepsManagedFields = false }: CreateOptions = {},
): Promise<CachedObject> {
  const { kind, namespace } = target
  if (kind.custom?.terminating === true)
    throw methodNotAllowed('create not allowed while custom resource definition is terminating', kind.resource)
  await kind.load?.()
  const draft = draftOf(kind, body, caller, problems)
  const { metadata } = draft
  placeInNamespace(metadata, namespace)
  mergeEqualOwners(draft, caller)
  if (metadata.resourceVersion !== undefined && metadata.resourceVersion !== '' && metadata.resourceVersion !== '0')
    throw badRequest('resourceVersion should not be set on objects to be created')
  const generateName = metadata.name ? undefined : metadata.generateName
  if (generateName) metadata.name = generated(generateName, context)
  fillMetadata(draft, context)
  kind.defaults?.(draft)
  // Before admission and preparation: what the server adds belongs to nobody.
  if (!keepsManagedFields) recordOwner(kind, draft, undefined, caller, context)
  for (let attempt = 1; ; attempt++) {
    const stored = await admitAndStore(context, { ...target, name: metadata.name }, draft, caller)
    if (stored !== undefined) return stored
    if (!generateName || attempt === generateAttempts) throw alreadyExists(kind.resource, metadata.name)
    metadata.name = generated(generateName, context)
  }
}

const generated = (base: string, { random }: ServerContext): string =>
  base.slice(0, longestGeneratedBase) + nameSuffix(random)

function fillMetadata(draft: KubeObject, { clock, random }: ServerContext): void {
  const { metadata } = draft
  metadata.uid = random.uuid()
  metadata.creationTimestamp = formatTime(clock.now())
  delete metadata.deletionTimestamp
  delete metadata.deletionGracePeriodSeconds
  delete metadata.selfLink
  delete (metadata as Partial<KubeObject['metadata']>).resourceVersion
}

/** undefined: the name is taken. */
async function admitAndStore(
  context: ServerContext,
  target: Target,
  draft: KubeObject,
  caller: Caller,
): Promise<CachedObject | undefined> {
  const { kind } = target
  const request: AdmissionRequest = { operation: 'CREATE', target, caller, object: draft, old: undefined }
  await mutateByAdmission(request, context)
  if (kind.generation) draft.metadata.generation = 1
  else delete draft.metadata.generation
  kind.prepareForCreate?.(draft)
  const { name } = draft.metadata
  throwIfInvalid(
    kind,
    name ?? '',
    joinErrors(
      validateObjectMeta(draft.metadata, {
        namespaced: kind.resource.scope === 'Namespaced',
        nameRule: kind.nameRule,
        anyFinalizer: kind.anyFinalizer,
      }),
      kind.validate?.(draft) ?? [],
      kind.validateCreate?.(draft) ?? [],
    ),
  )
  collectWarnings(kind, draft, undefined, caller)
  await validateByAdmission(request, context)
  const allocation = await context.services.allocateFor(kind, draft, undefined, caller.dryRun)
  // Admission may have given another name.
  const key = keyOfTarget({ namespace: target.namespace, name })
  if (caller.dryRun) {
    if (isStored(context.storage, kind, key)) throw alreadyExists(kind.resource, name)
    return new CachedObject(key, 0, withoutRevision(draft), draft)
  }
  // When this throws, the object may still have been stored: what was allocated stays, until repair looks.
  const written = await putObject(context.storage, kind, key, draft, 0)
  if (written.ok) return written.object
  await allocation.revert()
  return undefined
}

/** The bytes of an object that was not stored (dry run): its old resourceVersion, if any, stays. */
export function withoutRevision(draft: KubeObject): Buffer {
  const { resourceVersion } = draft.metadata as Partial<KubeObject['metadata']>
  return resourceVersion === undefined
    ? encodeForStore(draft)
    : withRevision(encodeForStore(draft), Number(resourceVersion))
}
