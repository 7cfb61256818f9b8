// The client whose transport is a function call into the API server of the same process. Reads share the
// server's frozen objects; informers are views of its cache. Its user may do what he may do over HTTPS.
import { badRequest, notFound, noSuchPath } from '../api/api-error.ts'
import type { AuthenticationTokenRequest, Binding, Eviction, Namespace } from '../api/generated/models.ts'
import type { KindDefinition } from '../api/kind.ts'
import type { KubeList, KubeObject, New, ObjectName, WatchEvent } from '../api/object.ts'
import { apiVersionOf, type Resource } from '../api/resource.ts'
import type {
  Change,
  Client,
  DeleteOptions,
  Informer,
  ListOptions,
  Patch,
  WatchOptions,
  WriteOptions,
} from '../client/client.ts'
import { ObjectIndexes } from '../client/object-index.ts'
import { PartialInformer } from '../client/partial-informer.ts'
import { create } from '../server/operations/create.ts'
import { remove } from '../server/operations/delete.ts'
import { list } from '../server/operations/list.ts'
import { compileFilter } from '../server/operations/object-filter.ts'
import { patch } from '../server/operations/patch.ts'
import { update } from '../server/operations/update.ts'
import { watch, type Delivery } from '../server/operations/watch.ts'
import { keyOfTarget, type Caller, type Target, type UserInfo } from '../server/request.ts'
import type { ServerContext } from '../server/server-context.ts'
import type { CacheEvent, ResourceCache } from '../server/storage/resource-cache.ts'
import { bind } from '../server/subresources/binding.ts'
import { evict } from '../server/subresources/eviction.ts'
import { finalize } from '../server/subresources/finalize.ts'
import { requestToken } from '../server/subresources/token.ts'
import { answerPosted } from '../server/virtual-resources.ts'
import { findObject } from '../server/storage/kind-storage.ts'

export interface LocalClientOptions {
  readonly user: UserInfo
  /** Default field manager of its writes. */
  readonly fieldManager: string
}

export class LocalClient implements Client {
  private readonly context: ServerContext
  private readonly options: LocalClientOptions
  private readonly informers = new Map<string, Informer<KubeObject>>()

  constructor(context: ServerContext, options: LocalClientOptions) {
    this.context = context
    this.options = options
  }

  async get<T extends KubeObject>(resource: Resource<T>, name: ObjectName): Promise<T> {
    this.assertAllowed('get', resource, name)
    const found = findObject(this.context.storage, this.kind(resource), keyOfTarget(name))
    if (found === undefined) throw notFound(resource, name.name)
    return found.object as T
  }

  async list<T extends KubeObject>(resource: Resource<T>, options: ListOptions = {}): Promise<KubeList<T>> {
    this.assertAllowed('list', resource, options)
    const kind = this.kind(resource)
    const page = await list(this.context, kind, {
      namespace: options.namespace,
      filter: compileFilter(kind, options.labelSelector, options.fieldSelector),
      limit: options.limit ?? 0,
      continueToken: options.continue,
      resourceVersion: options.resourceVersion,
    })
    return {
      apiVersion: apiVersionOf(resource),
      kind: `${resource.kind}List`,
      metadata: {
        resourceVersion: String(page.revision),
        ...(page.continueToken !== undefined && { continue: page.continueToken }),
      },
      items: page.objects.map(({ object }) => object as T),
    }
  }

  async *watch<T extends KubeObject>(resource: Resource<T>, options: WatchOptions = {}): AsyncIterable<WatchEvent<T>> {
    this.assertAllowed('watch', resource, options)
    const kind = this.kind(resource)
    const queue: WatchEvent<T>[] = []
    let wake = (): void => {}
    const filter = compileFilter(kind, options.labelSelector, options.fieldSelector)
    const take = ({ type, object }: Delivery): void => {
      queue.push({ type, object: object.object as T })
      wake()
    }
    const started = watch(
      this.context,
      kind,
      { namespace: options.namespace, filter, resourceVersion: options.resourceVersion },
      take,
    )
    for (const delivery of started.initial) take(delivery)
    const stop = (): void => wake()
    options.signal?.addEventListener('abort', stop)
    try {
      while (!options.signal?.aborted) {
        yield* queue.splice(0)
        if (queue.length === 0 && !options.signal?.aborted)
          await new Promise<void>(resolve => {
            wake = resolve
          })
      }
    } finally {
      started.close()
      options.signal?.removeEventListener('abort', stop)
    }
  }

  async create<T extends KubeObject>(resource: Resource<T>, object: New<T>, options: WriteOptions = {}): Promise<T> {
    this.assertAllowed('create', resource, { namespace: object.metadata.namespace })
    const target = { kind: this.kind(resource), namespace: object.metadata.namespace }
    if (target.kind.stored === false)
      return (await answerPosted(this.context, target, object, this.caller(options), [])).value as T
    const created = await create(this.context, target, object, this.caller(options))
    return created.object as T
  }

  async update<T extends KubeObject>(resource: Resource<T>, object: T, options: WriteOptions = {}): Promise<T> {
    this.assertAllowed('update', resource, object.metadata, options.subresource)
    const target = this.target(resource, object.metadata, options.subresource)
    if (options.subresource === 'finalize')
      return (await finalize(this.context, target, object as unknown as Namespace)).object as T
    return (await update(this.context, target, { change: () => object }, this.caller(options))).object as T
  }

  async patch<T extends KubeObject>(
    resource: Resource<T>,
    name: ObjectName,
    document: Patch,
    options: WriteOptions = {},
  ): Promise<T> {
    this.assertAllowed('patch', resource, name, options.subresource)
    const value = document.type === 'json' ? document.operations : document.value
    const force = document.type === 'apply' && document.force === true
    const { object } = await patch(
      this.context,
      this.target(resource, name, options.subresource),
      document.type,
      value,
      this.caller(options),
      { force },
    )
    return object.object as T
  }

  async delete(resource: Resource, name: ObjectName, options: DeleteOptions = {}): Promise<void> {
    this.assertAllowed('delete', resource, name)
    await remove(this.context, this.target(resource, name), options, this.caller({}))
  }

  async post<T extends KubeObject>(
    resource: Resource,
    name: ObjectName,
    subresource: string,
    body: New<T>,
  ): Promise<T> {
    this.assertAllowed('create', resource, name, subresource)
    const target = this.target(resource, name, subresource)
    switch (subresource) {
      case 'binding':
        await bind(this.context, target, body as Partial<Binding>, this.caller({}))
        break
      case 'eviction':
        await evict(this.context, target, body as Partial<Eviction>, this.caller({}))
        break
      case 'token':
        return (await requestToken(
          this.context,
          target,
          body as unknown as New<AuthenticationTokenRequest>,
          this.caller({}),
        )) as unknown as T
      default:
        throw badRequest(`${resource.plural}/${subresource} takes no POST`)
    }
    return body as unknown as T
  }

  informer<T extends KubeObject>(resource: Resource<T>): Informer<T> {
    const name = `${resource.group}/${resource.plural}`
    let informer = this.informers.get(name)
    if (informer === undefined) this.informers.set(name, (informer = this.openInformer(resource)))
    return informer as unknown as Informer<T>
  }

  /** Who may not list everything sees what he may get. */
  private openInformer(resource: Resource): Informer<KubeObject> {
    const { authorizer, storage } = this.context
    const { group, plural } = resource
    const may = (verb: string, of: { namespace?: string | undefined; name?: string } = {}): boolean =>
      authorizer.authorize(this.options.user, { verb, group, resource: plural, namespace: of.namespace, name: of.name })
        .allowed
    const all = new LocalInformer(storage.cache(resource))
    return may('list') && may('watch') ? all : new PartialInformer(all, ({ metadata }) => may('get', metadata))
  }

  private assertAllowed(
    verb: string,
    { group, plural }: Resource,
    {
      namespace,
      name,
      fieldSelector,
    }: { namespace?: string | undefined; name?: string; fieldSelector?: string | undefined },
    subresource?: string,
  ): void {
    this.context.authorizer.assertAllowed(this.options.user, {
      verb,
      group,
      resource: plural,
      subresource,
      namespace,
      name,
      fieldSelector,
    })
  }

  private kind({ group, version, plural }: Resource): KindDefinition {
    const kind = this.context.kinds.find(group, version, plural)
    if (kind === undefined) throw noSuchPath()
    return kind
  }

  private target(resource: Resource, { namespace, name }: ObjectName, subresource?: string): Target {
    return { kind: this.kind(resource), namespace, name, subresource }
  }

  private caller({ fieldManager, dryRun = false }: WriteOptions): Caller {
    return {
      user: this.options.user,
      fieldManager: fieldManager ?? this.options.fieldManager,
      fieldValidation: 'Ignore',
      dryRun,
      warnings: [],
    }
  }
}

class LocalInformer<T extends KubeObject> implements Informer<T> {
  readonly synced = Promise.resolve()
  private readonly cache: ResourceCache
  private readonly indexes = new ObjectIndexes<T>(listener => this.subscribe(listener))

  constructor(cache: ResourceCache) {
    this.cache = cache
  }

  get(name: ObjectName): T | undefined {
    return this.cache.get(keyOfTarget(name))?.object as T | undefined
  }

  list(namespace?: string): readonly T[] {
    if (namespace !== undefined) return this.cache.list(namespace).map(({ object }) => object as T)
    return Array.from(this.cache.values(), ({ object }) => object as T)
  }

  index(name: string, keysOf: (object: T) => readonly string[]): (value: string) => readonly T[] {
    return this.indexes.get(name, keysOf)
  }

  subscribe(listener: (change: Change<T>) => void): () => void {
    for (const { object } of this.cache.values()) listener({ type: 'ADDED', object: object as T })
    return this.cache.subscribe(event => listener(changeOf<T>(event)))
  }
}

function changeOf<T extends KubeObject>({ type, current, previous }: CacheEvent): Change<T> {
  if (type === 'MODIFIED') return { type, object: current.object as T, old: previous!.object as T }
  return { type, object: (type === 'DELETED' ? (previous ?? current) : current).object as T }
}
