// The gateway of a cluster: watches what says where requests go, makes the model of it, brings HAProxy there, and tells in
// the objects' statuses and events what became of them. Changes that come while one is being brought are brought together
// afterwards. It goes on serving when Sampan stops.
import type { Ingress, IngressLoadBalancerIngress } from '../api/generated/models.ts'
import { keyOf } from '../api/object.ts'
import { endpointSlices, ingressClasses, ingresses, services } from '../api/resources.ts'
import { serviceKeys } from '../api/endpoint-slice-labels.ts'
import type { Client } from '../client/client.ts'
import { createEventRecorder } from '../control/event-recorder.ts'
import { unlessNotFound } from '../control/removal.ts'
import type { Clock } from '../lib/clock.ts'
import { errorText } from '../lib/error-text.ts'
import type { Logger } from '../lib/logger.ts'
import type { Haproxy } from './haproxy/haproxy.ts'
import { gatewayModel, type Front, type MadeModel } from './model/gateway-model.ts'

export interface GatewayOptions {
  readonly client: Client
  readonly haproxy: Pick<Haproxy, 'bring' | 'leave'>
  readonly front: Front
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

export async function startGateway({ client, haproxy, front, clock, logger }: GatewayOptions): Promise<Gateway> {
  const informers = {
    classes: client.informer(ingressClasses),
    ingresses: client.informer(ingresses),
    services: client.informer(services),
    slices: client.informer(endpointSlices),
  }
  await Promise.all(Object.values(informers).map(({ synced }) => synced))
  const slicesOf = informers.slices.index('service', serviceKeys)
  const recorder = createEventRecorder({ client, clock, logger, component: 'gateway' })
  const told = new Map<string, string>()
  let isDirty = false
  let isServing = false
  let isStopped = false
  let trouble: string | undefined
  let working: Promise<void> | undefined

  const observe = (): MadeModel =>
    gatewayModel(
      {
        ingressClasses: informers.classes.list(),
        ingresses: informers.ingresses.list(),
        service: (namespace, name) => informers.services.get({ namespace, name }),
        slices: (namespace, name) => slicesOf(`${namespace}/${name}`),
      },
      front,
    )

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
    const how = await haproxy.bring(made.model)
    isServing = true
    if (how !== 'none') logger.debug('routes brought to the gateway', { how })
    tell(made)
    await Promise.all(made.own.map(ingress => publish(ingress)))
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

  async function publish(ingress: Ingress): Promise<void> {
    const wanted: IngressLoadBalancerIngress[] = [{ ip: front.address, ports: [{ port: front.port, protocol: 'TCP' }] }]
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
  ]
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
      await working
      haproxy.leave()
      await recorder.flush()
    },
  }
}
