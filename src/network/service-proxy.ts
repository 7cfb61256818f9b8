// Keeps the kernel's rules equal to what Services, EndpointSlices and the host ports of pods say, and makes it
// forget connections that go on to backends that are gone. Changes that come while a script is being applied are
// applied together afterwards. Rules stay when Sampan stops.
import type { Pod, Service } from '../api/generated/models.ts'
import { keyOf } from '../api/object.ts'
import { endpointSlices, pods, services } from '../api/resources.ts'
import { serviceKeys } from '../api/endpoint-slice-labels.ts'
import type { Client } from '../client/client.ts'
import { run } from '../host/command.ts'
import { forgetFlow, listFlows, type Flow } from '../host/connection-tracking.ts'
import { machineAddresses } from '../host/links.ts'
import { addressInRange } from '../lib/ipv4.ts'
import type { Clock } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import { EndedPods } from './ended-pods.ts'
import { changes, wholeTable, type TableFacts } from './nftables-script.ts'
import { mayLeaveFlows, staleFlows, withoutHandshake } from './stale-flows.ts'
import { hostPortRules, portRules, wantsHostPorts, type PortRule } from './service-rules.ts'

export interface ServiceProxyOptions {
  readonly client: Client
  /** Whose pods have host ports here; `client` by default. */
  readonly nodeClient?: Client
  readonly facts: TableFacts
  /** Of this machine; see `portRules`. */
  readonly nodeName?: string
  /** Whether no container of this machine outlived the last time that it was looked after. */
  readonly nothingRuns?: Promise<boolean>
  /** When connections that earlier rules left may be looked for, which takes time that a start has not; at once by default. */
  readonly nodeReady?: Promise<void>
  readonly clock: Clock
  readonly logger: Logger
  /** What is led to pods beyond services, until somebody says otherwise. */
  readonly led?: readonly PortRule[]
  /** Runs an nftables script; by default `nft -f -`. */
  readonly apply?: (script: string) => Promise<void>
  /** What the kernel remembers of connections; by default asked with `conntrack`. */
  readonly flows?: FlowMemory
}

export interface FlowMemory {
  list(protocol: string): Promise<readonly Flow[]>
  forget(flow: Flow): Promise<void>
}

export interface ServiceProxy {
  /** Resolves when everything known by now is in the kernel. */
  settled(): Promise<void>
  /** What else is led to pods, in place of what was so before: it resolves when the kernel has it. */
  lead(rules: readonly PortRule[]): Promise<void>
  /** The table is gone: it is written anew. */
  rewrite(): void
  stop(): void
}

const retryMs = 1000
/** Sets the keys of pods apart from those of services. */
const podPrefix = 'pod:'
/** Of what is neither. */
const ledKey = 'led'

export const applyScript = async (script: string): Promise<void> =>
  void (await run('nft', ['-f', '-'], { input: script }))

export async function removeTable(table: string): Promise<void> {
  await applyScript(`add table ip ${table}\ndelete table ip ${table}\n`)
}

export async function startServiceProxy({
  client,
  nodeClient = client,
  facts,
  nodeName,
  nothingRuns,
  nodeReady,
  led = [],
  clock,
  logger,
  apply = applyScript,
  flows = { list: listFlows, forget: forgetFlow },
}: ServiceProxyOptions): Promise<ServiceProxy> {
  const serviceInformer = client.informer(services)
  const sliceInformer = client.informer(endpointSlices)
  const podInformer = nodeClient.informer(pods)
  await Promise.all([serviceInformer.synced, sliceInformer.synced, podInformer.synced])
  const ended = new EndedPods(
    (await nothingRuns) === true ? podInformer.list().filter(({ spec }) => spec.nodeName === nodeName) : [],
    name => podInformer.get(name),
  )
  const slicesOf = sliceInformer.index('service', serviceKeys)
  const wanted = new Map<string, readonly PortRule[]>([[ledKey, led]])
  const dirty = new Set<string>()
  let applied: Map<string, readonly PortRule[]> | undefined
  /** Whether connections may go on to where rules of before led them. */
  let leavesFlows = false
  let mayForget = nodeReady === undefined
  /** Counts how often the table was lost. */
  let losses = 0
  let working: Promise<void> | undefined
  let stopped = false

  function refresh(key: string): void {
    if (key === ledKey) return
    if (key.startsWith(podPrefix)) return refreshPod(key)
    const [namespace, name = ''] = key.split('/')
    const service = serviceInformer.get({ namespace, name })
    if (service === undefined) wanted.delete(key)
    else wanted.set(key, portRules(service, ended.leftOutOf(slicesOf(key)), nodeName))
  }

  function refreshPod(key: string): void {
    const [namespace, name = ''] = key.slice(podPrefix.length).split('/')
    const pod = podInformer.get({ namespace, name })
    if (pod === undefined || ended.has(pod)) wanted.delete(key)
    else wanted.set(key, hostPortRules(pod))
  }

  function mark(key: string): void {
    dirty.add(key)
    if (!stopped) working ??= Promise.resolve().then(work)
  }

  async function work(): Promise<void> {
    while (dirty.size > 0 && !stopped) {
      const keys = [...dirty]
      dirty.clear()
      for (const key of keys) refresh(key)
      try {
        await bring(keys)
      } catch (error) {
        logger.error('service rules could not be applied; the table is written anew', { error: String(error) })
        applied = undefined
        clock.after(retryMs, () => mark(''))
        break
      }
    }
    working = undefined
  }

  async function bring(keys: readonly string[]): Promise<void> {
    const all = (): PortRule[] => [...wanted.values()].flat()
    const lossesBefore = losses
    const done = (snapshot: Map<string, readonly PortRule[]>): void => {
      if (losses === lossesBefore) applied = snapshot
    }
    if (applied === undefined) {
      const snapshot = new Map(wanted)
      await apply(wholeTable(facts, all()))
      done(snapshot)
      leavesFlows = true
      await forgetStale(snapshot)
      return
    }
    leavesFlows ||= keys.some(key => mayLeaveFlows(applied?.get(key), wanted.get(key)))
    // A change may touch addresses that other services share (hairpins), so whole sets are compared.
    const before = [...applied.values()].flat()
    const script = changes(facts.table, before, all())
    const snapshot = new Map(wanted)
    if (script !== '') await apply(script)
    done(snapshot)
    await forgetStale(snapshot)
    logger.debug('service rules applied', { services: keys.length })
  }

  async function forgetStale(rules: ReadonlyMap<string, readonly PortRule[]>): Promise<void> {
    if (!leavesFlows || !mayForget) return
    leavesFlows = false
    try {
      await forgetStaleFlows(flows, [...rules.values()].flat(), facts)
    } catch (error) {
      logger.error('senders without a connection (UDP) may go on to pods that are gone', { error: String(error) })
    }
  }

  async function forgetFrom(ready: Promise<void>): Promise<void> {
    await ready
    mayForget = true
    mark('')
  }

  const stops = [
    serviceInformer.subscribe(({ object }) => mark(keyOf(object as Service))),
    sliceInformer.subscribe(({ object }) => serviceKeys(object).forEach(mark)),
    podInformer.subscribe(({ object }) => {
      if (wantsHostPorts(object as Pod)) mark(`${podPrefix}${keyOf(object as Pod)}`)
    }),
  ]
  mark('')
  if (nodeReady !== undefined) void forgetFrom(nodeReady)
  async function settled(): Promise<void> {
    while (working !== undefined) await working
  }

  return {
    settled,
    lead: rules => {
      wanted.set(ledKey, rules)
      mark(ledKey)
      return settled()
    },
    rewrite: () => {
      losses++
      applied = undefined
      mark('')
    },
    stop: () => {
      stopped = true
      stops.forEach(stop => stop())
    },
  }
}

async function forgetStaleFlows(flows: FlowMemory, rules: readonly PortRule[], facts: TableFacts): Promise<void> {
  const own = new Set(machineAddresses())
  const isNodePortAddress = (address: string): boolean =>
    (own.has(address) || addressInRange(address, '127.0.0.0/8')) &&
    facts.nodePortRanges.some(range => addressInRange(address, range))
  for (const protocol of withoutHandshake) {
    if (protocol !== 'udp' && !rules.some(rule => rule.protocol === protocol)) continue
    const stale = staleFlows(await flows.list(protocol), rules, { podCidr: facts.podCidr, isNodePortAddress })
    for (const flow of stale) await flows.forget(flow)
  }
}
