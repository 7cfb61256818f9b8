// Which kinds the server knows, found by group, version and plural. Custom kinds come and go at run time.
import type { KindDefinition } from '../api/kind.ts'
import { apiVersionOf } from '../api/resource.ts'

export class KindRegistry {
  private readonly byPath = new Map<string, KindDefinition>()

  constructor(kinds: readonly KindDefinition[]) {
    for (const kind of kinds) this.add(kind)
  }

  add(kind: KindDefinition): void {
    this.byPath.set(`${apiVersionOf(kind.resource)}/${kind.resource.plural}`, kind)
  }

  find(group: string, version: string, plural: string): KindDefinition | undefined {
    return this.byPath.get(`${apiVersionOf({ group, version })}/${plural}`)
  }

  hasKind(apiVersion: string, name: string): boolean {
    return this.all().some(({ resource }) => resource.kind === name && apiVersionOf(resource) === apiVersion)
  }

  all(): readonly KindDefinition[] {
    return [...this.byPath.values()]
  }

  hasGroup(group: string): boolean {
    return this.all().some(kind => kind.resource.group === group)
  }

  hasGroupVersion(group: string, version: string): boolean {
    return this.all().some(kind => kind.resource.group === group && kind.resource.version === version)
  }
}
