// Puts the API server together over a store, and listens. The composition root gives everything from
// outside: store, kinds, keys, clock, and who speaks for the nodes.
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { APIService, Secret } from '../api/generated/models.ts'
import type { KindDefinition } from '../api/kind.ts'
import { apiServices } from '../api/resources.ts'
import type { Clock } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import type { Random } from '../lib/random.ts'
import type { Store } from '../store/store.ts'
import type { AuditPolicy } from '../api/audit-policy.ts'
import { admissionPlugins } from './admission/plugins.ts'
import { keepDefaultServiceCidr } from './allocation/default-service-cidr.ts'
import { startRepair } from './allocation/repair.ts'
import { ServiceAllocator } from './allocation/service-allocator.ts'
import { Aggregator } from './aggregation/aggregator.ts'
import { publishFrontProxy, type FrontProxy } from './aggregation/front-proxy.ts'
import { createLocalApiServices } from './aggregation/local-api-services.ts'
import { Audit } from './audit/audit.ts'
import type { LineSink } from '../host/line-file.ts'
import { Authenticator } from './auth/authenticate.ts'
import { Authorizer } from './auth/authorizer.ts'
import { BearerTokens } from './auth/bearer-tokens.ts'
import type { KeyPairPem } from './auth/certificate-authority.ts'
import type { OidcSettings } from './auth/oidc.ts'
import type { StaticTokens } from './auth/static-tokens.ts'
import { keepTokenTracking, noteUse } from './auth/legacy-token-tracking.ts'
import { TokenIssuer, type LegacyUse } from './auth/service-account-tokens.ts'
import { keepDefaultPolicy } from './auth/update-policy.ts'
import { createBuiltInObjects } from './bootstrap.ts'
import { FlowControl } from './flow-control/flow-control.ts'
import { keepSchemaStatus } from './flow-control/schema-status.ts'
import { serveDefinitions } from './custom-resources/definitions.ts'
import { DiscoveryRoutes } from './http/discovery-routes.ts'
import type { HealthCheck } from './http/health-routes.ts'
import { keepRecordsWhilePaused } from './http/pausable-connections.ts'
import { RequestHandler } from './http/request-handler.ts'
import { KindRegistry } from './kind-registry.ts'
import { ServerMetrics } from './metrics.ts'
import type { ServerContext } from './server-context.ts'
import { startCompaction } from './storage/compaction.ts'
import { serviceResolver, type ServiceResolver } from './outgoing/resolve-service.ts'
import { peersOf, type FindPeer } from './outgoing/peers.ts'
import { startEventExpiry } from './storage/event-expiry.ts'
import { ObjectStorage } from './storage/object-storage.ts'
import type { FindNodeStreams } from './subresources/pod-streams.ts'
import type { Reach } from './subresources/proxy.ts'
import { subresourceRoutes } from './subresources/routes.ts'
import { webhookCaller } from './webhooks/webhook-caller.ts'

export interface ApiServerOptions {
  readonly store: Store
  readonly kinds: readonly KindDefinition[]
  readonly serviceCidr: string
  /** PEM of the key that signs service account tokens. */
  readonly tokenKey: string
  readonly tokenIssuer: string
  /** Tokens of others that are believed. */
  readonly staticTokens?: StaticTokens
  readonly oidc?: OidcSettings
  readonly audit?: { readonly policy: AuditPolicy; readonly sink: LineSink }
  readonly findNodeStreams: FindNodeStreams
  /** Which other servers look after nodes; there are none by default. */
  readonly findPeer?: FindPeer
  /** For aggregated API servers; without it they are not told on whose behalf they are asked. */
  readonly frontProxy?: FrontProxy
  /** Where services are reached; at their cluster addresses by default. */
  readonly resolveService?: ServiceResolver
  /** Where addresses of pods are really reached. */
  readonly reach?: Reach
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

export interface ListenOptions {
  readonly serving: KeyPairPem
  /** PEM of the CA whose client certificates are believed. */
  readonly clientAuthority: string
  readonly host: string
  /** 0: any free one. */
  readonly port: number
}

export interface ApiServer {
  readonly context: ServerContext
  /** May be called several times, for several addresses. @returns the port */
  listen(options: ListenOptions): Promise<number>
  /** Shows another certificate to whoever connects from now on. */
  renewServing(serving: KeyPairPem): void
  /** Ends watches, finishes what is in flight, closes the listeners. The store stays open. */
  close(): Promise<void>
}

/** What Go's net/http allows; selectors of thousands of names stand in the address. */
const maxHeaderBytes = 1 << 20
const drainMs = 2000
const storeTimeoutMs = 2000

export async function createApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { clock, random, logger } = options
  const storage = await ObjectStorage.open(options.store)
  const kinds = new KindRegistry(options.kinds)
  const metrics = new ServerMetrics(clock)
  const resolveService = options.resolveService ?? serviceResolver(storage)
  const tokens = new TokenIssuer({
    keyPem: options.tokenKey,
    issuer: options.tokenIssuer,
    audiences: [options.tokenIssuer],
    clock,
    random,
    onLegacyUse,
  })
  const context: ServerContext = {
    storage,
    kinds,
    admission: admissionPlugins(storage),
    services: new ServiceAllocator(storage, { clock, random }),
    tokens,
    bearers: new BearerTokens({
      issuer: tokens,
      storage,
      clock,
      logger,
      ...(options.staticTokens && { staticTokens: options.staticTokens }),
      ...(options.oidc && { oidc: options.oidc }),
    }),
    authorizer: new Authorizer(storage),
    webhooks: webhookCaller(resolveService, clock),
    clock,
    random,
    logger,
  }
  function onLegacyUse(secret: Secret, use: LegacyUse): void {
    metrics.useLegacyToken(use)
    noteUse(context, secret)
  }
  const { frontProxy } = options
  const [stopDefaultRange, stopTokenTracking] = await Promise.all([
    keepDefaultServiceCidr(context, options.serviceCidr),
    keepTokenTracking(context),
    createBuiltInObjects(context),
    createLocalApiServices(context),
    frontProxy && publishFrontProxy(context, frontProxy),
  ])
  const stopRepair = await startRepair(context)
  const stopPolicy = keepDefaultPolicy(context)
  const stopSchemaStatus = keepSchemaStatus(context)
  const definitions = await serveDefinitions(context)
  const stopCompaction = startCompaction(options.store, { clock, logger })
  const stopEventExpiry = startEventExpiry(storage, { clock, logger })
  const flowControl = new FlowControl({ storage, clock, onReject: (...why) => metrics.refuse(...why) })
  metrics.describeFlowControl(flowControl)
  metrics.describeStorage(storage, kinds)
  const discovery = new DiscoveryRoutes(kinds)
  kinds.subscribe(() => discovery.invalidate())
  const aggregator = new Aggregator(context, resolveService, frontProxy, () => discovery.invalidate())
  storage.cache(apiServices).subscribe(({ current: { object } }) => {
    if ((object as APIService).spec?.service !== undefined) discovery.invalidate()
  })
  discovery.aggregator = aggregator
  let draining = false
  const openWatches = new Set<() => void>()
  const audit =
    options.audit &&
    new Audit({ ...options.audit, clock, modelOf: path => kinds.find(path.group, path.version, path.plural)?.model })
  const handler = new RequestHandler({
    routes: {
      context,
      subresources: subresourceRoutes(
        context,
        options.findNodeStreams,
        peersOf(options.findPeer ?? (() => undefined), frontProxy),
        options.reach ?? (address => address),
      ),
      openWatches,
    },
    discovery,
    aggregator,
    authenticator: new Authenticator(context.bearers, clock, frontProxy),
    flowControl,
    metrics,
    checks: healthChecks(
      () => storeProblem(options.store, clock, logger),
      () => draining,
    ),
    draining: () => draining,
    ...(audit !== undefined && { audit }),
  })
  const listeners: (Listener & { readonly options: ListenOptions })[] = []
  return {
    context,
    listen: async listenOptions => {
      const listener = makeListener(handler, listenOptions, frontProxy)
      listeners.push({ ...listener, options: listenOptions })
      return listening(listener.server, listenOptions)
    },
    renewServing: serving => {
      for (const {
        server,
        options: { clientAuthority },
      } of listeners)
        server.setSecureContext(secureContext(serving, clientAuthority, frontProxy))
    },
    close: async () => {
      draining = true
      stopCompaction()
      stopEventExpiry()
      stopDefaultRange()
      stopTokenTracking()
      stopRepair()
      stopSchemaStatus()
      stopPolicy()
      context.webhooks.close()
      aggregator.stop()
      await definitions.stop()
      for (const end of openWatches) end()
      await Promise.all(listeners.map(listener => closed(listener, clock)))
      await audit?.close()
    },
  }
}

/** What is made before the server listens, under the names that Kubernetes gives it. */
const madeAtStart = [
  'priority-and-fairness-config-consumer',
  'crd-informer-synced',
  'start-system-namespaces-controller',
  'start-legacy-token-tracking-controller',
  'start-service-ip-repair-controllers',
  'rbac/bootstrap-roles',
  'scheduling/bootstrap-system-priority-classes',
  'priority-and-fairness-config-producer',
  'apiservice-registration-controller',
  'kube-apiserver-autoregistration',
].map(name => `poststarthook/${name}`)

function healthChecks(store: HealthCheck['check'], isDraining: () => boolean): HealthCheck[] {
  const fine = (name: string): HealthCheck => ({ name, check: () => undefined })
  return [
    fine('ping'),
    fine('log'),
    { name: 'etcd', check: store },
    { name: 'etcd-readiness', onlyReadiness: true, check: store },
    { ...fine('informer-sync'), onlyReadiness: true },
    ...madeAtStart.map(fine),
    { name: 'shutdown', onlyReadiness: true, check: () => (isDraining() ? 'the server is shutting down' : undefined) },
  ]
}

/** Whether the store answers, in the words of the health check that Kubernetes calls `etcd`. */
async function storeProblem(store: Store, clock: Clock, logger: Logger): Promise<string | undefined> {
  const problem = await new Promise<string | undefined>(resolve => {
    const timeout = clock.after(storeTimeoutMs, () => resolve(`it did not answer within ${storeTimeoutMs / 1000} s`))
    store
      .get('/registry/health')
      .then(
        () => resolve(undefined),
        (error: Error) => resolve(error.message),
      )
      .finally(() => timeout.cancel())
  })
  if (problem !== undefined) logger.error('the store cannot be reached', { error: problem })
  return problem
}

interface Listener {
  readonly server: Server
  /** Connections that speak another protocol now; Node.js no longer counts them among its own. */
  readonly switched: Set<Duplex>
}

function makeListener(
  handler: RequestHandler,
  { serving, clientAuthority }: ListenOptions,
  frontProxy: FrontProxy | undefined,
): Listener {
  const switched = new Set<Duplex>()
  const server = createServer(
    {
      ...secureContext(serving, clientAuthority, frontProxy),
      requestCert: true,
      rejectUnauthorized: false,
      ALPNProtocols: ['http/1.1'],
      keepAliveTimeout: 180_000,
      requestTimeout: 0,
      maxHeaderSize: maxHeaderBytes,
    },
    (request, response) => void handler.handle(request, response),
  )
  keepRecordsWhilePaused(server)
  server.on('upgrade', (request, socket, head) => {
    switched.add(socket)
    socket.once('close', () => switched.delete(socket))
    void handler.upgrade(request, socket, head)
  })
  server.on('tlsClientError', () => {})
  return { server, switched }
}

const secureContext = (
  serving: KeyPairPem,
  clientAuthority: string,
  frontProxy: FrontProxy | undefined,
): { cert: string; key: string; ca: string[] } => ({
  cert: serving.certificate,
  key: serving.key,
  ca: frontProxy === undefined ? [clientAuthority] : [clientAuthority, frontProxy.authority],
})

function listening(server: Server, { host, port }: ListenOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve((server.address() as AddressInfo).port)
    })
  })
}

function closed({ server, switched }: Listener, clock: Clock): Promise<void> {
  return new Promise(resolve => {
    const force = clock.after(drainMs, () => {
      server.closeAllConnections()
      for (const socket of switched) socket.destroy()
    })
    server.close(() => {
      force.cancel()
      resolve()
    })
    server.closeIdleConnections()
  })
}
