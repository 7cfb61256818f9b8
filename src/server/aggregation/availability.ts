// Finds out whether the servers behind APIServices answer, and writes it to their condition Available:
// when an APIService, its service or its endpoints change, and every half minute. While there are none,
// nothing happens. Source: kube-aggregator pkg/controllers/status.
import type { APIService, EndpointSlice, Service } from '../../api/generated/models.ts'
import { apiServices, endpointSlices, services } from '../../api/resources.ts'
import { serviceNameLabel } from '../../api/endpoint-slice-labels.ts'
import { formatTime, type Timer } from '../../lib/clock.ts'
import type { ServiceResolver } from '../outgoing/resolve-service.ts'
import type { ServerContext } from '../server-context.ts'
import type { FrontProxy } from './front-proxy.ts'
import { localCondition } from './local-api-services.ts'
import { probe } from './probe.ts'
import { availableOf, type RemoteApiService, type RemoteApiServices } from './remote-api-services.ts'

const recheckMs = 30_000
const firstRetryMs = 1_000

/** What a server says about itself, as it says it. */
export interface RemoteDocuments {
  /** APIResourceList */
  readonly resources: unknown
  /** The paths of its OpenAPI v3 documents. */
  readonly openApi: unknown
  /** Its OpenAPI v2 document, which is large: read when the server begins to answer. */
  readonly openApiV2?: unknown
}

interface Finding {
  readonly status: 'True' | 'False'
  readonly reason: string
  readonly message: string
}

export interface AvailabilityOptions {
  readonly context: ServerContext
  readonly remotes: RemoteApiServices
  readonly resolve: ServiceResolver
  readonly frontProxy: FrontProxy | undefined
  readonly discovered: (name: string, documents: RemoteDocuments) => void
}

/** @returns how to stop */
export function watchAvailability({
  context,
  remotes,
  resolve,
  frontProxy,
  discovered,
}: AvailabilityOptions): () => void {
  const { storage, clock, logger } = context
  const running = new Set<string>()
  const again = new Set<string>()
  const timers = new Map<string, Timer>()
  const failures = new Map<string, number>()
  let stopped = false

  function schedule(name: string): void {
    if (stopped) return
    if (running.has(name)) again.add(name)
    else void check(name)
  }

  async function check(name: string): Promise<void> {
    running.add(name)
    timers.get(name)?.cancel()
    timers.delete(name)
    try {
      const remote = remotes.all().get(name)
      if (remote === undefined) await note(name, undefined)
      else {
        const found = await examine(remote)
        const failed = found.status === 'True' ? 0 : (failures.get(name) ?? 0) + 1
        failures.set(name, failed)
        if (!stopped)
          timers.set(
            name,
            clock.after(failed === 0 ? recheckMs : Math.min(recheckMs, firstRetryMs * 2 ** (failed - 1)), () =>
              schedule(name),
            ),
          )
        await note(name, found)
      }
    } catch (error) {
      logger.warn('availability of an APIService not noted', { name, error: (error as Error).message })
    } finally {
      running.delete(name)
      if (again.delete(name)) schedule(name)
    }
  }

  async function examine(remote: RemoteApiService): Promise<Finding> {
    const missing = whatIsMissing(context, remote)
    if (missing !== undefined) return missing
    const {
      service: { namespace, name, port },
      group,
      version,
    } = remote
    try {
      const address = resolve(namespace, name, port)
      const groupPath = group === '' ? `api/${version}` : `apis/${group}/${version}`
      const resources = await probe(address, `/${groupPath}`, frontProxy, clock)
      // Not every server has OpenAPI version 3.
      const openApi = await probe(address, '/openapi/v3', frontProxy, clock).catch(() => undefined)
      const isNew = (failures.get(remote.name) ?? 1) > 0
      const openApiV2 = isNew
        ? await probe(address, '/openapi/v2', frontProxy, clock).catch(() => undefined)
        : undefined
      discovered(remote.name, { resources, openApi, ...(isNew && { openApiV2 }) })
      return { status: 'True', reason: 'Passed', message: 'all checks passed' }
    } catch (error) {
      return { status: 'False', reason: 'FailedDiscoveryCheck', message: (error as Error).message }
    }
  }

  /** @param found undefined: this server answers itself */
  async function note(name: string, found: Finding | undefined): Promise<void> {
    for (;;) {
      const stored = storage.get(apiServices, name)
      if (stored === undefined || stopped) return
      const object = stored.object as APIService
      const before = availableOf(object)
      const condition =
        found === undefined
          ? localCondition(clock.now())
          : { type: 'Available', ...found, lastTransitionTime: formatTime(clock.now()) }
      if (
        before !== undefined &&
        before.status === condition.status &&
        before.reason === condition.reason &&
        before.message === condition.message
      )
        return
      if (before?.status === condition.status && before.lastTransitionTime !== undefined)
        condition.lastTransitionTime = before.lastTransitionTime
      const draft: APIService = { ...structuredClone(object), status: { conditions: [condition] } }
      if ((await storage.put(apiServices, name, draft, stored.revision)).ok) return
    }
  }

  const ofService = (namespace: string | undefined, service: string | undefined): void => {
    for (const remote of remotes.all().values())
      if (remote.service.namespace === namespace && remote.service.name === service) schedule(remote.name)
  }
  const unsubscribe = [
    storage.cache(apiServices).subscribe(({ type, current, previous }) => {
      if (type === 'DELETED') {
        timers.get(current.key)?.cancel()
        failures.delete(current.key)
      } else if (
        previous === undefined ||
        availableOf(current.object as APIService) === undefined ||
        (current.object as APIService).metadata.generation !== (previous.object as APIService).metadata.generation ||
        specOf(current.object) !== specOf(previous.object)
      )
        schedule(current.key)
    }),
    storage.cache(services).subscribe(({ current: { object } }) => {
      if (remotes.all().size > 0) ofService(object.metadata.namespace, object.metadata.name)
    }),
    storage.cache(endpointSlices).subscribe(({ current: { object } }) => {
      if (remotes.all().size > 0) ofService(object.metadata.namespace, object.metadata.labels?.[serviceNameLabel])
    }),
  ]
  for (const name of remotes.all().keys()) schedule(name)
  return () => {
    stopped = true
    for (const end of unsubscribe) end()
    for (const timer of timers.values()) timer.cancel()
  }
}

const specOf = (object: object): string => JSON.stringify((object as APIService).spec)

function whatIsMissing(
  { storage }: ServerContext,
  { service: { namespace, name, port } }: RemoteApiService,
): Finding | undefined {
  const where = `service/${name} in ${JSON.stringify(namespace)}`
  const not = (reason: string, message: string): Finding => ({ status: 'False', reason, message })
  const service = storage.get(services, `${namespace}/${name}`)?.object as Service | undefined
  if (service === undefined) return not('ServiceNotFound', `${where} is not present`)
  if ((service.spec.type ?? 'ClusterIP') !== 'ClusterIP') return undefined
  const found = service.spec.ports?.find(each => each.port === port)
  if (found === undefined) return not('ServicePortError', `${where} is not listening on port ${port}`)
  const slices = storage
    .cache(endpointSlices)
    .list(namespace)
    .map(({ object }) => object as EndpointSlice)
    .filter(({ metadata }) => metadata.labels?.[serviceNameLabel] === name)
  if (slices.length === 0) return not('EndpointsNotFound', `cannot find endpointslices for ${where}`)
  const portName = found.name ?? ''
  const reachable = slices.some(
    slice =>
      slice.endpoints?.some(endpoint => endpoint.conditions?.ready !== false) &&
      slice.ports?.some(each => (each.name ?? '') === portName),
  )
  return reachable
    ? undefined
    : not(
        'MissingEndpoints',
        `endpointslices for ${where} have no addresses with port name ${JSON.stringify(portName)}`,
      )
}
