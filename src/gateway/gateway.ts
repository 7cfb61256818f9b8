// The gateway of a cluster: watches what says where requests go, makes the model of it, brings HAProxy there, and tells in
// the objects' statuses and events what became of them. Changes that come while one is being brought are brought together
// afterwards. It goes on serving when Sampan stops.
import type { Ingress, IngressLoadBalancerIngress } from '../api/generated/models.ts'
import { keyOf } from '../api/object.ts'
import { endpointSlices, ingressClasses, ingresses, secrets, services } from '../api/resources.ts'
import { serviceKeys } from '../api/endpoint-slice-labels.ts'
import type { Client } from '../client/client.ts'
import { createEventRecorder } from '../control/event-recorder.ts'
import { unlessNotFound } from '../control/removal.ts'
import type { Clock } from '../lib/clock.ts'
import { errorText } from '../lib/error-text.ts'
import type { Logger } from '../lib/logger.ts'
import type { Haproxy } from './haproxy/haproxy.ts'
import { certificateOf, type FoundCertificate } from './model/certificate-of.ts'
import { gatewayModel, type Front, type MadeModel } from './model/gateway-model.ts'
import type { GatewayModel } from './model/model.ts'
import { withOwnCertificates } from './model/secure-front.ts'

export interface GatewayOptions {
  readonly client: Client
  readonly haproxy: Pick<Haproxy, 'bring' | 'leave'>
  readonly front: Front
  /** Certificates with their keys, in PEM, by name: of those that this machine may vouch for. */
  readonly vouch: (names: readonly string[]) => Promise<ReadonlyMap<string, string>>
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

const retryMs = 1_000
/** After which certificates are looked at, which expire while nothing changes. */
const lookAgainMs = 3_600_000

export async function startGateway({ client, haproxy, front, vouch, clock, logger }: GatewayOptions): Promise<Gateway> {
  const informers = {
    classes: client.informer(ingressClasses),
    ingresses: client.informer(ingresses),
    services: client.informer(services),
    slices: client.informer(endpointSlices),
    secrets: client.informer(secrets),
  }
  await Promise.all(Object.values(informers).map(({ synced }) => synced))
  const slicesOf = informers.slices.index('service', serviceKeys)
  const recorder = createEventRecorder({ client, clock, logger, component: 'gateway' })
  const told = new Map<string, string>()
  /** By key: those that anything asked for. Of others nothing is known here. */
  let askedSecrets = new Set<string>()
  let ownPems: ReadonlyMap<string, string> = new Map()
  let isDirty = false
  let isServing = false
  let isStopped = false
  let trouble: string | undefined
  let working: Promise<void> | undefined

  function certificate(namespace: string, name: string): FoundCertificate {
    askedSecrets.add(`${namespace}/${name}`)
    return certificateOf({ namespace, name }, informers.secrets.get({ namespace, name }), clock.now())
  }

  function observe(): MadeModel {
    askedSecrets = new Set()
    return gatewayModel(
      {
        ingressClasses: informers.classes.list(),
        ingresses: informers.ingresses.list(),
        service: (namespace, name) => informers.services.get({ namespace, name }),
        slices: (namespace, name) => slicesOf(`${namespace}/${name}`),
        certificate,
      },
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
      const made = observe()
      try {
        await bring(made)
        trouble = undefined
      } catch (error) {
        fail(made, errorText(error))
        clock.after(retryMs, mark)
        break
      }
    }
    working = undefined
  }

  function fail({ own }: MadeModel, reason: string): void {
    if (trouble === reason) return
    trouble = reason
    logger.error('routes could not be brought to the gateway', { error: reason })
    for (const ingress of own) recorder.recordEvent(ingress, 'Warning', 'NotServed', reason)
  }

  async function bring(made: MadeModel): Promise<void> {
    // Nothing is started for a cluster without routes.
    if (made.own.length === 0 && !isServing) return
    const { failure } = await ownCertificates(made)
    const model = withOwnCertificates(made.model, front, ownPems)
    const how = await haproxy.bring(model)
    isServing = true
    if (how !== 'none') logger.debug('routes brought to the gateway', { how })
    tell(made)
    await Promise.all(made.own.map(ingress => publish(ingress, model)))
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
    for (const ingress of own) {
      const key = keyOf(ingress)
      const now = problems.filter(({ owner }) => owner === key)
      const text = JSON.stringify(now)
      if (told.get(key) === text) continue
      told.set(key, text)
      for (const { reason, message } of now) recorder.recordEvent(ingress, 'Warning', reason, message)
    }
  }

  async function publish(ingress: Ingress, { entrances }: GatewayModel): Promise<void> {
    const ports = [front.port, front.securePort].filter(asked =>
      entrances.some(({ port, tls }) => port === asked && tls?.certificates.length !== 0),
    )
    const wanted: IngressLoadBalancerIngress[] = [
      { ip: front.address, ports: ports.map(port => ({ port: port!, protocol: 'TCP' })) },
    ]
    if (JSON.stringify(ingress.status?.loadBalancer?.ingress) === JSON.stringify(wanted)) return
    await unlessNotFound(
      client.patch(
        ingresses,
        ingress.metadata,
        { type: 'merge', value: { status: { loadBalancer: { ingress: wanted } } } },
        { subresource: 'status' },
      ),
    )
  }

  const stops = [
    informers.classes.subscribe(mark),
    informers.ingresses.subscribe(mark),
    informers.services.subscribe(mark),
    informers.slices.subscribe(mark),
    informers.secrets.subscribe(({ object }) => {
      if (askedSecrets.has(keyOf(object))) mark()
    }),
  ]
  let timer = clock.after(lookAgainMs, lookAgain)
  function lookAgain(): void {
    mark()
    timer = clock.after(lookAgainMs, lookAgain)
  }
  mark()
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
      await recorder.flush()
    },
  }
}
