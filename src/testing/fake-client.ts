// A Client over maps, for tests of one component: no validation, no defaults, no admission. Revisions,
// conflicts, graceful deletion of pods and informers behave like the real ones.
import { alreadyExists, conflict, notFound } from '../api/api-error.ts'
import type { KubeList, KubeObject, New, ObjectName, WatchEvent } from '../api/object.ts'
import { keyOf } from '../api/object.ts'
import { apiVersionOf, groupResource, type Resource } from '../api/resource.ts'
import type { Change, Client, DeleteOptions, Informer, ListOptions, Patch, WriteOptions } from '../client/client.ts'

const keyOfName = ({ namespace, name }: ObjectName): string => (namespace === undefined ? name : `${namespace}/${name}`)

export class FakeClient implements Client {
  /** Every write: `create pods default/web`, `update pods/status default/web`. */
  readonly journal: string[] = []
  private readonly tables = new Map<string, Table>()
  private revision = 0
  private uids = 0

  async get<T extends KubeObject>(resource: Resource<T>, name: ObjectName): Promise<T> {
    const found = this.table(resource).objects.get(keyOfName(name))
    if (found === undefined) throw notFound(resource, name.name)
    return found as T
  }

  async list<T extends KubeObject>(resource: Resource<T>, options: ListOptions = {}): Promise<KubeList<T>> {
    return {
      apiVersion: apiVersionOf(resource),
      kind: `${resource.kind}List`,
      metadata: { resourceVersion: String(this.revision) },
      items: [...this.informer(resource).list(options.namespace)],
    }
  }

  watch<T extends KubeObject>(): AsyncIterable<WatchEvent<T>> {
    throw new Error('the fake client does not watch; use an informer')
  }

  async create<T extends KubeObject>(resource: Resource<T>, object: New<T>): Promise<T> {
    const name = object.metadata.name ?? `${object.metadata.generateName}${this.revision}`
    this.uids += 1
    const metadata = {
      uid: `uid-${this.uids}`,
      creationTimestamp: new Date().toISOString(),
      generation: 1,
      ...object.metadata,
      name,
    }
    const created = {
      apiVersion: apiVersionOf(resource),
      kind: resource.kind,
      status: {},
      ...object,
      metadata,
    } as unknown as T
    const table = this.table(resource)
    if (table.objects.has(keyOf(created))) throw alreadyExists(resource, name)
    this.note('create', resource, created)
    return this.store(table, created)
  }

  async update<T extends KubeObject>(resource: Resource<T>, object: T, options: WriteOptions = {}): Promise<T> {
    const table = this.table(resource)
    const old = table.objects.get(keyOf(object)) as T | undefined
    if (old === undefined) throw notFound(resource, object.metadata.name)
    if (
      object.metadata.resourceVersion !== undefined &&
      object.metadata.resourceVersion !== old.metadata.resourceVersion
    )
      throw conflict(resource, object.metadata.name)
    this.note('update', resource, object, options.subresource)
    const next = options.subresource === 'status' ? { ...old, status: (object as { status?: unknown }).status } : object
    return this.store(table, next)
  }

  async patch<T extends KubeObject>(
    resource: Resource<T>,
    name: ObjectName,
    patch: Patch,
    options: WriteOptions = {},
  ): Promise<T> {
    if (patch.type !== 'merge') throw new Error('the fake client knows merge patches only')
    const old = await this.get(resource, name)
    this.note('patch', resource, old, options.subresource)
    return this.store(this.table(resource), mergePatch(old, patch.value) as T)
  }

  async delete(resource: Resource, name: ObjectName, options: DeleteOptions = {}): Promise<void> {
    const old = await this.get(resource, name)
    const uid = options.preconditions?.uid
    if (uid !== undefined && uid !== old.metadata.uid)
      throw conflict(resource, name.name, 'the UID in the precondition does not match')
    this.note('delete', resource, old)
    const table = this.table(resource)
    const spec = (old as { spec?: { terminationGracePeriodSeconds?: number; nodeName?: string } }).spec
    const grace =
      resource.plural === 'pods' && spec?.nodeName !== undefined
        ? (options.gracePeriodSeconds ?? spec.terminationGracePeriodSeconds ?? 30)
        : 0
    if (grace > 0) {
      const deletionTimestamp = new Date(Date.now() + grace * 1_000).toISOString()
      this.store(table, { ...old, metadata: { ...old.metadata, deletionTimestamp, deletionGracePeriodSeconds: grace } })
      return
    }
    table.objects.delete(keyOf(old))
    table.publish({ type: 'DELETED', object: old })
  }

  async post<T extends KubeObject>(_resource: Resource, name: ObjectName, subresource: string): Promise<T> {
    const expirationTimestamp = new Date(Date.now() + 3_600_000).toISOString()
    return {
      apiVersion: 'v1',
      kind: subresource,
      metadata: {},
      spec: {},
      status: { token: `token-of-${name.name}`, expirationTimestamp },
    } as unknown as T
  }

  informer<T extends KubeObject>(resource: Resource<T>): Informer<T> {
    return this.table(resource) as unknown as Informer<T>
  }

  private table(resource: Resource): Table {
    const name = groupResource(resource)
    const table = this.tables.get(name) ?? new Table()
    this.tables.set(name, table)
    return table
  }

  private store<T extends KubeObject>(table: Table, object: T): T {
    this.revision += 1
    const old = table.objects.get(keyOf(object))
    const stored = deepFreeze(
      structuredClone({ ...object, metadata: { ...object.metadata, resourceVersion: String(this.revision) } }),
    )
    table.objects.set(keyOf(stored), stored)
    table.publish(old === undefined ? { type: 'ADDED', object: stored } : { type: 'MODIFIED', object: stored, old })
    return stored
  }

  private note(verb: string, resource: Resource, object: KubeObject, subresource?: string): void {
    this.journal.push(
      `${verb} ${resource.plural}${subresource === undefined ? '' : `/${subresource}`} ${keyOf(object)}`,
    )
  }
}

class Table implements Informer<KubeObject> {
  readonly objects = new Map<string, KubeObject>()
  readonly synced = Promise.resolve()
  private readonly listeners = new Set<(change: Change<KubeObject>) => void>()

  get(name: ObjectName): KubeObject | undefined {
    return this.objects.get(keyOfName(name))
  }

  list(namespace?: string): readonly KubeObject[] {
    return [...this.objects.values()].filter(
      object => namespace === undefined || object.metadata.namespace === namespace,
    )
  }

  index(_name: string, keysOf: (object: KubeObject) => readonly string[]): (value: string) => readonly KubeObject[] {
    return value => this.list().filter(object => keysOf(object).includes(value))
  }

  subscribe(listener: (change: Change<KubeObject>) => void): () => void {
    this.listeners.add(listener)
    for (const object of this.objects.values()) listener({ type: 'ADDED', object })
    return () => this.listeners.delete(listener)
  }

  publish(change: Change<KubeObject>): void {
    for (const listener of this.listeners) listener(change)
  }
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const part of Object.values(value)) deepFreeze(part)
  }
  return value
}

function mergePatch(old: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
  const result: Record<string, unknown> = {
    ...(typeof old === 'object' && old !== null && !Array.isArray(old) ? old : {}),
  }
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]
    else result[key] = mergePatch(result[key], value)
  }
  return result
}
