// From a CustomResourceDefinition to the kinds that it adds, one for each served version. Schemas are
// compiled when they are first needed. Objects are stored in one version; each version's kind shows them
// in its own. Source of the strategies: apiextensions-apiserver pkg/registry/customresource.
import { isNumber } from '../../lib/int64.ts'
import { badRequest, serviceUnavailable } from '../api-error.ts'
import { decodeObject } from '../decode.ts'
import { compareVersions } from '../discovery.ts'
import type { FieldError } from '../field-error.ts'
import { invalidValue, joinErrors } from '../field-error.ts'
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionNames as Names,
  CustomResourceDefinitionVersion as Version,
  CustomResourceSubresourceScale as Scale,
} from '../generated/models.ts'
import type { CustomForm, KindDefinition, StorageForm, SubresourceKind } from '../kind.ts'
import { shapeOfCustomResource } from '../managed-fields/shape.ts'
import type { KubeObject } from '../object.ts'
import { copyJson, deepEqual, getKey, isObject, type JsonObject } from '../patch/json-value.ts'
import { apiVersionOf, resource, type Resource } from '../resource.ts'
import { plainFinalizers } from '../validation/object-meta.ts'
import { compileVersion, type CompiledVersion } from './compiled-version.ts'
import { isTrue } from './naming.ts'
import { printerColumns } from './printer-columns.ts'
import type { Schema } from './schema.ts'

type Custom = KubeObject & { spec?: unknown; status?: unknown }

/** @param convert asks the definition's webhook; without it versions differ in nothing but their name */
export function kindsOfDefinition(
  definition: CustomResourceDefinition,
  convert?: StorageForm['convert'],
): KindDefinition[] {
  const { spec } = definition
  const names = acceptedNames(definition)
  const resources = new Map(
    spec.versions.map(({ name }) => [
      name,
      resource<KubeObject>(spec.group, name, names.plural, names.kind, spec.scope as Resource['scope']),
    ]),
  )
  const compiled = new Map(
    spec.versions.map(version => [version.name, compileVersion(version.schema?.openAPIV3Schema ?? {})]),
  )
  const stored = spec.versions.find(({ storage }) => storage)
  if (stored === undefined) return []
  const versions: Versions = { resources, compiled, stored: resources.get(stored.name)!, convert }
  return spec.versions
    .filter(({ served }) => served)
    .map(version => kindOfVersion(definition, version, names, versions))
}

interface Versions {
  readonly resources: ReadonlyMap<string, Resource>
  readonly compiled: ReadonlyMap<string, CompiledVersion>
  readonly stored: Resource
  readonly convert: StorageForm['convert']
}

function acceptedNames({ spec, status }: CustomResourceDefinition): Names {
  return { ...spec.names, ...status.acceptedNames }
}

function kindOfVersion(
  definition: CustomResourceDefinition,
  version: Version,
  names: Names,
  versions: Versions,
): KindDefinition {
  const own = versions.resources.get(version.name)!
  const compiled = versions.compiled.get(version.name)!
  const schema = version.schema?.openAPIV3Schema ?? {}
  const { scale } = version.subresources ?? {}
  const hasStatus = version.subresources?.status !== undefined
  const kind: KindDefinition<Custom> = {
    resource: own,
    model: '',
    custom: customForm(definition, version, own, compiled, schema),
    storage: storageForm(own, versions),
    singular: names.singular ?? names.kind.toLowerCase(),
    listKind: names.listKind ?? `${names.kind}List`,
    ...(names.shortNames !== undefined && { shortNames: names.shortNames }),
    ...(names.categories !== undefined && { categories: names.categories }),
    generation: hasStatus ? true : 'status-too',
    anyFinalizer: true,
    warnings: (object, old) => [...finalizerWarnings(object, old), ...compiled.warnings(object)],
    openApiSchema: schema as Readonly<Record<string, unknown>>,
    load: () => compiled.load(),
    defaults: draft => compiled.defaults(draft),
    validate: object => joinErrors(compiled.validate(object), validateScale(object, scale, ['spec', 'status'])),
    validateUpdated: (object, old) =>
      joinErrors(compiled.validate(object, old), validateScale(object, scale, ['spec', 'status'])),
    ...(hasStatus && statusStrategy(compiled, scale)),
    ...(scale !== undefined && {
      scale: {
        specReplicas: scale.specReplicasPath,
        statusReplicas: scale.statusReplicasPath,
        ...(scale.labelSelectorPath && { selector: scale.labelSelectorPath }),
      },
    }),
    ...printerColumns(version.additionalPrinterColumns),
    selectableFields: selectableFields(version),
  }
  return Object.freeze(kind) as unknown as KindDefinition
}

function customForm(
  definition: CustomResourceDefinition,
  version: Version,
  own: Resource,
  compiled: CompiledVersion,
  schema: Schema,
): CustomForm {
  let shape: CustomForm['shape'] | undefined
  const warning =
    version.deprecated === true ? (version.deprecationWarning ?? defaultWarning(definition, version.name)) : undefined
  return {
    decode: value => decodeRequested(value, own, compiled),
    get shape() {
      return (shape ??= shapeOfCustomResource(schema as Parameters<typeof shapeOfCustomResource>[0]))
    },
    ...(warning !== undefined && { deprecationWarning: warning }),
    terminating: isTrue(definition, 'Terminating') || definition.metadata.deletionTimestamp !== undefined,
  }
}

/** `example.com/v1beta1 Boat is deprecated; use example.com/v1 Boat` */
function defaultWarning({ spec }: CustomResourceDefinition, version: string): string {
  const newer = spec.versions
    .filter(other => other.served && other.deprecated !== true && compareVersions(other.name, version) < 0)
    .map(({ name }) => name)
    .sort(compareVersions)[0]
  const named = (name: string): string => `${spec.group}/${name} ${spec.names.kind}`
  return `${named(version)} is deprecated${newer === undefined ? '' : `; use ${named(newer)}`}`
}

/** @throws ApiError BadRequest for metadata of wrong types, also in embedded objects */
function decodeRequested(value: unknown, own: Resource, compiled: CompiledVersion): ReturnType<typeof decode> {
  const decoded = decode(value, own, compiled)
  const [problem] = compiled.undecodable(decoded.object)
  if (problem !== undefined)
    throw badRequest(
      `${own.kind} in version "${own.version}" cannot be handled as a ${own.kind}: ${problem.field}: ${problem.message}`,
    )
  return decoded
}

function decode(
  value: unknown,
  own: Resource,
  compiled: CompiledVersion,
): { object: JsonObject; unknownFields: string[] } {
  const { apiVersion = apiVersionOf(own), kind = own.kind, metadata = null, ...content } = isObject(value) ? value : {}
  const head = decodeObject('V1PartialObjectMetadata', { apiVersion, kind, metadata })
  const unknownFields = [...head.unknownFields]
  const pruned = compiled.prune(content, '', unknownFields) as JsonObject
  return { object: { ...head.object, ...pruned }, unknownFields }
}

/** What was stored may be of an older version, or from before a field or a default was added. */
function storageForm(own: Resource, { resources, compiled, stored, convert }: Versions): StorageForm {
  return {
    resource: stored,
    ...(convert !== undefined && { convert }),
    toStorage: object => (own === stored ? object : { ...object, apiVersion: apiVersionOf(stored) }),
    fromStorage: object => {
      const written = [...resources.values()].find(one => apiVersionOf(one) === object.apiVersion) ?? stored
      // Whoever reads has to see to it first that it is converted.
      if (written !== own && convert !== undefined)
        throw serviceUnavailable(`the object is being converted from ${object.apiVersion}; try again`)
      const settled = settle(object, written, compiled.get(written.version)!)
      return written === own
        ? settled
        : settle({ ...settled, apiVersion: apiVersionOf(own) }, own, compiled.get(own.version)!, false)
    },
  }
}

/** The object itself when nothing changes. */
function settle(object: KubeObject, written: Resource, compiled: CompiledVersion, withDefaults = true): KubeObject {
  const { metadata, ...content } = object
  const {
    object: { metadata: _metadata, ...draft },
  } = decode({ ...content, metadata: {} }, written, compiled)
  if (withDefaults) compiled.defaults(draft)
  return deepEqual(draft, content) ? object : ({ ...draft, metadata } as unknown as KubeObject)
}

function statusStrategy(compiled: CompiledVersion, scale: Scale | undefined): Partial<KindDefinition<Custom>> {
  const status: SubresourceKind<Custom> = {
    prepare(draft, old) {
      const { status: given } = draft
      const { managedFields } = draft.metadata
      for (const name of Object.keys(draft)) delete (draft as unknown as JsonObject)[name]
      Object.assign(draft, copyJson(old))
      setOrDelete(draft, given)
      if (managedFields === undefined) delete draft.metadata.managedFields
      else draft.metadata.managedFields = managedFields
    },
    validate: (object, old) =>
      joinErrors(compiled.validateStatus(object, old), validateScale(object, scale, ['status'])),
  }
  return {
    prepareForCreate(draft) {
      delete draft.status
      // The status that the schema has for objects without one is there from the start.
      compiled.defaults(draft)
    },
    prepareForUpdate: (draft, old) => setOrDelete(draft, old.status),
    subresources: { status },
  }
}

function setOrDelete(draft: Custom, status: unknown): void {
  if (status === undefined) delete draft.status
  else draft.status = status
}

function finalizerWarnings({ metadata }: KubeObject, old: KubeObject | undefined): string[] {
  const added = (metadata.finalizers ?? []).filter(
    name => old?.metadata.finalizers?.includes(name) !== true && !name.includes('/') && !plainFinalizers.has(name),
  )
  return [...new Set(added)]
    .sort()
    .map(
      name =>
        `metadata.finalizers: ${JSON.stringify(name)}: prefer a domain-qualified finalizer name including a path (/) to avoid accidental conflicts with other finalizer writers`,
    )
}

const largestReplicas = 2 ** 31 - 1

function validateScale(object: Custom, scale: Scale | undefined, parts: readonly ('spec' | 'status')[]): FieldError[] {
  if (scale === undefined) return []
  const found: FieldError[] = []
  for (const part of parts) {
    const path = part === 'spec' ? scale.specReplicasPath : scale.statusReplicasPath
    const replicas = valueAt(object, path)
    if (replicas === undefined) continue
    if (!isNumber(replicas) || !Number.isInteger(Number(replicas)))
      found.push(
        invalidValue(
          path,
          0,
          `${path} accessor error: ${JSON.stringify(replicas)} is of the type ${typeof replicas}, expected int64`,
        ),
      )
    else if (replicas < 0) found.push(invalidValue(path, replicas, 'should be a non-negative integer'))
    else if (replicas > largestReplicas)
      found.push(invalidValue(path, replicas, `should be less than or equal to ${largestReplicas}`))
  }
  const selector = scale.labelSelectorPath ? valueAt(object, scale.labelSelectorPath) : undefined
  if (selector !== undefined && typeof selector !== 'string')
    found.push(
      invalidValue(
        scale.labelSelectorPath!,
        '',
        `${scale.labelSelectorPath} accessor error: ${JSON.stringify(selector)} is of the type ${typeof selector}, expected string`,
      ),
    )
  return found
}

/** @param path `.spec.replicas` */
const valueAt = (object: unknown, path: string): unknown =>
  path
    .split('.')
    .filter(step => step !== '')
    .reduce<unknown>((value, step) => (isObject(value) ? getKey(value, step) : undefined), object)

function selectableFields({ selectableFields: fields = [] }: Version): NonNullable<KindDefinition['selectableFields']> {
  return Object.fromEntries(
    fields.map(({ jsonPath }) => [jsonPath.replace(/^\./, ''), (object: KubeObject) => textAt(object, jsonPath)]),
  )
}

function textAt(object: KubeObject, path: string): string {
  const value = valueAt(object, path)
  return value === undefined || value === null
    ? ''
    : typeof value === 'object'
      ? JSON.stringify(value)
      : String(value as string | number | boolean)
}
