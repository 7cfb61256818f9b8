// The door between delivery and what runs the services. A plan does to the world what this interface offers, and no
// more; whoever stands above it knows no object of an engine, whoever stands below knows no `app.yml`. Each verb can
// be given again after it was interrupted: the second time ends where the first would have ended. The contract suite
// (contract.ts) says what each implementation owes.
import type { Readable, Writable } from 'node:stream'
import type { Ledger } from './ledger.ts'
import type { Patience } from './patience.ts'
import type { Bundle, Entrance, Part, PartName, Place, Route, Run, Schedule, Workload } from './parts.ts'

export interface Engine {
  /** `kubernetes`, `memory` */
  readonly kind: string
  /** Which one, as people call it: the context of a cluster. */
  readonly name: string
  readonly ledger: Ledger

  /**
   * What of this it cannot do, found out without changing anything: rights that are missing, routes that nobody serves,
   * data without volumes. A `hard` one would fail, another is told and the rest works.
   */
  cannot(place: Place, parts: readonly Part[]): Promise<readonly Inability[]>
  /** How versions that serve at the same time share the requests. */
  sharing(): Promise<Sharing>
  /** Makes the room in which the service lives, where there is none. @returns whether there was none */
  prepare(place: Place): Promise<boolean>
  /** Names of the services that Sampan delivers there, also of those that it has begun to deliver. */
  services(environment: string, namespace: string): Promise<readonly string[]>
  /**
   * Takes away the room that `prepare` made, with all that is left in it, and waits until it is gone. One that somebody
   * else made stays.
   */
  removeRoom(environment: string, namespace: string, watch: Watch): Promise<RoomEnd>
  /** What there is of the service. */
  observe(place: Place): Promise<Observation>
  /** How a part that is there differs from how it should be; undefined: it is not there. */
  compare(place: Place, part: Part): Promise<readonly Difference[] | undefined>

  /** Brings instances and waits until all of them are new and can serve, or that is known not to come. */
  rollOut(place: Place, workload: Workload, watch: Watch): Promise<Verdict>
  /** Whether there is data of a workload, also of one that was removed without it. */
  holdsData(place: Place, workload: string): Promise<boolean>
  /** Ends when it holds, where that is to be known. Fails for what the engine takes and then refuses. */
  put(place: Place, part: Entrance | Schedule | Route, patience: Patience): Promise<Verdict>
  /** None there is fine. What outlives instances stays unless `withData`. */
  remove(place: Place, part: PartName, patience: Patience, options?: { readonly withData?: boolean }): Promise<void>

  /** Starts it, or finds the run of that name, and waits for its end. */
  runOnce(place: Place, run: Run, watch: Watch): Promise<RunResult>
  /** Waits for the end of a run that was started, and starts none. @returns undefined when there was none */
  resultOf(place: Place, name: string, watch: Watch): Promise<RunResult | undefined>
  /** Ends it if it goes on, and forgets it; none there is fine. */
  forgetRun(place: Place, name: string): Promise<void>

  /** None is replaced: what has the name has the content. */
  keep(place: Place, bundle: Bundle): Promise<void>
  /** @returns undefined when there is none */
  readBundle(place: Place, name: string): Promise<Bundle | undefined>
  bundles(place: Place): Promise<readonly string[]>
  dropBundle(place: Place, name: string): Promise<void>

  /** Lines of all instances, in the order of their times. */
  logs(place: Place, wanted: LogsWanted): AsyncIterable<LogLine>
  /** A command in a running instance. @returns its exit code */
  exec(place: Place, command: CommandInInstance): Promise<number>
  /** A run with the terminal of whoever asks; it ends with him. @returns its exit code */
  runAttached(place: Place, run: Run, terminal: Terminal): Promise<number>
  /** A way to a port of an instance from this machine. */
  reach(place: Place, target: { readonly workload: string; readonly port: number }): Promise<Way>
  /** Replaces all instances, as a release would. */
  restart(place: Place, workload: string, watch: Watch): Promise<Verdict>
  scale(place: Place, workload: string, instances: number, watch: Watch): Promise<Verdict>
  /** A run of a schedule now, beside its times. */
  runSchedule(place: Place, schedule: string, run: string, watch: Watch): Promise<RunResult>

  close(): void
}

/** `absent`: there was none, as far as can be seen. */
export type RoomEnd = 'removed' | 'absent' | 'stays'

export interface Inability {
  readonly reason: string
  readonly hard: boolean
}

export type Sharing =
  /** Of routes. */
  | { readonly by: 'weights' }
  /** Each instance gets as many as the next one; `because`: why not by weights. */
  | { readonly by: 'instances'; readonly because: string }

export interface Watch extends Patience {
  /** Told once about each cause that holds it up for a while. */
  readonly heldUp: (text: string) => void
  /** A line of output of a run. */
  readonly line?: (text: string) => void
  readonly timeLimitSeconds: number
}

export type Verdict = { readonly state: 'done' } | Failure

export interface Failure {
  readonly state: 'failed'
  readonly reason: string
  /** Last lines of the instance that tells most, and events about it. */
  readonly lastWords: readonly string[]
}

export interface RunResult {
  readonly exitCode: number
  /** Why there is none, or a bad one: out of memory, out of time, image not found. */
  readonly reason?: string
  /** The last lines of what it wrote. */
  readonly lines: readonly string[]
}

export interface Observation {
  readonly workloads: readonly ObservedWorkload[]
  readonly entrances: readonly { readonly name: string }[]
  readonly schedules: readonly ObservedSchedule[]
  readonly routes: readonly {
    readonly name: string
    readonly host: string
    readonly path: string
    /** Something has said that it serves it. */
    readonly served: boolean
  }[]
}

export interface ObservedWorkload {
  readonly name: string
  readonly track: string
  readonly version: string
  readonly image: string
  readonly wanted: number
  readonly ready: number
  /** Something else decides how many instances there are. */
  readonly autoscaled: boolean
  readonly instances: readonly ObservedInstance[]
}

export interface ObservedInstance {
  readonly name: string
  readonly version: string
  /** In the engine's words: `Running`, `CrashLoopBackOff`. */
  readonly state: string
  readonly ready: boolean
  readonly restarts: number
  /** RFC 3339. */
  readonly since?: string
  readonly node?: string
}

export interface ObservedSchedule {
  readonly name: string
  readonly task: string
  readonly running: number
  /** RFC 3339. */
  readonly lastStart?: string
  readonly lastSuccess?: string
  /** Why the last run failed, or a time was missed. */
  readonly trouble?: string
}

export interface Difference {
  /** As `instances` or `process.image`; an engine's own words where it must. */
  readonly field: string
  readonly is: string
  readonly wanted: string
}

export interface LogsWanted {
  /** Of these workloads; all of the service by default. */
  readonly workloads?: readonly string[]
  /** Of the runs of this schedule, by its name in the manifest, in place of instances. */
  readonly task?: string
  readonly follow: boolean
  /** The run before, of instances that were started again. */
  readonly previous: boolean
  readonly sinceSeconds?: number
  /** Last lines of each instance. */
  readonly tail?: number
  readonly signal: AbortSignal
}

export interface LogLine {
  readonly instance: string
  /** RFC 3339 with nanoseconds. */
  readonly at: string
  readonly text: string
}

export interface CommandInInstance {
  readonly instance: string
  readonly command: readonly string[]
  readonly terminal: Terminal
}

export interface Terminal {
  readonly input?: Readable
  readonly output: Writable
  readonly errors: Writable
  /** Characters go as they are typed. */
  readonly raw: boolean
  readonly size?: () => { readonly columns: number; readonly rows: number }
  /** Calls back when the size has changed; @returns how to stop */
  readonly resized?: (listener: () => void) => () => void
  readonly signal: AbortSignal
}

export interface Way {
  readonly host: string
  readonly port: number
  close(): void
}
