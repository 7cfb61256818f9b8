// Where expressions are compiled: the functions of Kubernetes 1.36, and the variables that the place of the
// expression declares.
import { check, type Checked } from './checker.ts'
import { CompileError, type Issue } from './cel-error.ts'
import type { Overload } from './functions.ts'
import { authorizerFunctions } from './library/authorizer.ts'
import { listFunctions } from './library/lists.ts'
import { networkFunctions } from './library/network.ts'
import { optionalFunctions } from './library/optional.ts'
import { patternFunctions } from './library/patterns.ts'
import { quantityFunctions } from './library/quantity.ts'
import { semverFunctions } from './library/semver.ts'
import { standardFunctions } from './library/standard.ts'
import { stringFunctions } from './library/strings.ts'
import { urlFunctions } from './library/url.ts'
import { checkLiterals } from './literal-checks.ts'
import { parse } from './parser.ts'
import { compileProgram, Meter, type StructMaker } from './program.ts'
import type { Expression } from './syntax.ts'
import type { CelType } from './types.ts'
import type { Value } from './values.ts'

/** What one expression may cost: about a tenth of a second. */
export const perCallLimit = 1_000_000
/** What all expressions of one request may cost together. */
export const runtimeBudget = 10_000_000

export interface Environment {
  readonly variables: Readonly<Record<string, CelType>>
  /** The types that `Name{...}` makes, and how. */
  readonly structs?: { readonly typeOf: (name: string) => CelType | undefined; readonly make: StructMaker }
  /** Beyond those that are everywhere. */
  readonly functions?: readonly Overload[]
}

export interface CompiledExpression {
  readonly source: string
  readonly type: CelType
  readonly expression: Expression
  readonly checked: Checked
  /** Throws EvaluationError, or CostLimitError when it costs more than `limit`. */
  evaluate(variables: (name: string) => Value, limit?: number): Evaluation
}

export interface Evaluation {
  readonly value: Value
  readonly cost: number
}

const common = [
  ...standardFunctions,
  ...optionalFunctions,
  ...stringFunctions,
  ...listFunctions,
  ...patternFunctions,
  ...quantityFunctions,
  ...networkFunctions,
  ...urlFunctions,
  ...semverFunctions,
  ...authorizerFunctions,
]
const commonByName: ReadonlyMap<string, readonly Overload[]> = Map.groupBy(common, ({ name }) => name)

/** Throws a CompileError. */
export function compile(source: string, environment: Environment): CompiledExpression {
  try {
    return compileNested(source, environment)
  } catch (error) {
    if (error instanceof RangeError)
      throw new CompileError(source, [{ offset: 0, message: 'expression recursion limit exceeded' }])
    throw error
  }
}

/** Throws a RangeError when the expression nests too deeply for the stack. */
function compileNested(source: string, { variables, structs, functions = [] }: Environment): CompiledExpression {
  const expression = parse(source)
  const issues: Issue[] = []
  const declarations = {
    functions: functions.length === 0 ? commonByName : Map.groupBy([...common, ...functions], ({ name }) => name),
    variable: (name: string) => (Object.hasOwn(variables, name) ? variables[name] : undefined),
    structType: (name: string) => structs?.typeOf(name),
  }
  const checked = check(expression, declarations, issues)
  if (issues.length === 0) checkLiterals(expression, issues)
  if (issues.length > 0) throw new CompileError(source, issues)
  const program = compileProgram(expression, checked, structs?.make ?? noStructs)
  return {
    source,
    expression,
    checked,
    type: checked.type,
    evaluate(variable, limit = perCallLimit) {
      const meter = new Meter(limit)
      try {
        return { value: program(variable, meter), cost: meter.spent }
      } catch (error) {
        throw Object.assign(error as Error, { cost: meter.spent })
      }
    },
  }
}

function noStructs(name: string): never {
  throw new Error(`no type ${name}`)
}

/** What an evaluation that failed cost until then. */
export const costOfFailure = (error: unknown): number => (error as { cost?: number }).cost ?? 0
