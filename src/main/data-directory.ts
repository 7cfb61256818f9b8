// Where a cluster keeps its things, and the facts about it that never change after its first start:
// name, address ranges, node name. A data directory belongs to one cluster.
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statfsSync,
  writeFileSync,
} from 'node:fs'
import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import { homeFolder } from '../client/home-folder.ts'
import { usualDataDirectory } from '../client/start-command.ts'
import { makeFolder } from '../host/make-folder.ts'
import type { ClusterNetwork } from '../api/cluster.ts'
import { nthAddress } from '../lib/ipv4.ts'

export class SetupError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'SetupError'
  }
}

export interface ClusterPlaces {
  readonly name: string
  readonly data: string
  /** Sockets; short, and gone after a reboot. */
  readonly state: string
  readonly controlSocket: string
  /** Of the server, for whoever runs it as a service. */
  readonly pidFile: string
  readonly database: string
  readonly keys: string
  readonly log: string
  readonly registry: string
  /** What was fetched from registries elsewhere, for all clusters of the machine. */
  readonly imageCache: string
  readonly volumes: string
}

export interface ClusterFacts {
  readonly format: 1
  readonly name: string
  readonly nodeName: string
  readonly network: ClusterNetwork
  /** Names of the cluster's link and nftables table: at most 15 characters. */
  readonly linkName: string
}

const namePattern = /^[a-z0-9]([-a-z0-9]{0,30}[a-z0-9])?$/

export function placesOf(name: string, dataDirectory: string | undefined): ClusterPlaces {
  if (!namePattern.test(name))
    throw new SetupError(
      `expected a cluster name of lower-case letters, digits and dashes (32 at most), found "${name}"`,
    )
  const isRoot = process.getuid?.() === 0
  const usual = isRoot ? usualDataDirectory(name) : join(homeFolder(), '.local/share/sampan', name)
  const state = stateDirectory(name, isRoot)
  const used = dataDirectoryInUse(state)
  const data = resolve(dataDirectory ?? used ?? usual)
  if (used !== undefined && used !== data)
    throw new SetupError(
      `the cluster "${name}" runs with the data directory ${used}, not with ${data}; choose another --name, or end that one with: sampan down --name ${name}`,
    )
  return {
    name,
    data,
    state,
    controlSocket: join(state, 'control.sock'),
    pidFile: join(state, 'server.pid'),
    database: join(data, 'store.db'),
    keys: join(data, 'keys'),
    log: join(data, 'server.log'),
    registry: join(data, 'registry'),
    imageCache:
      process.env['SAMPAN_IMAGE_CACHE'] ??
      (isRoot ? '/var/cache/sampan/images' : join(homeFolder(), '.cache/sampan/images')),
    volumes: join(data, 'volumes'),
  }
}

/** @param ofRoot root's, or that of the user who runs this */
export const stateDirectory = (name: string, ofRoot: boolean): string =>
  join(ofRoot ? '/run/sampan' : join(process.env['XDG_RUNTIME_DIR'] ?? '/tmp', 'sampan'), name)

const stateFile = 'cluster.json'

/** Where the cluster that runs (or left containers running) under this name keeps its data. */
function dataDirectoryInUse(state: string): string | undefined {
  try {
    return (JSON.parse(readFileSync(join(state, stateFile), 'utf8')) as { dataDirectory?: string }).dataDirectory
  } catch {
    return undefined
  }
}

/** Lets other commands and other clusters of the machine know about this one, until `sampan down`. @returns whether they did not yet */
export function announce(places: ClusterPlaces, facts: ClusterFacts): boolean {
  const isNew = !existsSync(join(places.state, stateFile))
  mkdirSync(places.state, { recursive: true, mode: 0o700 })
  writeFileSync(join(places.state, stateFile), JSON.stringify({ ...facts, dataDirectory: places.data }), {
    mode: 0o600,
  })
  return isNew
}

/** Reads the cluster's facts, or settles them at its first start. @throws SetupError */
export function clusterFacts(places: ClusterPlaces): ClusterFacts {
  const known = knownFacts(places)
  if (known !== undefined) return known
  const facts = newFacts(places)
  saveFacts(places, facts)
  return facts
}

export function saveFacts(places: ClusterPlaces, facts: ClusterFacts): void {
  const file = join(places.data, stateFile)
  mkdirSync(places.data, { recursive: true, mode: 0o700 })
  writeFileSync(`${file}.new`, `${JSON.stringify(facts, undefined, 2)}\n`, { mode: 0o600 })
  renameSync(`${file}.new`, file)
}

/** undefined: there is no cluster yet. @throws SetupError when the directory is somebody else's, so that nothing of theirs is touched */
export function knownFacts(places: ClusterPlaces): ClusterFacts | undefined {
  const known = readFacts(join(places.data, stateFile))
  if (known !== undefined && known.name !== places.name)
    throw new SetupError(
      `the data directory ${places.data} belongs to the cluster "${known.name}", not to "${places.name}"; use --name ${known.name} or another --data-dir`,
    )
  return known
}

/** Makes the data directory, or makes sure that it is this cluster's. @throws SetupError */
export function openDataDirectory(places: ClusterPlaces): void {
  if (knownFacts(places) === undefined) makeDataDirectory(places)
  assertWritable(places.data)
  const { bavail, bsize } = statfsSync(places.data)
  if (bavail * bsize < neededBytes)
    throw new SetupError(
      `the disk that holds ${places.data} is full (${Math.round((bavail * bsize) / 1e3)} kB are free); free some space and try again`,
    )
}

/** Root may write everywhere but on a disk that is mounted read-only. */
function assertWritable(directory: string): void {
  try {
    accessSync(directory, constants.W_OK)
  } catch (error) {
    throw new SetupError(
      `the data directory ${directory} cannot be written to: ${(error as Error).message}; make it writable, or choose another one with --data-dir`,
    )
  }
}

/** What a start writes at most, without images. */
const neededBytes = 4 * 1024 * 1024

function makeDataDirectory(places: ClusterPlaces): void {
  let strangers: string[]
  try {
    makeFolder(places.data, 0o700)
    strangers = readdirSync(places.data).filter(name => !beforeFacts.has(name))
  } catch (error) {
    throw new SetupError(`the data directory ${places.data} cannot be made: ${(error as Error).message}`)
  }
  if (strangers.length > 0)
    throw new SetupError(
      `the data directory ${places.data} holds other things (${strangers.slice(0, 3).join(', ')}) and no ${stateFile}, so it is not a cluster's; choose an empty one with --data-dir`,
    )
}

/** What may be there before the first start got as far as settling the facts. */
const beforeFacts = new Set(['server.log', `${stateFile}.new`, 'lost+found'])

function readFacts(file: string): ClusterFacts | undefined {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw new SetupError(`the data directory cannot be read: ${(error as Error).message}`)
  }
  try {
    const facts = JSON.parse(text) as ClusterFacts
    if (facts.format === 1 && typeof facts.network?.podCidr === 'string') return facts
  } catch {
    // No JSON, or of another shape: damaged.
  }
  throw new SetupError(
    `${file} is damaged: expected the facts of a cluster in JSON; restore it from a backup, or move the directory away to start empty`,
  )
}

/** What a server finds when it joins a cluster. */
export interface JoinedCluster {
  readonly network: Pick<ClusterNetwork, 'serviceCidr' | 'dnsAddress' | 'domain'>
  /** Ranges of the pods of its other nodes. */
  readonly podCidrs: readonly string[]
}

/** @throws SetupError when no address range is left */
export function newFacts(places: ClusterPlaces, joined?: JoinedCluster): ClusterFacts {
  const second = freeRange(places, joined?.podCidrs.map(secondNumber) ?? [])
  const serviceCidr = `10.${second + 1}.0.0/16`
  const shared = joined?.network ?? { serviceCidr, dnsAddress: nthAddress(serviceCidr, 10), domain: 'cluster.local' }
  return {
    format: 1,
    name: places.name,
    nodeName: nodeNameOf(hostname()),
    network: { ...shared, podCidr: `10.${second}.0.0/16`, nodeAddress: `10.${second}.255.254` },
    linkName: `sampan${second}`,
  }
}

const secondNumber = (podCidr: string): number => Number(podCidr.split('.')[1])

/** The name is a label of the node as well, and those are shorter than the longest host name. */
const longestNodeName = 63

export function nodeNameOf(host: string): string {
  const clean = host
    .toLowerCase()
    .replaceAll(/[^a-z0-9.]/g, '-')
    .slice(0, longestNodeName)
    .replaceAll(/-*\.[-.]*/g, '.')
    .replaceAll(/^[-.]+|[-.]+$/g, '')
  return clean === '' ? 'node' : clean
}

const firstRange = 42
const lastRange = 240

/** The second number of two adjacent 10.x.0.0/16 that neither a route of this machine nor another cluster nor another server of this one uses. */
function freeRange(places: ClusterPlaces, ofMembers: readonly number[]): number {
  const taken = new Set([...routedRanges(), ...rangesOfOtherClusters(places), ...ofMembers])
  for (let second = firstRange; second <= lastRange; second += 2)
    if (!taken.has(second) && !taken.has(second + 1)) return second
  throw new SetupError(
    'every range 10.42.0.0 to 10.240.0.0 is already routed on this machine, so none is left for pods; remove a route or an old cluster',
  )
}

function routedRanges(): number[] {
  let table: string
  try {
    table = readFileSync('/proc/net/route', 'utf8')
  } catch {
    return []
  }
  const destinations = table
    .split('\n')
    .slice(1)
    .map(line => line.split('\t')[1] ?? '')
    .filter(text => text.length === 8)
  // Addresses stand there in hexadecimal, lowest byte first.
  return destinations.filter(text => text.endsWith('0A')).map(text => Number.parseInt(text.slice(4, 6), 16))
}

function rangesOfOtherClusters(places: ClusterPlaces): number[] {
  return otherClusters(places).map(({ network }) => secondNumber(network.podCidr))
}

/** Clusters of this machine that run, or left containers running. */
export function otherClusters(places: ClusterPlaces): (ClusterFacts & { readonly dataDirectory: string })[] {
  const stateRoot = join(places.state, '..')
  let names: string[]
  try {
    names = readdirSync(stateRoot)
  } catch {
    return []
  }
  return names
    .filter(name => name !== places.name)
    .flatMap(name => {
      try {
        return [
          JSON.parse(readFileSync(join(stateRoot, name, stateFile), 'utf8')) as ClusterFacts & {
            dataDirectory: string
          },
        ]
      } catch {
        return []
      }
    })
}
