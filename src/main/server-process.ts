// The server of one cluster: the composition root. Brings up API, control loops, network and node agent,
// each as soon as what it needs is there, and reports to whoever started it. SIGTERM ends it in order;
// containers, service rules and addresses stay, and the next start takes them over. `sampan down` has it end its
// pods before.
import { closeSync, existsSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { allKinds } from '../api/kinds/all.ts'
import { nodes } from '../api/resources.ts'
import { publishRegistryHosting } from '../client/registry-hosting.ts'
import { startContainerd, type Containerd } from '../cri/containerd.ts'
import { grpcRuntime } from '../cri/grpc-runtime.ts'
import { ensureNodeLink, ipBatch, machineAddresses, removeLink } from '../host/links.ts'
import { holdLock, whileLocked } from '../host/lock.ts'
import { followMachineDns } from '../host/machine-dns.ts'
import { machineClock } from '../host/machine-clock.ts'
import { leaveContainerGroup, ProcessPlace } from '../host/process-place.ts'
import { listProcesses } from '../host/processes.ts'
import { giveSpareMemoryBack } from '../host/spare-memory.ts'
import { writeSysctls } from '../host/sysctl.ts'
import { localRegistry } from '../images/client/place.ts'
import type { Firewalls } from '../network/firewall/firewalls.ts'
import { stopHaproxy } from '../gateway/haproxy/haproxy-places.ts'
import { removeRules } from '../network/remove-rules.ts'
import { startNodeAgent, type NodeAgent } from '../node/node-agent.ts'
import { createApiServer, type ApiServer } from '../server/api-server.ts'
import { publishIdentity } from './cluster-identity.ts'
import { rotateCertificates } from './certificate-rotation.ts'
import { clusterKeys } from './cluster-keys.ts'
import { componentClient, masters, podOwner, startComponents } from './components.ts'
import { serveControl, type PodProgress } from './control-socket.ts'
import { apiEndpoint } from './api-endpoint.ts'
import { accessSettings } from './access-settings.ts'
import { advertisedAddress } from './advertise-address.ts'
import { auditSettings } from './audit-settings.ts'
import {
  announce,
  clusterFacts,
  placesOf,
  SetupError,
  type ClusterFacts,
  type ClusterPlaces,
} from './data-directory.ts'
import type { LocalClient } from './local-client.ts'
import { beMember, type Membership } from './membership.ts'
import { nodePortRanges } from './node-port-ranges.ts'
import { openGateway, type ClusterGateway } from './open-gateway.ts'
import { openRegistry, type ClusterRegistry } from './open-registry.ts'
import { isSharedStore, openStore } from './open-store.ts'
import { registryEndpoint } from './registry-endpoint.ts'
import { defaultApiPort, type ServerOptions, type StartReport } from './server-options.ts'
import { addFirstRoute } from './service-routes.ts'
import { processLogger, systemRandom } from './system.ts'
import { sampanVersion } from '../lib/version.ts'

const reportChannel = 3
const clock = machineClock
const random = systemRandom
const logger = processLogger()
const stopMs = 5000
/** What the runtime may take beyond the time that containers have. */
const lateMs = 10_000
const startedAt = new Date().toISOString()

function report(message: StartReport): void {
  try {
    writeSync(reportChannel, `${JSON.stringify(message)}\n`)
  } catch {
    // Nobody listens (any more); the log has it.
  }
}

const reached = (step: Extract<StartReport, { step: string }>['step']): void =>
  report({ step, atMs: performance.timeOrigin + performance.now() })

async function main(options: ServerOptions): Promise<void> {
  const places = placesOf(options.name, options.dataDirectory)
  const access = accessSettings(options.access ?? {})
  const audit = auditSettings(options.audit ?? {}, clock, logger.with({ component: 'audit' }))
  if ((await holdLock(places.state)) === undefined)
    throw new SetupError(
      `the cluster "${options.name}" is being started or stopped by another command; look at it with: sampan status --name ${options.name}`,
    )
  // Two clusters that start for the first time at the same moment must not take the same address range.
  const facts = await whileLocked('sampan address ranges', () => {
    const settled = clusterFacts(places)
    // A start that is refused before it began anything has nothing running to tell others about.
    if (announce(places, settled)) retreat = async () => rmSync(places.state, { recursive: true, force: true })
    return settled
  })
  const { network } = facts
  const advertised = advertisedAddress(places, options.advertiseAddress)
  const nodePorts = nodePortRanges(places, options.nodePortAddresses)
  const endpoint = apiEndpoint(
    options,
    [network.nodeAddress, ...(advertised === undefined ? [] : [advertised])],
    machineAddresses(),
    network.podCidr,
  )
  const ofRegistry = registryEndpoint(options.registryListen, options.tlsSan ?? [], machineAddresses(), network.podCidr)
  const place = new ProcessPlace(options.name)
  leaveContainerGroup()
  if (options.isService !== true) place.settle(process.pid, 'server')
  writeFileSync(places.pidFile, `${process.pid}\n`)

  const containerd = startContainerd({
    dataDirectory: places.data,
    stateDirectory: places.state,
    place,
    podCidr: network.podCidr,
  })
  // Whatever fails first is reported; this one must not be an unhandled rejection meanwhile.
  containerd.catch(() => {})
  retreat = async () => takeBack(await containerd, places, facts)
  const [store, keys] = await Promise.all([
    openStore(places, options.store, clock),
    clusterKeys(places, facts, clock.now(), endpoint, ofRegistry),
    prepareLink(facts),
  ])
  const isShared = isSharedStore(places)
  if (isShared) await publishIdentity(store, places, facts)
  let agent: NodeAgent | undefined
  let podsStop: Promise<void> | undefined
  let stopping = false
  /** Who wants the end before that waits for it: only what has begun can be ended in order. */
  const started = Promise.withResolvers<void>()
  let frontClient = keys.frontProxy.client
  let membership: Membership | undefined
  const server = await createApiServer({
    store,
    kinds: allKinds,
    serviceCidr: network.serviceCidr,
    tokenKey: keys.tokenKey,
    tokenIssuer: `https://kubernetes.default.svc.${network.domain}`,
    findNodeStreams: nodeName => (nodeName === facts.nodeName ? agent : undefined),
    findPeer: nodeName => membership?.peer(nodeName),
    frontProxy: {
      ...keys.frontProxy,
      get client() {
        return frontClient
      },
    },
    ...access,
    ...(audit && { audit }),
    clock,
    random,
    logger: logger.with({ component: 'api' }),
  })
  const port = await listen(server, places, keys, endpoint.listen, options.apiPort)
  const url = `https://127.0.0.1:${port}`
  let registry: ClusterRegistry | undefined
  const stopRotation = rotateCertificates({
    keys,
    renew: nowMs => clusterKeys(places, facts, nowMs, endpoint, ofRegistry),
    clock,
    logger: logger.with({ component: 'certificates' }),
    apply: renewed => {
      server.renewServing(renewed.serving)
      registry?.renewServing(renewed)
      frontClient = renewed.frontProxy.client
    },
  })
  report({
    access: { url, authority: keys.authority.certificate, certificate: keys.admin.certificate, key: keys.admin.key },
  })
  reached('api')

  let firewalls: Firewalls | undefined
  let gateway: ClusterGateway | undefined
  const serverClient = componentClient(server, 'kube-apiserver', 'system:apiserver', masters)
  const ownRegistry = (registry = await openRegistry({
    places,
    endpoint: ofRegistry,
    keys,
    client: serverClient,
    clock,
    logger: logger.with({ component: 'registry' }),
  }))
  reached('registry')
  const control = await serveControl(
    places.controlSocket,
    () => ({
      pid: process.pid,
      url,
      registry: ownRegistry.address,
      ...(ownRegistry.secureAddress !== undefined && { secureRegistry: ownRegistry.secureAddress }),
      ...(gateway !== undefined && { gateway: gateway.address, secureGateway: gateway.secureAddress }),
      nodePortAddresses: nodePorts,
      version: sampanVersion,
      dataDirectory: places.data,
      startedAt,
      warnings: [...(firewalls?.advice() ?? []), ...(gateway?.warnings() ?? [])],
    }),
    {
      stop: () => void started.promise.then(() => podsStop).then(shutDown),
      stopPods: (limitSeconds, onProgress) =>
        void started.promise.then(() => stopPods(limitSeconds, onProgress)).then(shutDown),
    },
  )
  const nodeClient = componentClient(server, 'kubelet', `system:node:${facts.nodeName}`, ['system:nodes'])
  const self = {
    nodeName: facts.nodeName,
    address: network.nodeAddress,
    port,
    ...(advertised !== undefined && { advertisedAddress: advertised }),
  }
  const member = (membership = await beMember({
    client: serverClient,
    store,
    isShared,
    network,
    self,
    clock,
    random,
    logger,
  }))
  const machineDns = followMachineDns()
  const nodeReady = Promise.withResolvers<void>()
  const components = await startComponents({
    server,
    facts,
    places,
    nodePortRanges: nodePorts,
    upstream: () => machineDns.current().upstream,
    authority: keys.authority,
    serverClient,
    nodeClient,
    nothingRuns: containerd.then(({ startedInMs }) => startedInMs > 0),
    nodeReady: nodeReady.promise,
    elected: member.elected,
    clock,
    random,
    logger,
  })
  void components.settled().then(() => reached('network'))
  // What still works would bring back what is taken away.
  const takeWorkingBack = async (): Promise<void> => {
    await components.stop()
    await takeBack(await containerd, places, facts)
  }
  retreat = takeWorkingBack

  const runtimeProcess = await containerd
  await runtimeProcess.setRegistries(ownRegistry.names, ownRegistry.hasCache ? ownRegistry.address : undefined)
  const letDie = runtimeProcess.keepAlive(error => {
    if (error === undefined) logger.warn('containerd had died and was started again')
    else logger.error('containerd died and does not start again', { error: error.message })
  })
  retreat = async () => {
    letDie()
    await takeWorkingBack()
  }
  reached('runtime')
  const runtime = grpcRuntime({ socketPath: runtimeProcess.socketPath })
  agent = await startNodeAgent({
    client: nodeClient,
    runtime,
    nodeName: facts.nodeName,
    network,
    dataDirectory: places.data,
    cgroupRoot: place.podGroup,
    hostDns: () => machineDns.current().settings,
    clock,
    logger: logger.with({ component: 'node' }),
  })
  await nameControlPlane(serverClient, facts.nodeName)
  reached('node')
  nodeReady.resolve()
  await publishRegistryHosting(serverClient, {
    host: ownRegistry.address,
    hostFromContainerRuntime: localRegistry,
  })
  gateway = await openGateway({
    places,
    place,
    client: componentClient(server, 'gateway', 'system:serviceaccount:kube-system:gateway', podOwner),
    serverClient,
    elected: member.elected,
    leadPackets: entrances => components.leadPackets(entrances),
    acmeDnsCommand: options.acmeDnsCommand,
    clock,
    logger: logger.with({ component: 'gateway' }),
  })
  firewalls = await components.firewalls
  for (const warning of firewalls.advice()) report({ warning })
  const spareMemory = giveSpareMemoryBack({ clock })
  report({ ready: true })
  closeSync(reportChannel)
  started.resolve()

  async function stopPods(limitSeconds: number, onProgress: PodProgress): Promise<void> {
    if (agent === undefined) return
    logger.info('stopping pods', { limitSeconds })
    const late = new Promise<void>(resolve => {
      clock.after(limitSeconds * 1_000 + lateMs, resolve)
    })
    podsStop = Promise.race([agent.stopPods(limitSeconds, onProgress), late]).catch((error: unknown) =>
      logger.warn('pods not stopped', { error: String(error) }),
    )
    await podsStop
  }
  async function shutDown(): Promise<void> {
    if (stopping) return
    stopping = true
    logger.info('stopping')
    letDie()
    stopRotation()
    spareMemory.stop()
    machineDns.stop()
    // A store that is out of reach must not hold the end up; leases end by themselves.
    const late = new Promise(resolve => {
      clock.after(stopMs, () => resolve(undefined))
    })
    await Promise.race([
      late,
      Promise.allSettled([components.stop(), gateway?.stop(), agent?.stop(), ownRegistry.close(), member.stop()]),
    ])
    await server.close()
    await store.close()
    control.close()
    process.exit(0)
  }
  process.on('SIGTERM', () => void shutDown())
  process.on('SIGINT', () => void shutDown())
}

/** What a start that failed had begun; containers of an earlier start stay. */
let retreat = async (): Promise<void> => {}

async function takeBack(runtimeProcess: Containerd, places: ClusterPlaces, facts: ClusterFacts): Promise<void> {
  if (runtimeProcess.startedInMs === 0) return
  await Promise.all([
    runtimeProcess.stopDaemon(),
    stopHaproxy({ dataDirectory: places.data, stateDirectory: places.state }),
  ])
  if (listProcesses().some(({ commandLine }) => commandLine.includes(runtimeProcess.socketPath))) return
  await Promise.all([removeRules(facts.linkName, facts.network.podCidr), removeLink(facts.linkName)])
  rmSync(places.state, { recursive: true, force: true })
}

/** The node's own address, a route that makes service addresses reachable from the machine itself, and forwarding. */
async function prepareLink({ linkName, network }: ClusterFacts): Promise<void> {
  await ensureNodeLink(linkName, network.nodeAddress)
  writeSysctls({ 'net.ipv4.ip_forward': '1', 'net.ipv4.conf.all.route_localnet': '1' })
  await addFirstRoute({ linkName, network, apply: ipBatch })
}

/** A node may not give itself a role. */
async function nameControlPlane(client: LocalClient, name: string): Promise<void> {
  const label = 'node-role.kubernetes.io/control-plane'
  if (client.informer(nodes).get({ name })?.metadata.labels?.[label] !== undefined) return
  await client.patch(nodes, { name }, { type: 'merge', value: { metadata: { labels: { [label]: '' } } } })
}

async function listen(
  server: ApiServer,
  places: ClusterPlaces,
  keys: Awaited<ReturnType<typeof clusterKeys>>,
  addresses: readonly string[],
  asked: number | undefined,
): Promise<number> {
  const file = join(places.data, 'api-port')
  const remembered = existsSync(file) ? Number(readFileSync(file, 'utf8')) : undefined
  const wanted = asked ?? remembered ?? defaultApiPort
  const common = { serving: keys.serving, clientAuthority: keys.authority.certificate }
  try {
    let port = wanted
    for (const host of addresses) port = await server.listen({ ...common, host, port })
    writeFileSync(file, String(port), { mode: 0o600 })
    return port
  } catch (error) {
    const { code, address } = error as NodeJS.ErrnoException & { address?: string }
    if (code === 'EADDRNOTAVAIL')
      throw new SetupError(
        `this machine has no address ${address}; name one that it has with --advertise-address or --bind-address`,
      )
    if (code === 'EADDRINUSE')
      throw new SetupError(
        `port ${wanted} is in use by another program; choose another one with --api-port, or --api-port 0 for any free one`,
      )
    throw error
  }
}

process.on('unhandledRejection', error =>
  logger.error('unhandled rejection', {
    error: String(error),
    stack: error instanceof Error ? error.stack : undefined,
  }),
)

try {
  await main(JSON.parse(process.argv[2] ?? '{}') as ServerOptions)
} catch (error) {
  const { message, stack } = error as Error
  logger.error('start failed', { error: message, stack })
  await retreat().catch((fault: unknown) =>
    logger.error('the failed start could not be taken back', { error: String(fault) }),
  )
  report({ failure: describe(error as NodeJS.ErrnoException) })
  process.exit(1)
}

function describe(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOSPC')
    return `the disk is full (${error.path ?? 'data directory'}); free some space and try again`
  return error.message
}
