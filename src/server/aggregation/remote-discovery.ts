// What aggregated API servers add to the discovery documents of this one.
import { isObject, type JsonObject } from '../../api/patch/json-value.ts'
import type { Aggregator } from './aggregator.ts'

interface GroupEntry {
  readonly name: string
  readonly versions: readonly { readonly groupVersion: string; readonly version: string }[]
  readonly preferredVersion: unknown
}

/** Of the groups that only others answer for, the most important first. */
export function remoteGroups({ remotes }: Aggregator): string[] {
  const priorities = new Map<string, number>()
  for (const { group, groupPriority } of remotes.all().values())
    priorities.set(group, Math.max(priorities.get(group) ?? 0, groupPriority))
  return [...priorities].toSorted(([a, left], [b, right]) => right - left || (a < b ? -1 : 1)).map(([group]) => group)
}

export function withRemoteVersions(entry: GroupEntry | undefined, group: string, { remotes }: Aggregator): GroupEntry {
  const versions = remotes.versionsOf(group).map(({ version }) => ({ groupVersion: `${group}/${version}`, version }))
  const all = [
    ...(entry?.versions ?? []),
    ...versions.filter(({ version }) => entry?.versions.some(each => each.version === version) !== true),
  ]
  return { name: group, versions: all, preferredVersion: entry?.preferredVersion ?? all[0] }
}

/** Versions of a group in the form of apidiscovery.k8s.io/v2. */
export function discoveredVersions(group: string, aggregator: Aggregator): object[] {
  return aggregator.remotes.versionsOf(group).map(remote => ({
    version: remote.version,
    resources: discoveredResources(remote.group, remote.version, aggregator.resourcesOf(remote) ?? []),
    freshness: remote.available && aggregator.resourcesOf(remote) !== undefined ? 'Current' : 'Stale',
  }))
}

function discoveredResources(group: string, version: string, entries: readonly JsonObject[]): object[] {
  const responseKind = (entry: JsonObject): object => ({
    group: entry['group'] ?? group,
    version: entry['version'] ?? version,
    kind: entry['kind'],
  })
  const verbs = (entry: JsonObject): unknown => entry['verbs'] ?? []
  return entries
    .filter(({ name }) => !(name as string).includes('/'))
    .map(entry => {
      const name = entry['name'] as string
      const parts = entries
        .filter(part => (part['name'] as string).startsWith(`${name}/`))
        .map(part => ({
          subresource: (part['name'] as string).slice(name.length + 1),
          responseKind: responseKind(part),
          verbs: verbs(part),
        }))
      return {
        resource: name,
        responseKind: responseKind(entry),
        scope: entry['namespaced'] === true ? 'Namespaced' : 'Cluster',
        singularResource: entry['singularName'] ?? '',
        verbs: verbs(entry),
        ...(entry['shortNames'] !== undefined && { shortNames: entry['shortNames'] }),
        ...(entry['categories'] !== undefined && { categories: entry['categories'] }),
        ...(parts.length > 0 && { subresources: parts }),
      }
    })
}

/** An OpenAPI v2 document with the paths of others, and what those paths speak of. */
export function withRemotePaths(document: object, aggregator: Aggregator): object {
  const { paths, definitions } = document as { paths: JsonObject; definitions: JsonObject }
  let merged = { paths, definitions }
  for (const remote of aggregator.remotes.all().values()) {
    const other = aggregator.openApiV2Of(remote)
    if (other === undefined || !isObject(other['paths'])) continue
    const prefix = `/apis/${remote.group}/${remote.version}/`
    const own = Object.entries(other['paths']).filter(([path]) => `${path}/`.startsWith(prefix))
    merged = {
      paths: { ...merged.paths, ...Object.fromEntries(own) },
      definitions: { ...(isObject(other['definitions']) ? other['definitions'] : {}), ...merged.definitions },
    }
  }
  return { ...document, ...merged }
}
