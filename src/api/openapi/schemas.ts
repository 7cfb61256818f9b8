// The component schemas of an OpenAPI document: every model that the kinds reach, with descriptions and
// the extensions that kubectl's merging and explaining live on.
import { hasModel, modelOf, type Field, type FieldType, type Model } from '../schema/schema.ts'
import type { Docs } from './docs.ts'
import { textOfReference } from './reference-text.ts'

export type OpenApiVersion = 2 | 3
export type Schemas = Record<string, object>

const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1'
const crd = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1'

/** Types with a schema of their own that is no model. */
const named: Partial<
  Record<
    FieldType,
    readonly [name: string, schema: { readonly description: string; readonly type?: string; readonly format?: string }]
  >
> = {
  quantity: [
    'io.k8s.apimachinery.pkg.api.resource.Quantity',
    { description: 'A number with an optional unit, as text: "500m", "2Gi", "1e3".', type: 'string' },
  ],
  time: [`${meta}.Time`, { description: 'A time in RFC 3339, to the second.', type: 'string', format: 'date-time' }],
  microTime: [
    `${meta}.MicroTime`,
    { description: 'A time in RFC 3339, to the microsecond.', type: 'string', format: 'date-time' },
  ],
  intOrString: [
    'io.k8s.apimachinery.pkg.util.intstr.IntOrString',
    { description: 'A number, or text such as a name or a percentage.', type: 'string', format: 'int-or-string' },
  ],
  raw: ['io.k8s.apimachinery.pkg.runtime.RawExtension', { description: 'Any object.', type: 'object' }],
  fieldsV1: [`${meta}.FieldsV1`, { description: 'A set of fields, as a trie.', type: 'object' }],
  json: [`${crd}.JSON`, { description: 'Any JSON value.' }],
  schemaOrBool: [`${crd}.JSONSchemaPropsOrBool`, { description: 'A schema, or true or false.' }],
  schemaOrArray: [`${crd}.JSONSchemaPropsOrArray`, { description: 'A schema, or a list of them.' }],
  schemaOrStrings: [`${crd}.JSONSchemaPropsOrStringArray`, { description: 'A schema, or a list of names.' }],
}

const simple: Partial<Record<FieldType, object>> = {
  string: { type: 'string' },
  boolean: { type: 'boolean' },
  int32: { type: 'integer', format: 'int32' },
  int64: { type: 'integer', format: 'int64' },
  double: { type: 'number', format: 'double' },
  bytes: { type: 'string', format: 'byte' },
  any: { type: 'object' },
  stringList: { type: 'array', items: { type: 'string' } },
}

/** Models whose names would clash have a prefix, which their lists need not have: ResourceV1ResourceClaim, V1ResourceClaimList. */
export const listModelOf = (model: string): string | undefined =>
  [`${model}List`, `${model.replace(/^.*?(?=V\d)/, '')}List`].find(hasModel)

export class SchemaCollector {
  readonly schemas: Schemas = {}
  private readonly docs: Docs
  readonly version: OpenApiVersion

  constructor(version: OpenApiVersion, docs: Docs) {
    this.version = version
    this.docs = docs
  }

  /** What is said of a field of a model. */
  text(model: string, field: string): string | undefined {
    return this.docs[model]?.[1][field]
  }

  reference(definition: string): { $ref: string } {
    return { $ref: `${this.version === 3 ? '#/components/schemas/' : '#/definitions/'}${definition}` }
  }

  /** Adds the model and all it reaches. */
  add(name: string, groupVersions: readonly { group: string; version: string }[] = []): { $ref: string } {
    const model = modelOf(name)
    if (this.schemas[model.definition] === undefined) {
      this.schemas[model.definition] = {}
      this.schemas[model.definition] = this.schemaOf(model, groupVersions)
    }
    return this.reference(model.definition)
  }

  private schemaOf(model: Model, groupVersions: readonly { group: string; version: string }[]): object {
    const [text = '', texts = {}] = this.docs[model.name] ?? []
    const fields = [...model.fields.values()]
    const properties = Object.fromEntries(fields.map(field => [field.name, this.property(field, texts[field.name])]))
    const required = fields.filter(field => field.required).map(field => field.name)
    const kinds = model.topLevel === undefined ? [] : groupVersions.length > 0 ? groupVersions : [model.topLevel]
    return {
      ...(text !== '' && { description: text }),
      type: 'object',
      ...(required.length > 0 && { required }),
      ...(fields.length > 0 && { properties }),
      ...(model.atomic && { 'x-kubernetes-map-type': 'atomic' }),
      ...(kinds.length > 0 && {
        'x-kubernetes-group-version-kind': kinds.map(({ group, version }) => ({ group, kind: model.goName, version })),
      }),
    }
  }

  private property(field: Field, text: string | undefined): object {
    const value = this.value(field)
    const described = text ? { description: text } : {}
    if (field.shape === 'map')
      return {
        ...described,
        type: 'object',
        additionalProperties: value,
        ...mapExtensions(field),
        ...patchExtensions(field),
      }
    if (field.shape === 'list')
      return { ...described, type: 'array', items: value, ...listExtensions(field), ...patchExtensions(field) }
    const extensions = { ...mapExtensions(field), ...patchExtensions(field) }
    if (!('$ref' in value))
      return {
        ...described,
        ...value,
        ...(field.required && field.type === 'string' && { default: '' }),
        ...extensions,
      }
    const besides = {
      description: text || (textOfReference(field, this.docs) ?? named[field.type]?.[1].description),
      ...extensions,
    }
    // Beside a reference nothing else counts in OpenAPI 3.0, so it goes into allOf.
    return this.version === 3 ? { ...besides, allOf: [value] } : { ...besides, ...value }
  }

  private value(field: Field): object {
    if (field.type === 'object') return this.add(field.model)
    const own = named[field.type]
    if (own === undefined) return simple[field.type] ?? {}
    const [name, schema] = own
    this.schemas[name] ??=
      this.version === 3 && field.type === 'intOrString'
        ? { description: schema.description, format: 'int-or-string', oneOf: [{ type: 'integer' }, { type: 'string' }] }
        : schema
    return this.reference(name)
  }
}

function mapExtensions({ atomicMap, granular, type }: Field): object {
  if (granular) return { 'x-kubernetes-map-type': 'granular' }
  return atomicMap && type !== 'bytes' ? { 'x-kubernetes-map-type': 'atomic' } : {}
}

const listExtensions = (field: Field): object => ({
  'x-kubernetes-list-type': field.listType,
  ...(field.listType === 'map' && { 'x-kubernetes-list-map-keys': field.listMapKeys }),
})

function patchExtensions({ patchReplace, patchMerge, patchRetainKeys, patchMergeKey }: Field): object {
  const strategies = [
    ...(patchReplace ? ['replace'] : []),
    ...(patchMerge ? ['merge'] : []),
    ...(patchRetainKeys ? ['retainKeys'] : []),
  ]
  return {
    ...(strategies.length > 0 && { 'x-kubernetes-patch-strategy': strategies.join(',') }),
    ...(patchMergeKey !== undefined && { 'x-kubernetes-patch-merge-key': patchMergeKey }),
  }
}
