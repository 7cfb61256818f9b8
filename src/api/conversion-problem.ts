// What stands between an object that says what it is and the kind it should be, in the words of Kubernetes' scheme.
import type { TypeMeta } from './resource.ts'

/** `converting (v1.Pod) to (core.Namespace): unknown conversion`: the packages that Kubernetes keeps the two kinds in. */
function noConversion(from: TypeMeta, to: TypeMeta): string {
  const group = groupOf(to.apiVersion)
  const hub = group === '' || group === 'events.k8s.io' ? 'core' : group.split('.', 1)[0]!
  return `converting (${versionOf(from.apiVersion)}.${from.kind}) to (${hub}.${to.kind}): unknown conversion`
}

const notRegistered = ({ apiVersion, kind }: TypeMeta): string =>
  `no kind "${kind}" is registered for version "${apiVersion}" in scheme "pkg/api/legacyscheme/scheme.go:30"`

const groupOf = (apiVersion: string): string => apiVersion.slice(0, Math.max(0, apiVersion.indexOf('/')))
export const versionOf = (apiVersion: string): string => apiVersion.slice(apiVersion.indexOf('/') + 1)

export type IsRegistered = (apiVersion: string, kind: string) => boolean

/** undefined: none; other versions of the kind can be converted. */
export function conversionProblem(given: TypeMeta, expected: TypeMeta, isRegistered: IsRegistered): string | undefined {
  if (given.kind === expected.kind && given.apiVersion === expected.apiVersion) return undefined
  if (!isRegistered(given.apiVersion, given.kind)) return notRegistered(given)
  return given.kind === expected.kind ? undefined : noConversion(given, expected)
}
