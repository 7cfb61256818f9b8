// How a service is, in a few words: what runs of it, how many instances can serve, where it is reached, and what is not
// well. Told from its releases and from what the engine sees. Pure.
import type { Observation, ObservedSchedule, ObservedWorkload } from './engine/engine.ts'
import { backingServiceTypes } from './manifest/manifest.ts'
import type { Entrance, Place, Schedule } from './engine/parts.ts'
import { servingWorkload } from './plan/usual-steps.ts'
import type { Release } from './release.ts'
import { nextTimes } from './schedule/next-times.ts'

export type ServiceCondition =
  /** Everything is as it should be. */
  | 'well'
  /** Fewer instances can serve than should. */
  | 'not ready'
  /** Something else is not as it should be: a schedule, a canary that was left over. */
  | 'trouble'
  /** A delivery is under way, or was interrupted. */
  | 'half-way'
  /** Nothing runs that was delivered. */
  | 'absent'

export interface ServiceState {
  readonly service: string
  readonly condition: ServiceCondition
  readonly revision?: number
  readonly version?: string
  readonly ready: number
  readonly wanted: number
  readonly address?: string
  /** What is not well, each with what to do. */
  readonly troubles: readonly string[]
}

export interface Looked {
  readonly place: Place
  /** Newest first. */
  readonly releases: readonly Release[]
  readonly observed: Observation
}

/** No trace of it is left, or it never was. */
export const isNothing = ({ releases, observed: { workloads, schedules } }: Looked): boolean =>
  releases.length === 0 && workloads.length === 0 && schedules.length === 0

export function serviceState({ place, releases, observed }: Looked): ServiceState {
  const { service } = place
  const present = releases.find(({ state }) => state === 'deployed')
  const pending = releases.find(({ state }) => state === 'pending')
  const serving = present && servingWorkload(present.parts, service)
  const seen = observed.workloads.find(({ name }) => name === serving?.name)
  const unknown = releases.some(({ state }) => state === 'deployed' || state === 'pending')
    ? noStrays
    : straysOf(observed)
  const [ready, wanted] =
    unknown.workloads.length > 0
      ? [sumOf(unknown.workloads, each => each.ready), sumOf(unknown.workloads, each => each.wanted)]
      : [seen?.ready ?? 0, seen?.wanted ?? serving?.instances ?? 0]
  const isUnknown = unknown.workloads.length + unknown.schedules.length > 0
  const troubles = [
    ...(pending === undefined ? [] : [halfWay(place, pending)]),
    ...(present !== undefined && seen === undefined ? [gone(place, present)] : []),
    ...(isUnknown ? [unrecorded(place, unknown)] : []),
    ...serverTroubles(observed, serving?.name),
    ...observed.schedules.flatMap(schedule => scheduleTroubles(schedule)),
  ]
  const address = present && addressOf(present, observed)
  return {
    service,
    condition: conditionOf({ present, pending, isUnknown, troubles, ready, wanted }),
    ...(present !== undefined && { revision: present.revision, version: present.version }),
    ready,
    wanted,
    ...(address !== undefined && { address }),
    troubles,
  }
}

export const runsText = ({ service, version, environment, revision }: Release): string =>
  `${service} ${version} runs in ${environment} (release ${revision}); look at it with: sampan ps -e ${environment} ${service}`

/** What there is after a release was taken back. @param release in place, or the first one, which was taken back itself */
export function standsText(release: Release, looked: Looked): string {
  const { service, version, environment, revision } = release
  if (release.state === 'failed')
    return `release ${revision} (${version}) of ${service} was taken back; there is no release before it, so nothing of it runs in ${environment}`
  const { ready, wanted } = serviceState(looked)
  if (ready >= wanted) return runsText(release)
  return `release ${revision} (${version}) of ${service} is in place in ${environment} again, but ${ready} of ${wanted} instances are ready; look why with: sampan status -e ${environment} ${service}`
}

interface Strays {
  readonly workloads: readonly ObservedWorkload[]
  readonly schedules: readonly ObservedSchedule[]
}

const noStrays: Strays = { workloads: [], schedules: [] }

function conditionOf({
  present,
  pending,
  isUnknown,
  troubles,
  ready,
  wanted,
}: {
  readonly present: Release | undefined
  readonly pending: Release | undefined
  readonly isUnknown: boolean
  readonly troubles: readonly string[]
  readonly ready: number
  readonly wanted: number
}): ServiceCondition {
  if (pending !== undefined) return 'half-way'
  if (present === undefined) return isUnknown ? 'trouble' : 'absent'
  if (ready < wanted) return 'not ready'
  return troubles.length > 0 ? 'trouble' : 'well'
}

function halfWay({ environment, service }: Place, { revision, version, by, steps, course }: Release): string {
  const begun = steps.findLast(({ id }) => course.steps[id]?.state === 'begun')
  const where = begun === undefined ? '' : ` at "${begun.title}"`
  const way = course.direction === 'back' ? 'is being taken back' : 'is half-way'
  return `release ${revision} (${version}) of ${by} ${way}${where}; when nobody is behind it any more: sampan deploy -e ${environment} ${service} --resume, or sampan rollback -e ${environment} ${service}`
}

const gone = ({ environment, service }: Place, { version }: Release): string =>
  `its instances are gone; somebody deleted them, or a deletion was interrupted: sampan deploy -e ${environment} ${service}:${version}, or sampan delete -e ${environment} ${service}`

/** What is the service's own, and told of by no release; servers that keep data stay where it was deleted without them. */
function straysOf({ workloads, schedules }: Observation): Strays {
  const own = workloads.filter(({ track }) => !(backingServiceTypes as readonly string[]).includes(track))
  return { workloads: own, schedules }
}

const sumOf = <T>(items: readonly T[], amount: (item: T) => number): number =>
  items.reduce((sum, item) => sum + amount(item), 0)

function unrecorded({ environment, service }: Place, { workloads, schedules }: Strays): string {
  const found = [
    ...workloads.map(({ name, version, ready }) => `${name} ${version} (${ready} ready)`),
    ...schedules.map(({ task }) => `schedule ${task}`),
  ]
  const version = workloads[0] === undefined ? '' : `:${workloads[0].version}`
  return `no release tells of what runs: ${found.join(', ')}; somebody deleted the records. To deliver over it: sampan deploy -e ${environment} ${service}${version}, to take it away: sampan delete -e ${environment} ${service}`
}

/** Of what runs beside the instances that serve: a warm colour, a canary, a server. */
const serverTroubles = ({ workloads }: Observation, serving: string | undefined): string[] =>
  workloads
    .filter(({ name, ready, wanted }) => name !== serving && ready < wanted)
    .map(({ name, ready, wanted }) => `${name}: ${ready} of ${wanted} instances are ready`)

const scheduleTroubles = ({ task, trouble }: ObservedSchedule): string[] =>
  trouble === undefined ? [] : [`schedule ${task}: ${trouble}`]

/** A route that something serves, else a port of the machines. */
function addressOf({ parts }: Release, { routes }: Observation): string | undefined {
  const route = routes.find(({ served }) => served)
  if (route !== undefined) return `http://${route.host}${route.path}`
  const entrances = parts.filter((part): part is Entrance => part.kind === 'entrance')
  const external = entrances.flatMap(({ ports }) => ports).find(port => port.external !== undefined)
  return external === undefined ? undefined : `port ${external.external} of the machines`
}

/** What a workload is to its service beside those that serve: `warm`, `canary`, `postgres`. */
export function roleOf(present: Release | undefined, { name, track }: ObservedWorkload): string {
  const serving = present && servingWorkload(present.parts, present.service)
  if (name === serving?.name) return ''
  if (track === 'blue' || track === 'green') return present === undefined ? track : `warm (${track})`
  // The service had another strategy before.
  if (track === 'main') return serving === undefined ? '' : 'warm'
  return track
}

export interface ScheduleState extends ObservedSchedule {
  /** RFC 3339. */
  readonly next?: string
}

/** @param nowMs epoch milliseconds */
export function scheduleStates({ releases, observed }: Looked, nowMs: number): ScheduleState[] {
  const present = releases.find(({ state }) => state === 'deployed')
  const known = (present?.parts ?? []).filter((part): part is Schedule => part.kind === 'schedule')
  return observed.schedules.map(seen => {
    const timing = known.find(({ name }) => name === seen.name)?.timing
    const [next] = timing === undefined ? [] : nextTimes(timing, nowMs, 1)
    return { ...seen, ...(next !== undefined && { next: new Date(next).toISOString().replace('.000Z', 'Z') }) }
  })
}
