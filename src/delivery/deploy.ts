// `sampan deploy` and `sampan rollback`: bring a release into the cluster as one unit, wait for it, and go
// back to the release before when it fails or is interrupted. One delivery of a service runs at a time.
import { isAlreadyExists } from '../api/api-error.ts'
import type { KubeObject, New } from '../api/object.ts'
import { resource, type Resource } from '../api/resource.ts'
import { namespaces } from '../api/resources.ts'
import type { Client } from '../client/client.ts'
import { unlessNotFound } from '../control/removal.ts'
import { formatTime, type Clock } from '../lib/clock.ts'
import { takeDeliveryLease, type DeliveryLease } from './delivery-lease.ts'
import { DeployError, Interruption } from './deploy-error.ts'
import type { Manifest } from './manifest/manifest.ts'
import { namespaceObject, render, selectorOf, type RenderedObject } from './render.ts'
import { ReleaseHistory, type Release } from './release-history.ts'
import { removeStuckPods, retryRefusedPods, waitForRollout, type Verdict } from './rollout.ts'

export interface DeployOptions {
  readonly client: Client
  readonly clock: Clock
  readonly timeoutMs: number
  readonly report: DeployReport
  /** Last lines of a container's log. */
  readonly readLog: (namespace: string, pod: string, container: string, previous: boolean) => Promise<string>
  /** Who delivers, as others are told. */
  readonly deployer: string
  /** Whether a deployer has surely ended, so that nobody need wait for it. */
  readonly isGone: (deployer: string) => boolean
  /** Undoes the delivery when it fires; its reason is an `Interruption`. */
  readonly signal: AbortSignal
  /** What the tag of an image stands for now. @throws DeployError when there is no such image */
  readonly findImage: (image: string) => Promise<FoundImage>
}

/** `reason`: why the digest cannot be told. */
export type FoundImage = { readonly digest: string } | { readonly reason: string }

export interface DeployReport {
  step(text: string): void
  waiting(text: string): void
  note(text: string): void
}

const fieldManager = 'sampan'
const logWithinMs = 5_000

export async function deploy(
  manifest: Manifest,
  environment: string,
  version: string,
  options: DeployOptions,
): Promise<Release> {
  const { client, clock, report } = options
  const image = `${manifest.image}:${version}`
  const found = await options.findImage(image)
  if ('reason' in found) report.note(`${found.reason}; whoever pushes ${image} again changes what this release runs`)
  await client.create(namespaces, namespaceObject(manifest.namespace)).catch((error: unknown) => {
    if (!isAlreadyExists(error)) throw error
  })
  return delivering(manifest.namespace, manifest.name, options, ({ nextRevision }) => ({
    service: manifest.name,
    environment,
    namespace: manifest.namespace,
    version,
    state: 'pending',
    revision: nextRevision,
    at: formatTime(clock.now()),
    objects: render(
      manifest,
      version,
      'digest' in found ? found : { unpinned: `${nextRevision} ${formatTime(clock.now())}` },
    ).map(stored),
  }))
}

export interface RollbackTarget {
  readonly service: string
  readonly environment: string
  readonly namespace: string
  /** undefined: the newest release that was good and is not what is there now. */
  readonly revision?: number
}

export async function rollback(
  { service, environment, namespace, revision }: RollbackTarget,
  options: DeployOptions,
): Promise<Release> {
  const nothing = `there is no release of "${service}" in the environment "${environment}" (namespace ${namespace})`
  if ((await new ReleaseHistory(options.client, namespace, service).list()).length === 0) throw new DeployError(nothing)
  return delivering(namespace, service, options, ({ releases, present, leftOver, nextRevision }) => {
    const goal =
      revision === undefined
        ? goalOf(releases, present, leftOver)
        : releases.find(candidate => candidate.revision === revision)
    if (goal === undefined)
      throw new DeployError(
        revision === undefined
          ? `there is no earlier release of "${service}" to go back to`
          : `there is no release ${revision} of "${service}"; there is ${releases.map(release => release.revision).join(', ')}`,
      )
    options.report.note(`going back to release ${goal.revision} (${goal.version})`)
    const { reason: _reason, ...content } = goal
    return {
      ...content,
      environment,
      state: 'pending',
      revision: nextRevision,
      at: formatTime(options.clock.now()),
      rollbackTo: goal.revision,
    }
  })
}

/** After a release that came nobody knows how far, the one before it is not what is there. */
function goalOf(
  releases: readonly Release[],
  present: Release | undefined,
  leftOver: readonly Release[],
): Release | undefined {
  if (leftOver.some(({ state }) => state === 'interrupted')) return present
  return releases.find(candidate => candidate !== present && wasGood(candidate))
}

const wasGood = ({ state }: Release): boolean => state === 'deployed' || state === 'superseded'

/** What is known of a service before something is delivered. */
interface Situation {
  /** Newest first. */
  readonly releases: readonly Release[]
  /** The newest that was rolled out. */
  readonly present: Release | undefined
  /** Later ones whose objects may be there. */
  readonly leftOver: readonly Release[]
  readonly nextRevision: number
}

/** Holds the service's lease meanwhile. */
async function delivering(
  namespace: string,
  service: string,
  options: DeployOptions,
  releaseFor: (situation: Situation) => Release,
): Promise<Release> {
  let lease: DeliveryLease | undefined
  try {
    lease = await takeDeliveryLease({ ...options, namespace, service, waiting: text => options.report.waiting(text) })
    const history = new ReleaseHistory(options.client, namespace, service)
    const situation = await situationOf(history, options.report)
    options.signal.throwIfAborted()
    const release = releaseFor(situation)
    tellTakeOver(release, situation, options.report)
    const delivery = new Delivery(release, situation, history, options, lease.lost)
    return await delivery.run()
  } catch (error) {
    throw error instanceof Interruption ? new DeployError(`${error.message} before anything was changed`) : error
  } finally {
    await lease?.release()
  }
}

/** Environments that share a namespace share its one service. */
function tellTakeOver(
  { service, namespace, environment }: Release,
  { present }: Situation,
  report: DeployReport,
): void {
  if (present === undefined || present.environment === environment) return
  report.note(
    `the namespace ${namespace} has the ${service} of ${present.environment} (release ${present.revision}), which ${environment} takes over; for one each, give them namespaces of their own in app.yml`,
  )
}

/** Whoever holds the lease knows that nobody is behind a pending release any more. */
async function situationOf(history: ReleaseHistory, report: DeployReport): Promise<Situation> {
  const listed = await history.list()
  const releases: Release[] = []
  for (const release of listed) {
    if (release.state !== 'pending') {
      releases.push(release)
      continue
    }
    await history.setState(release, 'interrupted', 'the command that delivered it did not live to its end')
    report.note(`release ${release.revision} (${release.version}) was interrupted half-way`)
    releases.push({ ...release, state: 'interrupted' })
  }
  const present = releases.find(({ state }) => state === 'deployed')
  const leftOver = releases.filter(
    ({ revision, state }) =>
      revision > (present?.revision ?? 0) && (state === 'interrupted' || (state === 'failed' && present === undefined)),
  )
  return { releases, present, leftOver, nextRevision: (releases[0]?.revision ?? 0) + 1 }
}

class Delivery {
  private readonly release: Release
  private readonly situation: Situation
  private readonly history: ReleaseHistory
  private readonly options: DeployOptions
  private readonly lost: AbortSignal

  /** @param lost fires when somebody else delivers by now */
  constructor(
    release: Release,
    situation: Situation,
    history: ReleaseHistory,
    options: DeployOptions,
    lost: AbortSignal,
  ) {
    this.release = release
    this.situation = situation
    this.history = history
    this.options = options
    this.lost = lost
  }

  async run(): Promise<Release> {
    const { release, history } = this
    const { report } = this.options
    await history.add(release).catch((error: unknown) => {
      throw isAlreadyExists(error)
        ? new DeployError(
            `somebody else began release ${release.revision} of "${release.service}" just now; look at it and try again`,
          )
        : error
    })
    report.step(`release ${release.revision}: ${release.service} ${release.version} to ${release.environment}`)
    try {
      const verdict = await this.bring(AbortSignal.any([this.options.signal, this.lost]))
      if (verdict.state === 'failed') return await this.takeBack(verdict)
    } catch (error) {
      if (error instanceof DeployError || this.lost.aborted) throw error
      return await this.takeBack({ state: 'failed', reason: (error as Error).message })
    }
    await this.settle()
    report.step('every instance is ready')
    return { ...release, state: 'deployed' }
  }

  private async bring(signal: AbortSignal): Promise<Verdict> {
    const { client, clock, report } = this.options
    const { release } = this
    const selector = selectorOf(release.service)
    await removeStuckPods(client, release.namespace, selector)
    await this.apply(release, signal)
    await retryRefusedPods(client, release.namespace, selector, formatTime(clock.now()))
    report.step(`applied ${release.objects.map(({ kind }) => kind).join(', ')}`)
    return this.rolledOut(release, signal)
  }

  private async settle(): Promise<void> {
    const { release, history } = this
    const { releases, present, leftOver } = this.situation
    await history.setState(release, 'deployed')
    for (const older of releases.filter(({ state }) => state === 'deployed'))
      await history.setState(older, 'superseded')
    for (const before of present === undefined ? leftOver : [present, ...leftOver])
      await this.removeDropped(before, release)
  }

  /** Everything as it was before the release, without what only the release had. */
  private async takeBack(verdict: Extract<Verdict, { state: 'failed' }>): Promise<never> {
    const { release, history } = this
    const { present } = this.situation
    const { service, version, environment } = release
    const lines = [`${service} ${version} was not rolled out: ${verdict.reason}`, ...(await this.lastWords(verdict))]
    try {
      lines.push(await this.putBack())
      await history.setState(release, 'failed', verdict.reason)
    } catch (error) {
      lines.push(
        `going back failed as well: ${(error as Error).message}`,
        present === undefined
          ? 'what was applied may still be there'
          : `to put release ${present.revision} (${present.version}) back: sampan rollback -e ${environment} ${service}`,
      )
    }
    this.options.report.note('')
    throw new DeployError(lines.join('\n'))
  }

  private async putBack(): Promise<string> {
    const { release, options } = this
    const { present, leftOver } = this.situation
    if (present === undefined)
      return 'there is no earlier release to go back to; what was applied is still there to look at'
    const name = `release ${present.revision} (${present.version})`
    options.report.waiting(`going back to ${name}`)
    await this.apply(present, this.lost)
    for (const left of [release, ...leftOver]) await this.removeDropped(left, present)
    const verdict = await this.rolledOut(present, this.lost)
    return verdict.state === 'failed'
      ? `${name} was put back, but does not run: ${verdict.reason}`
      : `${name} was put back`
  }

  private rolledOut(release: Release, signal: AbortSignal): Promise<Verdict> {
    const { client, clock, timeoutMs, report } = this.options
    return waitForRollout({
      client,
      clock,
      timeoutMs,
      signal,
      namespace: release.namespace,
      name: release.service,
      progress: text => report.waiting(text),
      heldUp: text => report.note(`waiting: ${text}`),
    })
  }

  private async lastWords({ pod, container, previous }: Extract<Verdict, { state: 'failed' }>): Promise<string[]> {
    if (pod === undefined || container === undefined) return []
    const { namespace } = this.release
    const { readLog, clock } = this.options
    const log = readLog(namespace, pod, container, previous ?? false).catch(() => '')
    // Going back is more urgent than a log that does not come.
    const late = Promise.withResolvers<string>()
    const timer = clock.after(logWithinMs, () => late.resolve(''))
    const lines = (await Promise.race([log, late.promise])).trimEnd()
    timer.cancel()
    return lines === ''
      ? [`pod ${pod} wrote no log; see: kubectl describe pod -n ${namespace} ${pod}`]
      : [`last lines of ${pod}:`, ...lines.split('\n').map(line => `  | ${line}`)]
  }

  private async apply(release: Release, signal: AbortSignal): Promise<void> {
    for (const { resource: target, object } of release.objects.map(restored)) {
      signal.throwIfAborted()
      await this.options.client.patch(
        target,
        { namespace: release.namespace, name: object.metadata.name ?? '' },
        { type: 'apply', value: object, force: true },
        { fieldManager },
      )
    }
  }

  /** Deletes what the one release had and the other has not. */
  private async removeDropped(from: Release, to: Release): Promise<void> {
    const identity = (entry: Release['objects'][number]): string =>
      `${entry.group}/${entry.plural}/${entry.object.metadata.name}`
    const kept = new Set(to.objects.map(identity))
    for (const entry of from.objects.filter(candidate => !kept.has(identity(candidate)))) {
      const place = { namespace: from.namespace, name: entry.object.metadata.name ?? '' }
      await unlessNotFound(this.options.client.delete(restored(entry).resource, place))
    }
  }
}

function stored({ resource: { group, version, plural, kind }, object }: RenderedObject): Release['objects'][number] {
  return { group, version, plural, kind, object }
}

function restored({ group, version, plural, kind, object }: Release['objects'][number]): {
  resource: Resource
  object: New<KubeObject>
} {
  return { resource: resource(group, version, plural, kind), object }
}
