// What a CustomResourceDefinition's status says: which of its names are accepted (each name belongs to one
// definition of a group), and whether it is established. Pure. Reasons and messages:
// apiextensions-apiserver pkg/controller/{status,establish,nonstructuralschema,apiapproval}.
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionCondition as Condition,
  CustomResourceDefinitionNames as Names,
  CustomResourceDefinitionStatus as Status,
} from '../generated/models.ts'
import { sameJson } from '../validation/scalars.ts'
import { approvalCondition } from './api-approval.ts'

export const isTrue = ({ status }: CustomResourceDefinition, type: string): boolean =>
  status?.conditions?.some(condition => condition.type === type && condition.status === 'True') === true

/** Whether its schemas have to be looked at: whoever wrote an established one was refused what is not structural. */
export const mayViolate = (definition: CustomResourceDefinition): boolean =>
  !isTrue(definition, 'Established') || isTrue(definition, 'NonStructuralSchema')

/** The conditions with one set; its time moves only when its status does. */
export function withCondition(conditions: readonly Condition[], next: Condition, timestamp: string): Condition[] {
  const old = conditions.find(({ type }) => type === next.type)
  const settled = {
    ...next,
    lastTransitionTime: old?.status === next.status ? (old.lastTransitionTime ?? timestamp) : timestamp,
  }
  return old === undefined
    ? [...conditions, settled]
    : conditions.map(condition => (condition === old ? settled : condition))
}

/** The status that the definition shall have; undefined when it has it. @param others are the definitions of the same group */
export function planStatus(
  definition: CustomResourceDefinition,
  others: readonly CustomResourceDefinition[],
  violations: readonly string[],
  timestamp: string,
): Status | undefined {
  const { spec, status } = definition
  const { accepted, problem } = acceptNames(spec.names, status.acceptedNames ?? { plural: '', kind: '' }, others)
  const established = isTrue(definition, 'Established') || problem === undefined
  const wanted: Condition[] = [
    problem === undefined
      ? { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found' }
      : { type: 'NamesAccepted', status: 'False', ...problem },
    established
      ? {
          type: 'Established',
          status: 'True',
          reason: 'InitialNamesAccepted',
          message: 'the initial names have been accepted',
        }
      : { type: 'Established', status: 'False', reason: 'NotAccepted', message: 'not all names are accepted' },
  ]
  const approval = approvalCondition(definition)
  if (approval !== undefined) wanted.push(approval)
  if (violations.length > 0)
    wanted.push({ type: 'NonStructuralSchema', status: 'True', reason: 'Violations', message: violations.join(', ') })
  const stale = (status.conditions ?? []).filter(({ type }) => type !== 'NonStructuralSchema' || violations.length > 0)
  const conditions = wanted.reduce((all, next) => withCondition(all, next, timestamp), stale)
  const planned = { ...status, acceptedNames: accepted, conditions }
  return sameJson(planned, status) ? undefined : planned
}

interface Acceptance {
  readonly accepted: Names
  readonly problem?: { readonly reason: string; readonly message: string }
}

function acceptNames(wanted: Names, before: Names, others: readonly CustomResourceDefinition[]): Acceptance {
  const taken = others.map(({ status }) => status?.acceptedNames)
  const resources = new Set(taken.flatMap(names => [names?.plural, names?.singular, ...(names?.shortNames ?? [])]))
  const kinds = new Set(taken.flatMap(names => [names?.kind, names?.listKind]))
  const accepted: Names = { ...before }
  let problem: Acceptance['problem']
  const claim = (
    name: 'plural' | 'singular' | 'kind' | 'listKind',
    used: ReadonlySet<string | undefined>,
    reason: string,
  ): void => {
    const value = wanted[name] ?? ''
    if (value !== before[name] && used.has(value))
      problem = { reason, message: `${JSON.stringify(value)} is already in use` }
    else accepted[name] = value
  }
  claim('plural', resources, 'PluralConflict')
  claim('singular', resources, 'SingularConflict')
  const conflicts = (wanted.shortNames ?? [])
    .filter(name => resources.has(name) && before.shortNames?.includes(name) !== true)
    .map(name => `${JSON.stringify(name)} is already in use`)
  if (conflicts.length > 0)
    problem = {
      reason: 'ShortNamesConflict',
      message: conflicts.length === 1 ? conflicts[0]! : `[${conflicts.join(', ')}]`,
    }
  else setOrDelete(accepted, 'shortNames', wanted.shortNames)
  claim('kind', kinds, 'KindConflict')
  claim('listKind', kinds, 'ListKindConflict')
  setOrDelete(accepted, 'categories', wanted.categories)
  return { accepted, ...(problem && { problem }) }
}

function setOrDelete(names: Names, field: 'shortNames' | 'categories', value: string[] | undefined): void {
  if (value === undefined) delete names[field]
  else names[field] = value
}

/** Only definitions that an older program stored can have any. */
