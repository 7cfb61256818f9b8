// The gateway of a cluster, where the machine has HAProxy: its class, the port that it answers at, and the process, which
// starts with the first route.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { gatewayClassName, gatewayController, offeredGateway } from '../api/gateway-names.ts'
import { defaultClassMark, isDefaultClass } from '../api/ingress-classes.ts'
import { groupResource, type Resource } from '../api/resource.ts'
import { ingressClasses } from '../api/resources.ts'
import type { Client } from '../client/client.ts'
import { findProgram } from '../host/cluster-programs.ts'
import { freePort, isFreePort } from '../host/free-port.ts'
import { haproxyPlaces } from '../gateway/haproxy/haproxy-places.ts'
import { ownAuthorityOption } from '../gateway/model/listener-certificates.ts'
import { gatewayClasses, gateways } from '../api/gateway-api/resources.ts'
import type { ProcessPlace } from '../host/process-place.ts'
import type { Clock } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import type { GatewayOptions } from '../gateway/gateway.ts'
import type { ClusterPlaces } from './data-directory.ts'
import { authorityDirectory, readAuthority } from './local-authority.ts'
import { gatewayCertificates, type CertificatesSetup } from './gateway-certificates.ts'
import { offerOnce } from './offer-once.ts'

export interface ClusterGateway {
  /** `127.0.0.1:80`, that plain requests come to. */
  readonly address: string
  /** `127.0.0.1:443`, where TLS ends. */
  readonly secureAddress: string
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
  readonly elected: CertificatesSetup['elected']
  readonly leadPackets: GatewayOptions['leadPackets']
  /** The program that makes records in DNS; undefined: there is none. */
  readonly acmeDnsCommand: string | undefined
  readonly clock: Clock
  readonly logger: Logger
}

/** Requests come from this machine. */
const address = '127.0.0.1'
const plainPorts = { file: 'gateway-port', usual: [80, 8080] }
const securePorts = { file: 'gateway-secure-port', usual: [443, 8443] }

/** @returns undefined where there is no HAProxy; resolves when routes are taken, and what serves them may still start */
export async function openGateway(setup: GatewaySetup): Promise<ClusterGateway | undefined> {
  const { leadPackets } = setup
  if (findProgram('haproxy') === undefined) {
    await leadPackets([])
    return undefined
  }
  const { places, place, client, serverClient, elected, acmeDnsCommand, clock, logger } = setup
  const [{ Haproxy }, { startGateway }, { installKinds }, { ownCertificates }] = await Promise.all([
    import('../gateway/haproxy/haproxy.ts'),
    import('../gateway/gateway.ts'),
    import('../gateway/install-kinds.ts'),
    import('./own-certificates.ts'),
    offerIngressClass(serverClient),
  ])
  const sockets = haproxyPlaces({ dataDirectory: places.data, stateDirectory: places.state })
  const haproxy = new Haproxy({
    dataDirectory: places.data,
    stateDirectory: places.state,
    place,
    clock,
    restarted: error => {
      if (error === undefined) logger.warn('HAProxy had died and was started again')
      else logger.error('HAProxy died and does not start again', { error: error.message })
    },
  })
  const isRunning = haproxy.isRunning()
  const port = await gatewayPort(places, plainPorts, isRunning)
  const securePort = await gatewayPort(places, securePorts, isRunning)
  const front = { address, port, securePort, ownAddresses: ownAddresses(places) }
  const certificates = gatewayCertificates({
    elected,
    async start() {
      const [{ startCertificates }, { createEventRecorder }] = await Promise.all([
        import('../gateway/certificates/certificates.ts'),
        import('../control/event-recorder.ts'),
      ])
      return startCertificates({
        client,
        clock,
        logger,
        recorder: createEventRecorder({ client, clock, logger, component: 'certificates' }),
        dnsCommand: acmeDnsCommand,
        async answered() {
          await gateway.settled()
          if (gateway.trouble !== undefined) throw new Error(`the gateway does not answer: ${gateway.trouble}`)
        },
      })
    },
  })
  const gateway = startGateway({
    client,
    haproxy,
    front,
    kinds: installKinds({ client: serverClient, clock, logger }).then(async kinds => {
      await offerGateway(serverClient, kinds)
      return kinds
    }),
    machineAddresses,
    vouch: ownCertificates({
      directory: join(places.data, 'gateway', 'own-certificates'),
      authorityDirectory: authorityDirectory(),
      clock,
    }),
    accessLog: { file: join(places.data, 'gateway-log', 'access.log'), socket: sockets.logSocket },
    leadPackets,
    identities: {
      directory: join(places.data, 'gateway-identities'),
      loginSocket: sockets.loginSocket,
      ownAuthority: () => readAuthority(authorityDirectory())?.certificate,
    },
    want: wanted => certificates.want(wanted),
    clock,
    logger,
  })
  return {
    address: `${address}:${port}`,
    secureAddress: `${address}:${securePort}`,
    warnings: () => [
      ...(gateway.trouble === undefined ? [] : [`requests from outside are not served: ${gateway.trouble}`]),
      ...certificates.warnings(),
    ],
    async stop() {
      await certificates.stop()
      await gateway.stop()
    },
  }
}

/** For Gateways that ask for none, the same in each start, and others than those of another cluster of this machine. */
function ownAddresses({ data }: Pick<ClusterPlaces, 'data'>): readonly string[] {
  const [second = 0, third = 0] = createHash('sha256').update(data).digest()
  return Array.from({ length: 254 }, (_address, index) => `127.${64 + (second % 128)}.${third}.${index + 1}`)
}

const machineAddresses = (): ReadonlySet<string> =>
  new Set(
    Object.values(networkInterfaces())
      .flatMap(all => all ?? [])
      .filter(({ family, address: own }) => family === 'IPv4' && !own.startsWith('127.'))
      .map(each => each.address),
  )

/** The one of last time while it is ours or free, so that addresses stay the same. */
async function gatewayPort(
  { data }: Pick<ClusterPlaces, 'data'>,
  { file: name, usual }: { readonly file: string; readonly usual: readonly number[] },
  isRunning: boolean,
): Promise<number> {
  const file = join(data, name)
  const last = existsSync(file) ? Number(readFileSync(file, 'utf8')) : undefined
  if (last !== undefined && isRunning) return last
  for (const port of [...(last === undefined ? [] : [last]), ...usual])
    if (await isFreePort(port, address)) return remember(file, port)
  return remember(file, await freePort(address))
}

function remember(file: string, port: number): number {
  writeFileSync(file, String(port), { mode: 0o600 })
  return port
}

/** Where people chose another default before, it does not become a second one. */
const offerIngressClass = (client: Client): Promise<void> =>
  offerOnce(client, {
    resource: ingressClasses,
    madeAnnotation: 'sampan.dev/ingress-class',
    make: others => ({
      metadata: {
        name: gatewayClassName,
        ...(!others.some(isDefaultClass) && { annotations: { [defaultClassMark]: 'true' } }),
      },
      spec: { controller: gatewayController },
    }),
  })

const allowedRoutes = { namespaces: { from: 'All' as const } }

/** A class, and a Gateway at the front for routes of every namespace, so that a route needs nothing but itself. */
async function offerGateway(client: Client, kinds: readonly string[]): Promise<void> {
  const served = (resource: Resource): boolean => kinds.includes(groupResource(resource))
  if (served(gatewayClasses))
    await offerOnce(client, {
      resource: gatewayClasses,
      madeAnnotation: 'sampan.dev/gateway-class',
      make: () => ({ metadata: { name: gatewayClassName }, spec: { controllerName: gatewayController } }),
    })
  if (served(gateways))
    await offerOnce(client, {
      resource: gateways,
      madeAnnotation: 'sampan.dev/gateway',
      make: () => ({
        metadata: offeredGateway,
        spec: {
          gatewayClassName,
          addresses: [{ type: 'IPAddress', value: address }],
          listeners: [
            { name: 'http', port: 80, protocol: 'HTTP', allowedRoutes },
            {
              name: 'https',
              port: 443,
              protocol: 'HTTPS',
              tls: { mode: 'Terminate' as const, options: { [ownAuthorityOption]: 'true' } },
              allowedRoutes,
            },
          ],
        },
      }),
    })
}
