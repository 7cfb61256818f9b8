// Validates a CustomResourceDefinition. What all versions have in common is reported where the first
// version of the API had it (`spec.validation`), as Kubernetes does. Rules and wording:
// apiextensions-apiserver pkg/apis/apiextensions/validation.
import type { FieldError } from '../field-error.ts'
import { duplicate, forbiddenField, invalidValue, joinErrors, notSupported, required, tooMany } from '../field-error.ts'
import type {
  CustomResourceColumnDefinition as Column,
  CustomResourceDefinition,
  CustomResourceDefinitionNames as Names,
  CustomResourceDefinitionSpec as Spec,
  CustomResourceDefinitionVersion as Version,
  CustomResourceSubresources as Subresources,
  SelectableField,
} from '../generated/models.ts'
import { checkLabel1035, checkSubdomain, isPort, portRangeMessage } from '../validation/formats.ts'
import { each, partOf, sameJson, validateImmutable } from '../validation/scalars.ts'
import { validateApproval } from './api-approval.ts'
import { checkDefaults } from './default-check.ts'
import { checkRules } from './rules.ts'
import { checkSchema } from './schema-check.ts'
import { propertyOf, type Schema } from './schema.ts'
import { checkStructural } from './structural-check.ts'

export function validateDefinition(definition: CustomResourceDefinition): FieldError[] {
  const { metadata, spec } = definition
  const { names } = spec
  return joinErrors(
    metadata.name === `${names.plural}.${spec.group ?? ''}`
      ? []
      : [invalidValue('metadata.name', metadata.name, 'must be spec.names.plural+"."+spec.group')],
    validateSpec(spec),
  )
}

export function validateDefinitionUpdate(
  definition: CustomResourceDefinition,
  old: CustomResourceDefinition,
): FieldError[] {
  const { spec, status } = definition
  const established =
    old.status.conditions?.some(({ type, status: state }) => type === 'Established' && state === 'True') === true
  return joinErrors(
    established
      ? joinErrors(
          validateImmutable(spec.scope, old.spec.scope, 'spec.scope'),
          validateImmutable(spec.names.kind, old.spec.names.kind, 'spec.names.kind'),
        )
      : [],
    validateImmutable(spec.group, old.spec.group, 'spec.group'),
    validateImmutable(spec.names.plural, old.spec.names.plural, 'spec.names.plural'),
    validateStoredVersions(status.storedVersions ?? [], spec.versions),
    validateApproval(definition, old),
  )
}

export const validateNewDefinition = (definition: CustomResourceDefinition): FieldError[] =>
  validateApproval(definition, undefined)

/** A status that a client writes. */
export const validateDefinitionStatus = ({ status, spec }: CustomResourceDefinition): FieldError[] =>
  joinErrors(
    validateNames(status.acceptedNames ?? { plural: '', kind: '' }, 'status.acceptedNames'),
    validateStoredVersions(status.storedVersions ?? [], spec.versions),
  )

function validateStoredVersions(stored: readonly string[], versions: readonly Version[]): FieldError[] {
  const field = 'status.storedVersions'
  if (stored.length === 0) return [invalidValue(field, stored, 'must have at least one stored version')]
  return joinErrors(
    versions
      .filter(({ storage, name }) => storage && !stored.includes(name))
      .map(({ name }) => invalidValue(field, stored, `must have the storage version ${name}`)),
    each(stored, field, (name, path) =>
      versions.some(version => version.name === name)
        ? []
        : [
            invalidValue(
              path,
              name,
              `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`,
            ),
          ],
    ),
  )
}

function validateSpec(spec: Spec): FieldError[] {
  const { names, versions, group, scope } = spec
  const groupProblems = group === '' ? [] : checkSubdomain(group)
  return joinErrors(
    group === ''
      ? [required('spec.group')]
      : groupProblems.length > 0
        ? [invalidValue('spec.group', group, groupProblems.join(','))]
        : group.includes('.')
          ? []
          : [invalidValue('spec.group', group, 'should be a domain with at least one dot')],
    oneOf(scope, ['Cluster', 'Namespaced'], 'spec.scope'),
    each(versions, 'spec.versions', (version, path) =>
      version.schema?.openAPIV3Schema === undefined
        ? [required(`${path}.schema.openAPIV3Schema`, 'schemas are required')]
        : [],
    ),
    validateVersions(versions),
    (['plural', 'singular', 'kind', 'listKind'] as const)
      .filter(name => !names[name])
      .map(name => required(`spec.names.${name}`)),
    validateNames(names, 'spec.names'),
    commonParts(versions).flatMap(part => part.check(versions[0]!, `spec.${part.oldName}`)),
    spec.preserveUnknownFields === true
      ? [
          invalidValue(
            'spec.preserveUnknownFields',
            true,
            'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead',
          ),
        ]
      : [],
    validateConversion(spec.conversion),
  )
}

const oneOf = (value: string, supported: readonly string[], field: string): FieldError[] =>
  value === '' ? [required(field)] : supported.includes(value) ? [] : [notSupported(field, value, supported)]

function validateVersions(versions: readonly Version[]): FieldError[] {
  const distinct = new Set(versions.map(({ name }) => name)).size === versions.length
  const own = versionParts.filter(part => !commonParts(versions).includes(part))
  return joinErrors(
    each(versions, 'spec.versions', (version, path) =>
      joinErrors(
        joined(checkLabel1035(version.name ?? ''), version.name ?? '', `${path}.name`),
        validateDeprecation(version).map(problem =>
          invalidValue(`${path}.deprecationWarning`, version.deprecationWarning, problem),
        ),
        own.flatMap(part => part.check(version, `${path}.${part.name}`)),
      ),
    ),
    distinct ? [] : [invalidValue('spec.versions', versions, 'must contain unique version names')],
    versions.filter(version => version.storage).length === 1
      ? []
      : [invalidValue('spec.versions', versions, 'must have exactly one version marked as storage version')],
  )
}

const joined = (problems: readonly string[], value: string, field: string, prefix = ''): FieldError[] =>
  problems.length === 0 ? [] : [invalidValue(field, value, prefix + problems.join(','))]

interface VersionPart {
  readonly name: 'schema' | 'subresources' | 'additionalPrinterColumns' | 'selectableFields'
  /** Below `spec`, where one value stood for all versions. */
  readonly oldName: string
  readonly check: (version: Version, path: string) => FieldError[]
}

const versionParts: readonly VersionPart[] = [
  { name: 'schema', oldName: 'validation', check: (version, path) => validateSchema(version, path) },
  {
    name: 'subresources',
    oldName: 'subresources',
    check: ({ subresources }, path) => validateSubresources(subresources, path),
  },
  {
    name: 'additionalPrinterColumns',
    oldName: 'additionalPrinterColumns',
    check: ({ additionalPrinterColumns }, path) => each(additionalPrinterColumns, path, validateColumn),
  },
  {
    name: 'selectableFields',
    oldName: 'selectableFields',
    check: ({ selectableFields, schema }, path) =>
      validateSelectableFields(selectableFields, schema?.openAPIV3Schema, path),
  },
]

/** Parts that are there and the same in every version. */
const commonParts = (versions: readonly Version[]): VersionPart[] =>
  versionParts.filter(
    ({ name }) =>
      versions[0]?.[name] !== undefined && versions.every(version => sameJson(version[name], versions[0]![name])),
  )

function validateDeprecation({ deprecated, deprecationWarning: warning }: Version): string[] {
  if (warning === undefined) return []
  if (deprecated !== true) return ['can only be set for deprecated versions']
  const unprintable = Array.from(warning).findIndex(character => /[\p{C}\p{Zl}\p{Zp}]/u.test(character))
  return [
    ...(warning.length > 256 ? ['must be <= 256 characters long'] : []),
    ...(warning === '' ? ['must not be an empty string'] : []),
    ...(unprintable < 0
      ? []
      : [`must only contain printable UTF-8 characters; non-printable character found at index ${unprintable}`]),
  ]
}

/** In the order in which Kubernetes names them when something else stands beside. */
const besideStatus = [
  'Description',
  'Type',
  'Format',
  'Title',
  'Maximum',
  'ExclusiveMaximum',
  'Minimum',
  'ExclusiveMinimum',
  'MaxLength',
  'MinLength',
  'Pattern',
  'MaxItems',
  'MinItems',
  'UniqueItems',
  'MultipleOf',
  'Required',
  'Items',
  'Properties',
  'ExternalDocs',
  'Example',
  'XPreserveUnknownFields',
  'XValidations',
]
const goName = (key: string): string =>
  key.replace('x-kubernetes-', 'x-').replaceAll(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase())

function validateSchema({ schema, subresources }: Version, path: string): FieldError[] {
  const root = schema?.openAPIV3Schema
  if (root === undefined) return []
  const field = `${path}.openAPIV3Schema`
  const strange =
    subresources?.status !== undefined && Object.keys(root).some(key => !besideStatus.includes(goName(key)))
  const structural = checkStructural(root, field)
  const found = joinErrors(
    strange
      ? [
          invalidValue(
            field,
            root,
            `only [${besideStatus.join(' ')}] fields are allowed at the root of the schema if the status subresource is enabled`,
          ),
        ]
      : [],
    root.nullable === true ? [forbiddenField(`${field}.nullable`, 'nullable cannot be true at the root')] : [],
    structural.length > 0 ? structural : checkDefaults(root, field),
    checkSchema(root, field),
  )
  return found.length > 0 ? found : checkRules(root, field)
}

function validateNames(names: Names, field: string): FieldError[] {
  const { plural, singular = '', kind, listKind = '', shortNames, categories } = names
  const plain = (value: string, path: string): FieldError[] =>
    value === '' ? [] : joined(checkLabel1035(value), value, path)
  const mixed = (value: string, path: string): FieldError[] =>
    value === ''
      ? []
      : joined(checkLabel1035(value.toLowerCase()), value, path, 'may have mixed case, but should otherwise match: ')
  return joinErrors(
    plain(plural, `${field}.plural`),
    plain(singular, `${field}.singular`),
    mixed(kind, `${field}.kind`),
    mixed(listKind, `${field}.listKind`),
    each(shortNames, `${field}.shortNames`, (name, path) => joined(checkLabel1035(name), name, path)),
    kind !== '' && kind === listKind
      ? [invalidValue(`${field}.listKind`, listKind, 'kind and listKind may not be the same')]
      : [],
    each(categories, `${field}.categories`, (name, path) => joined(checkLabel1035(name), name, path)),
  )
}

function simplePath(path: string, field: string): FieldError[] {
  return path.startsWith('.') ? [] : [invalidValue(field, path, 'must be a simple json path starting with .')]
}

function validateSubresources(subresources: Subresources | undefined, path: string): FieldError[] {
  const scale = subresources?.scale
  if (scale === undefined) return []
  const under = (given: string | undefined, name: string, prefixes: readonly string[], where: string): FieldError[] => {
    const field = `${path}.scale.${name}`
    if (!given) return [required(field)]
    const found = simplePath(given, field)
    return found.length > 0 || prefixes.some(prefix => given.startsWith(prefix))
      ? found
      : [invalidValue(field, given, `should be a json path under ${where}`)]
  }
  return joinErrors(
    under(scale.specReplicasPath, 'specReplicasPath', ['.spec.'], '.spec'),
    under(scale.statusReplicasPath, 'statusReplicasPath', ['.status.'], '.status'),
    scale.labelSelectorPath
      ? under(scale.labelSelectorPath, 'labelSelectorPath', ['.spec.', '.status.'], 'either .spec or .status')
      : [],
  )
}

const columnTypes = ['boolean', 'date', 'integer', 'number', 'string']
const columnFormats = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password']

function validateColumn(column: Column, path: string): FieldError[] {
  const { name, type = '', format = '', jsonPath } = partOf(column)
  return joinErrors(
    name ? [] : [required(`${path}.name`)],
    type === ''
      ? [required(`${path}.type`, `must be one of ${columnTypes.join(',')}`)]
      : columnTypes.includes(type)
        ? []
        : [invalidValue(`${path}.type`, type, `must be one of ${columnTypes.join(',')}`)],
    format === '' || columnFormats.includes(format)
      ? []
      : [invalidValue(`${path}.format`, format, `must be one of ${columnFormats.join(',')}`)],
    jsonPath ? simplePath(jsonPath, `${path}.JSONPath`) : [required(`${path}.JSONPath`)],
  )
}

const maximumSelectableFields = 8

function validateSelectableFields(
  fields: readonly SelectableField[] | undefined,
  schema: Schema | undefined,
  path: string,
): FieldError[] {
  const seen = new Set<string>()
  const found = each(fields, path, ({ jsonPath }, field) => {
    const at = `${field}.jsonPath`
    if (!jsonPath) return [required(at)]
    const repeated = seen.has(jsonPath)
    seen.add(jsonPath)
    const [empty, ...names] = jsonPath.split('.')
    const target =
      empty === '' && names.length > 0
        ? names.reduce<Schema | undefined>((inner, name) => inner && propertyOf(inner, name), schema)
        : undefined
    if (names[0] === 'metadata') return [invalidValue(at, jsonPath, 'must not point to fields in metadata')]
    if (target === undefined) return [invalidValue(at, jsonPath, 'is an invalid path: does not refer to a valid field')]
    return joinErrors(
      ['string', 'boolean', 'integer'].includes(target.type ?? '')
        ? []
        : [
            invalidValue(
              at,
              jsonPath,
              'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.',
            ),
          ],
      repeated ? [duplicate(at, jsonPath)] : [],
    )
  })
  return seen.size > maximumSelectableFields ? [...found, tooMany(path, seen.size, maximumSelectableFields)] : found
}

function validateConversion(conversion: Spec['conversion']): FieldError[] {
  if (conversion === undefined) return []
  const { strategy = '', webhook } = partOf(conversion)
  const field = 'spec.conversion'
  if (strategy !== 'Webhook') {
    const detail = 'should not be set when strategy is not set to Webhook'
    return joinErrors(
      oneOf(strategy, ['None', 'Webhook'], `${field}.strategy`),
      webhook?.clientConfig === undefined ? [] : [forbiddenField(`${field}.webhookClientConfig`, detail)],
      (webhook?.conversionReviewVersions ?? []).length === 0
        ? []
        : [forbiddenField(`${field}.conversionReviewVersions`, detail)],
    )
  }
  return joinErrors(
    validateClientConfig(webhook?.clientConfig, `${field}.webhookClientConfig`),
    validateReviewVersions(webhook?.conversionReviewVersions ?? [], `${field}.conversionReviewVersions`),
  )
}

type ClientConfig = NonNullable<NonNullable<Spec['conversion']>['webhook']>['clientConfig']

function validateClientConfig(config: ClientConfig, field: string): FieldError[] {
  if (config === undefined) return [required(field, 'required when strategy is set to Webhook')]
  const { url, service } = config
  if ((url === undefined) === (service === undefined))
    return [required(field, 'exactly one of url or service is required')]
  if (url !== undefined)
    return /^https:\/\/[^/?#@]+(?:\/[^?#]*)?$/.test(url)
      ? []
      : [
          invalidValue(
            `${field}.url`,
            url,
            "'https' is the only allowed URL scheme; desired format: https://host[/path]",
          ),
        ]
  const { name, namespace, path, port } = partOf(service)
  return joinErrors(
    name ? [] : [required(`${field}.service.name`, 'service name is required')],
    namespace ? [] : [required(`${field}.service.namespace`, 'service namespace is required')],
    port === undefined || isPort(port)
      ? []
      : [invalidValue(`${field}.service.port`, port, `port is not valid: ${portRangeMessage}`)],
    path === undefined || path.startsWith('/')
      ? []
      : [invalidValue(`${field}.service.path`, path, "must start with a '/'")],
  )
}

const reviewVersions = ['v1', 'v1beta1']

function validateReviewVersions(versions: readonly string[], field: string): FieldError[] {
  if (versions.length === 0) return [required(field)]
  return joinErrors(
    each(versions, field, (version, path, index) =>
      versions.indexOf(version) < index
        ? [invalidValue(path, version, 'duplicate version')]
        : checkLabel1035(version).map(problem => invalidValue(path, version, problem)),
    ),
    versions.some(version => reviewVersions.includes(version))
      ? []
      : [invalidValue(field, versions, `must include at least one of ${reviewVersions.join(', ')}`)],
  )
}
