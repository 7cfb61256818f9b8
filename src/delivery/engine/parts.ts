// What a release consists of, in words that every engine understands: instances, who gets the requests, schedules,
// routes, configuration. Plain data, as it stands in a release's record. Nothing here knows `app.yml`, and nothing
// here knows an engine's own objects.

export type Part = Workload | Entrance | Schedule | Route

export interface PartName {
  readonly kind: Part['kind']
  /** Unique among the parts of its kind in a namespace. */
  readonly name: string
}

/** Where a service of an environment lives. */
export interface Place {
  readonly environment: string
  readonly namespace: string
  readonly service: string
}

/** How an instance, or a run, is started. */
export interface Process {
  /** With digest where that is known. */
  readonly image: string
  /** Differs from delivery to delivery where the digest is not known: the image is to be pulled anew. */
  readonly pullMark?: string
  /** Program and arguments, started without a shell; empty: as the image says. */
  readonly command: readonly string[]
  readonly variables: Readonly<Record<string, Variable>>
  readonly files: readonly MountedFile[]
  readonly resources: Resources
  readonly security: Security
}

/** `secret` and `configuration` name a bundle, or something of the kind that the engine has from elsewhere. */
export type Variable =
  | { readonly value: string }
  | { readonly secret: string; readonly key: string }
  | { readonly configuration: string; readonly key: string }

export interface MountedFile {
  /** Absolute, in the container. */
  readonly path: string
  readonly bundle: string
  readonly key: string
  readonly secret: boolean
}

export interface Resources {
  /** Cores that are reserved, as `0.5` or `500m`. */
  readonly cpu?: string
  /** Cores that are never exceeded. */
  readonly cpuLimit?: string
  /** Bytes that are reserved and never exceeded, as `512Mi`. */
  readonly memory?: string
}

/** Restricted unless it says otherwise: no root, no new privileges, no capabilities, the engine's filter of system calls. */
export interface Security {
  /** May run as root. */
  readonly root: boolean
  /** Numeric; by default the image's. */
  readonly user?: number
  /** Added to none, as `NET_BIND_SERVICE`. */
  readonly capabilities: readonly string[]
  readonly readOnlyRoot: boolean
}

export interface Port {
  readonly name: string
  readonly port: number
  readonly protocol: 'TCP' | 'UDP'
}

/** How it is told whether an instance can serve; `port` is the name of one. */
export type HealthCheck =
  | { readonly kind: 'http'; readonly path: string; readonly port: string }
  | { readonly kind: 'grpc'; readonly port: string }
  | { readonly kind: 'tcp'; readonly port: string }
  | { readonly kind: 'command'; readonly command: readonly string[] }

/** A process that shares the network of an instance: what listens on one of the instance's ports may be either. */
export interface Sidecar {
  /** Unique in its instance, and not the name of the service. */
  readonly name: string
  readonly process: Process
  /** The instance's process begins, and an instance counts, when it holds; `port` is one of the instance's. */
  readonly health: HealthCheck | undefined
}

/** Instances of one version that are alike. */
export interface Workload {
  readonly kind: 'workload'
  readonly name: string
  readonly service: string
  readonly version: string
  /** Which of the service's workloads it is: `main`, `blue`, `green`, `canary`, `candidate`, or a backing service's name. */
  readonly track: string
  /** Gets requests from the entrance that leads to all that serve. */
  readonly serving: boolean
  readonly instances: number
  /** They are as many as make this part of the requests; `instances` is how many that were when it was planned. */
  readonly share?: Share
  readonly process: Process
  /** Run in each instance from before its process starts until after it has ended. */
  readonly beside?: readonly Sidecar[]
  readonly ports: readonly Port[]
  readonly health: HealthCheck | undefined
  /** Time an instance gets to finish what it is doing. */
  readonly stopSeconds: number
  readonly update: 'rolling' | 'recreate'
  /** Over nodes, as far as there are some. */
  readonly spread: boolean
  /** Maintenance of a node takes one instance at a time. */
  readonly disruptionBudget: boolean
  /** Its process may end and wait to be changed: it gets no requests then, nothing starts the instance anew, and nobody waits for its end. */
  readonly development?: boolean
  /** What outlives instances; such a workload is never removed with a release. */
  readonly storage?: { readonly path: string; readonly size: string }
}

export interface Share {
  /** 1 to 99. */
  readonly percent: number
  /** The workload that gets the rest. */
  readonly beside: string
  /** How many instances that had when it was planned. */
  readonly besideInstances: number
  /** Routes weigh the requests, so that there need not be as many instances as make the share. */
  readonly weighed?: true
}

/** A name and ports under which instances are reached; one write switches it. */
export interface Entrance {
  readonly kind: 'entrance'
  readonly name: string
  readonly service: string
  readonly leadsTo: 'serving' | { readonly track: string }
  /** `external`: port of the machines that leads here. */
  readonly ports: readonly (Port & { readonly external?: number })[]
}

/** A process that is started at times; a time is never served twice. */
export interface Schedule {
  readonly kind: 'schedule'
  readonly name: string
  readonly service: string
  readonly version: string
  /** Its name in the manifest. */
  readonly task: string
  readonly timing: Timing
  readonly process: Process
  /** May start while the run before still goes on. */
  readonly overlap: boolean
  /** How often a run that failed is tried again. */
  readonly retries: number
  readonly timeLimitSeconds?: number
}

export type Timing =
  /** Five fields; `timeZone` is an IANA name, UTC by default. */
  | { readonly cron: string; readonly timeZone?: string }
  /** From `start` (RFC 3339, UTC, whole minutes) at each multiple of the period; `count`: so many times in all. */
  | { readonly start: string; readonly everyMinutes: number; readonly count?: number }

/** What comes from outside for a host and a path goes to a port of an entrance. */
export interface Route {
  readonly kind: 'route'
  readonly name: string
  readonly service: string
  /** Whole name; `*.` in front stands for one label. */
  readonly host: string
  /** And everything below it. */
  readonly path: string
  readonly entrance: string
  /** Name of a port of the entrance. */
  readonly port: string
  /** In place of the entrance: others that share the requests, each with a port of that name. */
  readonly weights?: readonly Weight[]
  /** Who may ask; without it everybody. */
  readonly access?: Access
  /** How much each of those who ask gets. */
  readonly limit?: RateLimit
}

export interface Access {
  /** Networks (`10.0.0.0/8`); without it all but those of `deny`. */
  readonly allow?: readonly string[]
  readonly deny?: readonly string[]
  /** How those who ask show who they are. */
  readonly authentication?: Authentication
  /** Whose members may ask, of those who showed who they are. */
  readonly groups?: readonly string[]
}

export type Authentication =
  /** A key in this header. */
  | { readonly kind: 'keys'; readonly header: string }
  /** A name and a password. */
  | { readonly kind: 'basic' }
  | ({ readonly kind: 'token' } & TokenRules)
  | ({ readonly kind: 'login' } & LoginRules)

/** Signed tokens (JSON Web Tokens) that are taken. */
export interface TokenRules {
  readonly issuer: string
  /** For one of them; without it for anybody. */
  readonly audiences?: readonly string[]
  /**
   * Name of the secret, which the engine has from elsewhere, with the public keys of those who sign. Without it and
   * `jwksUri`, the keys are where the issuer says.
   */
  readonly keys?: string
  /** Where the keys are. */
  readonly jwksUri?: string
  /** What they have to say, each with one of its values. */
  readonly claims?: Readonly<Record<string, readonly string[]>>
}

/** People log in at a provider of OpenID Connect. */
export interface LoginRules {
  readonly issuer: string
  readonly clientId: string
  /** Name of the bundle in which `client-secret` is; without it the client is a public one. */
  readonly secret?: string
  /** Beyond `openid`. */
  readonly scopes?: readonly string[]
  /** What the provider has to say of them, each with one of its values. */
  readonly claims?: Readonly<Record<string, readonly string[]>>
}

export interface RateLimit {
  readonly requests: number
  readonly seconds: number
  /** Whose requests are counted together. */
  readonly by: 'consumer' | 'address'
}

export interface Weight {
  readonly entrance: string
  /** A whole number; what it is of the sum of all. */
  readonly weight: number
}

/** A process that runs to its end once; whoever asks for the same name again gets the result of that run. */
export interface Run {
  readonly name: string
  readonly service: string
  readonly version: string
  readonly process: Process
  readonly timeLimitSeconds: number
}

/** Configuration, named by its content and never changed, so that it goes back with the instances. */
export interface Bundle {
  readonly name: string
  readonly service: string
  /** Encrypted at rest where the engine can, and shown to nobody. */
  readonly secret: boolean
  /** Base64 of each entry's bytes. */
  readonly entries: Readonly<Record<string, string>>
}

export const partName = ({ kind, name }: Part): PartName => ({ kind, name })

export const samePart = (left: PartName, right: PartName): boolean =>
  left.kind === right.kind && left.name === right.name
