// What a client learns about the server before it does anything: groups, versions, resources and their
// verbs, in the classic documents (/api, /apis and below) and in the aggregated one. All of it follows
// from the kinds.
import type { KindDefinition, Verb } from './kind.ts'

interface GroupVersionKind {
  readonly group: string
  readonly version: string
  readonly kind: string
}

interface Subresource {
  readonly name: string
  readonly responseKind: GroupVersionKind
  readonly verbs: readonly string[]
}

const allVerbs: readonly Verb[] = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']
const partVerbs = ['get', 'patch', 'update']

/** The order in which Kubernetes lists its groups; others follow by name. */
const groupOrder = [
  '',
  'apiregistration.k8s.io',
  'apps',
  'events.k8s.io',
  'authentication.k8s.io',
  'authorization.k8s.io',
  'autoscaling',
  'batch',
  'certificates.k8s.io',
  'networking.k8s.io',
  'policy',
  'rbac.authorization.k8s.io',
  'storage.k8s.io',
  'admissionregistration.k8s.io',
  'apiextensions.k8s.io',
  'scheduling.k8s.io',
  'coordination.k8s.io',
  'node.k8s.io',
  'discovery.k8s.io',
  'resource.k8s.io',
  'flowcontrol.apiserver.k8s.io',
]

const byName = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

function byGroup(a: string, b: string): number {
  const place = (group: string): number => (groupOrder.includes(group) ? groupOrder.indexOf(group) : groupOrder.length)
  return place(a) - place(b) || byName(a, b)
}

/** GA before beta before alpha, higher numbers first, other names last. */
export function compareVersions(a: string, b: string): number {
  const parse = (version: string): [number, number, number] => {
    const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version)
    if (match === null) return [0, 0, 0]
    return [match[2] === undefined ? 3 : match[2] === 'beta' ? 2 : 1, Number(match[1]), Number(match[3] ?? 0)]
  }
  const [left, right] = [parse(a), parse(b)]
  return right[0] - left[0] || right[1] - left[1] || right[2] - left[2] || byName(a, b)
}

function subresourcesOf(kind: KindDefinition): Subresource[] {
  const { group, version, kind: name } = kind.resource
  const own: GroupVersionKind = { group, version, kind: name }
  const parts: Subresource[] = Object.keys(kind.subresources ?? {})
    .filter(part => kind.subresources?.[part] !== undefined)
    .map(part => ({ name: part, responseKind: own, verbs: partVerbs }))
  if (kind.scale !== undefined)
    parts.push({
      name: 'scale',
      responseKind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
      verbs: partVerbs,
    })
  const connected = (kind.connects ?? []).map(connect => ({
    name: connect.name,
    responseKind: { group: connect.group ?? group, version: connect.version ?? version, kind: connect.kind },
    verbs: [...connect.verbs].sort(),
  }))
  const listed = new Map([...parts, ...connected].map(part => [part.name, part]))
  return [...listed.values()].sort((a, b) => byName(a.name, b.name))
}

/** Objects of a kind that is being deleted can only be read and deleted. */
const terminatingVerbs: readonly Verb[] = ['delete', 'deletecollection', 'get', 'list', 'watch']
const verbsOf = (kind: KindDefinition): string[] =>
  [...(kind.custom?.terminating === true ? terminatingVerbs : (kind.verbs ?? allVerbs))].sort()
const inOrder = (kinds: readonly KindDefinition[]): KindDefinition[] =>
  [...kinds].sort((a, b) => byName(a.resource.plural, b.resource.plural))
const groupsOf = (kinds: readonly KindDefinition[]): string[] =>
  [...new Set(kinds.map(kind => kind.resource.group))].sort(byGroup)
const versionsOf = (group: string, kinds: readonly KindDefinition[]): string[] =>
  [...new Set(kinds.filter(kind => kind.resource.group === group).map(kind => kind.resource.version))].sort(
    compareVersions,
  )

/** /api */
export function apiVersions(serverAddress = ''): object {
  return {
    kind: 'APIVersions',
    versions: ['v1'],
    serverAddressByClientCIDRs: serverAddress === '' ? [] : [{ clientCIDR: '0.0.0.0/0', serverAddress }],
  }
}

function groupEntry(group: string, kinds: readonly KindDefinition[]): object {
  const versions = versionsOf(group, kinds).map(version => ({ groupVersion: `${group}/${version}`, version }))
  return { name: group, versions, preferredVersion: versions[0] }
}

/** /apis */
export function apiGroupList(kinds: readonly KindDefinition[]): object {
  return {
    kind: 'APIGroupList',
    apiVersion: 'v1',
    groups: groupsOf(kinds)
      .filter(group => group !== '')
      .map(group => groupEntry(group, kinds)),
  }
}

/** /apis/apps */
export function apiGroup(group: string, kinds: readonly KindDefinition[]): object {
  return { kind: 'APIGroup', apiVersion: 'v1', ...groupEntry(group, kinds) }
}

/** /api/v1, /apis/apps/v1 */
export function apiResourceList(group: string, version: string, kinds: readonly KindDefinition[]): object {
  const resources: object[] = []
  for (const kind of inOrder(kinds))
    if (kind.resource.group === group && kind.resource.version === version) resources.push(...resourceEntries(kind))
  return {
    kind: 'APIResourceList',
    ...(group !== '' && { apiVersion: 'v1' }),
    groupVersion: group === '' ? version : `${group}/${version}`,
    resources,
  }
}

function resourceEntries(kind: KindDefinition): object[] {
  const { plural, scope, kind: name, group, version } = kind.resource
  const namespaced = scope === 'Namespaced'
  const main = {
    name: plural,
    singularName: kind.singular,
    namespaced,
    kind: name,
    verbs: verbsOf(kind),
    ...(kind.shortNames !== undefined && { shortNames: kind.shortNames }),
    ...(kind.categories !== undefined && { categories: kind.categories }),
  }
  const parts = subresourcesOf(kind).map(({ name: part, responseKind, verbs }) => {
    const foreign = responseKind.group !== group || responseKind.version !== version
    const entry = { name: `${plural}/${part}`, singularName: '', namespaced, kind: responseKind.kind, verbs }
    return foreign ? Object.assign(entry, { group: responseKind.group, version: responseKind.version }) : entry
  })
  return [main, ...parts]
}

/** /api and /apis as apidiscovery.k8s.io/v2: everything at once. */
export function aggregatedDiscovery(which: 'core' | 'groups', kinds: readonly KindDefinition[]): object {
  const groups = groupsOf(kinds).filter(group => (group === '') === (which === 'core'))
  const items = groups.map(group => ({
    metadata: { ...(group !== '' && { name: group }), creationTimestamp: null },
    versions: versionsOf(group, kinds).map(version => ({
      version,
      resources: discoveredResources(group, version, kinds),
      freshness: 'Current',
    })),
  }))
  return { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', metadata: {}, items }
}

function discoveredResources(group: string, version: string, kinds: readonly KindDefinition[]): object[] {
  return inOrder(kinds)
    .filter(({ resource }) => resource.group === group && resource.version === version)
    .map(kind => {
      const subresources = subresourcesOf(kind).map(({ name, responseKind, verbs }) => ({
        subresource: name,
        responseKind,
        verbs,
      }))
      const { plural, kind: name, scope } = kind.resource
      const entry = {
        resource: plural,
        responseKind: { group, version, kind: name },
        scope: scope === 'Namespaced' ? 'Namespaced' : 'Cluster',
        singularResource: kind.singular,
        verbs: verbsOf(kind),
      }
      return Object.assign(
        entry,
        kind.shortNames && { shortNames: kind.shortNames },
        kind.categories && { categories: kind.categories },
        subresources.length > 0 && { subresources },
      )
    })
}
