// Everything that is made of one version's schema, each part at its first use: pruning, defaults, validation.
import type { FieldError } from '../field-error.ts'
import { invalidValue, joinErrors } from '../field-error.ts'
import type { KubeObject } from '../object.ts'
import { compileDefaulter, type Defaulter } from './defaulting.ts'
import { compileEmbeddedTypes } from './embedded-objects.ts'
import { compilePruner, type Pruner } from './pruning.ts'
import type { Schema } from './schema.ts'
import type { Validators } from './validators.ts'

type Custom = KubeObject & { status?: unknown }

let library: typeof import('./validators.ts') | undefined

export interface CompiledVersion {
  /** Brings in what validating needs; awaited before that. */
  load(): Promise<void>
  readonly prune: Pruner
  readonly defaults: Defaulter
  /** The embedded objects whose apiVersion, kind or metadata are of the wrong types. */
  undecodable(content: unknown): FieldError[]
  /** @param old is the stored object on updates: what did not change is not checked again */
  validate(object: Custom, old?: Custom): FieldError[]
  /** What the last validation of the object let pass, because it was there before. */
  warnings(object: Custom): readonly string[]
  /** Looks at the status and at what speaks of the whole object. */
  validateStatus(object: Custom, old: Custom): FieldError[]
}

export function compileVersion(given: Schema): CompiledVersion {
  const schema = withoutMetadata(given)
  let made: Validators | undefined
  let types: { readonly check: ReturnType<typeof compileEmbeddedTypes> } | undefined
  const validators = (): Validators => (made ??= library!.compileValidators(given, schema))
  const warnings = new WeakMap<Custom, readonly string[]>()
  const beside = (object: Custom, old: Custom | undefined, found: FieldError[]): FieldError[] => {
    const { embedded, lists, rules } = validators()
    found.push(...(embedded?.(object, '') ?? []))
    const ratcheted = old !== undefined && (lists?.(old, '') ?? []).length > 0
    if (!ratcheted) found.push(...(lists?.(object, '') ?? []))
    if (rules === undefined) return found
    if (found.some(isBlocking)) return [...found, unchecked]
    const passed: string[] = []
    const broken = rules(object, old, text => passed.push(text))
    if (passed.length > 0) warnings.set(object, passed)
    return joinErrors(found, broken)
  }
  return {
    load: async () => {
      library ??= await import('./validators.ts')
    },
    prune: compilePruner(schema),
    defaults: compileDefaulter(schema),
    undecodable: content => (types ??= { check: compileEmbeddedTypes(schema) }).check?.(content, '') ?? [],
    warnings: object => warnings.get(object) ?? [],
    validate: (object, old) => beside(object, old, validators().whole.validate(object, old)),
    validateStatus: (object, old) =>
      beside(
        object,
        old,
        object.status === undefined ? [] : validators().status.validate(object.status, old.status, 'status'),
      ),
  }
}

/** apiVersion, kind and metadata have a form of their own. */
function withoutMetadata({ properties, ...schema }: Schema): Schema {
  if (properties === undefined) return schema
  const { apiVersion: _apiVersion, kind: _kind, metadata: _metadata, ...own } = properties
  return { ...schema, properties: own }
}

/** Rules expect values of the types that the schema says. */
const blocking = new Set<FieldError['reason']>([
  'FieldValueNotSupported',
  'FieldValueRequired',
  'FieldValueTooLong',
  'FieldValueTooMany',
  'FieldValueTypeInvalid',
])
const isBlocking = ({ reason }: FieldError): boolean => blocking.has(reason)

const unchecked = invalidValue(
  '<nil>',
  'null',
  'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
)
