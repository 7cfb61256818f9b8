// The parts of a service as its manifest wants them, whatever the way there. Pure.
import type { Access, Entrance, Process, Route, Schedule, Sidecar, Workload } from '../engine/parts.ts'
import type { Manifest } from '../manifest/manifest.ts'
import type { Materials, ServiceMaterial } from './materials.ts'

export interface Parts {
  readonly version: string
  readonly process: Process
  readonly beside: readonly Sidecar[]
}

const colours = ['blue', 'green'] as const
export type Track = 'main' | (typeof colours)[number] | 'canary' | 'candidate'

export const otherColour = (colour: string): Track => (colour === 'blue' ? 'green' : 'blue')

export const workloadName = (service: string, track: string): string =>
  track === 'main' ? service : `${service}-${track}`

/** Instances of a track. Only those of `main` and `canary` serve without an entrance of their own. */
export function workloadOf(
  manifest: Manifest,
  { version, process, beside }: Parts,
  track: Track,
  instances: number,
): Workload {
  const { name, ports, health, stopSeconds, strategy, spread, disruptionBudget } = manifest
  return {
    kind: 'workload',
    name: workloadName(name, track),
    service: name,
    version,
    track,
    serving: track === 'main' || track === 'canary',
    instances,
    process,
    ...(beside.length > 0 && { beside }),
    ports: ports.map(({ name: portName, port, protocol }) => ({ name: portName, port, protocol })),
    health,
    stopSeconds,
    update: strategy.kind === 'recreate' ? 'recreate' : 'rolling',
    spread,
    disruptionBudget: disruptionBudget && instances > 1,
    ...(manifest.development && { development: true }),
  }
}

/** Under the service's own name; undefined: nobody calls it. */
export function entranceOf({ name, ports }: Manifest, leadsTo: Entrance['leadsTo']): Entrance | undefined {
  if (ports.length === 0) return undefined
  return {
    kind: 'entrance',
    name,
    service: name,
    leadsTo,
    ports: ports.map(({ name: portName, port, protocol, nodePort }) => ({
      name: portName,
      port,
      protocol,
      ...(nodePort !== undefined && { external: nodePort }),
    })),
  }
}

/** For those who look at a new version before it gets requests. */
export function previewOf(manifest: Manifest, track: Track): Entrance | undefined {
  const entrance = entranceOf(manifest, 'serving')
  return entrance && { ...aside(entrance, 'candidate'), leadsTo: { track } }
}

/** Another one, to a track alone and from within. */
export const aside = (entrance: Entrance, track: Track): Entrance => ({
  ...entrance,
  name: `${entrance.service}-${track}`,
  leadsTo: { track },
  ports: entrance.ports.map(({ external: _external, ...port }) => port),
})

export const schedulesOf = (manifest: Manifest, { version, process }: Parts): Schedule[] =>
  manifest.schedules.map(({ task, timing, command, overlap, retries, timeLimitSeconds }) => ({
    kind: 'schedule',
    name: `${manifest.name}-${task}`,
    service: manifest.name,
    version,
    task,
    timing,
    process: { ...process, command },
    overlap,
    retries,
    ...(timeLimitSeconds !== undefined && { timeLimitSeconds }),
  }))

export const routesOf = ({ name, routes }: Manifest, logins: Materials['logins'] = {}): Route[] =>
  routes.map(({ host, path, port, access, loginSecret, limit }) => ({
    kind: 'route',
    name: routeName(name, host, path),
    service: name,
    host,
    path,
    entrance: name,
    port,
    ...(access !== undefined && {
      access: loginSecret === undefined ? access : withSecret(access, logins[loginSecret]!.name),
    }),
    ...(limit !== undefined && { limit }),
  }))

const withSecret = ({ authentication, ...access }: Access, secret: string): Access => ({
  ...access,
  ...(authentication?.kind === 'login' && { authentication: { ...authentication, secret } }),
})

const routeName = (service: string, host: string, path: string): string =>
  [service, ...`${host}${path}`.toLowerCase().split(/[^a-z0-9]+/)].filter(word => word !== '').join('-')

/** Of a managed backing service: its one instance and how it is reached. */
export function serverParts(service: string, material: ServiceMaterial): [Workload, Entrance] | undefined {
  const { wish, need, administrator, server } = material
  if (server === undefined || need.server.kind !== 'managed') return undefined
  const name = need.server.workload
  const ports = [{ name: wish.type, port: need.server.port, protocol: 'TCP' as const }]
  const variables = Object.fromEntries(
    Object.entries(server.variables).map(([variable, given]) => [
      variable,
      'value' in given ? given : { secret: administrator.name, key: given.credential },
    ]),
  )
  const process: Process = { ...server.process, variables, files: [], resources: {} }
  return [
    {
      kind: 'workload',
      name,
      service,
      version: server.process.image.split(':').at(-1)!,
      track: wish.type,
      serving: false,
      instances: 1,
      process,
      ports,
      health: server.health,
      stopSeconds: server.stopSeconds,
      update: 'recreate',
      spread: false,
      disruptionBudget: false,
      storage: { path: server.storagePath, size: wish.size ?? '1Gi' },
    },
    { kind: 'entrance', name, service, leadsTo: { track: wish.type }, ports },
  ]
}
