// A cluster for the gateway's tests: gateways that many tests share, services of three namespaces, and what tests say of
// objects' statuses and of answers. What a test makes goes when it ends.
import { join } from 'node:path'
import type { Condition } from '../api/generated/models.ts'
import { gatewayController } from '../api/gateway-names.ts'
import type { Gateway, ListenerStatus, PolicyStatus, RouteParentStatus } from '../api/gateway-api/types.ts'
import type { ObjectName } from '../api/object.ts'
import type { Resource } from '../api/resource.ts'
import * as gatewayResources from '../api/gateway-api/resources.ts'
import { configMaps, endpointSlices, namespaces, secrets, services } from '../api/resources.ts'
import { HttpClient } from '../client/http-client.ts'
import { clusterAccess, type ClusterAccess } from '../client/kubeconfig.ts'
import { unlessNotFound } from '../control/removal.ts'
import { machineClock } from '../host/machine-clock.ts'
import { ClusterFixture, repository, succeeded } from './cluster-fixture.ts'
import { eventually } from './eventually.ts'
import { echoOf, GatewayAsker, type Case } from './gateway-asker.ts'
import type { PlayedService } from './gateway-backend.ts'
import type { Place } from './gateway-client.ts'
import { wayIntoNamespace, type WayIntoNamespace } from './way-into-namespace.ts'
import {
  appBackends,
  backendsLabel,
  gateway,
  home,
  listener,
  service,
  webBackends,
  type TestObject,
} from './gateway-manifests.ts'

/** By type, what a condition is: its status, perhaps with a reason, as in `False NoMatchingParent`. */
export type Conditions = Readonly<Record<string, string>>

export interface ExpectedListener {
  readonly attached?: number
  /** These at least; none: none at all. */
  readonly kinds?: readonly string[]
  readonly conditions?: Conditions
}

interface WithStatus {
  readonly metadata: { readonly generation?: number }
  readonly status?: {
    readonly conditions?: Condition[]
    readonly listeners?: ListenerStatus[]
    readonly parents?: RouteParentStatus[]
  } & Partial<PolicyStatus>
}

/** What is played beyond the services that speak HTTP: name, protocol, and the port of the service. */
export interface MoreService extends Omit<PlayedService, 'port'> {
  readonly namespace?: string
  readonly servicePort?: number
}

export const sharedGateways = [
  gateway('same', [listener('http')]),
  gateway('all', [listener('http', { from: 'All' })]),
  gateway('labelled', [listener('http', { from: backendsLabel })]),
]

/** By kind, in lower case; what others are is asked with kubectl. */
const resourceOf = new Map(
  [...Object.values(gatewayResources), configMaps, endpointSlices, namespaces, secrets, services].map(
    resource => [resource.kind.toLowerCase(), resource as unknown as Resource] as const,
  ),
)

const nameOf = ({ metadata: { name, namespace = 'default' } }: TestObject, resource: Resource): ObjectName => ({
  name,
  ...placeIn(resource, namespace),
})

const placeIn = ({ scope }: Resource, namespace: string): { readonly namespace?: string } =>
  scope === 'Namespaced' ? { namespace } : {}

export class GatewayFixture {
  readonly cluster: ClusterFixture
  readonly asker: GatewayAsker
  private readonly way: WayIntoNamespace
  /** kubectl costs more than what is tried here, as often as is asked here. */
  private readonly client: HttpClient
  private made: TestObject[] = []

  private constructor(cluster: ClusterFixture, access: ClusterAccess, way: WayIntoNamespace) {
    this.cluster = cluster
    this.way = way
    this.client = new HttpClient({
      userAgent: 'sampan-test',
      clock: machineClock,
      access: { ...access, server: `https://127.0.0.1:${way.port}` },
    })
    this.asker = new GatewayAsker(cluster)
  }

  static async up(name: string, services: readonly MoreService[] = []): Promise<GatewayFixture> {
    const cluster = await ClusterFixture.up(name)
    try {
      await cluster.pushBusybox()
      const access = clusterAccess([cluster.kubeconfig])
      const way = await wayIntoNamespace(cluster, Number(new URL(access.server).port))
      const fixture = new GatewayFixture(cluster, access, way)
      await fixture.apply(namespace(home), namespace(appBackends, backendsLabel), namespace(webBackends, backendsLabel))
      await fixture.apply(...sharedGateways, ...backends(services))
      for (const each of [home, appBackends, webBackends])
        await cluster.show('wait', 'pod/backends', '-n', each, '--for=condition=Ready', '--timeout=60s')
      return fixture
    } catch (error) {
      await cluster.close()
      throw error
    }
  }

  async close(): Promise<void> {
    this.way.close()
    await this.cluster.close()
  }

  async apply(...items: TestObject[]): Promise<void> {
    for (const item of items) {
      const resource = resourceOf.get(item.kind.toLowerCase())
      if (resource === undefined) succeeded(await this.cluster.kubectlWith(item, 'apply'))
      else
        await this.client.patch(
          resource,
          nameOf(item, resource),
          { type: 'apply', value: item, force: true },
          { fieldManager: 'test' },
        )
    }
  }

  /** For this test alone. */
  async make(...items: TestObject[]): Promise<void> {
    this.made.push(...items)
    await this.apply(...items)
  }

  /** After each test. */
  async unmake(): Promise<void> {
    const items = this.made.toReversed()
    this.made = []
    const known = items.flatMap(item => {
      const resource = resourceOf.get(item.kind.toLowerCase())
      return resource === undefined ? [] : [{ item, resource }]
    })
    for (const { resource, item } of known) await unlessNotFound(this.client.delete(resource, nameOf(item, resource)))
    const others = items.filter(item => !known.some(each => each.item === item))
    if (others.length === 0) return
    const list = { apiVersion: 'v1', kind: 'List', items: others }
    succeeded(await this.cluster.kubectlWith(list, 'delete', '--ignore-not-found', '--wait=false'))
  }

  async patch(kind: string, name: string, patch: object | readonly object[], namespace = home): Promise<void> {
    const type = Array.isArray(patch) ? 'json' : 'merge'
    await this.cluster.show('patch', kind, name, '-n', namespace, '--type', type, '-p', JSON.stringify(patch))
  }

  async get<T>(kind: string, name: string, namespace = home): Promise<T> {
    const resource = resourceOf.get(kind.toLowerCase())
    if (resource === undefined) return this.cluster.json<T>('get', kind, name, '-n', namespace)
    return (await this.client.get(resource, { name, ...placeIn(resource, namespace) })) as unknown as T
  }

  /** Where a gateway is asked, as soon as it says so. */
  async place(name: string, port = 80): Promise<Place> {
    const address = await eventually(`an address of the gateway ${name}`, async () => {
      const { status } = await this.get<Gateway>('gateway', name)
      return status?.addresses?.[0]?.value
    })
    return { address, port }
  }

  /** What each request comes to, all of them in one go. */
  async answers(place: Place | string, cases: readonly Case[], timeoutMs?: number): Promise<void> {
    const at = typeof place === 'string' ? await this.place(place) : place
    await this.holds(() => this.asker.differences(at, cases), timeoutMs)
  }

  /** Routes in the namespace of the gateways are accepted, and requests come to what is said. */
  async routed(name: string, cases: readonly Case[], ...routes: readonly TestObject[]): Promise<void> {
    await this.make(...routes)
    for (const { kind, metadata } of routes) await this.accepted(kind, metadata.name)
    await this.answers(name, cases)
  }

  /** @param differences what is not yet as it should be; none: all is well */
  async holds(differences: () => Promise<string[]>, timeoutMs = 30_000): Promise<void> {
    let found: string[] = []
    await eventually(
      'all is as expected',
      async () => {
        found = await differences()
        return found.length === 0
      },
      timeoutMs,
    ).catch((error: Error) => {
      throw new Error([error.message, ...found].join('\n'), { cause: error })
    })
  }

  /** Routes of a kind are taken by all their parents, and what they refer to is there. */
  async accepted(kind: string, ...names: string[]): Promise<void> {
    for (const name of names) await this.route(kind, name, { Accepted: 'True', ResolvedRefs: 'True' })
  }

  /** What each parent of a route says, or those of one name. */
  async route(
    kind: string,
    name: string,
    conditions: Conditions,
    { namespace = home, parent = '' } = {},
  ): Promise<void> {
    await this.holds(async () => {
      const { metadata, status } = await this.get<WithStatus>(kind, name, namespace)
      const parents = (status?.parents ?? []).filter(
        ({ controllerName, parentRef }) =>
          controllerName === gatewayController && (parent === '' || parentRef.name === parent),
      )
      if (parents.length === 0) return [`no parent says anything of ${kind} ${name}`]
      return parents.flatMap(({ conditions: found, parentRef }) =>
        missing(found, conditions, metadata.generation).map(line => `${kind} ${name} at ${parentRef.name}: ${line}`),
      )
    })
  }

  /** What an object says of itself, and of its listeners. */
  async status(
    kind: string,
    name: string,
    conditions: Conditions,
    listeners: Readonly<Record<string, ExpectedListener>> = {},
    namespace?: string,
  ): Promise<void> {
    await this.holds(async () => {
      const { metadata, status } = await this.get<WithStatus>(kind, name, namespace)
      const lines = missing(status?.conditions ?? [], conditions, metadata.generation)
      for (const [section, expected] of Object.entries(listeners)) {
        const found = status?.listeners?.find(({ name }) => name === section)
        lines.push(...ofListener(found, expected, metadata.generation).map(line => `listener ${section}: ${line}`))
      }
      return lines.map(line => `${kind} ${name}: ${line}`)
    })
  }

  /** What each gateway says of a policy. */
  async policy(name: string, conditions: Conditions): Promise<void> {
    await this.holds(async () => {
      const { metadata, status } = await this.get<WithStatus>('backendtlspolicy', name)
      const ancestors = (status?.ancestors ?? []).filter(({ controllerName }) => controllerName === gatewayController)
      if (ancestors.length === 0) return [`no gateway says anything of the policy ${name}`]
      return ancestors.flatMap(({ conditions: found }) =>
        missing(found, conditions, metadata.generation).map(line => `policy ${name}: ${line}`),
      )
    })
  }

  gateway(name: string, conditions: Conditions, listeners?: Readonly<Record<string, ExpectedListener>>): Promise<void> {
    return this.status('gateway', name, conditions, listeners)
  }

  listeners(name: string, listeners: Readonly<Record<string, ExpectedListener>>): Promise<void> {
    return this.gateway(name, {}, listeners)
  }

  /** Each service answers its part of many requests for the path. */
  async shares(name: string, path: string, expected: Readonly<Record<string, number>>): Promise<void> {
    const place = await this.place(name)
    await this.sharesOf(async () => {
      const answer = await this.asker.request(place, path)
      return echoOf(answer).service ?? `status ${answer.status}`
    }, expected)
  }

  /** A twentieth of all more or less is well, and chance may need some tries. @param ask who answers one of many */
  async sharesOf(ask: () => Promise<string>, expected: Readonly<Record<string, number>>): Promise<void> {
    const total = 500
    for (let tries = 0; ; tries++) {
      const counts = new Map<string, number>()
      for (let asked = 0; asked < total; asked += 10)
        for (const service of await Promise.all(Array.from({ length: 10 }, ask)))
          counts.set(service, (counts.get(service) ?? 0) + 1)
      const shares = Object.fromEntries([...counts].map(([service, count]) => [service, count / total]))
      if (areShares(shares, expected)) return
      if (tries > 5) throw new Error(`expected shares of ${JSON.stringify(expected)}, found ${JSON.stringify(shares)}`)
    }
  }

  /** What a service of the namespace was asked so far, mirrored requests too. */
  async heard(service: string, path: string, namespace = home): Promise<Readonly<Record<string, string>>[]> {
    const lines = (await this.cluster.show('logs', 'backends', '-n', namespace)).split('\n').filter(line => line !== '')
    return lines
      .map(line => JSON.parse(line) as { service: string; path: string; headers: Record<string, string> })
      .filter(echo => echo.service === service && echo.path === path)
      .map(({ headers }) => headers)
  }
}

const areShares = (found: Readonly<Record<string, number>>, expected: Readonly<Record<string, number>>): boolean =>
  Object.keys(found).every(service => service in expected) &&
  Object.entries(expected).every(([service, share]) => Math.abs((found[service] ?? 0) - share) < 0.05)

/** What conditions do not say, or do not say of this generation. */
export function missing(found: readonly Condition[], wanted: Conditions, generation: number | undefined): string[] {
  return Object.entries(wanted).flatMap(([type, value]) => {
    const condition = found.find(condition => condition.type === type)
    if (condition === undefined) return [`there is no condition ${type}`]
    const { status, reason, observedGeneration } = condition
    const [wantedStatus, wantedReason = reason] = value.split(' ')
    if (status !== wantedStatus || reason !== wantedReason)
      return [`${type} is ${status} ${reason} (${condition.message}), expected ${value}`]
    if (observedGeneration !== generation)
      return [`${type} is of the generation ${observedGeneration}, expected ${generation}`]
    return []
  })
}

function ofListener(
  found: ListenerStatus | undefined,
  { attached, kinds, conditions = {} }: ExpectedListener,
  generation: number | undefined,
): string[] {
  if (found === undefined) return ['there is none']
  const lines = missing(found.conditions, conditions, generation)
  if (attached !== undefined && found.attachedRoutes !== attached)
    lines.push(`${found.attachedRoutes} routes are attached, expected ${attached}`)
  const supported = (found.supportedKinds ?? []).map(({ kind }) => kind)
  if (kinds?.length === 0 ? supported.length > 0 : kinds?.some(kind => !supported.includes(kind)) === true)
    lines.push(`its kinds are ${supported.join(' ')}, expected ${kinds?.join(' ')}`)
  return lines
}

// Backends

const namespace = (name: string, labels = {}): TestObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, labels },
})

const plain = (namespace: string, ...names: string[]): MoreService[] =>
  names.map(name => ({ service: name, protocol: 'http', namespace }))

/** Pods that play the services of each namespace, and the services. */
function backends(more: readonly MoreService[]): TestObject[] {
  const all = [
    ...plain(home, 'v1', 'v2', 'v3'),
    ...plain(appBackends, 'app-v1', 'app-v2'),
    ...plain(webBackends, 'web'),
    ...more,
  ]
  return [home, appBackends, webBackends].flatMap(each => {
    const own = all.filter(({ namespace = home }) => namespace === each).map((one, at) => ({ ...one, port: 3001 + at }))
    return [backendsPod(each, own), ...own.map(one => serviceOf(one, each))]
  })
}

const serviceOf = ({ service: name, port, protocol, servicePort = 8080 }: MoreService & PlayedService, of: string) =>
  service(
    name,
    {
      selector: { app: 'backends' },
      ports: [
        {
          port: servicePort,
          targetPort: port,
          protocol: protocol === 'udp' ? 'UDP' : 'TCP',
          ...(protocol === 'http2' && { appProtocol: 'kubernetes.io/h2c' }),
        },
      ],
    },
    of,
  )

const backendsPod = (of: string, services: readonly PlayedService[]): TestObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'backends', namespace: of, labels: { app: 'backends' } },
  spec: {
    terminationGracePeriodSeconds: 1,
    volumes: [{ name: 'machine', hostPath: { path: '/' } }],
    containers: [
      {
        name: 'main',
        image: 'sampan.local/busybox:1',
        command: [
          'chroot',
          '/machine',
          process.execPath,
          join(repository, 'src/testing/gateway-backend.ts'),
          JSON.stringify(services),
        ],
        env: [{ name: 'NAMESPACE', value: of }],
        volumeMounts: [{ name: 'machine', mountPath: '/machine', readOnly: true }],
        readinessProbe: { tcpSocket: { port: 3001 }, periodSeconds: 1 },
      },
    ],
  },
})
