// Expressions about a write: what policies and the match conditions of webhooks are made of. Declares their
// variables, compiles them in order, and evaluates them within one budget.
import { CompileError, CostLimitError, EvaluationError } from './cel-error.ts'
import {
  compile,
  costOfFailure,
  perCallLimit,
  runtimeBudget,
  type CompiledExpression,
  type Environment,
} from './environment.ts'
import { bool, dyn, formatType, int, listOf, mapOf, objectType, string, timestamp, type CelType } from './types.ts'
import { CelObject, type Value } from './values.ts'

const kindType = objectType('kubernetes.GroupVersionKind', { group: string, version: string, kind: string })
const resourceType = objectType('kubernetes.GroupVersionResource', { group: string, version: string, resource: string })
const userType = objectType('kubernetes.UserInfo', {
  username: string,
  uid: string,
  groups: listOf(string),
  extra: mapOf(string, listOf(string)),
})
const requestType = objectType('kubernetes.AdmissionRequest', {
  kind: kindType,
  resource: resourceType,
  subResource: string,
  requestKind: kindType,
  requestResource: resourceType,
  requestSubResource: string,
  name: string,
  namespace: string,
  operation: string,
  userInfo: userType,
  dryRun: bool,
  options: dyn,
})
const namespaceType = objectType('kubernetes.Namespace', {
  metadata: objectType('kubernetes.NamespaceMetadata', {
    name: string,
    generateName: string,
    namespace: string,
    labels: mapOf(string, string),
    annotations: mapOf(string, string),
    UID: string,
    creationTimestamp: timestamp,
    deletionGracePeriodSeconds: int,
    deletionTimestamp: timestamp,
    generation: int,
    resourceVersion: string,
    finalizers: listOf(string),
  }),
  spec: objectType('kubernetes.NamespaceSpec', { finalizers: listOf(string) }),
  status: objectType('kubernetes.NamespaceStatus', {
    conditions: listOf(
      objectType('kubernetes.NamespaceCondition', {
        status: string,
        type: string,
        lastTransitionTime: timestamp,
        message: string,
        reason: string,
      }),
    ),
    phase: string,
  }),
})
const authorizerType: CelType = { kind: 'opaque', name: 'kubernetes.authorization.Authorizer' }
const resourceCheckType: CelType = { kind: 'opaque', name: 'kubernetes.authorization.ResourceCheck' }

export interface AdmissionScope {
  readonly hasParams: boolean
  /** Message expressions may not ask for permissions. */
  readonly hasAuthorizer: boolean
  /** `authorizer.requestResource`, which comes with the authorizer everywhere but in type checking. */
  readonly hasRequestResource?: boolean
  /** Match conditions come before variables. */
  readonly hasVariables: boolean
}

export interface AdmissionTypes {
  readonly object?: CelType
  readonly params?: CelType
}

export type Compilation = { readonly expression: CompiledExpression } | { readonly problem: string }

/** Values by the name of the variable: `object`, `oldObject`, `request`, `namespaceObject`, `params`, `authorizer`. */
export type AdmissionVariables = (name: string) => Value

interface NamedVariable {
  readonly name: string
  readonly compilation: Compilation
}

/** Compiles the expressions of one policy; a variable is known to those that come after it. */
export class AdmissionCompiler {
  private readonly types: AdmissionTypes
  private readonly extension: Pick<Environment, 'structs' | 'functions'>
  private readonly variables: NamedVariable[] = []

  /** @param types of objects where they are known; everything is allowed on them otherwise */
  constructor(types: AdmissionTypes = {}, extension: Pick<Environment, 'structs' | 'functions'> = {}) {
    this.types = types
    this.extension = extension
  }

  /** `variables.NAME` for what is compiled from now on. */
  addVariable(name: string, source: string, scope: AdmissionScope): Compilation {
    const compilation = this.compile(source, scope)
    this.variables.push({ name, compilation })
    return compilation
  }

  /** @param results the types it may have; any when undefined */
  compile(source: string, scope: AdmissionScope, results?: readonly CelType[]): Compilation {
    try {
      const expression = compile(source, { ...this.extension, variables: this.declared(scope) })
      const problem = results === undefined ? undefined : resultProblem(expression.type, results)
      return problem === undefined ? { expression } : { problem }
    } catch (error) {
      if (error instanceof CompileError) return { problem: `compilation failed: ${error.message}` }
      throw error
    }
  }

  get compiledVariables(): readonly NamedVariable[] {
    return this.variables
  }

  private declared({
    hasParams,
    hasAuthorizer,
    hasRequestResource = hasAuthorizer,
    hasVariables,
  }: AdmissionScope): Record<string, CelType> {
    const object = this.types.object ?? dyn
    const composed = Object.fromEntries(
      this.variables.map(({ name, compilation }) => [
        name,
        'expression' in compilation ? compilation.expression.type : dyn,
      ]),
    )
    return {
      object,
      oldObject: object,
      request: requestType,
      namespaceObject: namespaceType,
      ...(hasParams && { params: this.types.params ?? dyn }),
      ...(hasAuthorizer && { authorizer: authorizerType }),
      ...(hasRequestResource && { 'authorizer.requestResource': resourceCheckType }),
      ...(hasVariables && { variables: objectType('kubernetes.variables', composed) }),
    }
  }
}

function resultProblem(type: CelType, wanted: readonly CelType[]): string | undefined {
  const names = wanted.map(one => (one.kind === 'null' ? 'null_type' : formatType(one)))
  const found = type.kind === 'null' ? 'null_type' : formatType(type)
  if (names.includes(found)) return undefined
  return `must evaluate to ${names.length === 1 ? names[0] : `one of [${names.join(' ')}]`} but got ${found}`
}

/** No further expression may be evaluated for this policy. */
export class OutOfBudget extends Error {
  constructor() {
    super('validation failed due to running out of cost budget, no further validation rules will be run')
    this.name = 'OutOfBudget'
  }
}

export type Outcome = { readonly value: Value } | { readonly error: string }

/** Evaluates the expressions of one policy for one write. */
export class AdmissionEvaluation {
  private readonly values: AdmissionVariables
  private remaining: number

  constructor(values: AdmissionVariables, variables: readonly NamedVariable[] = [], budget = runtimeBudget) {
    const composed = this.compose(variables)
    this.values = name => (name === 'variables' ? composed : values(name))
    this.remaining = budget
  }

  /** Throws OutOfBudget. */
  evaluate(compilation: Compilation): Outcome {
    if ('problem' in compilation) return { error: compilation.problem }
    const { expression } = compilation
    try {
      return { value: this.run(expression) }
    } catch (error) {
      if (error instanceof EvaluationError || error instanceof CostLimitError)
        return { error: `expression '${expression.source}' resulted in error: ${error.message}` }
      throw error
    }
  }

  private run(expression: CompiledExpression): Value {
    try {
      const { value, cost } = expression.evaluate(this.values, perCallLimit)
      this.pay(cost)
      return value
    } catch (error) {
      this.pay(costOfFailure(error))
      throw error
    }
  }

  private pay(cost: number): void {
    if (cost > this.remaining) throw new OutOfBudget()
    this.remaining -= cost
  }

  /** Each variable is computed when it is first read, and once. */
  private compose(variables: readonly NamedVariable[]): CelObject {
    const convert = (name: string): Value | undefined => {
      const compilation = variables.find(variable => variable.name === name)?.compilation
      if (compilation === undefined) return undefined
      if ('problem' in compilation)
        throw new EvaluationError(
          `composited variable ${JSON.stringify(name)} fails to compile: ${compilation.problem}`,
        )
      try {
        return this.run(compilation.expression)
      } catch (error) {
        // Running out of what one expression may cost is, to those that read the variable, an error like others.
        if (error instanceof EvaluationError || error instanceof CostLimitError)
          throw new EvaluationError(`composited variable ${JSON.stringify(name)} fails to evaluate: ${error.message}`)
        throw error
      }
    }
    return new CelObject({
      typeName: 'kubernetes.variables',
      json: {},
      isMap: false,
      convert,
      names: () => variables.map(({ name }) => name),
    })
  }
}
