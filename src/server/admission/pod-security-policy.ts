// What a namespace's labels say of the pods in it. Labels that name no level are refused, and whoever makes a
// namespace stricter is told which of its pods would not be let in any more.
// Source: k8s.io/pod-security-admission, ValidateNamespace.
import { invalid } from '../../api/api-error.ts'
import { invalidValue, type FieldError } from '../../api/field-error.ts'
import type { Namespace, Pod } from '../../api/generated/models.ts'
import { securityFindings, type SecurityLevel } from '../../api/pod-security.ts'
import { pods } from '../../api/resources.ts'
import type { Caller } from '../request.ts'
import type { ObjectStorage } from '../storage/object-storage.ts'

export const prefix = 'pod-security.kubernetes.io/'
const levels: readonly SecurityLevel[] = ['privileged', 'baseline', 'restricted']
const modes = ['enforce', 'audit', 'warn'] as const
const maximumPods = 3000

export type Mode = (typeof modes)[number]
export interface Policy {
  readonly level: SecurityLevel
  readonly version: string
}

const isLevel = (text: string): text is SecurityLevel => (levels as readonly string[]).includes(text)
const isVersion = (text: string): boolean => text === 'latest' || /^v1\.(?:\d|[1-9]\d*)$/.test(text)

/** What cannot be understood is enforced strictly, and otherwise ignored. */
export function policyOf({ metadata: { labels = {} } }: Namespace, mode: Mode): Policy {
  const level = labels[`${prefix}${mode}`] ?? 'privileged'
  const version = labels[`${prefix}${mode}-version`] ?? 'latest'
  return {
    level: isLevel(level) ? level : mode === 'enforce' ? 'restricted' : 'privileged',
    version: isVersion(version) ? version : 'latest',
  }
}

function labelErrors({ metadata: { labels = {} } }: Namespace): FieldError[] {
  const check = (label: string, isValid: (text: string) => boolean, must: string): FieldError[] => {
    const value = labels[label]
    return value === undefined || isValid(value) ? [] : [invalidValue(`metadata.labels[${label}]`, value, must)]
  }
  return modes.flatMap(mode => [
    ...check(`${prefix}${mode}`, isLevel, `must be one of ${levels.join(', ')}`),
    ...check(`${prefix}${mode}-version`, isVersion, 'must be "latest" or "v1.x"'),
  ])
}

/** @param old is none at creation @throws ApiError Invalid for labels that are wrong now and were right before */
export function checkNamespacePolicy(
  namespace: Namespace,
  old: Namespace | undefined,
  storage: ObjectStorage,
  { warnings }: Pick<Caller, 'warnings'>,
): void {
  const errors = labelErrors(namespace)
  if (errors.length > 0 && (old === undefined || labelErrors(old).length === 0))
    throw invalid('', 'Namespace', namespace.metadata.name, errors)
  if (old === undefined) return
  const enforce = policyOf(namespace, 'enforce')
  const before = policyOf(old, 'enforce')
  const isStricter = levels.indexOf(enforce.level) > levels.indexOf(before.level)
  if (enforce.level !== 'privileged' && (isStricter || enforce.version !== before.version))
    warnings.push(...violations(namespace.metadata.name, enforce, storage))
}

function violations(namespace: string, { level, version }: Policy, storage: ObjectStorage): string[] {
  const present = storage.cache(pods).list(namespace)
  const found = present
    .slice(0, maximumPods)
    .map(({ object }) => ({
      name: object.metadata.name,
      checks: securityFindings(object as Pod, level)
        .map(({ check }) => check)
        .join(', '),
    }))
    .filter(({ checks }) => checks !== '')
  const byChecks = Map.groupBy(found, ({ checks }) => checks)
  const told = [...byChecks].map(
    ([checks, those]) => `${those.map(({ name }) => name).sort()[0]}${others(those.length - 1)}: ${checks}`,
  )
  return [
    ...(present.length > maximumPods
      ? [
          `new PodSecurity enforce level only checked against the first ${maximumPods} of ${present.length} existing pods`,
        ]
      : []),
    ...(told.length > 0
      ? [`existing pods in namespace "${namespace}" violate the new PodSecurity enforce level "${level}:${version}"`]
      : []),
    ...told.sort(),
  ]
}

const others = (count: number): string => (count === 0 ? '' : ` (and ${count} other pod${count === 1 ? '' : 's'})`)
