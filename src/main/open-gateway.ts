// The gateway of a cluster, where the machine has HAProxy: its class, the port that it answers at, and the process, which
// starts with the first route.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isAlreadyExists } from '../api/api-error.ts'
import { gatewayClassName, gatewayController } from '../api/gateway-names.ts'
import type { IngressClass } from '../api/generated/models.ts'
import type { New } from '../api/object.ts'
import { ingressClasses, namespaces } from '../api/resources.ts'
import type { Client } from '../client/client.ts'
import { findProgram } from '../host/cluster-programs.ts'
import { freePort, isFreePort } from '../host/free-port.ts'
import type { ProcessPlace } from '../host/process-place.ts'
import type { Clock } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import type { ClusterPlaces } from './data-directory.ts'

export interface ClusterGateway {
  /** `127.0.0.1:80`, that plain requests come to. */
  readonly address: string
  /** What people have to do so that requests are served. */
  warnings(): readonly string[]
  stop(): Promise<void>
}

export interface GatewaySetup {
  readonly places: ClusterPlaces
  readonly place: ProcessPlace
  /** With the gateway's own rights. */
  readonly client: Client
  /** That may make classes. */
  readonly serverClient: Client
  readonly clock: Clock
  readonly logger: Logger
}

/** Requests come from this machine. */
const address = '127.0.0.1'
const usualPorts = [80, 8080]

/** @returns undefined where there is no HAProxy; resolves when routes are taken, and what serves them may still start */
export async function openGateway(setup: GatewaySetup): Promise<ClusterGateway | undefined> {
  if (findProgram('haproxy') === undefined) return undefined
  const { places, place, client, serverClient, clock, logger } = setup
  const [{ Haproxy }, { startGateway }] = await Promise.all([
    import('../gateway/haproxy/haproxy.ts'),
    import('../gateway/gateway.ts'),
    offerIngressClass(serverClient),
  ])
  const haproxy = new Haproxy({
    dataDirectory: places.data,
    stateDirectory: places.state,
    place,
    addresses: [address],
    restarted: error => {
      if (error === undefined) logger.warn('HAProxy had died and was started again')
      else logger.error('HAProxy died and does not start again', { error: error.message })
    },
  })
  const port = await gatewayPort(places, haproxy.isRunning())
  const gateway = await startGateway({ client, haproxy, port, address, clock, logger })
  return {
    address: `${address}:${port}`,
    warnings: () => (gateway.trouble === undefined ? [] : [`requests from outside are not served: ${gateway.trouble}`]),
    stop: () => gateway.stop(),
  }
}

/** The one of last time while it is ours or free, so that addresses stay the same. */
async function gatewayPort({ data }: Pick<ClusterPlaces, 'data'>, isRunning: boolean): Promise<number> {
  const file = join(data, 'gateway-port')
  const last = existsSync(file) ? Number(readFileSync(file, 'utf8')) : undefined
  if (last !== undefined && isRunning) return last
  for (const port of [...(last === undefined ? [] : [last]), ...usualPorts])
    if (await isFreePort(port, address)) return remember(file, port)
  return remember(file, await freePort(address))
}

function remember(file: string, port: number): number {
  writeFileSync(file, String(port), { mode: 0o600 })
  return port
}

/** Of the namespace kube-system: which class was made. It is made once; who deletes it does not get it back. */
const madeAnnotation = 'sampan.dev/ingress-class'

/** Where people chose another default before, it does not become a second one. */
async function offerIngressClass(client: Client): Promise<void> {
  const home = client.informer(namespaces).get({ name: 'kube-system' })
  if (home === undefined || home.metadata.annotations?.[madeAnnotation] !== undefined) return
  const classes = client.informer(ingressClasses)
  await classes.synced
  const isDefault = !classes
    .list()
    .some(({ metadata }) => metadata.annotations?.['ingressclass.kubernetes.io/is-default-class'] === 'true')
  const offered: New<IngressClass> & Pick<IngressClass, 'spec'> = {
    metadata: {
      name: gatewayClassName,
      ...(isDefault && { annotations: { 'ingressclass.kubernetes.io/is-default-class': 'true' } }),
    },
    spec: { controller: gatewayController },
  }
  await client.create(ingressClasses, offered).catch((error: unknown) => {
    if (!isAlreadyExists(error)) throw error
  })
  await client.patch(namespaces, home.metadata, {
    type: 'merge',
    value: { metadata: { annotations: { [madeAnnotation]: gatewayClassName } } },
  })
}
