// Whether a plan can be carried out, found out before anything is changed: what the engine cannot do, how requests are
// shared, whether what is to be asked answers. What would fail is refused, the rest is told.
import { DeployError } from './deploy-error.ts'
import type { Inability } from './engine/engine.ts'
import { samePart, type Part, type Place, type Workload } from './engine/parts.ts'
import type { World } from './execution/world.ts'
import { shareText } from './plan/share-of.ts'
import type { AnalyseStep } from './plan/step.ts'
import type { PlannedRelease } from './release.ts'

export type Checked = Pick<World, 'engine' | 'report' | 'query'>

/** @throws DeployError when it would fail */
export async function checkAbilities(place: Place, planned: PlannedRelease, world: Checked): Promise<void> {
  const { engine, report } = world
  const found = await Promise.all([
    engine.cannot(place, allParts(planned)),
    sharing(planned, world),
    analysis(planned, world),
  ])
  const inabilities = found.flat()
  for (const { reason, hard } of inabilities) if (!hard) report.warning(reason)
  const hard = inabilities.filter(inability => inability.hard)
  if (hard.length > 0)
    throw new DeployError(
      `${place.service} cannot be delivered to ${engine.name}, and nothing was changed:\n${hard.map(({ reason }) => `  ${reason}`).join('\n')}`,
    )
}

/** Also those that are gone again when all is done; those that change as they are first, when routes may be weighed. */
function allParts({ parts, steps }: PlannedRelease): readonly Part[] {
  const passing = steps.flatMap(step => (step.kind === 'bring' ? step.put : []))
  const all = [...passing, ...parts]
  return all.filter((part, index) => all.findIndex(other => samePart(other, part)) === index)
}

async function sharing({ steps }: PlannedRelease, { engine }: Checked): Promise<Inability[]> {
  const shared = steps
    .flatMap(step => (step.kind === 'bring' ? step.put : []))
    .filter((part): part is Workload & Required<Pick<Workload, 'share'>> => 'share' in part && !part.share?.weighed)
  if (shared.length === 0) return []
  const how = await engine.sharing()
  const because = how.by === 'weights' ? 'no route leads to both versions' : how.because
  const shares = shared.map(workload => {
    const { instances, share } = workload
    return `${share.percent} % become ${shareText(workload, share)} (${instances} of ${instances + share.besideInstances})`
  })
  return [
    {
      hard: false,
      reason: `requests are shared by numbers of instances, not by weights: ${shares.join(', ')}; ${because}`,
    },
  ]
}

async function analysis({ steps }: PlannedRelease, { query }: Checked): Promise<Inability[]> {
  const queries = steps.flatMap(step => (step.kind === 'analyse' ? step.queries : []))
  const once = [...new Map(queries.map(wanted => [wanted.query, wanted])).values()]
  if (once.length === 0) return []
  if (query === undefined)
    return [
      {
        hard: false,
        reason: `no Prometheus is known for this environment, so nobody looks at ${once.map(({ name }) => `"${name}"`).join(', ')}; name one in sampan.yml (prometheus)`,
      },
    ]
  const asked = once.map(wanted => answerTo(wanted, query))
  return (await Promise.all(asked)).flat()
}

async function answerTo(
  { name, query: expression }: AnalyseStep['queries'][number],
  query: NonNullable<World['query']>,
): Promise<Inability[]> {
  try {
    const value = await query(expression)
    return value === undefined ? [{ hard: false, reason: `Prometheus has no value for "${name}" now` }] : []
  } catch (error) {
    if (!(error instanceof DeployError)) throw error
    return [{ hard: true, reason: error.message }]
  }
}
