// What every object's metadata must satisfy, whatever its kind (apimachinery pkg/api/validation).
import type { FieldError } from '../field-error.ts'
import { forbiddenField, invalidValue, joinErrors, required, tooLong } from '../field-error.ts'
import type { ObjectMeta, OwnerReference } from '../generated/models.ts'
import type { KindDefinition } from '../kind.ts'
import type { Check } from './formats.ts'
import {
  checkLabel,
  checkLabel1035,
  checkLabelValue,
  checkPathSegment,
  checkQualifiedName,
  checkSubdomain,
} from './formats.ts'
import { collect } from './scalars.ts'

type NameRule = NonNullable<KindDefinition['nameRule']>

const nameChecks: Record<NameRule, Check> = {
  subdomain: checkSubdomain,
  label: checkLabel,
  'label-1035': checkLabel1035,
  'path-segment': checkPathSegment,
}
const annotationsLimitBytes = 256 * 1024

/** Checks at creation; the name is there already when `generateName` was given. */
export function validateObjectMeta(
  metadata: Partial<ObjectMeta>,
  options: {
    readonly namespaced: boolean
    readonly nameRule?: NameRule | undefined
    readonly anyFinalizer?: boolean | undefined
  },
): FieldError[] {
  return joinErrors(
    validateNames(metadata, nameChecks[options.nameRule ?? 'subdomain']),
    validateNamespace(metadata, options.namespaced),
    validateCommon(metadata, options.anyFinalizer),
  )
}

function validateNames({ name = '', generateName = '' }: Partial<ObjectMeta>, check: Check): FieldError[] {
  const prefix = generateName.replace(/-$/, 'a')
  return joinErrors(
    generateName === '' ? [] : check(prefix).map(found => invalidValue('metadata.generateName', generateName, found)),
    name === ''
      ? [required('metadata.name', 'name or generateName is required')]
      : check(name).map(found => invalidValue('metadata.name', name, found)),
  )
}

function validateNamespace({ namespace = '' }: Partial<ObjectMeta>, namespaced: boolean): FieldError[] {
  if (!namespaced) return namespace === '' ? [] : [forbiddenField('metadata.namespace', 'not allowed on this type')]
  return namespace === ''
    ? [required('metadata.namespace')]
    : checkLabel(namespace).map(found => invalidValue('metadata.namespace', namespace, found))
}

function validateCommon(metadata: Partial<ObjectMeta>, anyFinalizer = false): FieldError[] {
  return joinErrors(
    metadata.generation !== undefined && metadata.generation < 0
      ? [invalidValue('metadata.generation', metadata.generation, 'must be greater than or equal to 0')]
      : [],
    validateLabels(metadata.labels, 'metadata.labels'),
    validateAnnotations(metadata.annotations, 'metadata.annotations'),
    validateOwners(metadata.ownerReferences ?? []),
    validateFinalizers(metadata.finalizers ?? [], anyFinalizer),
  )
}

export function validateLabels(labels: Record<string, string> | undefined, field: string): FieldError[] {
  let found = joinErrors()
  for (const key in labels)
    found = joinErrors(found, collect(checkQualifiedName, field, key), collect(checkLabelValue, field, labels[key]!))
  return found
}

export function validateAnnotations(annotations: Record<string, string> | undefined, field: string): FieldError[] {
  let found = joinErrors()
  let sizeBytes = 0
  for (const key in annotations) {
    if (checkQualifiedName(key.toLowerCase()).length > 0)
      found = joinErrors(
        found,
        checkQualifiedName(key.toLowerCase()).map(message => invalidValue(field, key, message)),
      )
    sizeBytes += utf8Length(key) + utf8Length(annotations[key]!)
  }
  return joinErrors(found, sizeBytes > annotationsLimitBytes ? [tooLong(field, annotationsLimitBytes)] : [])
}

/** UTF-8 bytes of a text, without making them. */
export function utf8Length(text: string): number {
  let bytes = text.length
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code > 0x7f) bytes += code > 0x7ff && (code < 0xd800 || code > 0xdfff) ? 2 : 1
  }
  return bytes
}

function validateOwners(owners: readonly OwnerReference[]): FieldError[] {
  const field = 'metadata.ownerReferences'
  const controllers = owners.filter(owner => owner.controller === true)
  return joinErrors(
    owners.flatMap(owner => validateOwner(owner, field)),
    controllers.length < 2
      ? []
      : [
          invalidValue(
            field,
            owners,
            `Only one reference can have Controller set to true. Found "true" in references for ${controllers[0]!.name} and ${controllers[1]!.name}`,
          ),
        ],
  )
}

function validateOwner(owner: OwnerReference, field: string): FieldError[] {
  const version = (owner.apiVersion ?? '').split('/').at(-1)
  const empty = (name: 'kind' | 'name' | 'uid'): FieldError[] =>
    (owner[name] ?? '') === '' ? [invalidValue(`${field}.${name}`, '', 'must not be empty')] : []
  return joinErrors(
    version === '' ? [invalidValue(`${field}.apiVersion`, owner.apiVersion ?? '', 'version must not be empty')] : [],
    empty('kind'),
    empty('name'),
    empty('uid'),
    owner.kind === 'Event' && owner.apiVersion === 'v1'
      ? [invalidValue(field, owner, '/v1, Kind=Event is disallowed from being an owner')]
      : [],
  )
}

/** Those that need no domain. */
export const plainFinalizers: ReadonlySet<string> = new Set(['kubernetes', 'orphan', 'foregroundDeletion'])

function validateFinalizers(finalizers: readonly string[], anyFinalizer: boolean): FieldError[] {
  const field = 'metadata.finalizers'
  const both = finalizers.includes('orphan') && finalizers.includes('foregroundDeletion')
  return joinErrors(
    finalizers.flatMap(finalizer => {
      const found = checkQualifiedName(finalizer).map(message => invalidValue(field, finalizer, message))
      return found.length > 0 || anyFinalizer || finalizer.includes('/') || plainFinalizers.has(finalizer)
        ? found
        : [invalidValue(field, finalizer, 'name is neither a standard finalizer name nor is it fully qualified')]
    }),
    both ? [invalidValue(field, finalizers, 'finalizer orphan and foregroundDeletion cannot be both set')] : [],
  )
}

/** Checks at update; the server has already filled in what the client may omit. */
export function validateObjectMetaUpdate(metadata: ObjectMeta, old: ObjectMeta, anyFinalizer = false): FieldError[] {
  const immutable = (
    ['name', 'namespace', 'uid', 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds'] as const
  )
    .filter(name => metadata[name] !== old[name])
    .map(name => invalidValue(`metadata.${name}`, metadata[name], 'field is immutable'))
  return joinErrors(validateNoNewFinalizers(metadata, old), immutable, validateCommon(metadata, anyFinalizer))
}

function validateNoNewFinalizers(metadata: ObjectMeta, old: ObjectMeta): FieldError[] {
  if (old.deletionTimestamp === undefined) return []
  const added = (metadata.finalizers ?? []).filter(finalizer => !(old.finalizers ?? []).includes(finalizer)).sort()
  if (added.length === 0) return []
  return [
    forbiddenField(
      'metadata.finalizers',
      `no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map(name => JSON.stringify(name)).join(', ')}}`,
    ),
  ]
}
