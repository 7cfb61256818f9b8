// The parts of the cluster that work through its API from within this process: control loops, scheduler,
// service proxy, volumes and DNS, each as itself, with the rights of its own role.
import { allKinds } from '../api/kinds/all.ts'
import type { CertificateSigner } from '../api/certificate-request.ts'
import type { Client } from '../client/client.ts'
import { startControllers, type ControllerDefinition, type Running } from '../control/controller.ts'
import { allControllers } from '../controllers/all.ts'
import { localPathProvisionerController } from '../controllers/local-path-provisioner/local-path-provisioner.ts'
import { ipBatch } from '../host/links.ts'
import { directoriesBelow } from '../host/volume-directories.ts'
import { rangeContains } from '../lib/ipv4.ts'
import type { Clock } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import type { Random } from '../lib/random.ts'
import { ClusterNames } from '../network/cluster-names.ts'
import { startDnsServer } from '../network/dns-server.ts'
import { watchFirewalls, type Firewalls } from '../network/firewall/firewalls.ts'
import type { PacketEntrance } from '../gateway/packets.ts'
import { startServiceProxy } from '../network/service-proxy.ts'
import { startScheduler } from '../scheduler/scheduler.ts'
import type { ApiServer } from '../server/api-server.ts'
import type { KeyPairPem } from '../server/auth/certificate-authority.ts'
import type { ClusterFacts, ClusterPlaces } from './data-directory.ts'
import { offerStorageClass } from './default-storage-class.ts'
import { liveResources } from './live-resources.ts'
import { LocalClient } from './local-client.ts'
import { packetRules, rememberedPackets, rememberPackets } from './packet-rules.ts'
import { followServiceRanges } from './service-routes.ts'

export interface ComponentsOptions {
  readonly server: ApiServer
  readonly facts: ClusterFacts
  readonly places: ClusterPlaces
  /** See `TableFacts`. */
  readonly nodePortRanges: readonly string[]
  /** The machine's resolvers, as they are at the moment. */
  readonly upstream: () => readonly string[]
  readonly authority: KeyPairPem
  readonly serverClient: Client
  readonly nodeClient: Client
  /** See `startServiceProxy`. */
  readonly nothingRuns: Promise<boolean>
  /** Resolves when the node is Ready: what it does not need begins then. */
  readonly nodeReady: Promise<void>
  /** Starts what one server does for all that share a store. */
  readonly elected: (component: string, start: () => Promise<Running>) => Promise<Running>
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

export interface Components {
  /** Resolves when the rules for all services known by now are in the kernel. */
  settled(): Promise<void>
  /** Resolves when these packets, and no others, are led by the gateway. */
  leadPackets(entrances: readonly PacketEntrance[]): Promise<void>
  /** Resolves when the firewalls of the machine were looked at for the first time. */
  readonly firewalls: Promise<Firewalls>
  /** Rules and routes stay. */
  stop(): Promise<void>
}

export const masters = ['system:masters']
export const podOwner = ['system:serviceaccounts', 'system:serviceaccounts:kube-system']

/** A client that acts as a component of the cluster does, with that component's rights. */
export function componentClient(
  server: ApiServer,
  component: string,
  username = `system:${component}`,
  groups: readonly string[] = [],
): LocalClient {
  return new LocalClient(server.context, {
    user: { username, groups: [...groups, 'system:authenticated'] },
    fieldManager: component,
  })
}

export async function startComponents(options: ComponentsOptions): Promise<Components> {
  const { server, serverClient, facts, elected } = options
  const [controllers, scheduler, proxy, provisioner, dns] = await Promise.all([
    elected('kube-controller-manager', () => startLoops(options)),
    elected('kube-scheduler', () =>
      startScheduler({
        client: componentClient(server, 'kube-scheduler'),
        host: facts.nodeName,
        ...surroundings(options, 'scheduler'),
      }),
    ),
    startProxy(options),
    startProvisioner(options),
    startNames(options),
    offerStorageClass(serverClient),
  ])
  const stopRoutes = followServiceRanges({
    client: serverClient,
    network: facts.network,
    linkName: facts.linkName,
    apply: ipBatch,
    logger: options.logger.with({ component: 'network' }),
  })
  const firewalls = options.nodeReady
    .then(() => proxy.settled())
    .then(() => startFirewalls(options, () => proxy.rewrite()))
  return {
    settled: () => proxy.settled(),
    leadPackets: entrances => {
      rememberPackets(options.places, entrances)
      return proxy.lead(packetRules(entrances))
    },
    firewalls,
    stop: async () => {
      void firewalls.then(watch => watch.stop())
      proxy.stop()
      stopRoutes()
      await Promise.allSettled([controllers.stop(), scheduler.stop(), provisioner.stop(), dns.close()])
    },
  }
}

const surroundings = (
  { clock, random, logger }: ComponentsOptions,
  component: string,
): Pick<ComponentsOptions, 'clock' | 'random' | 'logger'> => ({ clock, random, logger: logger.with({ component }) })

function startLoops(options: ComponentsOptions): Promise<Running> {
  const { server, authority, clock } = options
  const { kinds, tokens } = server.context
  const controllers = allControllers({
    rootCaPem: authority.certificate,
    resources: liveResources(kinds),
    kinds: allKinds,
    issueToken: token => tokens.issueLegacy(token),
    certificates: lazySigner(authority, clock),
  })
  return start(
    options,
    controllers,
    componentClient(server, 'kube-controller-manager', 'system:kube-controller-manager', masters),
    'controllers',
  )
}

function startProvisioner(options: ComponentsOptions): Promise<Running> {
  const { server, facts, places } = options
  const controller = localPathProvisionerController({
    nodeName: facts.nodeName,
    directories: directoriesBelow(places.volumes),
  })
  return start(
    options,
    [controller],
    componentClient(
      server,
      'local-path-provisioner',
      'system:serviceaccount:kube-system:local-path-provisioner',
      podOwner,
    ),
    'volumes',
  )
}

const start = (
  options: ComponentsOptions,
  controllers: readonly ControllerDefinition[],
  client: Client,
  component: string,
): Promise<Running> => startControllers(controllers, { client, ...surroundings(options, component) })

function startProxy(options: ComponentsOptions): ReturnType<typeof startServiceProxy> {
  const {
    server,
    nodeClient,
    nothingRuns,
    nodeReady,
    nodePortRanges,
    places,
    facts: {
      nodeName,
      linkName,
      network: { podCidr, serviceCidr, nodeAddress },
    },
  } = options
  return startServiceProxy({
    client: componentClient(server, 'kube-proxy'),
    nodeClient,
    nodeName,
    nothingRuns,
    nodeReady,
    led: packetRules(rememberedPackets(places)),
    ...surroundings(options, 'network'),
    // The node's own address is known to the machine and its pods alone.
    facts: { table: linkName, podCidr, serviceCidr, linkName, nodePortRanges: [...nodePortRanges, nodeAddress] },
  })
}

function startFirewalls(options: ComponentsOptions, onTableLost: () => void): Promise<Firewalls> {
  const {
    facts: {
      linkName,
      network: { podCidr, nodeAddress },
    },
    nodePortRanges,
  } = options
  const { clock, logger } = surroundings(options, 'network')
  const servesOthers = nodePortRanges.some(range => !rangeContains('127.0.0.0/8', range))
  return watchFirewalls({ facts: { linkName, podCidr, nodeAddress }, servesOthers, onTableLost, clock, logger })
}

function startNames({
  server,
  facts: {
    network: { domain, nodeAddress, dnsAddress },
  },
  upstream,
  logger,
}: ComponentsOptions): ReturnType<typeof startDnsServer> {
  const names = new ClusterNames(
    componentClient(server, 'coredns', 'system:serviceaccount:kube-system:coredns', podOwner),
    domain,
  )
  return startDnsServer({
    names,
    domain,
    address: nodeAddress,
    upstream: () => upstream().filter(server => server !== nodeAddress && server !== dnsAddress),
    logger: logger.with({ component: 'dns' }),
  })
}

/** The module that reads and signs certificates is heavy; most clusters never need it. */
function lazySigner(authority: KeyPairPem, clock: Clock): CertificateSigner {
  const load = async (): Promise<CertificateSigner> =>
    (await import('../server/auth/certificate-requests.ts')).clusterSigner(authority, () => clock.now())
  return {
    read: async pem => (await load()).read(pem),
    sign: async (pem, options) => (await load()).sign(pem, options),
  }
}
