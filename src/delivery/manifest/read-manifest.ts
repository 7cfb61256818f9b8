// From the text of an `app.yml` and the name of an environment to a complete manifest.
import { nearestName } from './nearest-name.ts'
import { checkedValue, ManifestError } from './check.ts'
import { manifestFields } from './fields.ts'
import { localRegistry, type EnvironmentValue, type HealthCheck, type Manifest, type ManifestPort } from './manifest.ts'

interface Changeable {
  image?: string
  namespace?: string
  replicas?: number
  command?: (string | number | boolean)[]
  ports?: Record<string, number | { port: number; nodePort?: number; protocol?: 'TCP' | 'UDP' }>
  health?: { http?: string; grpc?: boolean; tcp?: boolean; port?: string }
  env?: Record<string, string | number | boolean | { secret?: string; configMap?: string; key: string }>
  resources?: { cpu?: string | number; memory?: string | number }
  strategy?: 'rolling' | 'recreate'
  stopSeconds?: number
}

interface Written extends Changeable {
  name: string
  environments?: Record<string, Changeable>
}

const defaultStopSeconds = 30

/** @throws ManifestError with line, field and suggestion for every mistake */
export function readManifest(file: string, text: string, environment: string): Manifest {
  const written = checkedValue(file, text, manifestFields) as unknown as Written
  const environments = Object.keys(written.environments ?? {})
  if (environments.length > 0 && !environments.includes(environment)) {
    const meant = nearestName(environment, environments)
    throw new ManifestError(file, [
      `1: there is no environment "${environment}"; ${meant === undefined ? `there is ${environments.join(', ')}` : `did you mean "${meant}"?`}`,
    ])
  }
  const merged = overlay(written, written.environments?.[environment] ?? {})
  const ports = Object.entries(merged.ports ?? {}).map(([name, value]): ManifestPort =>
    typeof value === 'number' ? { name, port: value, protocol: 'TCP' } : { name, protocol: 'TCP', ...value },
  )
  return {
    name: written.name,
    image: merged.image ?? `${localRegistry}/${written.name}`,
    namespace: merged.namespace ?? environment,
    replicas: merged.replicas ?? 1,
    command: (merged.command ?? []).map(String),
    ports,
    health: healthOf(file, merged.health, ports),
    environment: Object.fromEntries(
      Object.entries(merged.env ?? {}).map(([name, value]) => [name, environmentValue(file, name, value)]),
    ),
    resources: Object.fromEntries(
      Object.entries(merged.resources ?? {}).map(([name, amount]) => [name, String(amount)]),
    ),
    strategy: merged.strategy ?? 'rolling',
    stopSeconds: merged.stopSeconds ?? defaultStopSeconds,
  }
}

/** Maps are merged key by key; everything else is replaced. */
function overlay(base: Written, change: Changeable): Changeable {
  return {
    ...base,
    ...change,
    ports: { ...base.ports, ...change.ports },
    env: { ...base.env, ...change.env },
    resources: { ...base.resources, ...change.resources },
  }
}

function healthOf(file: string, health: Changeable['health'], ports: readonly ManifestPort[]): HealthCheck | undefined {
  if (health === undefined) return undefined
  const port = health.port ?? ports[0]?.name
  if (port === undefined || !ports.some(({ name }) => name === port)) {
    throw new ManifestError(file, [
      `1: health: expected the name of a port of this service, found ${health.port === undefined ? 'no ports at all' : `"${health.port}"; there is ${ports.map(({ name }) => name).join(', ')}`}`,
    ])
  }
  const ways = (['http', 'grpc', 'tcp'] as const).filter(way => health[way] !== undefined)
  if (ways.length !== 1)
    throw new ManifestError(file, [
      `1: health: expected one of http, grpc and tcp, found ${ways.length === 0 ? 'none of them' : ways.join(' and ')}`,
    ])
  if (health.http !== undefined) return { kind: 'http', path: health.http, port }
  return { kind: health.grpc ? 'grpc' : 'tcp', port }
}

function environmentValue(file: string, name: string, value: NonNullable<Changeable['env']>[string]): EnvironmentValue {
  if (typeof value !== 'object') return { value: String(value) }
  if (value.secret !== undefined) return { secret: value.secret, key: value.key }
  if (value.configMap !== undefined) return { configMap: value.configMap, key: value.key }
  throw new ManifestError(file, [
    `1: env.${name}: expected a value, or the name of a secret or configMap beside its key`,
  ])
}
