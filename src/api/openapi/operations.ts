// The operations under each path of a kind, in one form for OpenAPI 2 and 3: what kubectl and client
// generators look for (actions, kinds, query parameters, answers) and no more.
import type { ConnectedSubresource, KindDefinition, Verb } from '../kind.ts'

export interface Operation {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete'
  readonly action: string
  readonly id: string
  readonly description: string
  readonly query: readonly string[]
  /** The definition that is sent, if any: the kind itself, `Patch` or `DeleteOptions`. */
  readonly body: 'object' | 'patch' | 'deleteOptions' | undefined
  readonly answer: 'object' | 'list' | 'status' | 'text'
  /** What the object is, where it is not of the path's own kind. */
  readonly of?: ForeignObject
  readonly codes: readonly number[]
}

export interface ForeignObject {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly model: string
}

export interface PathEntry {
  readonly path: string
  readonly parameters: readonly ('name' | 'namespace')[]
  readonly operations: readonly Operation[]
}

const writeQuery = ['dryRun', 'fieldManager', 'fieldValidation']
const listQuery = ['allowWatchBookmarks', 'continue', 'fieldSelector', 'labelSelector', 'limit', 'resourceVersion', 'resourceVersionMatch', 'sendInitialEvents', 'timeoutSeconds', 'watch']
const logQuery = ['container', 'follow', 'insecureSkipTLSVerifyBackend', 'limitBytes', 'previous', 'sinceSeconds', 'stream', 'tailLines', 'timestamps']
const deleteQuery = ['dryRun', 'gracePeriodSeconds', 'orphanDependents', 'propagationPolicy']

const scale: ForeignObject = { group: 'autoscaling', version: 'v1', kind: 'Scale', model: 'V1Scale' }
/** Models of what is posted to a subresource. */
const postedModels: Readonly<Record<string, string>> = { Binding: 'V1Binding', Eviction: 'V1Eviction', TokenRequest: 'AuthenticationV1TokenRequest' }

const capital = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`
const groupName = (group: string): string => (group === '' ? 'Core' : capital(group.split('.')[0]!))

/** `core_v1`, `apps_v1` */
export const tagOf = ({ resource }: KindDefinition): string => `${groupName(resource.group).replace(/^./, first => first.toLowerCase())}_${resource.version}`

export function pathsOf(kind: KindDefinition): PathEntry[] {
  const { group, version, plural, kind: name, scope } = kind.resource
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
  const namespaced = scope === 'Namespaced'
  const base = namespaced ? `${root}/namespaces/{namespace}/${plural}` : `${root}/${plural}`
  const scopeParameters = namespaced ? ['namespace' as const] : []
  const title = `${groupName(group)}${capital(version)}`
  const target = `${namespaced ? 'Namespaced' : ''}${name}`
  const can = (verb: Verb): boolean => kind.verbs === undefined || kind.verbs.includes(verb)
  const entries: PathEntry[] = []
  const add = (path: string, parameters: PathEntry['parameters'], operations: (Operation | false)[]): void => {
    const present = operations.filter(operation => operation !== false)
    if (present.length > 0) entries.push({ path, parameters, operations: present })
  }
  add(base, scopeParameters, [
    can('list') && listOperation(`list${title}${target}`, name),
    can('create') && { method: 'post', action: 'post', id: `create${title}${target}`, description: `create a ${name}`, query: writeQuery, body: 'object', answer: 'object', codes: [200, 201, 202] },
    can('deletecollection') && { method: 'delete', action: 'deletecollection', id: `delete${title}Collection${target}`, description: `delete collection of ${name}`, query: [...deleteQuery, ...listQuery.filter(query => query !== 'watch' && query !== 'allowWatchBookmarks')], body: 'deleteOptions', answer: 'status', codes: [200] },
  ])
  add(`${base}/{name}`, ['name', ...scopeParameters], [
    ...partOperations(title, target, name, '', can),
    can('delete') && { method: 'delete', action: 'delete', id: `delete${title}${target}`, description: `delete a ${name}`, query: deleteQuery, body: 'deleteOptions', answer: 'status', codes: [200, 202] },
  ])
  for (const part of Object.keys(kind.subresources ?? {})) add(`${base}/{name}/${part}`, ['name', ...scopeParameters], partOperations(title, target, name, part, () => true))
  if (kind.scale !== undefined) add(`${base}/{name}/scale`, ['name', ...scopeParameters], partOperations(title, target, name, 'scale', () => true, scale))
  for (const connect of kind.connects ?? []) add(`${base}/{name}/${connect.name}`, ['name', ...scopeParameters], connectOperations(title, target, kind, connect))
  if (namespaced && can('list')) add(`${root}/${plural}`, [], [listOperation(`list${title}${name}ForAllNamespaces`, name)])
  return entries
}

const listOperation = (id: string, name: string): Operation =>
  ({ method: 'get', action: 'list', id, description: `list or watch objects of kind ${name}`, query: listQuery, body: undefined, answer: 'list', codes: [200] })

/** What is posted to a subresource, read from it as text, or replaced by it. Streams and proxies are left out. */
function connectOperations(title: string, target: string, { resource }: KindDefinition, { name: part, kind, verbs, group = resource.group, version = resource.version }: ConnectedSubresource): (Operation | false)[] {
  const suffix = `${target}${capital(part)}`
  const model = postedModels[kind]
  return [
    model !== undefined && { method: 'post', action: 'post', id: `create${title}${suffix}`, description: `create ${part} of a ${resource.kind}`, query: writeQuery, body: 'object', answer: 'object', codes: [200, 201, 202], of: { group, version, kind, model } },
    part === 'log' && { method: 'get', action: 'get', id: `read${title}${suffix}`, description: `read ${part} of the specified ${resource.kind}`, query: logQuery, body: undefined, answer: 'text', codes: [200] },
    kind === resource.kind && verbs.includes('update') && { method: 'put', action: 'put', id: `replace${title}${suffix}`, description: `replace ${part} of the specified ${resource.kind}`, query: writeQuery, body: 'object', answer: 'object', codes: [200, 201] },
  ]
}

function partOperations(title: string, target: string, name: string, part: string, can: (verb: Verb) => boolean, foreign?: ForeignObject): (Operation | false)[] {
  const of = foreign && { of: foreign }
  const suffix = part === '' ? target : `${target}${capital(part)}`
  const what = part === '' ? `the specified ${name}` : `${part} of the specified ${name}`
  return [
    can('get') && { method: 'get', action: 'get', id: `read${title}${suffix}`, description: `read ${what}`, query: [], body: undefined, answer: 'object', codes: [200], ...of },
    can('update') && { method: 'put', action: 'put', id: `replace${title}${suffix}`, description: `replace ${what}`, query: writeQuery, body: 'object', answer: 'object', codes: [200, 201], ...of },
    can('patch') && { method: 'patch', action: 'patch', id: `patch${title}${suffix}`, description: `partially update ${what}`, query: [...writeQuery, 'force'], body: 'patch', answer: 'object', codes: [200, 201], ...of },
  ]
}

const booleans = new Set(['follow', 'insecureSkipTLSVerifyBackend', 'previous', 'timestamps', 'force', 'orphanDependents', 'watch', 'allowWatchBookmarks', 'sendInitialEvents'])
const integers = new Set(['limitBytes', 'sinceSeconds', 'tailLines', 'gracePeriodSeconds', 'limit', 'timeoutSeconds'])

export const queryType = (name: string): string => (booleans.has(name) ? 'boolean' : integers.has(name) ? 'integer' : 'string')

export const codeText = (code: number): string => (code === 200 ? 'OK' : code === 201 ? 'Created' : 'Accepted')

export const patchTypes = (kind: KindDefinition): string[] =>
  ['application/json-patch+json', 'application/merge-patch+json', ...(kind.openApiSchema === undefined ? ['application/strategic-merge-patch+json'] : []), 'application/apply-patch+yaml']
