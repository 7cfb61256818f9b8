// What a ValidatingAdmissionPolicy's expressions get wrong about the kinds it names: warnings for its status.
// They change nothing about how the policy works. Source: apiserver policy/validating/typechecking.go.
import type { ExpressionWarning, NamedRuleWithOperations, ValidatingAdmissionPolicy } from '../generated/models.ts'
import { AdmissionCompiler } from './admission-expressions.ts'
import type { CelType } from './types.ts'

const mostKinds = 10

/** A kind that the cluster serves. */
export interface CheckedKind {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly plural: string
  /** Made when it is asked for; undefined when nothing is known of the kind's objects. */
  readonly type: () => CelType | undefined
}

/** @param kinds with their types, built in and custom */
export function typeCheckPolicy(
  { spec }: ValidatingAdmissionPolicy,
  kinds: readonly CheckedKind[],
): ExpressionWarning[] {
  const named = kindsOf(spec.matchConstraints?.resourceRules ?? [], kinds)
  const params = kinds
    .find(
      ({ group, version, kind }) =>
        kind === spec.paramKind?.kind && (group === '' ? version : `${group}/${version}`) === spec.paramKind.apiVersion,
    )
    ?.type()
  const scope = { hasParams: params !== undefined, hasAuthorizer: true, hasRequestResource: false, hasVariables: true }
  const compilers = named.flatMap(({ group, version, kind, type }) => {
    const object = type()
    if (object === undefined) return []
    const compiler = new AdmissionCompiler({ object, ...(params !== undefined && { params }) })
    for (const { name, expression } of spec.variables ?? []) compiler.addVariable(name, expression, scope)
    return [{ compiler, name: `${group}/${version}, Kind=${kind}` }]
  })
  const check = (expression: string | undefined, fieldRef: string): ExpressionWarning[] => {
    const problems = !expression
      ? []
      : compilers.flatMap(({ compiler, name }) => {
          const compilation = compiler.compile(expression, scope)
          return 'problem' in compilation
            ? [`${name}: ${compilation.problem.replace(/^compilation failed: /, '')}\n`]
            : []
        })
    return problems.length === 0 ? [] : [{ fieldRef, warning: problems.join('\n') }]
  }
  return (spec.validations ?? []).flatMap(({ expression, messageExpression }, index) => [
    ...check(expression, `spec.validations[${index}].expression`),
    ...check(messageExpression, `spec.validations[${index}].messageExpression`),
  ])
}

/** What rules name without wildcards and subresources. As soon as one rule has named ten, no further one is looked at. */
function kindsOf(rules: readonly NamedRuleWithOperations[], kinds: readonly CheckedKind[]): CheckedKind[] {
  const found = new Set<CheckedKind>()
  for (const rule of rules) {
    const named = kindsOfRule(rule, kinds).slice(0, mostKinds)
    for (const kind of named) found.add(kind)
    if (named.length === mostKinds) break
  }
  const sortKey = ({ group, version, kind }: CheckedKind): string => `${group}\0${version}\0${kind}`
  return [...found].sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1))
}

function kindsOfRule(
  { apiGroups = [], apiVersions = [], resources = [] }: NamedRuleWithOperations,
  kinds: readonly CheckedKind[],
): CheckedKind[] {
  if ([...apiGroups, ...apiVersions].some(value => value.includes('*'))) return []
  const plain = resources.filter(resource => !/[*/]/.test(resource)).sort()
  return [...apiGroups]
    .sort()
    .flatMap(group =>
      [...apiVersions]
        .sort()
        .flatMap(version =>
          plain.flatMap(
            resource =>
              kinds.find(kind => kind.group === group && kind.version === version && kind.plural === resource) ?? [],
          ),
        ),
    )
}
