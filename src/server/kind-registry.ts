// Which kinds the server knows, found by group, version and plural. Custom kinds come and go at run time.
import { storesOwnForm, type KindDefinition } from '../api/kind.ts'
import { apiVersionOf } from '../api/resource.ts'

type Listener = () => void

const pathOf = ({ resource }: KindDefinition): string => `${apiVersionOf(resource)}/${resource.plural}`

export class KindRegistry {
  private readonly byPath = new Map<string, KindDefinition>()
  private readonly listeners = new Set<Listener>()
  private readonly users = new Map<KindDefinition, Set<Listener>>()
  /** Made at first use after a change. */
  private summary:
    | { all: readonly KindDefinition[]; groups: ReadonlySet<string>; groupVersions: ReadonlySet<string> }
    | undefined

  constructor(kinds: readonly KindDefinition[]) {
    for (const kind of kinds) this.byPath.set(pathOf(kind), kind)
  }

  /** Takes kinds out and puts others in, which may have the same names, and tells about it once. */
  replace(gone: readonly KindDefinition[], added: readonly KindDefinition[]): void {
    if (gone.length === 0 && added.length === 0) return
    for (const kind of gone) if (this.byPath.get(pathOf(kind)) === kind) this.byPath.delete(pathOf(kind))
    for (const kind of added) this.byPath.set(pathOf(kind), kind)
    this.summary = undefined
    for (const listener of this.listeners) listener()
    for (const kind of gone) {
      for (const listener of this.users.get(kind) ?? []) listener()
      this.users.delete(kind)
    }
  }

  /** Calls the listener after each change. Returns how to stop. */
  subscribe(listener: Listener): () => void {
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }

  /** Calls the listener once this definition of the kind is no longer served. Returns how to stop. */
  whenGone(kind: KindDefinition, listener: Listener): () => void {
    if (kind.custom === undefined) return () => {}
    const users = this.users.get(kind) ?? new Set()
    this.users.set(kind, users.add(listener))
    return () => void users.delete(listener)
  }

  find(group: string, version: string, plural: string): KindDefinition | undefined {
    return this.byPath.get(`${apiVersionOf({ group, version })}/${plural}`)
  }

  hasKind(apiVersion: string, name: string): boolean {
    return this.all().some(({ resource }) => resource.kind === name && apiVersionOf(resource) === apiVersion)
  }

  all(): readonly KindDefinition[] {
    return this.known().all
  }

  /** One kind for everything that is stored: the one whose form it has where that is served. */
  stored(): readonly KindDefinition[] {
    const byCollection = new Map<string, KindDefinition>()
    for (const kind of this.all()) {
      if (kind.stored === false) continue
      const { group, plural } = kind.storage?.resource ?? kind.resource
      const collection = `${group}/${plural}`
      if (!byCollection.has(collection) || storesOwnForm(kind)) byCollection.set(collection, kind)
    }
    return [...byCollection.values()]
  }

  hasGroup(group: string): boolean {
    return this.known().groups.has(group)
  }

  /** Whether the group is there without any custom resource. */
  hasOwnGroup(group: string): boolean {
    return this.all().some(kind => kind.resource.group === group && kind.custom === undefined)
  }

  hasGroupVersion(group: string, version: string): boolean {
    return this.known().groupVersions.has(`${group}/${version}`)
  }

  private known(): NonNullable<KindRegistry['summary']> {
    return (this.summary ??= {
      all: [...this.byPath.values()],
      groups: new Set(Array.from(this.byPath.values(), ({ resource }) => resource.group)),
      groupVersions: new Set(
        Array.from(this.byPath.values(), ({ resource }) => `${resource.group}/${resource.version}`),
      ),
    })
  }
}
