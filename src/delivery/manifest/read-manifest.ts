// From the text of an `app.yml` and the name of an environment to a complete manifest.
import { nearestName } from './nearest-name.ts'
import { checkedManifest, ManifestError } from './check.ts'
import { manifestFields, portAbout } from './fields.ts'
import {
  localRegistry,
  versionVariable,
  type EnvironmentValue,
  type HealthCheck,
  type Manifest,
  type ManifestPort,
} from './manifest.ts'

type WrittenPort = number | { port?: number; nodePort?: number; protocol?: 'TCP' | 'UDP' }

interface Changeable {
  image?: string
  namespace?: string
  replicas?: number
  command?: string[]
  ports?: Record<string, WrittenPort>
  health?: { http?: string; grpc?: boolean; tcp?: boolean; port?: string }
  env?: Record<string, string | { secret?: string; configMap?: string; key: string }>
  resources?: { cpu?: string; memory?: string }
  strategy?: 'rolling' | 'recreate'
  stopSeconds?: number
}

interface Written extends Changeable {
  name: string
  environments?: Record<string, Changeable | null>
}

const defaultStopSeconds = 30

/** Ends the reading with a mistake of that place: in the environment where that has it, else in the rest. */
type Mistake = (path: readonly string[], message: string) => never

/** @throws ManifestError with line, field and suggestion for every mistake */
export function readManifest(file: string, text: string, environment: string): Manifest {
  const { value, lineAt } = checkedManifest(file, text, manifestFields)
  const written = value as unknown as Written
  const environments = Object.keys(written.environments ?? {})
  if (environments.length > 0 && !environments.includes(environment)) {
    const meant = nearestName(environment, environments)
    throw new ManifestError(file, [
      `${lineAt(['environments'])}: there is no environment "${environment}"; ${meant === undefined ? `there is ${environments.join(', ')}` : `did you mean "${meant}"?`}`,
    ])
  }
  const change = written.environments?.[environment] ?? {}
  const mistake: Mistake = (path, message) => {
    const isChanged = holds(change, path)
    const line = lineAt(isChanged ? ['environments', environment, ...path] : path)
    throw new ManifestError(file, [`${line}: ${path.join('.')}: ${message}`])
  }
  const merged = overlay(written, change)
  const ports = Object.entries(merged.ports ?? {}).map(([name, port]) => portOf(name, port, mistake))
  checkTwice(ports, mistake)
  return {
    name: written.name,
    image: merged.image ?? `${localRegistry}/${written.name}`,
    namespace: merged.namespace ?? environment,
    replicas: merged.replicas ?? 1,
    command: merged.command ?? [],
    ports,
    health: healthOf(merged.health, ports, mistake),
    environment: Object.fromEntries(
      Object.entries(merged.env ?? {}).map(([name, given]) => [name, environmentValue(name, given, mistake)]),
    ),
    resources: merged.resources ?? {},
    strategy: merged.strategy ?? 'rolling',
    stopSeconds: merged.stopSeconds ?? defaultStopSeconds,
  }
}

/** Which environments the manifest names. @throws ManifestError */
export function environmentsOf(file: string, text: string): string[] {
  return Object.keys((checkedManifest(file, text, manifestFields).value as unknown as Written).environments ?? {})
}

function holds(value: unknown, path: readonly string[]): boolean {
  let inside = value
  for (const name of path) {
    if (typeof inside !== 'object' || inside === null || !Object.hasOwn(inside, name)) return false
    inside = (inside as Record<string, unknown>)[name]
  }
  return true
}

/** Maps are merged key by key, ports down to their fields; everything else is replaced. */
function overlay(base: Written, change: Changeable): Changeable {
  const ports = { ...base.ports }
  for (const [name, port] of Object.entries(change.ports ?? {}))
    ports[name] = { ...fieldsOf(ports[name] ?? {}), ...fieldsOf(port) }
  return {
    ...base,
    ...change,
    ports,
    env: { ...base.env, ...change.env },
    resources: { ...base.resources, ...change.resources },
  }
}

const fieldsOf = (port: WrittenPort): Exclude<WrittenPort, number> => (typeof port === 'number' ? { port } : port)

function portOf(name: string, written: WrittenPort, mistake: Mistake): ManifestPort {
  const { port, ...rest } = fieldsOf(written)
  if (port === undefined) return mistake(['ports', name], `the field "port" is missing: ${portAbout}`)
  return { name, port, protocol: 'TCP', ...rest }
}

function checkTwice(ports: readonly ManifestPort[], mistake: Mistake): void {
  const users = new Map<string, string>()
  for (const { name, port, nodePort, protocol } of ports)
    for (const [field, number] of Object.entries({ port, nodePort })) {
      if (number === undefined) continue
      const user = users.get(`${field} ${number} ${protocol}`)
      if (user !== undefined)
        mistake(['ports', name, field], `expected a ${field} of its own, found ${number}, which "${user}" has`)
      users.set(`${field} ${number} ${protocol}`, name)
    }
}

function healthOf(
  health: Changeable['health'],
  ports: readonly ManifestPort[],
  mistake: Mistake,
): HealthCheck | undefined {
  if (health === undefined) return undefined
  const port = health.port ?? ports[0]?.name
  if (port === undefined || !ports.some(({ name }) => name === port))
    return mistake(
      ['health'],
      `expected the name of a port of this service, found ${health.port === undefined ? 'no ports at all' : `"${health.port}"; there is ${ports.map(({ name }) => name).join(', ')}`}`,
    )
  const ways = (['http', 'grpc', 'tcp'] as const).filter(way => health[way] !== undefined)
  if (ways.length !== 1)
    return mistake(
      ['health'],
      `expected one of http, grpc and tcp, found ${ways.length === 0 ? 'none of them' : ways.join(' and ')}`,
    )
  if (health.http !== undefined) return { kind: 'http', path: health.http, port }
  return { kind: health.grpc ? 'grpc' : 'tcp', port }
}

function environmentValue(
  name: string,
  value: NonNullable<Changeable['env']>[string],
  mistake: Mistake,
): EnvironmentValue {
  if (name === versionVariable)
    return mistake(['env', name], 'expected another name: Sampan sets this one to the version that is delivered')
  if (typeof value !== 'object') return { value }
  if (value.secret !== undefined && value.configMap !== undefined)
    return mistake(['env', name], 'expected one of secret and configMap, found both')
  if (value.secret !== undefined) return { secret: value.secret, key: value.key }
  if (value.configMap !== undefined) return { configMap: value.configMap, key: value.key }
  return mistake(['env', name], 'expected a value, or the name of a secret or configMap beside its key')
}
