// CustomResourceDefinition: a kind that a user adds.
import type { FieldError } from '../field-error.ts'
import { invalidValue, notSupported, required } from '../field-error.ts'
import type { CustomResourceDefinition, CustomResourceDefinitionSpec as Spec, CustomResourceDefinitionVersion as Version, JSONSchemaProps as Schema } from '../generated/models.ts'
import { defineKind } from '../kind.ts'
import { customResourceDefinitions } from '../resources.ts'
import { checkLabel1035, checkSubdomain } from '../validation/formats.ts'
import { each, partOf, requireText, validateImmutable } from '../validation/scalars.ts'
import { columns } from './cells.ts'
import { keepStatus, statusOnly } from './strategy.ts'

export const customResourceDefinitionKind = defineKind({
  resource: customResourceDefinitions,
  model: 'V1CustomResourceDefinition',
  singular: 'customresourcedefinition',
  shortNames: ['crd', 'crds'],
  categories: ['api-extensions'],
  generation: true,
  defaults(draft) {
    draft.spec ??= {} as Spec
    defaultSpec(draft.spec)
    draft.status ??= {}
  },
  prepareForCreate(draft) {
    draft.status = { conditions: null as unknown as [], acceptedNames: { plural: '', kind: '' }, storedVersions: (draft.spec.versions ?? []).filter(version => version.storage).map(version => version.name) }
  },
  prepareForUpdate: keepStatus,
  subresources: statusOnly(),
  validate,
  validateUpdate: ({ spec }, { spec: old }) => [...validateImmutable(spec.group, old.group, 'spec.group'), ...validateImmutable(spec.names.plural, old.names.plural, 'spec.names.plural'), ...validateImmutable(spec.scope, old.scope, 'spec.scope')],
  columns: columns('Name', 'Created At:date'),
  row: definition => [definition.metadata.name, definition.metadata.creationTimestamp],
})

function defaultSpec(spec: Spec): void {
  spec.names ??= {} as Spec['names']
  spec.versions ??= []
  spec.scope ??= ''
  const { names } = spec
  if (names.kind) {
    names.singular ||= names.kind.toLowerCase()
    names.listKind ||= `${names.kind}List`
  }
  spec.conversion ??= { strategy: 'None' }
  if (spec.conversion.webhook?.clientConfig?.service !== undefined) spec.conversion.webhook.clientConfig.service.port ??= 443
}

function validate({ metadata, spec }: CustomResourceDefinition): FieldError[] {
  const { names, versions, scope } = spec
  const { group = '' } = partOf(spec)
  const stored = versions.filter(version => version.storage)
  return [
    ...(metadata.name === `${names.plural}.${group}` ? [] : [invalidValue('metadata.name', metadata.name, 'must be spec.names.plural+"."+spec.group')]),
    ...(group === '' ? [required('spec.group')] : group.includes('.') ? requireText(group, 'spec.group', checkSubdomain) : [invalidValue('spec.group', group, 'should be a domain with at least one dot')]),
    ...(scope === 'Cluster' || scope === 'Namespaced' ? [] : scope === '' ? [required('spec.scope')] : [notSupported('spec.scope', scope, ['Cluster', 'Namespaced'])]),
    ...requireText(names.plural, 'spec.names.plural', checkLabel1035),
    ...requireText(names.singular, 'spec.names.singular', checkLabel1035),
    ...requireText(names.kind, 'spec.names.kind', kind => checkLabel1035(kind.toLowerCase())),
    ...requireText(names.listKind, 'spec.names.listKind', kind => checkLabel1035(kind.toLowerCase())),
    ...(names.kind !== undefined && names.kind === names.listKind ? [invalidValue('spec.names.listKind', names.listKind, 'kind and listKind may not be the same')] : []),
    ...each(versions, 'spec.versions', (version, path) => validateVersion(version, path, versions.length === 1)),
    ...(stored.length === 1 ? [] : [invalidValue('spec.versions', versions, 'must have exactly one version marked as storage version')]),
  ]
}

/** The schema of a single version is named as the old API named it. */
function validateVersion({ name, schema }: Version, field: string, single: boolean): FieldError[] {
  const root = schema?.openAPIV3Schema
  const named = requireText(name, `${field}.name`, checkLabel1035)
  if (root === undefined) return [...named, required(`${field}.schema.openAPIV3Schema`, 'schemas are required')]
  const path = single ? 'spec.validation.openAPIV3Schema' : `${field}.schema.openAPIV3Schema`
  return [
    ...named,
    ...(root.type === 'object' ? [] : root.type === undefined || root.type === '' ? [required(`${path}.type`, 'must not be empty at the root')] : [invalidValue(`${path}.type`, root.type, 'must be object at the root')]),
    ...validateProperties(root, path),
  ]
}

function validateProperties(schema: Schema, field: string): FieldError[] {
  const items = Array.isArray(schema.items) ? undefined : schema.items as Schema | undefined
  const additional = typeof schema.additionalProperties === 'object' ? schema.additionalProperties as Schema : undefined
  return [
    ...Object.entries(schema.properties ?? {}).flatMap(([name, property]) => validateStructural(property, `${field}.properties[${name}]`, 'must not be empty for specified object fields')),
    ...(items === undefined ? [] : validateStructural(items, `${field}.items`, 'must not be empty for specified array items')),
    ...(additional === undefined ? [] : validateStructural(additional, `${field}.additionalProperties`, 'must not be empty for specified object fields')),
  ]
}

function validateStructural(schema: Schema, field: string, missing: string): FieldError[] {
  const flags = schema as Record<string, unknown>
  const open = flags['x-kubernetes-int-or-string'] === true || flags['x-kubernetes-preserve-unknown-fields'] === true
  return [...(schema.type || open ? [] : [required(`${field}.type`, missing)]), ...validateProperties(schema, field)]
}
