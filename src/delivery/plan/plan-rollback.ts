// From what runs to a release that is kept: instances, entrance, schedules, routes and configuration as that one had
// them, and then the schema, by the `down` of the images that brought its changes, newest first: the older instances
// run on the newer schema, as they did while it was rolled out. Pure.
import type { Observation } from '../engine/engine.ts'
import { samePart, type Entrance, type Part, type Run, type Workload } from '../engine/parts.ts'
import type { PlannedRelease, Release } from '../release.ts'
import { PlanBuilder } from './plan-builder.ts'
import {
  brief,
  bringAspects,
  migrateStep,
  notifySteps,
  removeRest,
  rolloutFacts,
  serviceStep,
  servingWorkload,
  switchFacts,
} from './usual-steps.ts'
import { towards, type MigrateNote, type MigrateStep } from './step.ts'

export interface RollbackInput {
  readonly goal: Release
  readonly present: Release
  /** All that are kept. */
  readonly releases: readonly Release[]
  readonly revision: number
  readonly observed: Observation
  readonly timeLimitSeconds: number
  /** The schema stays as it is. */
  readonly keepSchema: boolean
}

/** `refusal`: what stands in the way and what there is to do. */
export type PlannedRollback = PlannedRelease | { readonly refusal: string }

export function planRollback(input: RollbackInput): PlannedRollback {
  const { goal, present, observed, keepSchema, timeLimitSeconds } = input
  const builder = new PlanBuilder(present.parts)
  const schema = keepSchema ? { steps: [], first: [], schema: present.schema } : schemaSteps(input)
  if ('refusal' in schema) return schema
  builder.add(...goal.needs.map(serviceStep))
  builder.add(...schema.first)
  const service = goal.service
  const workload = servingWorkload(goal.parts, service)
  const entrance = goal.parts.find((part): part is Entrance => samePart(part, { kind: 'entrance', name: service }))
  const old = servingWorkload(present.parts, service)
  if (workload !== undefined) builder.bring(rolloutFacts(workload, observed, timeLimitSeconds), [workload])
  if (entrance !== undefined) builder.bring(switchFacts(entrance), [entrance])
  bringAspects(builder, service, {
    schedules: goal.parts.filter(part => part.kind === 'schedule'),
    routes: goal.parts.filter(part => part.kind === 'route'),
  })
  builder.add(...schema.steps)
  const warm = entrance !== undefined && entrance.leadsTo !== 'serving' ? staysWarm(old, workload) : []
  removeRest(
    builder,
    service,
    [workload, entrance, ...warm].filter(part => part !== undefined),
  )
  builder.add(...notifySteps(goal.notify))
  return {
    version: goal.version,
    image: goal.image,
    parts: builder.there,
    bundles: [...new Set([...goal.bundles, ...present.bundles])],
    needs: goal.needs,
    notify: goal.notify,
    schema: schema.schema,
    steps: builder.steps,
  }
}

/** Behind an entrance that leads to one colour, the other one may wait. */
const staysWarm = (old: Workload | undefined, workload: Workload | undefined): Part[] =>
  old === undefined || workload === undefined || old.name === workload.name ? [] : [old]

const noteOf = ({ course }: Release): MigrateNote | undefined =>
  course.steps['migrate']?.note as MigrateNote | undefined

interface SchemaPlan {
  /** Before the instances, oldest first: changes that the goal had and that were taken back since. */
  readonly first: readonly MigrateStep[]
  /** After them, newest first. */
  readonly steps: readonly MigrateStep[]
  readonly schema: readonly number[]
}

function schemaSteps(input: RollbackInput): SchemaPlan | { readonly refusal: string } {
  const { goal, present, releases } = input
  const of = (wanted: number): Release | undefined => releases.find(candidate => candidate.revision === wanted)
  const steps: MigrateStep[] = []
  const staying: number[] = []
  for (const number of present.schema.filter(candidate => !goal.schema.includes(candidate)).toReversed()) {
    const release = of(number)
    if (release?.migration === undefined)
      return {
        refusal: `release ${number} changed the schema and is not kept any more, so nothing can take that back; to go back and leave the schema as it is: --keep-schema`,
      }
    const { version, migration } = release
    // Its image brought no change.
    if (noteOf(release)?.before !== undefined && noteOf(release)?.before === noteOf(release)?.after) continue
    if (migration.irreversible)
      return {
        refusal: `release ${number} (${version}) brought a migration that is marked irreversible; going back to release ${goal.revision} (${goal.version}) would need the schema from before it. Restore a backup from before release ${number}, or, if ${goal.version} works with the schema of now: --keep-schema`,
      }
    if (migration.down === undefined) staying.push(number)
    else steps.push(schemaStep(input, release, 'down'))
  }
  const first: MigrateStep[] = []
  const missing = goal.schema.filter(number => !present.schema.includes(number))
  for (const number of missing) {
    const release = of(number)
    if (release?.migration === undefined)
      return {
        refusal: `release ${goal.revision} needs the schema that release ${number} brought, which is not kept any more; deliver ${goal.version} again instead: sampan deploy -e ${goal.environment} ${goal.service}:${goal.version}`,
      }
    first.push(schemaStep(input, release, 'up'))
  }
  const kept = present.schema.filter(number => goal.schema.includes(number) || staying.includes(number))
  return { first, steps, schema: [...kept, ...missing] }
}

function schemaStep({ revision }: RollbackInput, release: Release, way: 'up' | 'down'): MigrateStep {
  const { up, down, version } = release.migration!
  const id = `migrate-${way}-${release.revision}`
  const named = (run: Run, suffix = ''): Run => ({ ...run, name: `${release.service}-r${revision}-${id}${suffix}` })
  const goal = noteOf(release)?.before
  const backwards = down === undefined || goal === undefined ? down : towards(down, goal)
  const [forward, back] = way === 'down' ? [backwards!, up] : [up, backwards]
  const command = brief(forward.process.command)
  return migrateStep({
    id,
    title:
      way === 'down'
        ? `take the schema back behind release ${release.revision} (${release.version}): ${command}`
        : `bring the schema to release ${release.revision} (${release.version}): ${command}`,
    forward: named(forward),
    back: back && named(back, '-back'),
    version: version && named(version),
  })
}
