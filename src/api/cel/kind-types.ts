// The objects of whole kinds as types of expressions: of built-in kinds by their models, of custom kinds by the
// schemas of their definitions. Fields that the published schemas give no type, such as quantities, cannot be
// seen. Source: apiserver pkg/cel/openapi/resolver, pkg/cel/common/schemas.go.
import type { CustomResourceDefinition } from '../generated/models.ts'
import type { KindDefinition } from '../kind.ts'
import { modelOf, type Field } from '../schema/schema.ts'
import { escapeName, schemaType } from './schema-type.ts'
import type { CheckedKind } from './type-checking.ts'
import { bool, bytes, double, dyn, int, listOf, mapOf, objectType, string, timestamp, type CelType } from './types.ts'

export function builtInKind({ resource: { group, version, kind, plural }, model }: KindDefinition): CheckedKind {
  return { group, version, kind, plural, type: () => modelType(model) }
}

/** Its served versions. */
export function customKinds({ spec: { group, names, versions } }: CustomResourceDefinition): CheckedKind[] {
  return versions
    .filter(({ served }) => served)
    .map(({ name: version, schema }) => ({
      group,
      version,
      kind: names.kind,
      plural: names.plural,
      type() {
        const { metadata: _metadata, ...properties } = schema?.openAPIV3Schema?.properties ?? {}
        const own = schemaType({ type: 'object', properties }, false)?.type
        return own === undefined ? undefined : wholeObject(names.kind, own)
      },
    }))
}

/** Metadata is published as what it is in all kinds. */
function wholeObject(name: string, own: CelType): CelType {
  const common: Readonly<Record<string, CelType>> = {
    apiVersion: string,
    kind: string,
    metadata: modelType('V1ObjectMeta'),
  }
  return {
    kind: 'object',
    name,
    fieldType: field =>
      Object.hasOwn(common, field) ? common[field] : own.kind === 'object' ? own.fieldType(field) : undefined,
  }
}

/** The type of a model; its fields are looked at when an expression does. */
function modelType(name: string): CelType {
  const { goName, fields } = modelOf(name)
  return {
    kind: 'object',
    name: goName,
    fieldType(written) {
      const field = fields.get(written) ?? [...fields.values()].find(each => escapeName(each.name) === written)
      return field === undefined ? undefined : fieldType(field)
    },
  }
}

function fieldType(field: Field): CelType | undefined {
  const one = field.type === 'object' ? modelType(field.model) : simple[field.type]
  if (one === undefined) return undefined
  return field.shape === 'list' ? listOf(one) : field.shape === 'map' ? mapOf(string, one) : one
}

const simple: Partial<Record<Field['type'], CelType>> = {
  string,
  boolean: bool,
  int32: int,
  int64: int,
  double,
  bytes,
  time: timestamp,
  microTime: timestamp,
  stringList: listOf(string),
  intOrString: dyn,
  raw: objectType('object', {}),
  fieldsV1: objectType('object', {}),
}
