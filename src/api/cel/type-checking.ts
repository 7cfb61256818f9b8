// What a ValidatingAdmissionPolicy's expressions get wrong about the kinds it names: warnings for its status.
// They change nothing about how the policy works. Source: apiserver policy/validating/typechecking.go.
import type { ExpressionWarning, ParamKind, ValidatingAdmissionPolicy } from '../generated/models.ts'
import type { KindDefinition } from '../kind.ts'
import { apiVersionOf } from '../resource.ts'
import { modelOf, type Field } from '../schema/schema.ts'
import { AdmissionCompiler } from './admission-expressions.ts'
import { escapeName } from './schema-type.ts'
import { bool, bytes, double, dyn, int, listOf, mapOf, string, timestamp, type CelType } from './types.ts'

const mostKinds = 10

export function typeCheckPolicy({ spec }: ValidatingAdmissionPolicy, kinds: readonly KindDefinition[]): ExpressionWarning[] {
  const checked = kindsOf(spec.matchConstraints?.resourceRules ?? [], kinds)
  const params = paramsType(spec.paramKind, kinds)
  const scope = { hasParams: params !== undefined, hasAuthorizer: true }
  const compilers = checked.map(kind => {
    const compiler = new AdmissionCompiler({ object: modelType(kind.model), ...(params !== undefined && { params }) })
    for (const { name, expression } of spec.variables ?? []) compiler.addVariable(name, expression, scope)
    return { compiler, name: `${apiVersionOf(kind.resource)}, Kind=${kind.resource.kind}` }
  })
  const check = (expression: string | undefined, fieldRef: string): ExpressionWarning[] => {
    const problems = !expression ? [] : compilers.flatMap(({ compiler, name }) => {
      const compilation = compiler.compile(expression, scope)
      return 'problem' in compilation ? [`${name}: ${compilation.problem.replace(/^compilation failed: /, '')}\n`] : []
    })
    return problems.length === 0 ? [] : [{ fieldRef, warning: problems.join('\n') }]
  }
  return (spec.validations ?? []).flatMap(({ expression, messageExpression }, index) => [
    ...check(expression, `spec.validations[${index}].expression`),
    ...check(messageExpression, `spec.validations[${index}].messageExpression`),
  ])
}

interface Rule { readonly apiGroups?: readonly string[]; readonly apiVersions?: readonly string[]; readonly resources?: readonly string[] }

/** What rules name without wildcards and subresources, in order, ten at most for each rule. */
function kindsOf(rules: readonly Rule[], kinds: readonly KindDefinition[]): KindDefinition[] {
  const named = rules.flatMap(({ apiGroups = [], apiVersions = [], resources = [] }) => {
    if ([...apiGroups, ...apiVersions].some(value => value.includes('*'))) return []
    return kinds.filter(({ resource }) => apiGroups.includes(resource.group) && apiVersions.includes(resource.version) && resources.includes(resource.plural)).slice(0, mostKinds)
  })
  const sortKey = ({ resource: { group, version, kind } }: KindDefinition): string => `${group}\0${version}\0${kind}`
  return [...new Set(named)].filter(({ openApiSchema }) => openApiSchema === undefined).sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1))
}

function paramsType(paramKind: ParamKind | undefined, kinds: readonly KindDefinition[]): CelType | undefined {
  if (paramKind === undefined) return undefined
  const kind = kinds.find(({ resource }) => resource.kind === paramKind.kind && apiVersionOf(resource) === paramKind.apiVersion)
  return kind === undefined || kind.openApiSchema !== undefined ? dyn : modelType(kind.model)
}

/** The type of a model; its fields are looked at when an expression does. */
function modelType(name: string): CelType {
  const { goName, fields } = modelOf(name)
  return {
    kind: 'object', name: goName,
    fieldType(written) {
      const field = fields.get(written) ?? [...fields.values()].find(each => escapeName(each.name) === written)
      return field === undefined ? undefined : fieldType(field)
    },
  }
}

function fieldType(field: Field): CelType {
  const one = simple[field.type] ?? (field.type === 'object' ? modelType(field.model) : dyn)
  return field.shape === 'list' ? listOf(one) : field.shape === 'map' ? mapOf(string, one) : one
}

const simple: Partial<Record<Field['type'], CelType>> = {
  string, boolean: bool, int32: int, int64: int, double, bytes, time: timestamp, microTime: timestamp, quantity: string, stringList: listOf(string),
}
