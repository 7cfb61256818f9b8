// What HAProxy is to run, in the parts in which it changes: the skeleton, for which it has to be loaded anew, and maps and
// servers, which it takes while it runs. Pure.
import type { Entrance, GatewayModel } from '../model/model.ts'
import { withoutPackets } from '../model/without-packets.ts'
import { nowhere, sharedPlaces, frontendLines, type EntranceFiles } from './lines.ts'
import { cacheSections } from './cache-lines.ts'
import { canServe, certificateLayout, listFile, type CertificateLayout } from './certificates.ts'
import { backendLayout, type BackendLayout } from './backend-lines.ts'
import { credentialMaps, signingKeyFiles } from './credentials.ts'
import { handOverLines } from './hand-over-lines.ts'
import { isLogging, ringLines } from './log-lines.ts'
import { limitTables, tableLines } from './limit-tables.ts'
import { allOf, doubleOf, ejects } from './lead-lines.ts'
import { mirroredTo, mirrorEntranceLines, type MirrorPlaces } from './mirror-lines.ts'
import { mirrorScript } from './mirror-script.ts'
import { noResumption } from './client-lines.ts'
import { hasListenersApart } from './misdirected-lines.ts'
import { entranceName, type MapName } from './names.ts'
import { routingTable, type RoutingTable } from './routing-table.ts'
import { connectionLines } from './connection-lines.ts'
import { authorityFiles } from './server-tls.ts'
import { placesOf } from './shares.ts'

export interface Layout {
  /** Global settings and frontends. */
  readonly skeleton: string
  /** Map -> key -> value, by the file of the map, in the order of look-ups. What a map leads to are ids of backends. */
  readonly maps: ReadonlyMap<string, ReadonlyMap<string, string>>
  /** Maps whose order says something. */
  readonly ordered: ReadonlySet<string>
  readonly backends: ReadonlyMap<string, BackendLayout>
  /** What else it reads when it is loaded, by path. */
  readonly read: ReadonlyMap<string, string>
  readonly certificates: CertificateLayout
  /** Tables in which requests are counted -> the periods for which they are. */
  readonly tables: ReadonlyMap<string, number>
}

export interface Places extends MirrorPlaces {
  /** Of all files. */
  readonly directory: string
  /** Of the worker's commands. */
  readonly socket: string
  /** At which the gateway itself answers those who log in. */
  readonly loginSocket: string
  /** To which lines of the log of requests are sent. */
  readonly logSocket: string
  /** Of the sockets at which the process that takes over is handed requests. */
  readonly successorDirectory: string
}

const mapNames: readonly MapName[] = ['hosts', 'one-label', 'below', 'listeners', 'paths', 'read', 'shares']

export function layoutOf(all: GatewayModel, places: Places): Layout {
  const model = withoutPackets(all)
  const entrances = model.entrances.filter(canServe).map(entrance => ({ entrance, table: routingTable(entrance) }))
  const mapFile = (entrance: Entrance, name: MapName): string =>
    `${places.directory}/maps/${entranceName(entrance)}-${name}.map`
  const answersMap = `${places.directory}/maps/answers.map`
  const filesOf = (entrance: Entrance): EntranceFiles => ({
    map: name => mapFile(entrance, name),
    certificates: listFile(entrance, places.directory),
    directory: places.directory,
    ...(model.answers && { answers: answersMap }),
  })
  const maps = entrances.flatMap(({ entrance, table }) =>
    mapNames
      .filter(name => name !== 'read' || table.readPaths !== undefined)
      .filter(name => name !== 'listeners' || hasListenersApart(entrance))
      .map(name => [mapFile(entrance, name), mapOf(name, table)] as const),
  )
  const mirrored = mirroredTo(model.backends)
  const tables = limitTables(model.backends)
  const hasLog = isLogging(model.backends)
  const hasDoubles = [...model.backends.values()].some(ejects)
  const hasMirrors = mirrored.size > 0
  const mirrorMap = `${places.directory}/maps/mirrors.map`
  const mirrorFile = `${places.directory}/mirror.lua`
  return {
    skeleton: [
      ...globalLines(places, [
        ...(hasMirrors ? [`lua-load-per-thread ${mirrorFile}`] : []),
        ...(entrances.some(({ entrance }) => entrance.tls?.clients !== undefined) ? [noResumption] : []),
      ]),
      ...entrances.flatMap(({ entrance, table }) => [
        '',
        ...(entrance.carries === undefined
          ? frontendLines(entrance, table, filesOf(entrance), {
              handOver: handOverLines(entrance, places.successorDirectory),
              hasDoubles,
              isLogging: hasLog,
            })
          : connectionLines(entrance, filesOf(entrance), hasDoubles)),
      ]),
      ...(hasMirrors ? ['', ...mirrorEntranceLines(places, mirrorMap, hasDoubles)] : []),
      ...tableLines(tables),
      ...cacheSections(model.backends),
      ...(hasLog ? ringLines(places.logSocket) : []),
    ].join('\n'),
    maps: new Map([
      ...maps,
      ...(hasMirrors ? [[mirrorMap, identity(mirrored)] as const] : []),
      ...(model.answers ? [[answersMap, model.answers] as const] : []),
      ...credentialMaps(model, places.directory),
    ]),
    ordered: new Set(entrances.map(({ entrance }) => mapFile(entrance, 'below'))),
    backends: new Map(
      [...model.backends].flatMap(([id, backend]) => [
        [id, backendLayout(backend, places)] as const,
        ...(ejects(backend) ? [[allOf(id), backendLayout(doubleOf(backend), places)] as const] : []),
      ]),
    ),
    read: new Map([
      ...(hasMirrors ? [[mirrorFile, mirrorScript] as const] : []),
      ...authorityFiles(model, places.directory),
      ...signingKeyFiles(model, places.directory),
    ]),
    certificates: certificateLayout(model, places.directory),
    tables: new Map(Array.from(tables, ([id, { periodMs }]) => [id, periodMs])),
  }
}

const identity = (ids: ReadonlySet<string>): ReadonlyMap<string, string> => new Map([...ids].map(id => [id, id]))

function mapOf(name: MapName, table: RoutingTable): ReadonlyMap<string, string> {
  switch (name) {
    case 'hosts':
      return table.hosts.exact
    case 'one-label':
      return table.hosts.oneLabel
    case 'below':
      return table.hosts.below
    case 'listeners':
      return table.listeners
    case 'paths':
      return table.paths
    case 'read':
      return table.readPaths ?? new Map()
    case 'shares':
      return sharesOf(table)
  }
}

function sharesOf({ actions }: RoutingTable): ReadonlyMap<string, string> {
  const entries = new Map<string, string>()
  for (const [name, action] of actions) {
    if (!name.startsWith('s_')) continue
    const counts = placesOf(action.shares, sharedPlaces)
    const leads = action.shares.flatMap(({ backend }, index) =>
      Array.from({ length: counts[index]! }, () => backend ?? nowhere),
    )
    for (let place = 0; place < sharedPlaces; place++) entries.set(`${name}/${place}`, leads[place] ?? nowhere)
  }
  return entries
}

const globalLines = ({ socket }: Places, more: readonly string[]): string[] => [
  'global',
  `stats socket ${socket} mode 600 level admin expose-fd listeners`,
  'stats timeout 1h',
  'expose-experimental-directives',
  ...more,
  '',
  'defaults',
  'mode http',
  'option forwardfor',
  'option redispatch',
  // A client that is just sending its next request is answered, after HAProxy was loaded anew, too.
  'option idle-close-on-response',
  'balance roundrobin',
  'retries 3',
  'timeout connect 5s',
  // Of a client that sends its request byte by byte.
  'timeout http-request 10s',
  'timeout http-keep-alive 60s',
  'timeout client 5m',
  'timeout server 5m',
  'timeout tunnel 1h',
  'timeout queue 30s',
]
