// The client over HTTPS, for everything that is not in the server's own process.
import { parseExactJson } from '../lib/exact-json.ts'
import { Agent, request as httpsRequest, type RequestOptions } from 'node:https'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { ApiError, errorByCode, serviceUnavailable, type Status } from '../api/api-error.ts'
import type { KubeList, KubeObject, New, ObjectName, WatchEvent } from '../api/object.ts'
import { apiVersionOf, type Resource } from '../api/resource.ts'
import type { ServerAccess } from '../api/server-access.ts'
import type { Clock } from '../lib/clock.ts'
import type { Client, DeleteOptions, Informer, ListOptions, Patch, WatchOptions, WriteOptions } from './client.ts'
import type { ClusterAccess } from './kubeconfig.ts'
import { startCommand } from './start-command.ts'
import { RemoteInformer } from './remote-informer.ts'

const patchTypes = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
} as const

export interface HttpClientOptions {
  readonly access: ClusterAccess
  readonly userAgent: string
  readonly clock: Clock
}

export class HttpClient implements Client {
  private readonly agent: Agent
  private readonly base: URL
  private readonly options: HttpClientOptions
  private readonly informers = new Map<string, RemoteInformer<KubeObject>>()

  constructor(options: HttpClientOptions) {
    const { access } = options
    this.options = options
    this.base = new URL(access.server)
    this.agent = new Agent({ keepAlive: true, ...tlsOf(access) })
  }

  async get<T extends KubeObject>(resource: Resource<T>, name: ObjectName): Promise<T> {
    return (await this.call('GET', this.path(resource, name.namespace, name.name))) as T
  }

  async list<T extends KubeObject>(resource: Resource<T>, options: ListOptions = {}): Promise<KubeList<T>> {
    const list = (await this.call('GET', this.path(resource, options.namespace) + queryOf(options))) as KubeList<T>
    // Items of a list omit what the list says for all of them.
    for (const item of list.items) {
      item.kind ??= resource.kind
      item.apiVersion ??= apiVersionOf(resource)
    }
    return list
  }

  async *watch<T extends KubeObject>(resource: Resource<T>, options: WatchOptions = {}): AsyncIterable<WatchEvent<T>> {
    const { signal, ...selection } = options
    const query = new URLSearchParams(queryOf(selection))
    query.set('watch', 'true')
    query.set('allowWatchBookmarks', 'true')
    const response = await this.send(
      'GET',
      `${this.path(resource, options.namespace)}?${query}`,
      undefined,
      undefined,
      signal,
    )
    if ((response.statusCode ?? 500) >= 400) throw await errorOf(response)
    try {
      for await (const line of linesOf(response)) {
        const event = parseExactJson(line) as WatchEvent<T> | { type: 'ERROR'; object: Status }
        if (event.type === 'ERROR') throw ApiError.fromStatus(event.object)
        yield event
      }
    } catch (error) {
      if (error instanceof ApiError) throw error
      // A connection that breaks ends the watch; whoever wants more starts another.
    } finally {
      response.destroy()
    }
  }

  async create<T extends KubeObject>(resource: Resource<T>, object: New<T>, options: WriteOptions = {}): Promise<T> {
    const { namespace, name } = object.metadata
    const path =
      options.subresource === undefined
        ? this.path(resource, namespace)
        : this.path(resource, namespace, name, options.subresource)
    return this.seen(
      resource,
      (await this.call('POST', path + writeQuery(options), typed(resource, object))) as T,
      options,
    )
  }

  async update<T extends KubeObject>(resource: Resource<T>, object: T, options: WriteOptions = {}): Promise<T> {
    const { namespace, name } = object.metadata
    return this.seen(
      resource,
      (await this.call(
        'PUT',
        this.path(resource, namespace, name, options.subresource) + writeQuery(options),
        typed(resource, object),
      )) as T,
      options,
    )
  }

  async patch<T extends KubeObject>(
    resource: Resource<T>,
    name: ObjectName,
    patch: Patch,
    options: WriteOptions = {},
  ): Promise<T> {
    const force = patch.type === 'apply' && patch.force === true
    const body =
      patch.type === 'json'
        ? patch.operations
        : patch.type === 'apply'
          ? typed(resource, patch.value as object)
          : patch.value
    return this.seen(
      resource,
      (await this.call(
        'PATCH',
        this.path(resource, name.namespace, name.name, options.subresource) + writeQuery(options, force),
        body,
        patchTypes[patch.type],
      )) as T,
      options,
    )
  }

  async delete(resource: Resource, name: ObjectName, options: DeleteOptions = {}): Promise<void> {
    const answer = (await this.call('DELETE', this.path(resource, name.namespace, name.name), {
      kind: 'DeleteOptions',
      apiVersion: 'v1',
      ...options,
    })) as KubeObject & { details?: { uid?: string } }
    const goesOn = answer.kind === resource.kind && answer.metadata.deletionTimestamp !== undefined
    const shown = goesOn
      ? { revision: answer.metadata.resourceVersion }
      : { uid: answer.details?.uid ?? answer.metadata.uid }
    await this.informers.get(keyOf(resource))?.shows(this.options.clock, name, shown)
  }

  async post<T extends KubeObject>(
    resource: Resource,
    name: ObjectName,
    subresource: string,
    body: New<T>,
  ): Promise<T> {
    return (await this.call('POST', this.path(resource, name.namespace, name.name, subresource), body)) as T
  }

  informer<T extends KubeObject>(resource: Resource<T>): Informer<T> {
    const key = keyOf(resource)
    let informer = this.informers.get(key)
    if (informer === undefined)
      this.informers.set(key, (informer = new RemoteInformer(this, resource as Resource, this.options.clock)))
    return informer as unknown as Informer<T>
  }

  /** Keeps the promise of `Client`: who awaited a write sees it in the informers. */
  private async seen<T extends KubeObject>(
    resource: Resource<T>,
    written: T,
    { dryRun, subresource }: WriteOptions,
  ): Promise<T> {
    const isTheObject = subresource === undefined || subresource === 'status'
    const gone = written.metadata?.deletionTimestamp !== undefined && (written.metadata.finalizers ?? []).length === 0
    if (!dryRun && isTheObject && !gone)
      await this.informers
        .get(keyOf(resource))
        ?.shows(this.options.clock, written.metadata, { revision: written.metadata.resourceVersion })
    return written
  }

  /** The raw answer of a path, for logs and discovery. @throws ApiError */
  async raw(path: string, signal?: AbortSignal): Promise<IncomingMessage> {
    const response = await this.send('GET', path, undefined, undefined, signal)
    if ((response.statusCode ?? 500) >= 400) throw await errorOf(response)
    return response
  }

  /** For a connection of another kind. */
  streaming(): ServerAccess {
    const { access, userAgent } = this.options
    return {
      url: access.server.replace(/\/$/, ''),
      headers: { 'User-Agent': userAgent, ...authorization(access) },
      tls: tlsOf(access),
    }
  }

  close(): void {
    for (const informer of this.informers.values()) informer.stop()
    this.agent.destroy()
  }

  private path(resource: Resource, namespace: string | undefined, name?: string, subresource?: string): string {
    const root = resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`
    const inside = resource.scope === 'Namespaced' && namespace !== undefined ? `/namespaces/${namespace}` : ''
    return `${root}${inside}/${resource.plural}${name === undefined ? '' : `/${encodeURIComponent(name)}`}${subresource === undefined ? '' : `/${subresource}`}`
  }

  private async call(method: string, path: string, body?: unknown, contentType = 'application/json'): Promise<unknown> {
    const response = await this.send(method, path, body, contentType)
    if ((response.statusCode ?? 500) >= 400) throw await errorOf(response)
    return parseExactJson(await textOf(response))
  }

  private send(
    method: string,
    path: string,
    body: unknown,
    contentType?: string,
    signal?: AbortSignal,
  ): Promise<IncomingMessage> {
    const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body))
    const { access, userAgent } = this.options
    const options: RequestOptions = {
      method,
      host: this.base.hostname,
      port: this.base.port,
      path: this.base.pathname.replace(/\/$/, '') + path,
      headers: {
        Accept: 'application/json',
        'User-Agent': userAgent,
        ...authorization(access),
        ...(bytes !== undefined && { 'Content-Type': contentType, 'Content-Length': bytes.length }),
      },
      ...(signal !== undefined && { signal }),
    }
    return new Promise((resolve, reject) => {
      const secure = this.base.protocol === 'https:'
      const request = secure ? httpsRequest({ ...options, agent: this.agent }, resolve) : httpRequest(options, resolve)
      request.once('error', error => reject(serviceUnavailable(unreachable(access, error))))
      request.end(bytes)
    })
  }
}

const tlsOf = (access: ClusterAccess): ServerAccess['tls'] => ({
  ...(access.authority !== undefined && { ca: access.authority }),
  ...(access.certificate !== undefined && { cert: access.certificate }),
  ...(access.key !== undefined && { key: access.key }),
  rejectUnauthorized: !access.skipVerification,
})

const authorization = ({ token }: ClusterAccess): Record<string, string> =>
  token === undefined ? {} : { Authorization: `Bearer ${token}` }

const keyOf = (resource: Resource): string => `${apiVersionOf(resource)}/${resource.plural}`

function typed(resource: Resource, object: object): object {
  return { apiVersion: apiVersionOf(resource), kind: resource.kind, ...object }
}

function queryOf(options: ListOptions): string {
  const query = new URLSearchParams()
  for (const name of ['labelSelector', 'fieldSelector', 'continue', 'resourceVersion'] as const) {
    const value = options[name]
    if (value !== undefined) query.set(name, value)
  }
  if (options.limit !== undefined) query.set('limit', String(options.limit))
  return query.size === 0 ? '' : `?${query}`
}

function writeQuery({ fieldManager, dryRun }: WriteOptions, force = false): string {
  const query = new URLSearchParams()
  if (fieldManager !== undefined) query.set('fieldManager', fieldManager)
  if (dryRun) query.set('dryRun', 'All')
  if (force) query.set('force', 'true')
  return query.size === 0 ? '' : `?${query}`
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

async function errorOf(response: IncomingMessage): Promise<ApiError> {
  const text = await textOf(response)
  try {
    const status = JSON.parse(text) as Status
    if (status.kind === 'Status') return ApiError.fromStatus(status)
  } catch {
    // Not a Status: bare text, a proxy in between, or a server of another kind.
  }
  const retryAfter = Number(response.headers['retry-after'])
  return errorByCode(
    response.statusCode ?? 500,
    `the server answered ${response.statusCode}: ${text.trim().slice(0, 200)}`,
    retryAfter > 0 ? retryAfter : undefined,
  )
}

async function* linesOf(response: IncomingMessage): AsyncIterable<string> {
  let rest = ''
  response.setEncoding('utf8')
  for await (const chunk of response as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line !== '') yield line
  }
}

function unreachable({ server, startedHere: started }: ClusterAccess, { message }: Error): string {
  const advice =
    started === undefined
      ? ''
      : `; if the cluster is down, start it with: ${startCommand(started.name, started.dataDirectory)}`
  return `the API server at ${server} cannot be reached: ${message}${advice}`
}
