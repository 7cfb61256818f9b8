// `sampan ps -e ENVIRONMENT [NAME...]`: the instances and schedules of services.
import { humanDuration } from '../../api/kinds/cells.ts'
import { isNothing, roleOf, scheduleStates, type Looked } from '../../delivery/service-state.ts'
import { nothingDelivered, placesOf } from '../environment-services.ts'
import { lookAt, withTarget } from '../looking.ts'
import { CommandFailure } from '../output.ts'
import { tableText } from '../table.ts'
import type { TargetOptions } from '../target.ts'

export interface PsOptions extends TargetOptions {
  readonly output?: 'json'
}

export async function ps(names: readonly string[], options: PsOptions): Promise<void> {
  await withTarget(options, async target => {
    const looked = await lookAt(target, await placesOf(names, target))
    const nowMs = options.clock.now()
    const unknown = looked.filter(isNothing).map(({ place: { service } }) => service)
    if (names.length === 0 && unknown.length === looked.length)
      throw new CommandFailure(
        nothingDelivered(
          target,
          looked.map(({ place: { namespace } }) => namespace),
        ),
      )
    if (names.length > 0 && unknown.length > 0)
      throw new CommandFailure(
        `there is nothing of ${unknown.join(', ')} in the environment "${target.environment}" (namespace ${looked.find(isNothing)!.place.namespace})`,
      )
    console.log(
      options.output === 'json' ? JSON.stringify(looked.map(each => psFacts(each, nowMs))) : psText(looked, nowMs),
    )
  })
}

export function psText(looked: readonly Looked[], nowMs: number): string {
  const instances = looked.flatMap(each => instanceRows(each, nowMs))
  const schedules = looked.flatMap(each => scheduleRows(each, nowMs))
  const tables = [
    tableText(['SERVICE', 'INSTANCE', 'VERSION', 'STATE', 'READY', 'RESTARTS', 'AGE', 'NODE', 'ROLE'], instances),
    ...(schedules.length === 0
      ? []
      : [tableText(['SERVICE', 'TASK', 'RUNNING', 'LAST START', 'NEXT', 'TROUBLE'], schedules)]),
  ]
  return tables.join('\n\n')
}

function instanceRows({ place: { service }, releases, observed }: Looked, nowMs: number): string[][] {
  const present = releases.find(({ state }) => state === 'deployed')
  const rows = observed.workloads.flatMap(workload =>
    workload.instances.map(({ name, version, state, ready, restarts, since, node }) => [
      service,
      name,
      version,
      state,
      ready ? 'yes' : 'no',
      String(restarts),
      ago(since, nowMs),
      node ?? '',
      roleOf(present, workload),
    ]),
  )
  return rows.length > 0 ? rows : [[service, '-', present?.version ?? '', 'no instances']]
}

function scheduleRows(looked: Looked, nowMs: number): string[][] {
  return scheduleStates(looked, nowMs).map(({ task, running, lastStart, next, trouble }) => [
    looked.place.service,
    task,
    running === 0 ? 'no' : running === 1 ? 'yes' : String(running),
    lastStart === undefined ? 'never' : `${ago(lastStart, nowMs)} ago`,
    next === undefined ? 'never' : `in ${humanDuration(Date.parse(next) - nowMs)} (${next})`,
    trouble ?? '',
  ])
}

const ago = (time: string | undefined, nowMs: number): string =>
  time === undefined ? '' : humanDuration(Math.max(0, nowMs - Date.parse(time)))

/** For scripts. */
export function psFacts(looked: Looked, nowMs: number): object {
  const present = looked.releases.find(({ state }) => state === 'deployed')
  return {
    service: looked.place.service,
    environment: looked.place.environment,
    namespace: looked.place.namespace,
    instances: looked.observed.workloads.flatMap(workload =>
      workload.instances.map(instance => ({ ...instance, workload: workload.name, role: roleOf(present, workload) })),
    ),
    schedules: scheduleStates(looked, nowMs),
  }
}
