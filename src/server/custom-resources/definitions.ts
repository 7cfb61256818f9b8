// Acts on CustomResourceDefinitions: says in their status whether their names are accepted, serves their
// kinds, and deletes the objects of one that is being deleted. Kinds follow the cache of definitions within
// the same turn, so whoever sees a definition established can use it. What the work needs is loaded with
// the first definition.
import { isConflict, isNotFound } from '../../api/api-error.ts'
import type { CustomResourceDefinition } from '../../api/generated/models.ts'
import type { KindDefinition } from '../../api/kind.ts'
import { cleanupFinalizer } from '../../api/kinds/custom-resource-definition.ts'
import { customResourceDefinitions } from '../../api/resources.ts'
import { formatTime } from '../../lib/clock.ts'
import { serverCaller } from '../bootstrap.ts'
import { remove } from '../operations/delete.ts'
import { update } from '../operations/update.ts'
import type { Target } from '../request.ts'
import type { ServerContext } from '../server-context.ts'
import type { CachedObject } from '../storage/cached-object.ts'

type Library = typeof import('./library.ts')

const retryMs = 1000

export interface ServedDefinitions {
  stop(): Promise<void>
}

/** Resolves when the kinds of all definitions there are can be used. */
export async function serveDefinitions(context: ServerContext): Promise<ServedDefinitions> {
  const definitions = new Definitions(context)
  await definitions.start()
  return definitions
}

class Definitions implements ServedDefinitions {
  private readonly context: ServerContext
  private readonly kind: KindDefinition
  private library: Library | undefined
  private loading: Promise<Library> | undefined
  /** What each definition serves, by its name, and what it was made of. */
  private readonly served = new Map<string, { readonly source: string; readonly kinds: readonly KindDefinition[] }>()
  private readonly waiting = new Set<string>()
  private readonly instanceWatches = new Map<string, () => void>()
  private working: Promise<void> | undefined
  private unsubscribe = (): void => {}
  private stopped = false

  constructor(context: ServerContext) {
    this.context = context
    this.kind = context.kinds.find(
      customResourceDefinitions.group,
      customResourceDefinitions.version,
      customResourceDefinitions.plural,
    )!
  }

  async start(): Promise<void> {
    const cache = this.context.storage.cache(customResourceDefinitions)
    if (cache.size > 0) await this.load()
    for (const object of cache.values()) this.changed(object.key)
    this.unsubscribe = cache.subscribe(({ current }) => this.changed(current.key))
  }

  async stop(): Promise<void> {
    this.stopped = true
    this.unsubscribe()
    for (const end of this.instanceWatches.values()) end()
    this.waiting.clear()
    await this.working
  }

  private async load(): Promise<Library> {
    this.loading ??= import('./library.ts')
    return (this.library ??= await this.loading)
  }

  private changed(name: string): void {
    if (this.library !== undefined) this.serve(this.library, name)
    this.enqueue(name)
  }

  private enqueue(name: string): void {
    if (this.stopped) return
    this.waiting.add(name)
    this.working ??= this.work()
  }

  /** One definition after the other, since they compete for names. */
  private async work(): Promise<void> {
    const library = await this.load()
    for (const name of this.waiting) {
      this.waiting.delete(name)
      try {
        this.serve(library, name)
        await this.reconcile(library, name)
        await library.keepApiServices(this.context)
      } catch (error) {
        this.failed(name, error)
      }
    }
    // In the same turn as the end of the loop: what is added from now on starts anew.
    this.working = undefined
  }

  /** Somebody else was faster: his change brings the definition back. */
  private failed(name: string, error: unknown): void {
    if (isConflict(error) || isNotFound(error)) return
    const { clock, logger } = this.context
    logger.error('a custom resource definition could not be acted on', {
      definition: name,
      error: error instanceof Error ? error.stack : String(error),
    })
    clock.after(retryMs, () => this.enqueue(name))
  }

  private definition(name: string): CustomResourceDefinition | undefined {
    return this.context.storage.get(customResourceDefinitions, name)?.object as CustomResourceDefinition | undefined
  }

  /** Puts the definition's kinds in place of those of its former state. */
  private serve({ kindsOfDefinition, isTrue, converterOf }: Library, name: string): void {
    const definition = this.definition(name)
    const before = this.served.get(name)
    const active =
      definition !== undefined &&
      (isTrue(definition, 'Established') || isTrue(definition, 'NamesAccepted')) &&
      !this.isBuiltIn(definition)
    const source = active ? sourceOf(definition) : ''
    if ((before?.source ?? '') === source) return
    const kinds = active ? kindsOfDefinition(definition, converterOf(definition, this.context)) : []
    if (active) this.served.set(name, { source, kinds })
    else this.served.delete(name)
    this.context.kinds.replace(before?.kinds ?? [], kinds)
  }

  /** What the program serves itself cannot be taken over. */
  private isBuiltIn({ spec }: CustomResourceDefinition): boolean {
    return this.context.kinds
      .all()
      .some(
        ({ custom, resource }) =>
          custom === undefined && resource.group === spec.group && resource.plural === spec.names.plural,
      )
  }

  private async reconcile(library: Library, name: string): Promise<void> {
    const violations = await this.violations(library, name)
    const definition = this.definition(name)
    if (definition === undefined) return this.reconsider(name)
    if (definition.metadata.deletionTimestamp !== undefined) return this.cleanUp(library, definition)
    const others = this.inGroup(definition.spec.group).filter(other => other.metadata.name !== name)
    const status = library.planStatus(definition, others, violations, this.now())
    if (status === undefined) return
    await this.write({ ...definition, status })
    this.reconsider(name)
  }

  private async violations({ mayViolate }: Library, name: string): Promise<readonly string[]> {
    const definition = this.definition(name)
    if (definition === undefined || !mayViolate(definition)) return []
    const { violationsOf } = await import('../../api/custom-resources/structural-violations.ts')
    return violationsOf(definition)
  }

  private inGroup(group: string): CustomResourceDefinition[] {
    return this.context.storage
      .cache(customResourceDefinitions)
      .list()
      .map(({ object }) => object as CustomResourceDefinition)
      .filter(({ spec }) => spec.group === group)
  }

  /** Names may have become free. */
  private reconsider(name: string): void {
    for (const other of this.inGroup(name.slice(name.indexOf('.') + 1)))
      if (other.metadata.name !== name && other.metadata.deletionTimestamp === undefined)
        this.enqueue(other.metadata.name)
  }

  private now(): string {
    return formatTime(this.context.clock.now())
  }

  private async write(definition: CustomResourceDefinition): Promise<CustomResourceDefinition> {
    const target: Target = { kind: this.kind, name: definition.metadata.name, subresource: 'status' }
    return (await update(this.context, target, { change: () => definition }, serverCaller()))
      .object as CustomResourceDefinition
  }

  private async cleanUp(library: Library, definition: CustomResourceDefinition): Promise<void> {
    const { name, finalizers = [] } = definition.metadata
    if (!finalizers.includes(cleanupFinalizer)) return
    const kind = this.served.get(name)?.kinds[0]
    if (kind === undefined) {
      const established = library.isTrue(definition, 'Established')
      return this.finish(
        library,
        definition,
        established ? removedAll : { reason: 'NeverEstablished', message: 'resource was never established' },
      )
    }
    const instances = this.context.storage.cache(kind.resource)
    if (instances.size > 0) {
      definition = await this.write(
        library.terminating(
          definition,
          { status: 'True', reason: 'InstanceDeletionInProgress', message: 'CustomResource deletion is in progress' },
          this.now(),
        ),
      )
      await this.deleteInstances(kind, [...instances.values()])
    }
    if (instances.size === 0) await this.finish(library, definition, removedAll)
    else this.awaitInstances(name, kind)
  }

  private async deleteInstances(kind: KindDefinition, objects: readonly CachedObject[]): Promise<void> {
    for (const {
      object: { metadata },
    } of objects) {
      if (metadata.deletionTimestamp !== undefined) continue
      await remove(
        this.context,
        { kind, name: metadata.name, namespace: metadata.namespace },
        {},
        serverCaller(),
      ).catch((error: unknown) => {
        if (!isNotFound(error)) throw error
      })
    }
  }

  /** Objects with finalizers take their time. */
  private awaitInstances(name: string, { resource }: KindDefinition): void {
    if (this.instanceWatches.has(name)) return
    const instances = this.context.storage.cache(resource)
    const end = instances.subscribe(() => {
      if (instances.size > 0) return
      end()
      this.instanceWatches.delete(name)
      this.enqueue(name)
    })
    this.instanceWatches.set(name, end)
  }

  private async finish(
    library: Library,
    definition: CustomResourceDefinition,
    end: { reason: string; message: string },
  ): Promise<void> {
    const done = library.terminating(definition, { status: 'False', ...end }, this.now())
    const finalizers = (done.metadata.finalizers ?? []).filter(finalizer => finalizer !== cleanupFinalizer)
    await this.write({ ...done, metadata: { ...done.metadata, finalizers } })
  }
}

const removedAll = { reason: 'InstanceDeletionCompleted', message: 'removed all instances' }

/** Whatever kinds are made of; the rest of the status may change without ending watches. */
function sourceOf({ metadata, spec, status }: CustomResourceDefinition): string {
  return JSON.stringify([metadata.uid, spec, status.acceptedNames, metadata.deletionTimestamp !== undefined])
}
