// From what is written, without mistakes, to the manifest: what convention adds, and every choice made.
import { defaultSettings } from '../../images/build/settings.ts'
import type { HealthCheck, Security } from '../engine/parts.ts'
import { readTiming } from '../schedule/read-timing.ts'
import type { Team } from '../team/team.ts'
import { durationSeconds } from './duration.ts'
import {
  backingServiceTypes,
  type BackingServiceWish,
  type Command,
  type EnvironmentValue,
  type Manifest,
  type ManifestProcess,
  type ManifestRoute,
  type ManifestSchedule,
  type Migration,
  type Strategy,
} from './manifest.ts'
import { hostOf, imageOf, namespaceOf, registryOf, withRegistry } from './placement.ts'
import { healthPort, routePort } from './port-choice.ts'
import { accessOf, limitOf, loginSecretOf } from './route-policies.ts'
import type {
  Written,
  WrittenCheck,
  WrittenHealth,
  WrittenMigration,
  WrittenProcess,
  WrittenRoute,
  WrittenSchedule,
  WrittenStrategy,
  WrittenVariable,
} from './written.ts'

const defaultStopSeconds = 30
const defaultCheckSeconds = 300
const defaultMigrationSeconds = 600
const defaultSteps = [
  { percent: 10, seconds: 30 },
  { percent: 50, seconds: 30 },
]
/** From so many instances on, maintenance can leave some. */
const budgetReplicas = 2

export function completeManifest(written: Written, environment: string, team: Team | undefined): Manifest {
  const { name, replicas = 1, checks = {} } = written
  return {
    name,
    image: imageOf(written, environment, team),
    namespace: namespaceOf(written, environment, team),
    replicas,
    ...processOf(written),
    ports: Object.entries(written.ports ?? {}).map(([portName, port]) => ({
      name: portName,
      protocol: 'TCP',
      ...port,
    })),
    health: written.health && healthOf(written.health, healthPort(written)),
    sidecars: Object.entries(written.sidecars ?? {}).map(([sidecar, { image, health, ...process }]) => ({
      name: sidecar,
      ...(image !== undefined && { image: withRegistry(image, environment, team) }),
      health: health && healthOf(health, health.port),
      ...processOf(process),
    })),
    strategy: strategyOf(written.strategy),
    stopSeconds: written.stopSeconds ?? defaultStopSeconds,
    spread: written.spread ?? true,
    disruptionBudget: written.disruptionBudget ?? replicas >= budgetReplicas,
    services: backingServiceTypes.flatMap(type => wishOf(type, written[type], environment, team)),
    migrate: written.migrate === undefined ? undefined : migrationOf(written.migrate),
    routes: (written.routes ?? []).map(route => routeOf(route, written, environment, team)),
    schedules: Object.entries(written.schedules ?? {}).map(([task, schedule]) => scheduleOf(task, schedule)),
    checks: mapped(checks as Readonly<Record<string, WrittenCheck>>, commandOf),
    notify: written.notify ?? [],
    build: { ...defaultSettings, ...written.build },
    dev: { reload: 'restart', ...written.dev },
  }
}

function routeOf(route: WrittenRoute, written: Written, environment: string, team: Team | undefined): ManifestRoute {
  const access = accessOf(route, environment, team)
  const limit = limitOf(route)
  const loginSecret = loginSecretOf(route, environment, team)
  return {
    host: hostOf(route.host, environment, team),
    path: route.path ?? '/',
    port: routePort(written, route.port)!,
    ...(access !== undefined && { access }),
    ...(loginSecret !== undefined && { loginSecret }),
    ...(limit !== undefined && { limit }),
  }
}

const mapped = <From, To>(
  values: Readonly<Record<string, From>> | undefined,
  to: (value: From) => To,
): Record<string, To> => Object.fromEntries(Object.entries(values ?? {}).map(([name, value]) => [name, to(value)]))

const processOf = (written: WrittenProcess): ManifestProcess => ({
  command: written.command ?? [],
  environment: mapped(written.env, variableOf),
  files: Object.entries(written.files ?? {}).map(([path, source]) => ({ path, source })),
  secrets: written.secrets ?? [],
  resources: written.resources ?? {},
  security: securityOf(written),
})

/** @param port known to be there unless a command tells it */
function healthOf({ command, http, grpc }: WrittenHealth, port: string | undefined): HealthCheck {
  if (command !== undefined) return { kind: 'command', command }
  if (http !== undefined) return { kind: 'http', path: http, port: port! }
  return { kind: grpc === true ? 'grpc' : 'tcp', port: port! }
}

function variableOf({ value, secret, configMap, key }: WrittenVariable): EnvironmentValue {
  if (value !== undefined) return { value }
  return secret === undefined ? { configMap: configMap!, key: key! } : { secret, key: key! }
}

function securityOf({
  security: { root = false, user, capabilities = [], readOnlyRoot = false } = {},
}: WrittenProcess): Security {
  return { root, ...(user !== undefined && { user }), capabilities, readOnlyRoot }
}

function strategyOf(written: WrittenStrategy | undefined): Strategy {
  if (written === undefined) return { kind: 'rolling' }
  const { kind, steps = defaultSteps, analysis: { maxRestarts = 0, run, queries = {} } = {} } = written
  if (kind !== 'canary') return { kind }
  return {
    kind,
    steps,
    analysis: {
      maxRestarts,
      ...(run !== undefined && { run: commandOf(run) }),
      queries: Object.entries(queries).map(([name, query]) => ({ name, ...query })),
    },
  }
}

const commandOf = ({ run, timeLimit }: WrittenCheck): Command => ({
  command: run,
  timeLimitSeconds: timeLimit === undefined ? defaultCheckSeconds : durationSeconds(timeLimit),
})

function wishOf(
  type: BackingServiceWish['type'],
  written: Written[BackingServiceWish['type']],
  environment: string,
  team: Team | undefined,
): BackingServiceWish[] {
  if (written === undefined || written === false) return []
  const { image, ...rest } = written
  const registry = registryOf(environment, team)
  if (image !== undefined) return [{ type, ...rest, image: withRegistry(image, environment, team) }]
  return [{ type, ...rest, ...(registry !== undefined && { registry }) }]
}

const migrationOf = ({ timeLimit, irreversible = false, ...commands }: WrittenMigration): Migration => ({
  ...commands,
  irreversible,
  timeLimitSeconds: timeLimit === undefined ? defaultMigrationSeconds : durationSeconds(timeLimit),
})

function scheduleOf(task: string, schedule: WrittenSchedule): ManifestSchedule {
  const { every, cron, timeZone, run, overlap = false, retries = 0, timeLimit } = schedule
  const read = readTiming({
    ...(every !== undefined && { every }),
    ...(cron !== undefined && { cron }),
    ...(timeZone !== undefined && { timeZone }),
  })
  if ('mistake' in read) throw new Error(`the schedule ${task} was checked before: ${read.mistake}`)
  return {
    task,
    timing: read.timing,
    command: run,
    overlap,
    retries,
    ...(timeLimit !== undefined && { timeLimitSeconds: durationSeconds(timeLimit) }),
  }
}
