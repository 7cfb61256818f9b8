// One MutatingAdmissionPolicy applied to one write: its mutations one after the other, each on what the one
// before made. A policy is compiled once.
import { ApiError } from '../../api/api-error.ts'
import {
  AdmissionCompiler,
  AdmissionEvaluation,
  OutOfBudget,
  type Compilation,
} from '../../api/cel/admission-expressions.ts'
import { CostLimitError, EvaluationError } from '../../api/cel/cel-error.ts'
import { jsonPatchList, misplacedPart, mutationExtension, wholeObject } from '../../api/cel/mutation-types.ts'
import { toJson } from '../../api/cel/to-json.ts'
import { CelObject, type Value } from '../../api/cel/values.ts'
import { limitWork } from '../../api/cel/work.ts'
import type { MutatingAdmissionPolicy, Mutation } from '../../api/generated/models.ts'
import { mergeApplied } from '../../api/managed-fields/merge.ts'
import { shapeFor } from '../../api/managed-fields/record-update.ts'
import type { Shape } from '../../api/managed-fields/shape.ts'
import { checkTyped } from '../../api/managed-fields/typed-check.ts'
import type { KubeObject } from '../../api/object.ts'
import { applyJsonPatch } from '../../api/patch/json-patch.ts'
import { deepEqual, isObject } from '../../api/patch/json-value.ts'
import { apiVersionOf } from '../../api/resource.ts'
import { admissionVariables, inFormOf } from './admission-values.ts'
import { compileMatchConditions, type CompiledMatchConditions } from './match-conditions.ts'
import { modelOfObject, replaceContent } from './replace-content.ts'
import type { PolicyCall } from './validating-policy-evaluation.ts'

export interface MutationResult {
  readonly changed: boolean
  readonly errors: readonly string[]
}

interface CompiledPolicy {
  readonly conditions: CompiledMatchConditions | undefined
  readonly compiler: AdmissionCompiler
  readonly mutations: readonly { readonly mutation: Mutation; readonly patch: Compilation }[]
}

/** In values of all sorts. */
const largestPatch = 1_000_000
const compiled = new WeakMap<MutatingAdmissionPolicy, CompiledPolicy>()

/** Changes the draft of the request. */
export function applyMutatingPolicy(policy: MutatingAdmissionPolicy, call: PolicyCall): MutationResult {
  const { request, kind, context, params } = call
  const draft = request.object
  if (draft === undefined) return { changed: false, errors: [] }
  const { conditions, compiler, mutations } = compiledPolicy(policy)
  const values = (): ReturnType<typeof admissionVariables> => admissionVariables(request, kind, context, params)
  const matched = conditions?.evaluate(values())
  if (matched?.error !== undefined) return { changed: false, errors: [matched.error] }
  if (matched?.matches === false) return { changed: false, errors: [] }
  const before = structuredClone(draft)
  const errors = mutations.flatMap(({ mutation, patch }) => {
    const problem = applyMutation(
      mutation,
      () => new AdmissionEvaluation(values(), compiler.compiledVariables).evaluate(patch),
      draft,
      call,
    )
    return problem === undefined ? [] : [problem]
  })
  return { changed: !deepEqual(before, draft), errors }
}

function compiledPolicy(policy: MutatingAdmissionPolicy): CompiledPolicy {
  const known = compiled.get(policy)
  if (known !== undefined) return known
  const { spec } = policy
  const scope = { hasParams: spec.paramKind !== undefined, hasAuthorizer: true, hasVariables: true }
  const compiler = new AdmissionCompiler({}, mutationExtension)
  for (const { name, expression } of spec.variables ?? []) compiler.addVariable(name, expression, scope)
  const made: CompiledPolicy = {
    compiler,
    conditions:
      (spec.matchConditions ?? []).length === 0
        ? undefined
        : compileMatchConditions(spec.matchConditions!, {
            hasParams: scope.hasParams,
            failurePolicy: spec.failurePolicy,
          }),
    mutations: (spec.mutations ?? []).map(mutation => ({
      mutation,
      patch:
        mutation.patchType === 'ApplyConfiguration'
          ? compiler.compile(mutation.applyConfiguration?.expression ?? '', scope, [wholeObject])
          : compiler.compile(mutation.jsonPatch?.expression ?? '', scope, [jsonPatchList]),
    })),
  }
  compiled.set(policy, made)
  return made
}

/** What is wrong, if anything. */
function applyMutation(
  { patchType }: Mutation,
  evaluate: () => ReturnType<AdmissionEvaluation['evaluate']>,
  draft: KubeObject,
  call: PolicyCall,
): string | undefined {
  try {
    const outcome = evaluate()
    if ('error' in outcome) return outcome.error
    const { request, kind } = call
    const object = inFormOf(kind, request.target.kind, draft)!
    const patched =
      patchType === 'ApplyConfiguration'
        ? applied(outcome.value, object, call)
        : (applyJsonPatch(object, limitWork(largestPatch, () => toJson(outcome.value)).result) as KubeObject)
    if (!isObject(patched)) throw new Inapplicable('error applying patch: the result is no object')
    replaceContent(request, inFormOf(request.target.kind, kind, structuredClone(patched) as KubeObject)!)
    return undefined
  } catch (error) {
    if (
      error instanceof Inapplicable ||
      error instanceof OutOfBudget ||
      error instanceof EvaluationError ||
      error instanceof CostLimitError
    )
      return error.message
    if (error instanceof ApiError) return `error applying patch: ${error.message}`
    throw error
  }
}

class Inapplicable extends Error {}

function applied(value: Value, object: KubeObject, { request, kind }: PolicyCall): KubeObject {
  if (!(value instanceof CelObject))
    throw new Inapplicable('unsupported return type from ApplyConfiguration expression')
  const misplaced = misplacedPart(value)
  if (misplaced !== undefined) throw new Inapplicable(misplaced)
  const isOwn = object.kind === kind.resource.kind
  const model = isOwn ? kind.model : modelOfObject(request)
  if (model === undefined) throw new Inapplicable(`unable to find a schema for ${object.kind}: use a JSONPatch`)
  const patch = {
    ...value.json,
    apiVersion: isOwn ? apiVersionOf(kind.resource) : object.apiVersion,
    kind: object.kind,
  }
  const shape = shapeFor(model)
  checkTyped(patch, shape)
  const atomics = atomicParts(patch, shape, '')
  if (atomics.length > 0)
    throw new Inapplicable(
      `error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: ${atomics.join(', ')}`,
    )
  return mergeApplied(object, patch, shape) as KubeObject
}

/** Where the patch has something that can only be given as a whole. */
function atomicParts(value: unknown, shape: Shape, path: string): string[] {
  if (typeof value !== 'object' || value === null) return []
  if (shape.kind === 'leaf') return [path]
  if (Array.isArray(value))
    return shape.kind === 'list'
      ? value.flatMap((item, index) => atomicParts(item, shape.item, `${path}[${index}]`))
      : []
  return Object.entries(value as Record<string, unknown>).flatMap(([name, part]) => {
    const below =
      shape.kind === 'struct' ? shape.fields.get(name)?.shape : shape.kind === 'map' ? shape.value : undefined
    return below === undefined ? [] : atomicParts(part, below, `${path}.${name}`)
  })
}
