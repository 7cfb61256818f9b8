// What a plan consists of. A step is data: what it does, how one sees that it is done, how it is undone, how long it
// may take, and what its handler (src/delivery/steps) needs for all of that. Doing a step twice ends where doing it
// once ends, and undoing it ends where it began, also when it was begun and never finished.
import type { Part, PartName, Run, Share } from '../engine/parts.ts'
import type { BackingServiceType } from '../manifest/manifest.ts'

export type Step = BringStep | RunStep | MigrateStep | ServiceStep | AnalyseStep | NotifyStep
export type StepKind = Step['kind']

export interface StepFacts {
  /** Unique in its plan; stays the same from release to release. */
  readonly id: string
  /** What it does, as `migrate the schema: node migrate.js up`. */
  readonly title: string
  readonly doneWhen: string
  readonly undo: string
  readonly timeLimitSeconds: number
}

/** Parts as they are to be, in this order, and as they were before. */
export interface BringStep extends StepFacts {
  readonly kind: 'bring'
  readonly put: readonly Part[]
  readonly remove: readonly PartName[]
  /** Of what is put or removed: what there was. */
  readonly before: readonly Part[]
}

/** A check: it has to end with 0. */
export interface RunStep extends StepFacts {
  readonly kind: 'run'
  readonly run: Run
}

/** Changes the schema; at a rollback `forward` is the `down` of the release that brought the change. */
export interface MigrateStep extends StepFacts {
  readonly kind: 'migrate'
  readonly forward: Run
  /** undefined: nothing brings the schema back. */
  readonly back?: Run
  /** Prints the version of the schema. */
  readonly version?: { readonly before: Run; readonly after: Run; readonly undoing: Run; readonly undone: Run }
}

/** Kept of a migration whose manifest says how the version of the schema is told. */
export interface MigrateNote {
  readonly before: string
  readonly after: string
}

/** Tells `down` to which version of the schema. */
const schemaGoalVariable = 'SAMPAN_SCHEMA_TO'

/** The run, told where to go. */
export const towards = (run: Run, goal: string): Run => ({
  ...run,
  process: { ...run.process, variables: { ...run.process.variables, [schemaGoalVariable]: { value: goal } } },
})

/** A user, a database, grants on a backing service. */
export interface ServiceStep extends StepFacts {
  readonly kind: 'service'
  readonly need: ServiceNeed
}

/** What a release has on a backing service. Passwords are in the bundles alone. */
export interface ServiceNeed {
  readonly type: BackingServiceType
  readonly database: string
  /** Bundle with `user`, `password` and the service's variables. */
  readonly credentials: string
  /** Bundle with the administrator's `user` and `password`. */
  readonly administrator: string
  readonly server: ServiceServer
  /** Written beside what is made on the server. */
  readonly owner: string
}

/** `port`: where instances reach it; `asked`: where users and databases are made. */
export type ServiceServer = { readonly port: number; readonly asked: number } & (
  | { readonly kind: 'managed'; readonly workload: string }
  /** `authority`: PEM. */
  | { readonly kind: 'external'; readonly host: string; readonly authority?: string }
)

/** Looks at a new version that gets some of the requests. */
export interface AnalyseStep extends StepFacts {
  readonly kind: 'analyse'
  readonly workload: string
  /** Kept while it is watched. */
  readonly share?: Share
  readonly seconds: number
  readonly maxRestarts: number
  readonly run?: Run
  readonly queries: readonly { readonly name: string; readonly query: string; readonly maximum: number }[]
}

export interface NotifyStep extends StepFacts {
  readonly kind: 'notify'
  readonly hook: string
}
