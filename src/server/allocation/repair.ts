// Brings what Services have and what is noted as taken together again: at the start, before anything is
// given out, and every few minutes. Needed for clusters from before anything was noted, after a crash
// between two writes, and when somebody changed these objects by hand. Every server may run it.
// Source: pkg/registry/core/service/ipallocator/controller/repairip.go, portallocator/controller/repair.go.
import type { IPAddress, Service, ServiceCIDR } from '../../api/generated/models.ts'
import { keyOf } from '../../api/object.ts'
import { ipAddresses, serviceCidrs, services } from '../../api/resources.ts'
import { ipv4RangesOf, isServiceAddress } from '../../api/service-ranges.ts'
import { isHostAddress } from '../../lib/ipv4.ts'
import type { Timer } from '../../lib/clock.ts'
import type { ServerContext } from '../server-context.ts'
import type { CachedObject } from '../storage/cached-object.ts'
import { holdingsOf, isHeldBy, makeHolding, nodePortAllocations, type Allocated, type Holding } from './holdings.ts'
import { warn } from './repair-event.ts'
import { nodePortRange } from './service-allocator.ts'

const everyMs = 180_000
/** As long as a Service may still be on its way to the store. */
const graceMs = 60_000

/** Resolves after the first round. @returns how to stop it */
export async function startRepair(context: ServerContext): Promise<() => void> {
  let timer: Timer | undefined
  let stopped = false
  const schedule = (): void => {
    if (stopped) return
    timer = context.clock.after(everyMs, () => {
      repair(context)
        .catch((error: Error) => {
          if (!stopped)
            context.logger.warn('service addresses and node ports could not be repaired', { error: error.message })
        })
        .finally(schedule)
    })
  }
  await repair(context)
  schedule()
  return () => {
    stopped = true
    timer?.cancel()
  }
}

async function repair(context: ServerContext): Promise<void> {
  const { storage } = context
  const written: Promise<unknown>[] = []
  for (const { object } of storage.cache(services).values()) {
    for (const holding of holdingsOf(object as Service)) {
      const work = mend(context, object as Service, holding)
      if (work !== undefined) written.push(work)
    }
  }
  for (const resource of [ipAddresses, nodePortAllocations]) {
    for (const found of storage.cache(resource).values())
      if (isLeft(context, resource, found)) written.push(collect(context, resource, found))
  }
  await Promise.all(written)
}

function mend(context: ServerContext, service: Service, holding: Holding): Promise<unknown> | undefined {
  const { storage } = context
  const { resource, name } = holding
  const [texts, outOfRange] =
    resource === ipAddresses ? [addressTexts, !isInAnyRange(context, name)] : [portTexts, !isNodePort(Number(name))]
  if (outOfRange) return warn(context, service, texts.outOfRange(name))
  const found = storage.get(resource, name)
  if (found === undefined) {
    return Promise.all([
      storage.put(resource, name, makeHolding(holding, service, context), 0),
      warn(context, service, texts.notAllocated(name)),
    ])
  }
  if (isHeldBy(found.object as Allocated, service)) return undefined
  const owner = ownerOf(context, found)
  if (owner !== undefined && holdingsOf(owner).some(other => other.resource === resource && other.name === name))
    return warn(context, service, texts.alreadyAllocated(name))
  // Noted for somebody who does not have it: this one does.
  return Promise.all([
    storage.put(resource, name, makeHolding(holding, service, context), found.revision),
    warn(context, service, texts.wrongReference(name, service)),
  ])
}

const isNodePort = (port: number): boolean => port >= nodePortRange.first && port <= nodePortRange.last

function isInAnyRange({ storage }: ServerContext, address: string): boolean {
  return storage
    .cache(serviceCidrs)
    .list()
    .some(({ object }) => ipv4RangesOf(object as ServiceCIDR).some(range => isHostAddress(address, range)))
}

function ownerOf({ storage }: ServerContext, { object }: CachedObject): Service | undefined {
  const parent = (object as Allocated).spec?.parentRef
  if (parent === undefined || parent.resource !== 'services' || (parent.group ?? '') !== '') return undefined
  return storage.get(services, keyOf({ metadata: { namespace: parent.namespace, name: parent.name } }))?.object as
    | Service
    | undefined
}

/** Noted, but nobody has it. */
function isLeft(context: ServerContext, resource: Holding['resource'], found: CachedObject): boolean {
  const { object } = found
  if (resource === ipAddresses && !isServiceAddress(object as IPAddress)) return false
  const owner = ownerOf(context, found)
  if (
    owner !== undefined &&
    holdingsOf(owner).some(holding => holding.resource === resource && holding.name === found.key)
  )
    return false
  return context.clock.now() - Date.parse(object.metadata.creationTimestamp) > graceMs
}

async function collect(context: ServerContext, resource: Holding['resource'], found: CachedObject): Promise<void> {
  const { namespace, name } = (found.object as Allocated).spec?.parentRef ?? { name: '' }
  context.logger.info('what no service has any longer is given back', {
    what: found.key,
    service: `${namespace ?? ''}/${name}`,
  })
  if (!(await context.storage.delete(resource, found)).ok || resource !== ipAddresses) return
  const isWrong = ownerOf(context, found) !== undefined
  await warn(
    context,
    found.object,
    isWrong
      ? {
          reason: 'IPAddressWrongReference',
          message: `IPAddress: ${found.key} for Service ${namespace}/${name} has a wrong reference; cleaning up`,
        }
      : {
          reason: 'IPAddressNotAllocated',
          message: `IPAddress: ${found.key} for Service ${namespace}/${name} appears to have leaked: cleaning up`,
        },
  )
}

const addressTexts = {
  outOfRange: (address: string) => ({
    reason: 'ClusterIPOutOfRange',
    message: `Cluster IP [IPv4]: ${address} is not within any configured Service CIDR; please recreate service`,
  }),
  notAllocated: (address: string) => ({
    reason: 'ClusterIPNotAllocated',
    message: `Cluster IP [IPv4]: ${address} is not allocated; repairing`,
  }),
  alreadyAllocated: (address: string) => ({
    reason: 'ClusterIPAlreadyAllocated',
    message: `Cluster IP [IPv4]:${address} was assigned to multiple services; please recreate service`,
  }),
  wrongReference: (address: string, { metadata }: Service) => ({
    reason: 'ClusterIPNotAllocated',
    message: `the ClusterIP [IPv4]: ${address} for Service ${metadata.namespace}/${metadata.name} has a wrong reference; repairing`,
  }),
}

const portTexts = {
  outOfRange: (port: string) => ({
    reason: 'PortOutOfRange',
    message: `Port ${port} is not within the port range ${nodePortRange.first}-${nodePortRange.last}; please recreate service`,
  }),
  notAllocated: (port: string) => ({ reason: 'PortNotAllocated', message: `Port ${port} is not allocated; repairing` }),
  alreadyAllocated: (port: string) => ({
    reason: 'PortAlreadyAllocated',
    message: `Port ${port} was assigned to multiple services; please recreate service`,
  }),
  wrongReference: (port: string) => ({
    reason: 'PortNotAllocated',
    message: `Port ${port} is not allocated; repairing`,
  }),
}
