// A controller as data: what it watches, which keys a change means, and a reconciler that receives a
// key, re-reads everything and acts. `startControllers` owns queues, back-off and the order of starting.
import { ApiError, isConflict, isNotFound } from '../api/api-error.ts'
import type { KubeObject } from '../api/object.ts'
import { keyOf } from '../api/object.ts'
import { groupResource, type Resource } from '../api/resource.ts'
import type { Change, Client } from '../client/client.ts'
import type { Clock } from '../lib/clock.ts'
import { errorText } from '../lib/error-text.ts'
import type { Logger } from '../lib/logger.ts'
import type { Random } from '../lib/random.ts'
import type { EventRecorder } from './event-recorder.ts'
import { createEventRecorder } from './event-recorder.ts'
import { controllerOf } from './ownership.ts'
import type { ResourceSource } from './resource-source.ts'
import type { Outcome } from './work-queue.ts'
import { WorkQueue } from './work-queue.ts'

export type { Outcome } from './work-queue.ts'

/** What every reconciler gets. */
export interface ControllerContext {
  readonly client: Client
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly recorder: EventRecorder
}

/** `namespace/name`, or whatever the definition's watches produce. */
export type Reconciler = (key: string) => Promise<Outcome>

export interface Watch<T extends KubeObject = KubeObject> {
  readonly resource: Resource<T>
  /** Called for the new and, on a modification, for the old state; an empty list means: of no interest. */
  readonly keysOf: (object: T, client: Client) => readonly string[]
  /** Whether a modification is worth a run; everything is by default. */
  readonly matters?: (object: T, old: T) => boolean
  /** A new object is not worth a run. */
  readonly ignoresNew?: boolean
}

/** Watches of resources that come and go while the controller runs. */
export interface LiveWatches {
  readonly resources: ResourceSource
  readonly watchFor: (resource: Resource) => Watch
}

export interface ControllerDefinition {
  readonly name: string
  readonly watches: readonly Watch[]
  readonly liveWatches?: LiveWatches
  /** How many keys are worked on at once; 10 by default. */
  readonly concurrency: number
  readonly reconciler: (context: ControllerContext) => Reconciler
}

/** Keeps the object type inside one watch and erases it outside. */
export const watch = <T extends KubeObject>(given: Watch<T>): Watch => given as unknown as Watch

export interface ControllerShape<T extends KubeObject> {
  readonly name: string
  /** Every change of these objects means their own key. */
  readonly primary?: Resource<T>
  /** A change of these means the key of the primary object that controls them. */
  readonly owns?: readonly Resource[]
  readonly watches?: readonly Watch[]
  readonly liveWatches?: LiveWatches
  readonly concurrency?: number
  readonly reconciler: (context: ControllerContext) => Reconciler
}

export function defineController<T extends KubeObject>(shape: ControllerShape<T>): ControllerDefinition {
  const { primary } = shape
  const own: Watch[] = primary === undefined ? [] : [watch({ resource: primary, keysOf: object => [keyOf(object)] })]
  const owned =
    primary === undefined
      ? []
      : (shape.owns ?? []).map(resource => watch({ resource, keysOf: object => ownerKeys(object, primary) }))
  return {
    name: shape.name,
    watches: [...own, ...owned, ...(shape.watches ?? [])],
    ...(shape.liveWatches && { liveWatches: shape.liveWatches }),
    concurrency: shape.concurrency ?? 10,
    reconciler: shape.reconciler,
  }
}

/** The key of the controlling owner if it is of this resource's kind. */
export function ownerKeys(object: KubeObject, owner: Resource): string[] {
  const reference = controllerOf(object)
  if (reference === undefined || reference.kind !== owner.kind || !reference.apiVersion.startsWith(owner.group))
    return []
  return [keyOf({ metadata: { namespace: object.metadata.namespace, name: reference.name } })]
}

export interface RunnerOptions {
  readonly client: Client
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

export interface Running {
  stop(): Promise<void>
}

/** Resolves when every informer is in sync and the loops work. */
export async function startControllers(
  definitions: readonly ControllerDefinition[],
  options: RunnerOptions,
): Promise<Running> {
  const running = await Promise.all(definitions.map(definition => startController(definition, options)))
  return {
    async stop() {
      await Promise.all(running.map(controller => controller.stop()))
    },
  }
}

async function startController(definition: ControllerDefinition, options: RunnerOptions): Promise<Running> {
  const { client, clock } = options
  const logger = options.logger.with({ controller: definition.name })
  const recorder = createEventRecorder({ client, clock, logger, component: `${definition.name}-controller` })
  const reconcile = definition.reconciler({ ...options, logger, recorder })
  const queue = new WorkQueue({
    clock,
    concurrency: definition.concurrency,
    work: reconcile,
    failed: (key, error, retryAfterMs) => report(logger, key, error, retryAfterMs),
  })
  const add = (key: string): void => queue.add(key)
  const unsubscribe = definition.watches.map(one => subscribe(one, client, add))
  const first = definition.liveWatches?.resources.current() ?? []
  if (definition.liveWatches !== undefined) unsubscribe.push(followResources(definition.liveWatches, client, add))
  await Promise.all(
    [...definition.watches.map(({ resource }) => resource), ...first].map(resource => client.informer(resource).synced),
  )
  queue.start()
  return {
    async stop() {
      for (const end of unsubscribe) end()
      await queue.stop()
      await recorder.flush()
    },
  }
}

/** Starts and ends watches as resources come and go. Returns how to end them all. */
function followResources({ resources, watchFor }: LiveWatches, client: Client, add: (key: string) => void): () => void {
  const watched = new Map<string, () => void>()
  const follow = (): void => {
    const current = new Map(resources.current().map(resource => [groupResource(resource), resource]))
    for (const [name, end] of watched) {
      if (current.has(name)) continue
      end()
      watched.delete(name)
    }
    for (const [name, resource] of current)
      if (!watched.has(name)) watched.set(name, subscribe(watchFor(resource), client, add))
  }
  follow()
  const stop = resources.subscribe(follow)
  return () => {
    stop()
    for (const end of watched.values()) end()
  }
}

function subscribe(
  { resource, keysOf, matters, ignoresNew = false }: Watch,
  client: Client,
  add: (key: string) => void,
): () => void {
  return client.informer(resource).subscribe((change: Change<KubeObject>) => {
    if (change.type === 'ADDED' && ignoresNew) return
    if (change.type === 'MODIFIED' && matters !== undefined && !matters(change.object, change.old)) return
    for (const key of keysOf(change.object, client)) add(key)
    if (change.type === 'MODIFIED') for (const key of keysOf(change.old, client)) add(key)
  })
}

/** A lost race heals by itself; everything else somebody may want to know. */
function report(logger: Logger, key: string, error: unknown, retryAfterMs: number): void {
  const message = errorText(error)
  if (isConflict(error) || isNotFound(error))
    return logger.debug('reconcile lost a race', { key, retryAfterMs, error: message })
  if (error instanceof ApiError) return logger.warn('reconcile failed', { key, retryAfterMs, error: message })
  logger.error('reconcile failed', { key, retryAfterMs, error: error instanceof Error ? error.stack : message })
}
