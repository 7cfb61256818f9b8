// The gateway of a cluster: watches what says where requests go, makes the model of it, brings HAProxy there, and tells in
// the objects' statuses and events what became of them. Changes that come while one is being brought are brought together
// afterwards. It goes on serving when Sampan stops.
import type { Ingress, IngressLoadBalancerIngress, Service } from '../api/generated/models.ts'
import { isConflict } from '../api/api-error.ts'
import { serviceKeys } from '../api/endpoint-slice-labels.ts'
import { keyOf, type KubeObject } from '../api/object.ts'
import { groupResource, type Resource } from '../api/resource.ts'
import { configMaps, endpointSlices, ingresses, secrets, services } from '../api/resources.ts'
import { sameJson } from '../api/validation/scalars.ts'
import type { Client } from '../client/client.ts'
import { secretTexts } from '../client/secret-data.ts'
import { createEventRecorder } from '../control/event-recorder.ts'
import { unlessNotFound } from '../control/removal.ts'
import { formatTime, type Clock } from '../lib/clock.ts'
import { errorText } from '../lib/error-text.ts'
import type { Logger } from '../lib/logger.ts'
import { findRefused, refusedByHaproxy } from './find-refused.ts'
import { ConfigurationRefused, type Haproxy } from './haproxy/haproxy.ts'
import { accessPolicies, certificateIssuers, gatewayClasses } from '../api/gateway-api/resources.ts'
import type { GatewayClass } from '../api/gateway-api/types.ts'
import { gatewayController } from '../api/gateway-names.ts'
import { AccessLog, type AccessLogOptions } from './access-log/access-log.ts'
import { isLogging } from './haproxy/log-lines.ts'
import { Identities, type IdentitiesOptions } from './identities.ts'
import { certificateOf, type FoundCertificate } from './model/certificate-of.ts'
import type { Front } from './model/gateway-addresses.ts'
import { gatewayModel, type MadeModel } from './model/gateway-model.ts'
import { ownerOf } from './model/host-rule.ts'
import type { WantedCertificate } from './model/issuer-lookup.ts'
import type { GatewayModel } from './model/model.ts'
import type { ObservedMachine } from './model/observed.ts'
import { withOwnCertificates } from './model/secure-front.ts'
import { statusChange } from './model/status-change.ts'
import { wantedStatuses } from './model/statuses.ts'
import { observed, resourceOfKind, routeResources, usualResources } from './observe.ts'
import { packetEntrances, type PacketEntrance } from './packets.ts'
import { TakenPorts } from './taken-ports.ts'

export interface GatewayOptions {
  readonly client: Client
  readonly haproxy: Pick<Haproxy, 'bring' | 'leave' | 'listensAt' | 'refusal'>
  readonly front: Front
  /** Names of the definitions of the Gateway API that the cluster has, once they are there. */
  readonly kinds: Promise<readonly string[]>
  /** That the machine has, beyond 127.0.0.0/8. */
  readonly machineAddresses: () => ReadonlySet<string>
  /** Certificates with their keys, in PEM, by name: of those that this machine may vouch for. */
  readonly vouch: (names: readonly string[]) => Promise<ReadonlyMap<string, string>>
  readonly accessLog: Pick<AccessLogOptions, 'file' | 'socket'>
  /** Leads packets from now on, in place of what was led before; resolves when the kernel does. */
  readonly leadPackets: (entrances: readonly PacketEntrance[]) => Promise<void>
  readonly identities: Pick<IdentitiesOptions, 'directory' | 'loginSocket' | 'ownAuthority'>
  /** Called as soon as there is an issuer, and with each model: certificates that issuers are to have. */
  readonly want: (wanted: readonly WantedCertificate[]) => void
  readonly clock: Clock
  readonly logger: Logger
}

export interface Gateway {
  /** Why requests are not served as they should be; undefined: they are. */
  readonly trouble: string | undefined
  /** Resolves when everything known by now is served. */
  settled(): Promise<void>
  stop(): Promise<void>
}

interface RefusedObject {
  readonly object: KubeObject
  readonly reason: string
}

/** Source: Gateway API, GatewayClass. */
const classFinalizer = 'gateway-exists-finalizer.gateway.networking.k8s.io'

const retryMs = 1_000
/** After which certificates are looked at, which expire while nothing changes. */
const lookAgainMs = 3_600_000

export function startGateway({
  client,
  haproxy,
  front,
  kinds,
  machineAddresses,
  vouch,
  leadPackets,
  identities: identityOptions,
  accessLog: accessLogOptions,
  want,
  clock,
  logger,
}: GatewayOptions): Gateway {
  const recorder = createEventRecorder({ client, clock, logger, component: 'gateway' })
  const ports = new TakenPorts(haproxy.listensAt())
  const told = new Map<string, string>()
  const stops: (() => void)[] = []
  const accessLog = new AccessLog({ ...accessLogOptions, clock, logger })
  const identities = new Identities({
    ...identityOptions,
    serviceAddress: (namespace, name) => client.informer(services).get({ namespace, name })?.spec.clusterIP,
    clock,
    logger,
    changed: mark,
  })
  let followed: readonly Resource[] = []
  /** By key: Secrets and ConfigMaps that anything asked for. Of others nothing is known here. */
  let askedSecrets = new Set<string>()
  let askedConfigMaps = new Set<string>()
  let ownPems: ReadonlyMap<string, string> = new Map()
  /** By owner: objects, in a generation, whose rules HAProxy does not take. */
  let refusedObjects = new Map<string, RefusedObject>()
  let ledPackets: readonly PacketEntrance[] | undefined
  let isDirty = false
  let isServing = false
  let isStopped = false
  let trouble: string | undefined
  let working: Promise<void> | undefined = open().catch((error: unknown) => {
    trouble = errorText(error)
    logger.error('the gateway could not begin', { error: trouble })
  })

  /** Nothing is brought before all of it is known: what is not known yet would be taken away. */
  async function open(): Promise<void> {
    const names = await kinds
    followed = [...usualResources, ...routeResources.filter(resource => names.includes(groupResource(resource)))]
    client.informer(endpointSlices).index('service', serviceKeys)
    await Promise.all([
      ...followed.map(resource => client.informer(resource).synced),
      client.informer(secrets).synced,
      client.informer(configMaps).synced,
    ])
    if (isStopped) return
    for (const resource of followed) stops.push(client.informer(resource).subscribe(mark))
    stops.push(
      client.informer(secrets).subscribe(({ object }) => {
        if (askedSecrets.has(keyOf(object))) mark()
      }),
      client.informer(configMaps).subscribe(({ object }) => {
        if (askedConfigMaps.has(keyOf(object))) mark()
      }),
    )
    isDirty = true
    await work()
  }

  /** Nothing where the cluster has no such kind. */
  function listed<T extends KubeObject>(resource: Resource<T>): readonly T[] {
    return followed.some(each => each === resource) ? client.informer(resource).list() : []
  }

  function certificate(namespace: string, name: string): FoundCertificate {
    askedSecrets.add(`${namespace}/${name}`)
    return certificateOf({ namespace, name }, client.informer(secrets).get({ namespace, name }), clock.now())
  }

  function secret(namespace: string, name: string): Readonly<Record<string, string>> | undefined {
    askedSecrets.add(`${namespace}/${name}`)
    const found = client.informer(secrets).get({ namespace, name })
    return found && secretTexts(found)
  }

  function configuration(namespace: string, name: string): Readonly<Record<string, string>> | undefined {
    askedConfigMaps.add(`${namespace}/${name}`)
    return client.informer(configMaps).get({ namespace, name })?.data
  }

  /** @param more that are to be left out */
  function observe(machine: ObservedMachine, more: ReadonlyMap<string, string> = new Map()): MadeModel {
    askedSecrets = new Set()
    askedConfigMaps = new Set()
    const refused = new Map([...stillRefused(), ...more])
    return gatewayModel(
      observed(
        {
          all: listed,
          service: (namespace, name) => client.informer(services).get({ namespace, name }),
          slices: (namespace, name) =>
            client.informer(endpointSlices).index('service', serviceKeys)(`${namespace}/${name}`),
          certificate,
          configuration,
          secret,
          fetchedKeys: source => identities.fetchedKeys(source),
          sessionKey: identities.sessionKey(listed(accessPolicies)),
          refused,
        },
        machine,
      ),
      front,
    )
  }

  function mark(): void {
    isDirty = true
    if (!isStopped) working ??= Promise.resolve().then(work)
  }

  async function work(): Promise<void> {
    while (isDirty && !isStopped) {
      isDirty = false
      const addresses = machineAddresses()
      let made = observe({ addresses, taken: ports.taken })
      try {
        if (await ports.look(made.model, front)) made = observe({ addresses, taken: ports.taken })
        await bring(made)
        trouble = undefined
      } catch (error) {
        if (error instanceof ConfigurationRefused && (await findRefusing(made))) {
          isDirty = true
          continue
        }
        fail(made, errorText(error))
        clock.after(retryMs, mark)
        break
      }
      if (ports.taken.size > 0) clock.after(retryMs, mark)
    }
    working = undefined
  }

  /** @returns whether the others can be served without some */
  async function findRefusing({ own }: MadeModel): Promise<boolean> {
    const byOwner = new Map(own.map(object => [ownerOf(object), object]))
    const machine = { addresses: machineAddresses(), taken: ports.taken }
    const asked = [...byOwner.keys()].filter(owner => !refusedObjects.has(owner))
    // Where it is refused without any of them, that is told as it was said first.
    const found = await findRefused(asked, async without => {
      const trial = observe(machine, new Map(Array.from(without, owner => [owner, ''])))
      return haproxy.refusal(withOwnCertificates(trial.model, ownPems))
    }).catch(() => [])
    for (const { owner, reason } of found) {
      logger.warn('rules are refused by HAProxy', { owner, reason })
      refusedObjects.set(owner, { object: byOwner.get(owner)!, reason: `${refusedByHaproxy}${inShort(reason)}` })
    }
    return found.length > 0
  }

  /** As long as they are what was tried. */
  function stillRefused(): ReadonlyMap<string, string> {
    refusedObjects = new Map(
      [...refusedObjects].filter(([, { object }]) => {
        const { uid, generation } = object.metadata
        const now = client.informer(resourceOfKind.get(object.kind)!).get(object.metadata)?.metadata
        return now?.uid === uid && now?.generation === generation
      }),
    )
    return new Map(Array.from(refusedObjects, ([owner, { reason }]) => [owner, reason]))
  }

  function fail({ own }: MadeModel, reason: string): void {
    if (trouble === reason) return
    trouble = reason
    logger.error('routes could not be brought to the gateway', { error: reason })
    for (const object of own) recorder.recordEvent(object, 'Warning', 'NotServed', reason)
  }

  async function bring(made: MadeModel): Promise<void> {
    // Nothing is started for a cluster without routes.
    const isNeeded = isServing || needsServing(made, front)
    const { failure } = isNeeded ? await ownCertificates(made) : {}
    const model = withOwnCertificates(made.model, ownPems)
    await identities.serve(made.policing.logins)
    if (isLogging(made.model.backends)) await accessLog.open()
    if (isNeeded) {
      const how = await haproxy.bring(model)
      isServing = true
      ports.have(model)
      if (how !== 'none') logger.debug('routes brought to the gateway', { how })
    }
    const packets = packetEntrances(model)
    if (!sameJson(packets, ledPackets)) await leadPackets((ledPackets = packets))
    tell(made)
    if (listed(certificateIssuers).length > 0) want(made.wantedCertificates)
    const atFront = frontAddresses(model, front)
    await Promise.all([
      ...made.ingresses.map(ingress => publishAddress(ingresses, ingress, atFront)),
      ...[...made.balanced].map(([service, addresses]) => publishAddress(services, service, addresses)),
      ...statuses(made),
      ...guards(made),
    ])
    if (failure !== undefined) throw failure
  }

  /** What is served without new ones does not wait for them. */
  async function ownCertificates({ ownNames }: MadeModel): Promise<{ readonly failure?: unknown }> {
    try {
      ownPems = ownNames.length === 0 ? new Map() : await vouch(ownNames)
      return {}
    } catch (failure) {
      return { failure }
    }
  }

  function tell({ own, problems }: MadeModel): void {
    const byOwner = Map.groupBy(problems, ({ owner }) => owner)
    for (const object of own) {
      const key = ownerOf(object)
      const now = byOwner.get(key) ?? []
      const text = JSON.stringify(now)
      if ((told.get(key) ?? '[]') === text) continue
      told.set(key, text)
      for (const { reason, message } of now) recorder.recordEvent(object, 'Warning', reason, message)
    }
  }

  async function publishAddress<T extends Ingress | Service>(
    resource: Resource<T>,
    object: T,
    wanted: readonly object[],
  ): Promise<void> {
    if (sameJson(object.status?.loadBalancer?.ingress ?? [], wanted)) return
    await unlessNotFound(
      client.patch(
        resource,
        object.metadata,
        { type: 'merge', value: { status: { loadBalancer: { ingress: wanted } } } },
        { subresource: 'status' },
      ),
    )
  }

  function statuses(made: MadeModel): readonly Promise<void>[] {
    const now = formatTime(clock.now())
    return wantedStatuses(made, ownClasses()).map(wanted => publish(wanted.object, statusChange(wanted, now)))
  }

  /** A class goes when its last Gateway has gone. */
  function guards({ gateways }: MadeModel): readonly Promise<void>[] {
    const used = new Set(gateways.map(({ gateway }) => gateway.spec.gatewayClassName))
    return ownClasses().flatMap(({ kind, metadata }) => {
      const { name, resourceVersion, finalizers = [] } = metadata
      if (finalizers.includes(classFinalizer) === used.has(name)) return []
      const others = finalizers.filter(each => each !== classFinalizer)
      const wanted = used.has(name) ? [...others, classFinalizer] : others
      return write(kind, metadata, { metadata: { resourceVersion, finalizers: wanted } })
    })
  }

  function ownClasses(): readonly GatewayClass[] {
    return listed(gatewayClasses).filter(({ spec }) => spec.controllerName === gatewayController)
  }

  async function publish({ kind, metadata }: KubeObject, status: object | undefined): Promise<void> {
    if (status === undefined) return
    await write(kind, metadata, { metadata: { resourceVersion: metadata.resourceVersion }, status }, 'status')
  }

  /** What somebody else wrote in between comes as a change, and is seen to then. */
  async function write(
    kind: string,
    metadata: KubeObject['metadata'],
    value: object,
    subresource?: 'status',
  ): Promise<void> {
    const options = subresource === undefined ? {} : { subresource }
    try {
      await unlessNotFound(client.patch(resourceOfKind.get(kind)!, metadata, { type: 'merge', value }, options))
    } catch (error) {
      if (!isConflict(error))
        logger.warn('what the gateway has to say could not be written', {
          kind,
          name: keyOf({ metadata }),
          error: errorText(error),
        })
    }
  }

  let timer = clock.after(lookAgainMs, lookAgain)
  function lookAgain(): void {
    mark()
    timer = clock.after(lookAgainMs, lookAgain)
  }

  return {
    get trouble() {
      return trouble
    },
    async settled() {
      while (working !== undefined) await working
    },
    async stop() {
      isStopped = true
      for (const stop of stops) stop()
      timer.cancel()
      await working
      haproxy.leave()
      await identities.stop()
      await accessLog.close()
      await recorder.flush()
    },
  }
}

/** Of what HAProxy says, the first line that tells something; where the configuration stands is nothing to its author. */
const inShort = (text: string): string =>
  (/\[ALERT\][^:]*: (?:config : )?(?:parsing \[[^\]]*\] : )?(.*)/.exec(text)?.[1] ?? text).slice(0, 500)

function frontAddresses({ entrances }: GatewayModel, front: Front): readonly IngressLoadBalancerIngress[] {
  const ports = [front.port, front.securePort].filter(asked =>
    entrances.some(
      ({ address, port, carries, tls }) =>
        address === front.address && port === asked && carries !== 'packets' && tls?.certificates.length !== 0,
    ),
  )
  return [{ ip: front.address, ports: ports.map(port => ({ port: port!, protocol: 'TCP' })) }]
}

/** Whether there is anything to serve: an Ingress, a route, a service, or a Gateway that asks for more than the front. */
const needsServing = ({ ingresses: all, balanced, gateways, routes }: MadeModel, { address }: Front): boolean =>
  all.length > 0 ||
  routes.length > 0 ||
  [...balanced.values()].some(addresses => addresses.length > 0) ||
  gateways.some(({ addresses }) => addresses.told.some(told => told !== address))
