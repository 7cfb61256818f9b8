// Brings parts to what they are to be, in the order of the plan, and back to what they were. What holds data is removed
// only where there was none before the step, which is noted.
import type { Engine } from '../engine/engine.ts'
import { samePart, type Part, type PartName, type Place, type Workload } from '../engine/parts.ts'
import { StepFailure, type StepContext, type StepHandler } from '../execution/step-handler.ts'
import { instancesNow } from '../plan/share-of.ts'
import type { BringStep } from '../plan/step.ts'

export const bring: StepHandler<BringStep> = {
  async do({ put, remove }, context) {
    await noteData(put, context)
    for (const part of put) await bringPart(part, context)
    for (const name of remove) await removePart(name, context)
  },
  async undo({ put, remove, before }, context) {
    const was = (name: PartName): Part | undefined => before.find(part => samePart(part, name))
    for (const name of [...put, ...remove].toReversed()) {
      const part = was(name)
      if (part === undefined) await removePart(name, context, withoutData(context).includes(name.name))
      else await putBack(part, context)
    }
  },
}

async function bringPart(part: Part, { world: { engine, place }, watch }: StepContext): Promise<void> {
  watch.signal.throwIfAborted()
  const verdict =
    part.kind === 'workload'
      ? await engine.rollOut(place, await counted(part, engine, place), watch)
      : await engine.put(place, part, watch)
  if (verdict.state === 'failed') throw new StepFailure(verdict.reason, verdict.lastWords)
}

/** Of those beside there may be more or fewer by now than when it was planned. */
async function counted(workload: Workload, engine: Engine, place: Place): Promise<Workload> {
  const { share } = workload
  const instances = share && instancesNow(share, await engine.observe(place))
  return instances === undefined ? workload : { ...workload, instances }
}

/** What does not run any more, although it did, stays in place: the rest is to be put back all the same. */
async function putBack(part: Part, context: StepContext): Promise<void> {
  try {
    await bringPart(part, context)
  } catch (error) {
    if (!(error instanceof StepFailure)) throw error
    context.world.report.note(`${part.name} was put back, but does not run: ${error.message}`)
  }
}

async function removePart({ kind, name }: PartName, { world, watch }: StepContext, withData = false): Promise<void> {
  watch.signal.throwIfAborted()
  await world.engine.remove(world.place, { kind, name }, watch, { withData })
}

interface Note {
  /** Names of workloads that had no data. */
  readonly withoutData: readonly string[]
}

async function noteData(put: readonly Part[], context: StepContext): Promise<void> {
  const { engine, place } = context.world
  const storing = put.filter(part => part.kind === 'workload' && part.storage !== undefined)
  if (storing.length === 0 || context.note !== undefined) return
  const empty: string[] = []
  for (const { name } of storing) if (!(await engine.holdsData(place, name))) empty.push(name)
  await context.keepNote({ withoutData: empty } satisfies Note)
}

const withoutData = ({ note }: StepContext): readonly string[] => (note as Note | undefined)?.withoutData ?? []
