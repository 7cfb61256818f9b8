// `sampan deploy`, `sampan rollback`: from what was asked for to the release that runs.
import { DeployError } from './deploy-error.ts'
import { checkAbilities } from './check-abilities.ts'
import { delivering, type DeliveryOptions, type Plan } from './delivering.ts'
import type { Engine } from './engine/engine.ts'
import type { Place } from './engine/parts.ts'
import { releaseBefore, situationOf, type Situation } from './history.ts'
import type { Manifest } from './manifest/manifest.ts'
import { bundlesOf, type Materials } from './plan/materials.ts'
import { planDeployment } from './plan/plan-deployment.ts'
import { planRollback } from './plan/plan-rollback.ts'
import type { Release } from './release.ts'

export interface Deployment {
  readonly manifest: Manifest
  readonly environment: string
  readonly version: string
  /** Everything that has to be looked up, read or generated. @throws DeployError */
  readonly gather: (place: Place, present: Release | undefined) => Promise<Materials>
}

export async function deploy(deployment: Deployment, options: DeliveryOptions): Promise<Release> {
  const place = placeOf(deployment)
  const { engine, report } = options
  await engine.prepare(place)
  return delivering(place, options, async delivery => {
    await delivery.takeBackInterrupted()
    const plan = await deploymentPlan(deployment, delivery.situation, options)
    tellTakeOver(place, delivery.situation, report)
    await checkAbilities(place, plan.planned, options)
    options.signal.throwIfAborted()
    return delivery.bring(plan)
  })
}

/** What `deploy` would do; changes nothing. */
export async function planOf(
  deployment: Deployment,
  options: Pick<DeliveryOptions, 'engine' | 'query' | 'report' | 'timeLimitSeconds'>,
): Promise<Plan['planned']> {
  const place = placeOf(deployment)
  const { planned } = await planWith(deployment, options)
  await checkAbilities(place, planned, options)
  return planned
}

/** The plan and the configuration that it needs; nothing is asked whether it can be carried out. */
export const planWith = async (
  deployment: Deployment,
  options: Pick<DeliveryOptions, 'engine' | 'timeLimitSeconds'>,
): Promise<Plan> => deploymentPlan(deployment, await situationOf(options.engine, placeOf(deployment)), options)

export const placeOf = ({ manifest, environment }: Pick<Deployment, 'manifest' | 'environment'>): Place => ({
  environment,
  namespace: manifest.namespace,
  service: manifest.name,
})

async function deploymentPlan(
  deployment: Deployment,
  { present, nextRevision }: Situation,
  { engine, timeLimitSeconds }: Pick<DeliveryOptions, 'engine' | 'timeLimitSeconds'>,
): Promise<Plan> {
  const { manifest, version } = deployment
  const place = placeOf(deployment)
  const [materials, observed, { by: sharing }] = await Promise.all([
    deployment.gather(place, present),
    engine.observe(place),
    manifest.strategy.kind === 'canary' ? engine.sharing() : ({ by: 'instances' } as const),
  ])
  const planned = planDeployment({
    manifest,
    version,
    revision: nextRevision,
    materials,
    present,
    observed,
    sharing,
    timeLimitSeconds,
  })
  return { planned, bundles: bundlesOf(materials) }
}

/** Environments that share a namespace share its one service. */
function tellTakeOver(
  { service, namespace, environment }: Place,
  { present }: Situation,
  report: DeliveryOptions['report'],
): void {
  if (present === undefined || present.environment === environment) return
  report.note(
    `the namespace ${namespace} has the ${service} of ${present.environment} (release ${present.revision}), which ${environment} takes over; for one each, give them namespaces of their own in app.yml`,
  )
}

export interface Rollback {
  readonly place: Place
  /** undefined: the release before; what was interrupted is taken back, and that is all. */
  readonly revision?: number
  readonly keepSchema: boolean
}

/** @returns what is in place then, or, of a first release that was interrupted, that one, which has `failed` */
export async function rollback({ place, revision, keepSchema }: Rollback, options: DeliveryOptions): Promise<Release> {
  await mustKnow(place, options.engine)
  return delivering(place, options, async delivery => {
    const interrupted = await delivery.takeBackInterrupted()
    const { situation } = delivery
    const { present } = situation
    if (interrupted !== undefined && revision === undefined) return present ?? interrupted
    const goal = goalOf(place, revision, situation)
    if (present === undefined || goal.revision === present.revision)
      throw new DeployError(`release ${goal.revision} (${goal.version}) is what runs now`)
    const planned = planRollback({
      goal,
      present,
      releases: situation.releases.map(({ content }) => content),
      revision: situation.nextRevision,
      observed: await options.engine.observe(place),
      timeLimitSeconds: options.timeLimitSeconds,
      keepSchema,
    })
    if ('refusal' in planned) throw new DeployError(planned.refusal)
    await checkAbilities(place, planned, options)
    options.signal.throwIfAborted()
    return delivery.bring({ planned, bundles: [], rollbackTo: goal.revision })
  })
}

/** Goes on with a delivery that was interrupted. */
export async function resume(place: Place, options: DeliveryOptions): Promise<Release> {
  await mustKnow(place, options.engine)
  return delivering(place, options, delivery => delivery.finishInterrupted())
}

async function mustKnow(place: Place, engine: Engine): Promise<void> {
  if ((await engine.ledger.list(place)).length > 0) return
  throw new DeployError(
    `there is no release of "${place.service}" in the environment "${place.environment}" (namespace ${place.namespace})`,
  )
}

function goalOf({ service }: Place, revision: number | undefined, situation: Situation): Release {
  if (revision === undefined) {
    const before = releaseBefore(situation)
    if (before === undefined) throw new DeployError(`there is no earlier release of "${service}" to go back to`)
    return before
  }
  const releases = situation.releases.map(({ content }) => content)
  const goal = releases.find(candidate => candidate.revision === revision)
  if (goal === undefined)
    throw new DeployError(
      `there is no release ${revision} of "${service}"; there is ${releases.map(release => release.revision).join(', ')}`,
    )
  if (goal.state === 'failed')
    throw new DeployError(`release ${revision} of "${service}" failed and never ran, so there is nothing to go back to`)
  return goal
}
