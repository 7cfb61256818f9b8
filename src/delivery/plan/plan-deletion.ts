// What is taken away with a service, in the order in which it goes: first what starts something or brings requests, then
// instances, then what was made on servers; the releases go when nothing that they tell of is left, and the one that
// runs is the last of them. So whoever comes after a process that was killed finds what there is to do. Pure.
import type { Observation } from '../engine/engine.ts'
import { samePart, type Part, type PartName } from '../engine/parts.ts'
import type { Release } from '../release.ts'
import { outlivesReleases } from './bundles.ts'
import type { ServiceNeed } from './step.ts'

export type DeletionStep =
  | { readonly kind: 'run'; readonly name: string }
  /** `seen`: there is one; what nobody sees is removed all the same, since not everybody may see all. */
  | { readonly kind: 'part'; readonly part: PartName; readonly withData: boolean; readonly seen: boolean }
  /** What was made on a server that others share. */
  | { readonly kind: 'drop'; readonly need: ServiceNeed }
  | { readonly kind: 'release'; readonly revision: number }
  | { readonly kind: 'bundle'; readonly name: string }

export interface DeletionInput {
  /** All that are recorded, newest first. */
  readonly releases: readonly Release[]
  readonly observed: Observation
  readonly bundles: readonly string[]
  /** Workloads of which there is data. */
  readonly holders: readonly string[]
  readonly withData: boolean
}

export function planDeletion({ releases, observed, bundles, holders, withData }: DeletionInput): DeletionStep[] {
  const known = partsOf(releases, observed)
  const isServer = ({ name }: PartName): boolean => holders.includes(name)
  const there = seenParts(observed)
  const parts = (kind: Part['kind'], servers: boolean): DeletionStep[] =>
    known
      .filter(part => part.kind === kind && isServer(part) === servers)
      .map(part => ({ kind: 'part', part, withData: servers, seen: there.some(other => samePart(part, other)) }))
  const servers = withData ? [...parts('entrance', true), ...holders.map(removedWithData)] : []
  return [
    ...runsOf(releases).map((name): DeletionStep => ({ kind: 'run', name })),
    ...parts('schedule', false),
    ...parts('route', false),
    ...parts('entrance', false),
    ...parts('workload', false),
    ...(withData ? externalNeeds(releases) : []).map((need): DeletionStep => ({ kind: 'drop', need })),
    ...servers,
    ...inOrderOfLeaving(releases).map(({ revision }): DeletionStep => ({ kind: 'release', revision })),
    ...bundles
      // Without its password the data would be of no use to whoever delivers the service again.
      .filter(name => withData || holders.length === 0 || !outlivesReleases(name))
      .map((name): DeletionStep => ({ kind: 'bundle', name })),
  ]
}

const removedWithData = (name: string): DeletionStep => ({
  kind: 'part',
  part: { kind: 'workload', name },
  withData: true,
  seen: true,
})

const seenParts = ({ workloads, entrances, schedules, routes }: Observation): PartName[] => [
  ...schedules.map(({ name }): PartName => ({ kind: 'schedule', name })),
  ...routes.map(({ name }): PartName => ({ kind: 'route', name })),
  ...entrances.map(({ name }): PartName => ({ kind: 'entrance', name })),
  ...workloads.map(({ name }): PartName => ({ kind: 'workload', name })),
]

/** Also those that a release which was interrupted may have made, and those that no record tells of. */
function partsOf(releases: readonly Release[], observed: Observation): PartName[] {
  const steps = releases.flatMap(release => release.steps)
  const brought = steps.flatMap((step): PartName[] => (step.kind === 'bring' ? [...step.put, ...step.before] : []))
  const all: PartName[] = [...seenParts(observed), ...releases.flatMap(release => release.parts), ...brought]
  return all
    .filter((part, index) => all.findIndex(other => samePart(part, other)) === index)
    .map(({ kind, name }) => ({ kind, name }))
}

function runsOf(releases: readonly Release[]): string[] {
  const names = releases.flatMap(({ steps }) =>
    steps.flatMap(step => {
      switch (step.kind) {
        case 'run':
          return [step.run.name]
        case 'analyse':
          return step.run === undefined ? [] : [step.run.name]
        case 'migrate':
          return [step.forward, step.back, ...Object.values(step.version ?? {})].flatMap(run => run?.name ?? [])
        default:
          return []
      }
    }),
  )
  return [...new Set(names)]
}

/** The newest one that names a database knows its credentials. */
function externalNeeds(releases: readonly Release[]): ServiceNeed[] {
  const needs = releases.flatMap(release => release.needs).filter(({ server }) => server.kind === 'external')
  const key = ({ type, database, server }: ServiceNeed): string =>
    JSON.stringify([type, database, server.kind === 'external' && server.host, server.port])
  return needs.filter((need, index) => needs.findIndex(other => key(other) === key(need)) === index)
}

const inOrderOfLeaving = (releases: readonly Release[]): readonly Release[] =>
  releases.toSorted(
    (left, right) =>
      Number(left.state === 'deployed') - Number(right.state === 'deployed') || left.revision - right.revision,
  )
