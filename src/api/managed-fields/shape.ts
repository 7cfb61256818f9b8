// What server-side apply needs to know of a value: whether it is owned as a whole (leaf), by field, by
// key or by element. Made once for each model from the schema, or from the schema of a custom resource.
import { listKeyDefaults, modelOf, type Field } from '../schema/schema.ts'

export type Shape =
  | { readonly kind: 'leaf'; readonly type: 'string' | 'number' | 'boolean' | 'list' | 'map' | 'any' }
  | {
      readonly kind: 'struct'
      readonly fields: ReadonlyMap<string, ShapeField>
      readonly zero: () => Record<string, unknown>
    }
  | { readonly kind: 'map'; readonly value: Shape }
  | {
      readonly kind: 'list'
      readonly keys: readonly string[]
      readonly item: Shape
      readonly defaults: Readonly<Record<string, unknown>>
    }
  | { readonly kind: 'set' }
  /** Nothing is known: maps are owned by key, everything else as a whole. */
  | { readonly kind: 'deduced' }

export interface ShapeField {
  /** `f:name` */
  readonly element: string
  readonly shape: Shape
}

type LeafType = Extract<Shape, { kind: 'leaf' }>['type']
const leafOf = (type: LeafType): Shape => ({ kind: 'leaf', type })
const leafTypes: Partial<Record<Field['type'], LeafType>> = {
  string: 'string',
  bytes: 'string',
  time: 'string',
  microTime: 'string',
  boolean: 'boolean',
  int32: 'number',
  int64: 'number',
  double: 'number',
}

/**
 * Structures that Go holds by value, so that they are there before anybody sets them: on creation they
 * are not "added", only what is inside them is. At the top of a kind `metadata`, `spec`, `status` always are.
 */
const heldByValue = new Set([
  'V1DeploymentSpec.strategy',
  'V1ReplicaSetSpec.template',
  'V1StatefulSetSpec.updateStrategy',
  'V1DaemonSetSpec.updateStrategy',
  'V1JobTemplateSpec.metadata',
  'V1JobTemplateSpec.spec',
  'V1PodTemplateSpec.metadata',
  'V1PodTemplateSpec.spec',
  'V1PodTemplate.template',
  'V1PersistentVolumeClaimSpec.resources',
  'V1ServiceStatus.loadBalancer',
  'V1IngressStatus.loadBalancer',
  'V1NetworkPolicySpec.podSelector',
  'V1NodeStatus.daemonEndpoints',
  'V1NodeDaemonEndpoints.kubeletEndpoint',
  'V1NodeStatus.nodeInfo',
  'V1CustomResourceDefinitionStatus.acceptedNames',
  'CoreV1Event.source',
  'EventsV1Event.regarding',
  'EventsV1Event.deprecatedSource',
  'V1ResourceClaimSpec.devices',
  'V1ResourceClaimTemplateSpec.metadata',
])
const alwaysThere = new Set(['metadata', 'spec', 'status'])

const shapes = new Map<string, Shape>()

export function shapeOfModel(name: string): Shape {
  const known = shapes.get(name)
  if (known !== undefined) return known
  const shape = modelOf(name).atomic ? leafOf('map') : structOfModel(name)
  shapes.set(name, shape)
  fillShape(name, shape)
  return shape
}

function structOfModel(name: string): Shape {
  return { kind: 'struct', fields: new Map(), zero: () => zeroOf(name) }
}

/** Apart from making the shape, because models contain themselves. */
function fillShape(name: string, shape: Shape): void {
  if (shape.kind !== 'struct') return
  const fields = shape.fields as Map<string, ShapeField>
  for (const field of modelOf(name).fields.values())
    fields.set(field.name, { element: `f:${field.name}`, shape: shapeOfField(field) })
}

/** The fields of an atomic model where a field wants them owned one by one. */
function granularShape(name: string): Shape {
  const shape = structOfModel(name)
  fillShape(name, shape)
  return shape
}

function shapeOfField(field: Field): Shape {
  if (field.shape === 'list') {
    if (field.listType === 'set') return { kind: 'set' }
    if (field.listType === 'atomic') return leafOf('list')
    return {
      kind: 'list',
      keys: [...field.listMapKeys].sort(),
      item: shapeOfModel(field.model),
      defaults: listKeyDefaults,
    }
  }
  if (field.atomicMap) return leafOf('map')
  const one =
    field.type === 'object'
      ? (field.granular ? granularShape : shapeOfModel)(field.model)
      : leafOf(leafTypes[field.type] ?? 'any')
  return field.shape === 'map' ? { kind: 'map', value: one } : one
}

/** The object of that model that Go starts from: structures by value, and required fields with their zero. */
function zeroOf(name: string): Record<string, unknown> {
  const zero: Record<string, unknown> = {}
  const { fields, topLevel } = modelOf(name)
  for (const field of fields.values()) {
    if (
      field.shape === 'one' &&
      field.type === 'object' &&
      ((field.required && !field.pointer) ||
        heldByValue.has(`${name}.${field.name}`) ||
        (topLevel !== undefined && alwaysThere.has(field.name)))
    )
      zero[field.name] = zeroOf(field.model)
    else if (field.required) zero[field.name] = zeroScalar(field)
  }
  return zero
}

function zeroScalar(field: Field): unknown {
  if (field.shape !== 'one' || field.pointer) return null
  if (field.type === 'string') return ''
  if (field.type === 'boolean') return false
  return leafTypes[field.type] === 'number' ? 0 : null
}

/** The part of a custom resource's OpenAPI v3 schema that matters here. */
export interface SchemaNode {
  readonly type?: string
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly additionalProperties?: SchemaNode | boolean
  readonly items?: SchemaNode
  readonly 'x-kubernetes-list-type'?: string
  readonly 'x-kubernetes-list-map-keys'?: readonly string[]
  readonly 'x-kubernetes-map-type'?: string
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean
  readonly 'x-kubernetes-int-or-string'?: boolean
  readonly 'x-kubernetes-embedded-resource'?: boolean
  readonly default?: unknown
}

/** The shape of a custom resource; `apiVersion`, `kind` and `metadata` are added. */
export function shapeOfCustomResource(schema: SchemaNode): Shape {
  const root = shapeOfSchema(schema)
  if (root.kind !== 'struct') return { kind: 'deduced' }
  const fields = new Map(root.fields)
  fields.set('apiVersion', { element: 'f:apiVersion', shape: leafOf('string') })
  fields.set('kind', { element: 'f:kind', shape: leafOf('string') })
  fields.set('metadata', { element: 'f:metadata', shape: shapeOfModel('V1ObjectMeta') })
  return { kind: 'struct', fields, zero: () => ({ metadata: {} }) }
}

/** An object inside an object has metadata of its own. */
function shapeOfEmbedded(schema: SchemaNode): Shape {
  const { 'x-kubernetes-embedded-resource': _embedded, ...inner } = schema
  const shape = shapeOfSchema(inner)
  return shape.kind === 'struct' ? ({ ...shapeOfCustomResource(inner), zero: () => ({}) } as Shape) : shape
}

export function shapeOfSchema(schema: SchemaNode): Shape {
  if (schema['x-kubernetes-embedded-resource'] === true) return shapeOfEmbedded(schema)
  if (schema.type === 'array') return shapeOfList(schema)
  if (schema.properties === undefined && typeof schema.additionalProperties === 'object') {
    return schema['x-kubernetes-map-type'] === 'atomic'
      ? leafOf('map')
      : { kind: 'map', value: shapeOfSchema(schema.additionalProperties) }
  }
  if (schema.properties !== undefined) {
    if (schema['x-kubernetes-map-type'] === 'atomic') return leafOf('map')
    if (schema['x-kubernetes-preserve-unknown-fields'] === true) return { kind: 'deduced' }
    return {
      kind: 'struct',
      zero: () => ({}),
      fields: new Map(
        Object.entries(schema.properties).map(([name, inner]) => [
          name,
          { element: `f:${name}`, shape: shapeOfSchema(inner) },
        ]),
      ),
    }
  }
  if (schema.type === 'object' || schema.type === undefined)
    return schema['x-kubernetes-int-or-string'] === true ? leafOf('any') : { kind: 'deduced' }
  return leafOf(schema.type === 'integer' ? 'number' : (schema.type as LeafType))
}

function shapeOfList(schema: SchemaNode): Shape {
  const listType = schema['x-kubernetes-list-type']
  if (listType === 'set') return { kind: 'set' }
  const keys = schema['x-kubernetes-list-map-keys']
  if (listType !== 'map' || keys === undefined || schema.items === undefined) return leafOf('list')
  const defaults = Object.fromEntries(
    keys.map(key => [key, schema.items?.properties?.[key]?.default]).filter(([, value]) => value !== undefined),
  )
  return {
    kind: 'list',
    keys: [...keys].sort(),
    item: shapeOfSchema(schema.items),
    defaults: defaults as Record<string, unknown>,
  }
}
