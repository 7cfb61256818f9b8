// The operations under each path of a kind, in one form for OpenAPI 2 and 3: what kubectl and client
// generators look for (actions, kinds, parameters, types, answers).
// Source: apiserver pkg/endpoints/installer.go, kube-openapi pkg/builder.
import type { ConnectedSubresource, KindDefinition, Verb } from '../kind.ts'
import { returnsDeletedObject } from '../returns-deleted-object.ts'

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete' | 'head' | 'options'

export interface Operation {
  readonly method: Method
  readonly action: string
  readonly id: string
  readonly description: string
  /** Names of parameters in the query, in their order. */
  readonly query: readonly string[]
  /** The definition that is sent, if any: the kind itself, `Patch` or `DeleteOptions`. */
  readonly body: 'object' | 'patch' | 'deleteOptions' | undefined
  readonly answer: 'object' | 'list' | 'status' | 'text' | 'watchEvent'
  /** Content types of the answer. */
  readonly types: readonly string[]
  /** What the object is, where it is not of the path's own kind. */
  readonly of?: ForeignObject
  readonly codes: readonly number[]
}

export interface ForeignObject {
  readonly group: string
  readonly version: string
  readonly kind: string
  /** Options of connections have none. */
  readonly model?: string
}

export interface PathEntry {
  readonly path: string
  /** Of the path and common to its operations, in their order. */
  readonly parameters: readonly PathParameter[]
  readonly operations: readonly Operation[]
}

export interface PathParameter {
  readonly name: string
  readonly in: 'path' | 'query'
  readonly description?: string
}

const writeQuery = ['dryRun', 'fieldManager', 'fieldValidation']
const listQuery = [
  'allowWatchBookmarks',
  'continue',
  'fieldSelector',
  'labelSelector',
  'limit',
  'resourceVersion',
  'resourceVersionMatch',
  'sendInitialEvents',
  'timeoutSeconds',
  'watch',
]
const logQuery = [
  'container',
  'follow',
  'insecureSkipTLSVerifyBackend',
  'limitBytes',
  'previous',
  'sinceSeconds',
  'stream',
  'tailLines',
  'timestamps',
]
const deleteQuery = ['dryRun', 'gracePeriodSeconds', 'orphanDependents', 'propagationPolicy']
const commandQuery = ['container', 'stderr', 'stdin', 'stdout', 'tty']
/** By the kind of the options. */
const connectQuery: Readonly<Record<string, readonly string[]>> = {
  PodExecOptions: ['command', ...commandQuery],
  PodAttachOptions: commandQuery,
  PodPortForwardOptions: ['ports'],
  PodProxyOptions: ['path'],
  ServiceProxyOptions: ['path'],
  NodeProxyOptions: ['path'],
}

export const objectTypes: readonly string[] = [
  'application/json',
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
]
const watchableTypes = [
  ...objectTypes,
  'application/json;stream=watch',
  'application/vnd.kubernetes.protobuf;stream=watch',
]

const scale: ForeignObject = { group: 'autoscaling', version: 'v1', kind: 'Scale', model: 'V1Scale' }
/** Models of what is posted to a subresource. */
const postedModels: Readonly<Record<string, string>> = {
  Binding: 'V1Binding',
  Eviction: 'V1Eviction',
  TokenRequest: 'AuthenticationV1TokenRequest',
}

const capital = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`
const lower = (text: string): string => `${text.charAt(0).toLowerCase()}${text.slice(1)}`

/** `apps` → `Apps`, `rbac.authorization.k8s.io` → `RbacAuthorization` */
export const groupName = (group: string): string =>
  group === ''
    ? 'Core'
    : group
        .replace(/\.k8s\.io$/, '')
        .split('.')
        .map(capital)
        .join('')

/** `core_v1`, `apps_v1` */
export const tagOf = ({ resource }: KindDefinition): string => `${lower(groupName(resource.group))}_${resource.version}`

/** How a sentence names one of the kind. */
const one = (kind: string): string => (/[^s]s$/.test(kind) ? kind : `${/^[aeiou]/i.test(kind) ? 'an' : 'a'} ${kind}`)

export function pathsOf(kind: KindDefinition): PathEntry[] {
  const { group, version, plural, kind: name, scope } = kind.resource
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
  const namespaced = scope === 'Namespaced'
  const base = namespaced ? `${root}/namespaces/{namespace}/${plural}` : `${root}/${plural}`
  const title = `${groupName(group)}${capital(version)}`
  const target = `${namespaced ? 'Namespaced' : ''}${name}`
  const can = (verb: Verb): boolean => kind.verbs === undefined || kind.verbs.includes(verb)
  const list = can('list') && listOperation(`list${title}${target}`, name, can('watch'))
  const everywhere =
    can('list') && namespaced && listOperation(`list${title}${name}ForAllNamespaces`, name, can('watch'))
  const entries = [
    entry(
      base,
      [
        list,
        can('create') && {
          method: 'post',
          action: 'post',
          id: `create${title}${target}`,
          description: `create ${one(name)}`,
          query: writeQuery,
          body: 'object',
          answer: 'object',
          types: objectTypes,
          codes: [200, 201, 202],
        },
        can('deletecollection') && {
          method: 'delete',
          action: 'deletecollection',
          id: `delete${title}Collection${target}`,
          description: `delete collection of ${name}`,
          query: [
            ...deleteQuery,
            ...listQuery.filter(query => query !== 'watch' && query !== 'allowWatchBookmarks'),
          ].toSorted(),
          body: 'deleteOptions',
          answer: 'status',
          types: objectTypes,
          codes: [200],
        },
      ],
      name,
    ),
    entry(
      `${base}/{name}`,
      [
        ...partOperations(title, target, name, '', can),
        can('delete') && {
          method: 'delete',
          action: 'delete',
          id: `delete${title}${target}`,
          description: `delete ${one(name)}`,
          query: deleteQuery,
          body: 'deleteOptions',
          answer: returnsDeletedObject(kind.resource) ? 'object' : 'status',
          types: objectTypes,
          codes: [200, 202],
        },
      ],
      name,
    ),
    ...Object.keys(kind.subresources ?? {}).map(part =>
      entry(
        `${base}/{name}/${part}`,
        partOperations(title, target, name, part, () => true),
        name,
      ),
    ),
    kind.scale !== undefined &&
      entry(
        `${base}/{name}/scale`,
        partOperations(title, target, name, 'scale', () => true, scale),
        scale.kind,
      ),
    ...(kind.connects ?? []).flatMap(connect =>
      connectEntries(`${base}/{name}/${connect.name}`, title, target, kind, connect),
    ),
    everywhere && entry(`${root}/${plural}`, [everywhere], name),
    // What custom resources have is not told.
    ...(can('watch') && kind.openApiSchema === undefined
      ? watchEntries(root, base.slice(root.length), title, target, kind)
      : []),
  ]
  return entries.filter(each => each !== false && each.operations.length > 0) as PathEntry[]
}

/** Parameters that all operations have are the path's. @param subject is what `{name}` names */
function entry(path: string, wanted: readonly (Operation | false)[], subject: string): PathEntry {
  const operations = wanted.filter(operation => operation !== false)
  const common = [
    ...(operations[0]?.query ?? []).filter(name => operations.every(({ query }) => query.includes(name))),
    'pretty',
  ]
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]): PathParameter => ({
    name: name!,
    in: 'path',
    ...(name === 'name' && { description: `name of the ${subject}` }),
  }))
  return {
    path,
    parameters: [...inPath, ...common.map((name): PathParameter => ({ name, in: 'query' }))].toSorted((a, b) =>
      a.name < b.name ? -1 : a.name > b.name ? 1 : 0,
    ),
    operations: operations.map(operation => ({
      ...operation,
      query: operation.query.filter(name => !common.includes(name)),
    })),
  }
}

const listOperation = (id: string, name: string, watchable: boolean): Operation => ({
  method: 'get',
  action: 'list',
  id,
  description: `list ${watchable ? 'or watch ' : ''}objects of kind ${name}`,
  query: listQuery,
  body: undefined,
  answer: 'list',
  types: watchableTypes,
  codes: [200],
})

/** The older way to watch. */
function watchEntries(
  root: string,
  base: string,
  title: string,
  target: string,
  { resource: { scope, plural, kind: name } }: KindDefinition,
): PathEntry[] {
  const watch = (path: string, action: 'watch' | 'watchlist', what: string, description: string): PathEntry =>
    entry(
      `${root}/watch${path}`,
      [
        {
          method: 'get',
          action,
          id: `watch${title}${what}`,
          description,
          query: listQuery,
          body: undefined,
          answer: 'watchEvent',
          types: watchableTypes,
          codes: [200],
        },
      ],
      name,
    )
  const ofList = `watch individual changes to a list of ${name}. deprecated: use the 'watch' parameter with a list operation instead.`
  return [
    watch(base, 'watchlist', `${target}List`, ofList),
    watch(
      `${base}/{name}`,
      'watch',
      target,
      `watch changes to an object of kind ${name}. deprecated: use the 'watch' parameter with a list operation instead, filtered to a single item with the 'fieldSelector' parameter.`,
    ),
    ...(scope === 'Namespaced' ? [watch(`/${plural}`, 'watchlist', `${name}ListForAllNamespaces`, ofList)] : []),
  ]
}

function connectEntries(
  path: string,
  title: string,
  target: string,
  kind: KindDefinition,
  connect: ConnectedSubresource,
): PathEntry[] {
  const query = connectQuery[connect.kind]
  if (query === undefined) return [entry(path, postOperations(title, target, kind, connect), subjectOf(kind, connect))]
  const isProxy = connect.name === 'proxy'
  const operations = (suffix: string): Operation[] =>
    (isProxy ? proxyMethods : (['get', 'post'] as const)).map(method => ({
      method,
      action: 'connect',
      id: `connect${title}${capital(method)}${target}${capital(connect.name)}${suffix}`,
      description: `connect ${method.toUpperCase()} requests to ${connect.name} of ${kind.resource.kind}`,
      query,
      body: undefined,
      answer: 'text',
      types: ['*/*'],
      of: { group: kind.resource.group, version: kind.resource.version, kind: connect.kind },
      codes: [200],
    }))
  return [
    streamEntry(path, operations(''), connect.kind),
    ...(isProxy ? [streamEntry(`${path}/{path}`, operations('WithPath'), connect.kind)] : []),
  ]
}

const proxyMethods: readonly Method[] = ['delete', 'get', 'head', 'options', 'patch', 'post', 'put']

/** What answers is no object, which could be printed prettily. */
function streamEntry(path: string, operations: readonly Operation[], subject: string): PathEntry {
  const made = entry(path, operations, subject)
  return { ...made, parameters: made.parameters.filter(({ name }) => name !== 'pretty') }
}

const subjectOf = ({ resource }: KindDefinition, { name, kind }: ConnectedSubresource): string =>
  name === 'log' ? resource.kind : kind

/** What is posted to a subresource, read from it as text, or replaced by it. */
function postOperations(
  title: string,
  target: string,
  { resource }: KindDefinition,
  { name: part, kind, verbs, group = resource.group, version = resource.version }: ConnectedSubresource,
): (Operation | false)[] {
  const suffix = `${target}${capital(part)}`
  const model = postedModels[kind]
  return [
    model !== undefined && {
      method: 'post',
      action: 'post',
      id: `create${title}${suffix}`,
      description: `create ${part} of ${one(resource.kind)}`,
      query: writeQuery,
      body: 'object',
      answer: 'object',
      types: objectTypes,
      codes: [200, 201, 202],
      of: { group, version, kind, model },
    },
    part === 'log' && {
      method: 'get',
      action: 'get',
      id: `read${title}${suffix}`,
      description: `read ${part} of the specified ${resource.kind}`,
      query: logQuery,
      body: undefined,
      answer: 'text',
      types: ['text/plain', ...objectTypes],
      codes: [200],
    },
    kind === resource.kind &&
      verbs.includes('update') && {
        method: 'put',
        action: 'put',
        id: `replace${title}${suffix}`,
        description: `replace ${part} of the specified ${resource.kind}`,
        query: writeQuery,
        body: 'object',
        answer: 'object',
        types: objectTypes,
        codes: [200, 201],
      },
  ]
}

function partOperations(
  title: string,
  target: string,
  name: string,
  part: string,
  can: (verb: Verb) => boolean,
  foreign?: ForeignObject,
): (Operation | false)[] {
  const shared = { answer: 'object', types: objectTypes, ...(foreign && { of: foreign }) } as const
  const suffix = part === '' ? target : `${target}${capital(part)}`
  const what = part === '' ? `the specified ${name}` : `${part} of the specified ${name}`
  return [
    can('get') && {
      method: 'get',
      action: 'get',
      id: `read${title}${suffix}`,
      description: `read ${what}`,
      query: [],
      body: undefined,
      codes: [200],
      ...shared,
    },
    can('update') && {
      method: 'put',
      action: 'put',
      id: `replace${title}${suffix}`,
      description: `replace ${what}`,
      query: writeQuery,
      body: 'object',
      codes: [200, 201],
      ...shared,
    },
    can('patch') && {
      method: 'patch',
      action: 'patch',
      id: `patch${title}${suffix}`,
      description: `partially update ${what}`,
      query: [...writeQuery, 'force'],
      body: 'patch',
      codes: [200, 201],
      ...shared,
    },
  ]
}

const booleans = new Set([
  'follow',
  'insecureSkipTLSVerifyBackend',
  'previous',
  'timestamps',
  'force',
  'orphanDependents',
  'watch',
  'allowWatchBookmarks',
  'sendInitialEvents',
  'stderr',
  'stdin',
  'stdout',
  'tty',
])
const integers = new Set([
  'limitBytes',
  'sinceSeconds',
  'tailLines',
  'gracePeriodSeconds',
  'limit',
  'timeoutSeconds',
  'ports',
])

export const queryType = (name: string): string =>
  booleans.has(name) ? 'boolean' : integers.has(name) ? 'integer' : 'string'

export const codeText = (code: number): string => (code === 200 ? 'OK' : code === 201 ? 'Created' : 'Accepted')

export const patchTypes = (kind: KindDefinition): string[] => [
  'application/json-patch+json',
  'application/merge-patch+json',
  ...(kind.openApiSchema === undefined ? ['application/strategic-merge-patch+json'] : []),
  'application/apply-patch+yaml',
]
