// Which definitions of the Gateway API are to be written, given those that a cluster has: those that are missing, that are
// of an older release, or that an earlier Sampan wrote otherwise. What somebody else installed from a newer release, from
// the experimental channel or from nobody knows where stays as it is. Pure, and without the definitions themselves: most
// clusters have them.
import { parse, type SemVer } from 'semver'
import type { CustomResourceDefinition } from '../../api/generated/models.ts'
import { policyGroup } from '../../api/gateway-names.ts'
import { groupResource } from '../../api/resource.ts'
import {
  bundleVersion,
  bundleVersionAnnotation,
  channel,
  channelAnnotation,
  revision,
  revisionAnnotation,
} from './bundle.ts'
import * as resources from '../../api/gateway-api/resources.ts'

/** The version in which each is read, by the name of its definition. */
export const kindVersions: ReadonlyMap<string, string> = new Map(
  Object.values(resources).map(resource => [groupResource(resource), resource.version]),
)

/** Names of definitions. */
export const kindNames: readonly string[] = [...kindVersions.keys()]

export interface NeededKinds {
  readonly needed: readonly string[]
  /** Others than ours, which stay. */
  readonly foreign: readonly string[]
}

export function neededKinds(find: (name: string) => CustomResourceDefinition | undefined): NeededKinds {
  const verdicts = Map.groupBy(kindNames, name => (name.endsWith(`.${policyGroup}`) ? judgeOwn : judge)(find(name)))
  return { needed: verdicts.get('needed') ?? [], foreign: verdicts.get('foreign') ?? [] }
}

function judge(found: CustomResourceDefinition | undefined): 'needed' | 'there' | 'foreign' {
  if (found === undefined) return 'needed'
  const annotations = found.metadata.annotations ?? {}
  const { [bundleVersionAnnotation]: version, [revisionAnnotation]: itsRevision = revision } = annotations
  if (annotations[channelAnnotation] !== channel || version === undefined) return 'foreign'
  if (version === bundleVersion) return itsRevision === revision ? 'there' : 'needed'
  return isOlder(version) ? 'needed' : 'foreign'
}

/** Of a group in which nobody else has kinds. */
const judgeOwn = (found: CustomResourceDefinition | undefined): 'needed' | 'there' =>
  found?.metadata.annotations?.[revisionAnnotation] === revision ? 'there' : 'needed'

/** Builds of developers and of months are no releases, and neither older nor newer. */
function isOlder(version: string): boolean {
  const release = parse(version)
  return release !== null && isRelease(release) && release.compare(bundleVersion) < 0
}

const isRelease = ({ prerelease: [stage] }: SemVer): boolean => stage === undefined || stage === 'rc'
