// The manifest of a service, `app.yml`: what a person writes, after checking, with an environment's changes laid over
// it and with what convention adds. Plain data; every choice is made.
import type { BuildSettings } from '../../images/build/settings.ts'
import type { Access, HealthCheck, Port, RateLimit, Resources, Security, Timing } from '../engine/parts.ts'

export interface Manifest extends ManifestProcess {
  readonly name: string
  /** Without tag; by default `sampan.local/<name>`. */
  readonly image: string
  readonly namespace: string
  readonly replicas: number
  readonly ports: readonly ManifestPort[]
  readonly health: HealthCheck | undefined
  /** Run beside the service in each instance. */
  readonly sidecars: readonly ManifestSidecar[]
  readonly strategy: Strategy
  /** Seconds an instance gets to finish what it is doing. */
  readonly stopSeconds: number
  /** Instances go to different nodes as far as there are some. */
  readonly spread: boolean
  /** Maintenance takes one instance at a time. */
  readonly disruptionBudget: boolean
  readonly services: readonly BackingServiceWish[]
  readonly migrate: Migration | undefined
  readonly routes: readonly ManifestRoute[]
  readonly schedules: readonly ManifestSchedule[]
  readonly checks: { readonly before?: Command; readonly after?: Command }
  /** Names of hooks. */
  readonly notify: readonly string[]
  readonly build: BuildSettings
  readonly dev: Development
  /** It is being worked on. */
  readonly development?: boolean
}

/** How the service runs while it is being worked on. */
export interface Development {
  /** Started instead of what the image starts. */
  readonly run?: readonly string[]
  /** What happens after a change: the process is started again, or sees it by itself, or another image is made. */
  readonly reload: 'restart' | 'self' | 'image'
  /** Runs on this machine before a change is brought to the container. */
  readonly build?: readonly string[]
}

/** How a process is started, beside its image. */
export interface ManifestProcess {
  readonly command: readonly string[]
  readonly environment: Readonly<Record<string, EnvironmentValue>>
  readonly files: readonly ManifestFile[]
  /** Names of variables whose values are in the environment's secrets. */
  readonly secrets: readonly string[]
  readonly resources: Resources
  readonly security: Security
}

export interface ManifestSidecar extends ManifestProcess {
  readonly name: string
  /** With tag; by default that of the service, in the version that is delivered. */
  readonly image?: string
  readonly health: HealthCheck | undefined
}

/** Of the service and of what runs beside it. */
export const secretsOf = ({ secrets, sidecars }: Manifest): readonly string[] => [
  ...new Set([...secrets, ...sidecars.flatMap(sidecar => sidecar.secrets)]),
]

/** That the gateway shows to providers, and no process has. */
export const loginSecretsOf = ({ routes }: Manifest): readonly string[] => [
  ...new Set(routes.flatMap(({ loginSecret }) => loginSecret ?? [])),
]

export interface ManifestPort extends Port {
  /** Served on this port of the machine (30000 to 32767) as well. */
  readonly nodePort?: number
}

export type EnvironmentValue =
  | { readonly value: string }
  | { readonly secret: string; readonly key: string }
  | { readonly configMap: string; readonly key: string }

export type Strategy =
  | { readonly kind: 'rolling' | 'recreate' | 'blue-green' }
  | { readonly kind: 'canary'; readonly steps: readonly CanaryStep[]; readonly analysis: Analysis }

export interface CanaryStep {
  /** Share of the requests that the new version gets, 1 to 99. */
  readonly percent: number
  /** How long it is watched before the next step. */
  readonly seconds: number
}

export interface Analysis {
  /** The new version's instances may be started again so often. */
  readonly maxRestarts: number
  readonly run?: Command
  /** Where a Prometheus answers: PromQL whose value may not be above `maximum`. */
  readonly queries: readonly { readonly name: string; readonly query: string; readonly maximum: number }[]
}

/** A program and its arguments, started without a shell. */
export interface Command {
  readonly command: readonly string[]
  readonly timeLimitSeconds: number
}

export const backingServiceTypes = ['postgres', 'mysql', 'mongo', 'redis', 'rabbitmq', 'nats', 's3'] as const
export type BackingServiceType = (typeof backingServiceTypes)[number]

export interface BackingServiceWish {
  readonly type: BackingServiceType
  /** Of `managed` ones. */
  readonly image?: string
  /** In front of the image that is chosen where none is named. */
  readonly registry?: string
  /** Of `managed` ones, such as `1Gi`. */
  readonly size?: string
  /** Name of the database, bucket or virtual host; by default the service's. */
  readonly database?: string
}

export interface Migration {
  readonly up: readonly string[]
  /** Undoes what `up` of the same image did. */
  readonly down?: readonly string[]
  /** Prints the version of the schema; its last line counts. */
  readonly version?: readonly string[]
  /** Nothing undoes it: a rollback refuses to go back behind it. */
  readonly irreversible: boolean
  readonly timeLimitSeconds: number
}

export interface ManifestRoute {
  readonly host: string
  readonly path: string
  /** Name of a port. */
  readonly port: string
  /** Without the secret of a login. */
  readonly access?: Access
  /** That its login needs, of the secrets of the environment. */
  readonly loginSecret?: string
  readonly limit?: RateLimit
}

export interface ManifestSchedule {
  readonly task: string
  readonly timing: Timing
  readonly command: readonly string[]
  readonly overlap: boolean
  readonly retries: number
  readonly timeLimitSeconds?: number
}

export interface ManifestFile {
  /** Absolute, in the container. */
  readonly path: string
  /** Relative to the folder of `app.yml`. */
  readonly source: string
}

/** What tells a service which version of it runs. */
export const versionVariable = 'SERVICE_VERSION'
