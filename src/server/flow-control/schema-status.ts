// The condition Dangling of flow schemas: whether the priority level they name exists.
import type { FlowSchema } from '../../api/generated/models.ts'
import { flowSchemas, priorityLevelConfigurations } from '../../api/resources.ts'
import { formatTime, type Timer } from '../../lib/clock.ts'
import { serverCaller } from '../bootstrap.ts'
import { update } from '../operations/update.ts'
import type { ServerContext } from '../server-context.ts'

/** Changes come in groups, and nobody waits for this. */
const settleMs = 1000

/** @returns how to stop it */
export function keepSchemaStatus(context: ServerContext): () => void {
  const { storage, clock, logger } = context
  let timer: Timer | undefined
  const schedule = (): void => {
    timer ??= clock.after(settleMs, () => {
      timer = undefined
      writeConditions(context).catch((error: Error) =>
        logger.warn('the status of flow schemas could not be written', { error: error.message }),
      )
    })
  }
  const stops = [flowSchemas, priorityLevelConfigurations].map(resource => storage.cache(resource).subscribe(schedule))
  schedule()
  return () => {
    timer?.cancel()
    for (const stop of stops) stop()
  }
}

async function writeConditions(context: ServerContext): Promise<void> {
  const { storage, clock, kinds } = context
  const kind = kinds.find(flowSchemas.group, flowSchemas.version, flowSchemas.plural)!
  for (const cached of storage.cache(flowSchemas).list()) {
    const schema = cached.object as FlowSchema
    const level = schema.spec.priorityLevelConfiguration.name
    const exists = storage.get(priorityLevelConfigurations, level) !== undefined
    const status = exists ? 'False' : 'True'
    if (schema.status?.conditions?.some(condition => condition.type === 'Dangling' && condition.status === status))
      continue
    const message = `This FlowSchema references the PriorityLevelConfiguration object named ${JSON.stringify(level)} ${exists ? 'and it exists' : 'but there is no such object'}`
    const condition = {
      type: 'Dangling',
      status,
      reason: exists ? 'Found' : 'NotFound',
      message,
      lastTransitionTime: formatTime(clock.now()),
    }
    await update(
      context,
      { kind, name: schema.metadata.name, subresource: 'status' },
      { change: current => withCondition(current as FlowSchema, condition) },
      { ...serverCaller(), fieldManager: 'api-priority-and-fairness-config-consumer-v1' },
    )
  }
}

type Condition = NonNullable<NonNullable<FlowSchema['status']>['conditions']>[number]

function withCondition(schema: FlowSchema, condition: Condition): FlowSchema {
  const others = (schema.status?.conditions ?? []).filter(({ type }) => type !== condition.type)
  return { ...schema, status: { ...schema.status, conditions: [...others, condition] } }
}
