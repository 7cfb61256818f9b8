// `sampan deploy` and `sampan rollback`: bring a release into the cluster as one unit, wait for it, and go
// back to the release before when it fails.
import { isAlreadyExists, isNotFound } from '../api/api-error.ts'
import type { KubeObject, New } from '../api/object.ts'
import { resource, type Resource } from '../api/resource.ts'
import { namespaces } from '../api/resources.ts'
import type { Client } from '../client/client.ts'
import { formatTime, type Clock } from '../lib/clock.ts'
import type { Manifest } from './manifest/manifest.ts'
import { namespaceObject, render, selectorOf, type RenderedObject } from './render.ts'
import { ReleaseHistory, type Release } from './release-history.ts'
import { removeStuckPods, waitForRollout, type Verdict } from './rollout.ts'

export class DeployError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'DeployError'
  }
}

export interface DeployOptions {
  readonly client: Client
  readonly clock: Clock
  readonly timeoutMs: number
  readonly report: DeployReport
  /** Last lines of a container's log. */
  readonly readLog: (namespace: string, pod: string, container: string, previous: boolean) => Promise<string>
}

export interface DeployReport {
  step(text: string): void
  waiting(text: string): void
  note(text: string): void
}

const fieldManager = 'sampan'

export async function deploy(
  manifest: Manifest,
  environment: string,
  version: string,
  options: DeployOptions,
): Promise<Release> {
  const { client, clock, report } = options
  await client.create(namespaces, namespaceObject(manifest.namespace)).catch((error: unknown) => {
    if (!isAlreadyExists(error)) throw error
  })
  const history = new ReleaseHistory(client, manifest.namespace, manifest.name)
  const earlier = await history.list()
  const release: Release = {
    service: manifest.name,
    environment,
    namespace: manifest.namespace,
    version,
    state: 'pending',
    revision: (earlier[0]?.revision ?? 0) + 1,
    at: formatTime(clock.now()),
    objects: render(manifest, version).map(stored),
  }
  return bring(
    release,
    earlier.find(({ state }) => state === 'deployed'),
    history,
    options,
    report,
  )
}

export interface RollbackTarget {
  readonly service: string
  readonly environment: string
  readonly namespace: string
  /** undefined: the release that was good before the present one. */
  readonly revision?: number
}

export async function rollback(
  { service, environment, namespace, revision }: RollbackTarget,
  options: DeployOptions,
): Promise<Release> {
  const history = new ReleaseHistory(options.client, namespace, service)
  const releases = await history.list()
  if (releases.length === 0)
    throw new DeployError(
      `there is no release of "${service}" in the environment "${environment}" (namespace ${namespace})`,
    )
  const present = releases.find(({ state }) => state === 'deployed')
  const goal =
    revision === undefined
      ? releases.find(
          ({ state, revision: candidate }) => state === 'superseded' && candidate < (present?.revision ?? Infinity),
        )
      : releases.find(candidate => candidate.revision === revision)
  if (goal === undefined)
    throw new DeployError(
      revision === undefined
        ? `there is no earlier release of "${service}" to go back to`
        : `there is no release ${revision} of "${service}"; there is ${releases.map(release => release.revision).join(', ')}`,
    )
  const release: Release = {
    ...goal,
    environment,
    state: 'pending',
    revision: releases[0]!.revision + 1,
    at: formatTime(options.clock.now()),
    rollbackTo: goal.revision,
  }
  options.report.note(`going back to release ${goal.revision} (${goal.version})`)
  return bring(release, present, history, options, options.report)
}

async function bring(
  release: Release,
  previous: Release | undefined,
  history: ReleaseHistory,
  options: DeployOptions,
  report: DeployReport,
): Promise<Release> {
  await history.add(release).catch((error: unknown) => {
    throw isAlreadyExists(error)
      ? new DeployError(
          `somebody else began release ${release.revision} of "${release.service}" just now; look at it and try again`,
        )
      : error
  })
  report.step(`release ${release.revision}: ${release.service} ${release.version} to ${release.environment}`)
  let verdict: Verdict
  try {
    await removeStuckPods(options.client, release.namespace, selectorOf(release.service))
    await applyAll(options.client, release)
    report.step(`applied ${release.objects.map(({ kind }) => kind).join(', ')}`)
    verdict = await waitForRollout({
      client: options.client,
      namespace: release.namespace,
      name: release.service,
      timeoutMs: options.timeoutMs,
      clock: options.clock,
      progress: (ready, wanted) => report.waiting(`${ready} of ${wanted} instances are ready`),
    })
  } catch (error) {
    await history.setState(release, 'failed')
    if (previous !== undefined) await putBack(options.client, previous, release, report)
    throw error
  }
  if (verdict.state === 'failed') return giveUp(release, previous, verdict, history, options, report)
  await history.setState(release, 'deployed')
  if (previous !== undefined) {
    await history.setState(previous, 'superseded')
    await removeDropped(options.client, previous, release)
  }
  report.step('every instance is ready')
  return { ...release, state: 'deployed' }
}

async function giveUp(
  release: Release,
  previous: Release | undefined,
  verdict: Extract<Verdict, { state: 'failed' }>,
  history: ReleaseHistory,
  options: DeployOptions,
  report: DeployReport,
): Promise<never> {
  await history.setState(release, 'failed')
  const lines = [`${release.service} ${release.version} was not rolled out: ${verdict.reason}`]
  if (verdict.pod !== undefined && verdict.container !== undefined) {
    const log = (
      await options
        .readLog(release.namespace, verdict.pod, verdict.container, verdict.previous ?? false)
        .catch(() => '')
    ).trimEnd()
    if (log !== '') lines.push(`last lines of ${verdict.pod}:`, ...log.split('\n').map(line => `  | ${line}`))
    else lines.push(`pod ${verdict.pod} wrote no log; see: kubectl describe pod -n ${release.namespace} ${verdict.pod}`)
  }
  if (previous !== undefined) {
    await putBack(options.client, previous, release, report)
    lines.push(`release ${previous.revision} (${previous.version}) was put back`)
  } else lines.push('there is no earlier release to go back to; what was applied is still there to look at')
  report.note('')
  throw new DeployError(lines.join('\n'))
}

/** Everything as it was before the release, without what only the release had. */
async function putBack(client: Client, previous: Release, release: Release, report: DeployReport): Promise<void> {
  report.waiting(`going back to release ${previous.revision}`)
  await applyAll(client, previous)
  await removeDropped(client, release, previous)
}

async function applyAll(client: Client, release: Release): Promise<void> {
  for (const { resource: target, object } of release.objects.map(restored)) {
    await client.patch(
      target,
      { namespace: release.namespace, name: object.metadata.name ?? '' },
      { type: 'apply', value: object, force: true },
      { fieldManager },
    )
  }
}

/** Deletes what the one release had and the other has not. */
async function removeDropped(client: Client, from: Release, to: Release): Promise<void> {
  const identity = (entry: Release['objects'][number]): string =>
    `${entry.group}/${entry.plural}/${entry.object.metadata.name}`
  const kept = new Set(to.objects.map(identity))
  for (const entry of from.objects.filter(candidate => !kept.has(identity(candidate)))) {
    await client
      .delete(restored(entry).resource, { namespace: from.namespace, name: entry.object.metadata.name ?? '' })
      .catch((error: unknown) => {
        if (!isNotFound(error)) throw error
      })
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
