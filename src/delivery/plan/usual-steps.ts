// Steps that deployments and rollbacks have in common. Pure.
import {
  samePart,
  type Entrance,
  type Part,
  type PartName,
  type Route,
  type Run,
  type Schedule,
  type Workload,
} from '../engine/parts.ts'
import type { Observation } from '../engine/engine.ts'
import type { PlanBuilder } from './plan-builder.ts'
import type { MigrateStep, NotifyStep, ServiceNeed, ServiceStep, StepFacts } from './step.ts'

const partSeconds = 60
const serviceSeconds = 120
const hookSeconds = 30

export const brief = (command: readonly string[]): string => {
  const text = command.join(' ')
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}

/** @param which goes before the word, as `new ` */
export const instancesText = (instances: number, which = ''): string =>
  `${instances} ${which}${instances === 1 ? 'instance' : 'instances'}`

/** How many instances are waited for: where something else decides about their number, as many as there are. */
export function instancesToCome({ name, instances }: Workload, { workloads }: Observation): number {
  const there = workloads.find(observed => observed.name === name)
  return there?.autoscaled === true ? there.wanted : instances
}

export const rolloutFacts = (workload: Workload, observed: Observation, timeLimitSeconds: number): StepFacts => ({
  id: 'rollout',
  title: `roll out ${workload.version} on ${instancesText(instancesToCome(workload, observed))}`,
  doneWhen: 'all instances are new and ready',
  undo: 'the instances of the release before come back; where there is none, these are stopped',
  timeLimitSeconds,
})

export function serviceStep(need: ServiceNeed): ServiceStep {
  const { type, database, server } = need
  return {
    kind: 'service',
    id: type,
    title: `make sure of the ${type} database ${database} on ${server.kind === 'managed' ? server.workload : server.host}`,
    doneWhen: 'the service can log in',
    undo: 'what this release made there is taken away; what was there stays',
    timeLimitSeconds: serviceSeconds,
    need,
  }
}

export interface SchemaChange extends Pick<StepFacts, 'id' | 'title'> {
  readonly forward: Run
  /** undefined: nothing takes it back. */
  readonly back: Run | undefined
  /** Prints the version of the schema; asked up to four times, each under a name that begins with its. */
  readonly version: Run | undefined
}

export function migrateStep({ id, title, forward, back, version }: SchemaChange): MigrateStep {
  const asked = (when: string): Run => ({ ...version!, name: `${version!.name}-${when}` })
  return {
    kind: 'migrate',
    id,
    title,
    doneWhen: 'it has ended with 0',
    undo: back === undefined ? 'the schema stays' : brief(back.process.command),
    timeLimitSeconds: forward.timeLimitSeconds,
    forward,
    ...(back !== undefined && { back }),
    ...(version !== undefined && {
      version: { before: asked('before'), after: asked('after'), undoing: asked('undoing'), undone: asked('undone') },
    }),
  }
}

export const switchFacts = ({ name, leadsTo }: Entrance): StepFacts => ({
  id: 'entrance',
  title: `lead ${name} to ${leadsTo === 'serving' ? 'the instances' : `the ${leadsTo.track} instances`}`,
  doneWhen: 'it is written',
  undo: 'it leads where it led before',
  timeLimitSeconds: partSeconds,
})

/** Whether the service's own entrance leads there. */
export function leadingTo(parts: readonly Part[], service: string, goal: Entrance['leadsTo']): boolean {
  const entrance = parts.find((part): part is Entrance => samePart(part, { kind: 'entrance', name: service }))
  if (entrance === undefined) return goal === 'serving'
  return JSON.stringify(entrance.leadsTo) === JSON.stringify(goal)
}

/** The workload that gets the requests. */
export function servingWorkload(parts: readonly Part[], service: string): Workload | undefined {
  const workloads = parts.filter((part): part is Workload => part.kind === 'workload')
  const entrance = parts.find((part): part is Entrance => samePart(part, { kind: 'entrance', name: service }))
  if (entrance !== undefined && entrance.leadsTo !== 'serving') {
    const { track } = entrance.leadsTo
    return workloads.find(workload => workload.track === track)
  }
  return (
    workloads.find(({ track }) => track === 'main') ??
    // Without ports there is no entrance that could tell.
    workloads.find(({ storage }) => storage === undefined)
  )
}

export interface Aspects {
  readonly schedules: readonly Schedule[]
  readonly routes: readonly Route[]
}

/** Schedules and routes: those that are wanted, and no others. */
export function bringAspects(builder: PlanBuilder, service: string, { schedules, routes }: Aspects): void {
  const dropped = (kind: Part['kind'], wanted: readonly PartName[]): PartName[] =>
    builder.there.filter(
      part => part.kind === kind && part.service === service && !wanted.some(name => samePart(name, part)),
    )
  builder.bring(
    {
      id: 'schedules',
      title: `update schedules: ${named(schedules.map(({ task }) => task))}`,
      doneWhen: 'they are written; those that the manifest does not have are gone',
      undo: 'the schedules as they were',
      timeLimitSeconds: partSeconds,
    },
    schedules,
    dropped('schedule', schedules),
  )
  builder.bring(
    {
      id: 'routes',
      title: `set routes: ${named(routes.map(({ host, path }) => `${host}${path}`))}`,
      doneWhen: 'they are written; those that the manifest does not have are gone',
      undo: 'the routes as they were',
      timeLimitSeconds: partSeconds,
    },
    routes,
    dropped('route', routes),
  )
}

const named = (names: readonly string[]): string => (names.length === 0 ? 'none' : names.join(', '))

/** What no longer has a place; servers with data are nobody's to remove here. */
export function removeRest(builder: PlanBuilder, service: string, kept: readonly PartName[]): void {
  const rest = builder.there.filter(
    part =>
      part.service === service &&
      (part.kind === 'workload' || part.kind === 'entrance') &&
      !kept.some(name => samePart(name, part)) &&
      !keepsData(part, builder.there),
  )
  builder.bring(
    {
      id: 'prune',
      title: `remove what has no place any more: ${named(rest.map(({ name }) => name))}`,
      doneWhen: 'it is gone',
      undo: 'it is put back',
      timeLimitSeconds: partSeconds,
    },
    [],
    rest,
  )
}

function keepsData(part: Part, all: readonly Part[]): boolean {
  const workload =
    part.kind === 'entrance' ? all.find(other => samePart(other, { kind: 'workload', name: part.name })) : part
  return workload?.kind === 'workload' && workload.storage !== undefined
}

export const notifySteps = (hooks: readonly string[]): NotifyStep[] =>
  hooks.map(hook => ({
    kind: 'notify',
    id: `notify-${hook}`,
    title: `tell ${hook}`,
    doneWhen: 'it has answered',
    undo: 'it is told that the release was taken back',
    timeLimitSeconds: hookSeconds,
    hook,
  }))
