// An engine without a world: parts, runs and records in memory. The property tests of plans and their execution stand
// on it: what runs give and which rollouts succeed is said by whoever makes it, and each verb can be made to fail.
import { DeployError } from '../../deploy-error.ts'
import type {
  CommandInInstance,
  Difference,
  Engine,
  Inability,
  LogLine,
  Observation,
  ObservedSchedule,
  ObservedWorkload,
  RoomEnd,
  RunResult,
  Sharing,
  Verdict,
  Watch,
  Way,
} from '../engine.ts'
import { partDifferences } from './part-differences.ts'
import { LedgerConflict, type DeliveryLease, type Ledger, type LedgerEntry, type Taker } from '../ledger.ts'
import { samePart, type Bundle, type Part, type PartName, type Place, type Run, type Workload } from '../parts.ts'
import type { Patience } from '../patience.ts'

export interface MemoryBehaviour {
  /** What a run ends with; by default 0 and no output. */
  readonly run: (run: Run) => RunResult
  /** Whether instances come to serve; by default they do. */
  readonly rollOut: (workload: Workload) => Verdict
  /** What there is to tell before anything is changed; by default nothing. */
  readonly cannot: (parts: readonly Part[]) => readonly Inability[]
  /** By default each instance gets as many requests as the next one. */
  readonly sharing: () => Sharing
  /** Told before each verb changes anything, and after; it may throw to end the process that asked. */
  readonly at: (verb: string) => void
}

const succeeds: MemoryBehaviour = {
  run: () => ({ exitCode: 0, lines: [] }),
  rollOut: () => ({ state: 'done' }),
  cannot: () => [],
  sharing: () => ({ by: 'instances', because: 'nothing in memory weighs requests' }),
  at: () => {},
}

interface Room {
  parts: Part[]
  readonly data: Set<string>
  /** Names of workloads whose instances do not come to serve. */
  readonly failing: Set<string>
  readonly bundles: Map<string, Bundle>
  readonly runs: Map<string, RunResult>
  readonly entries: Map<string, LedgerEntry>
}

export class MemoryEngine implements Engine {
  readonly kind = 'memory'
  readonly name = 'memory'
  readonly ledger: Ledger
  behaviour: MemoryBehaviour
  private readonly rooms = new Map<string, Room>()
  private readonly holders = new Map<string, string>()
  private marks = 0

  constructor(behaviour: Partial<MemoryBehaviour> = {}) {
    this.behaviour = { ...succeeds, ...behaviour }
    this.ledger = {
      list: async place => this.entriesOf(place),
      add: async (place, entry) => this.writeEntry(place, entry, undefined),
      write: async (place, entry) => this.writeEntry(place, entry, entry.mark),
      remove: async (place, revision) =>
        this.changing('forget', () => void this.room(place).entries.delete(entryKey(place, revision))),
      take: async (place, taker) => this.take(place, taker),
    }
  }

  /** Everything there is, in an order that depends on nothing else. */
  snapshot(place: Place): {
    readonly parts: readonly Part[]
    readonly bundles: readonly string[]
    readonly data: readonly string[]
  } {
    const { parts, bundles, data } = this.room(place)
    const key = ({ kind, name }: Part): string => `${kind} ${name}`
    return {
      parts: parts.toSorted((left, right) => (key(left) < key(right) ? -1 : 1)),
      bundles: [...bundles.keys()].toSorted(),
      data: [...data].toSorted(),
    }
  }

  runNames(place: Place): readonly string[] {
    return [...this.room(place).runs.keys()].toSorted()
  }

  async cannot(_place: Place, parts: readonly Part[]): Promise<readonly Inability[]> {
    return this.behaviour.cannot(parts)
  }

  async sharing(): Promise<Sharing> {
    return this.behaviour.sharing()
  }

  async prepare(place: Place): Promise<boolean> {
    const isNew = !this.rooms.has(place.namespace)
    this.room(place)
    return isNew
  }

  async services(environment: string, namespace: string): Promise<readonly string[]> {
    const { parts, entries } = this.room({ environment, namespace, service: '' })
    const delivered = [...entries.keys()].map(key => key.split(' ')[0]!)
    return [...new Set([...parts.map(({ service }) => service), ...delivered])].toSorted()
  }

  async removeRoom(_environment: string, namespace: string): Promise<RoomEnd> {
    return this.changing('removeRoom', () => (this.rooms.delete(namespace) ? 'removed' : 'absent'))
  }

  async observe(place: Place): Promise<Observation> {
    const own = this.room(place).parts.filter(({ service }) => service === place.service)
    return {
      workloads: own
        .filter(part => part.kind === 'workload')
        .map(part => observedWorkload(part, this.room(place).failing.has(part.name))),
      entrances: own.filter(({ kind }) => kind === 'entrance').map(({ name }) => ({ name })),
      schedules: own
        .filter(part => part.kind === 'schedule')
        .map(({ name, task }): ObservedSchedule => ({ name, task, running: 0 })),
      routes: own
        .filter(part => part.kind === 'route')
        .map(({ name, host, path }) => ({ name, host, path, served: false })),
    }
  }

  async compare(place: Place, part: Part): Promise<readonly Difference[] | undefined> {
    const there = this.room(place).parts.find(candidate => samePart(candidate, part))
    if (there === undefined) return undefined
    return partDifferences(there, part)
  }

  async rollOut(place: Place, workload: Workload, watch: Watch): Promise<Verdict> {
    watch.signal.throwIfAborted()
    return this.changing('rollOut', () => {
      this.replace(place, workload)
      if (workload.storage !== undefined) this.room(place).data.add(workload.name)
      const verdict = this.behaviour.rollOut(workload)
      const { failing } = this.room(place)
      if (verdict.state === 'failed') failing.add(workload.name)
      else failing.delete(workload.name)
      return verdict
    })
  }

  async holdsData(place: Place, workload: string): Promise<boolean> {
    return this.room(place).data.has(workload)
  }

  async put(place: Place, part: Part): Promise<Verdict> {
    return this.changing(`put ${part.kind}`, () => {
      this.replace(place, part)
      return { state: 'done' }
    })
  }

  async remove(place: Place, name: PartName, _patience: Patience, { withData = false } = {}): Promise<void> {
    return this.changing(`remove ${name.kind}`, () => {
      const room = this.room(place)
      room.parts = room.parts.filter(
        part => !samePart(part, name) || (part.kind === 'workload' && part.storage !== undefined && !withData),
      )
      if (withData && name.kind === 'workload') room.data.delete(name.name)
    })
  }

  async runOnce(place: Place, run: Run, watch: Watch): Promise<RunResult> {
    watch.signal.throwIfAborted()
    return this.changing('runOnce', () => {
      const { runs } = this.room(place)
      const result = runs.get(run.name) ?? this.behaviour.run(run)
      runs.set(run.name, result)
      for (const line of result.lines) watch.line?.(line)
      return result
    })
  }

  async resultOf(place: Place, name: string): Promise<RunResult | undefined> {
    return this.room(place).runs.get(name)
  }

  async forgetRun(place: Place, name: string): Promise<void> {
    return this.changing('forgetRun', () => void this.room(place).runs.delete(name))
  }

  async keep(place: Place, bundle: Bundle): Promise<void> {
    return this.changing('keep', () => {
      const { bundles } = this.room(place)
      if (!bundles.has(bundle.name)) bundles.set(bundle.name, bundle)
    })
  }

  async readBundle(place: Place, name: string): Promise<Bundle | undefined> {
    return this.room(place).bundles.get(name)
  }

  async bundles(place: Place): Promise<readonly string[]> {
    return [...this.room(place).bundles.values()]
      .filter(({ service }) => service === place.service)
      .map(({ name }) => name)
  }

  async dropBundle(place: Place, name: string): Promise<void> {
    return this.changing('dropBundle', () => void this.room(place).bundles.delete(name))
  }

  // eslint-disable-next-line require-yield
  async *logs(): AsyncIterable<LogLine> {
    return
  }

  async exec(_place: Place, { command }: CommandInInstance): Promise<number> {
    throw new DeployError(`there are no processes in memory to run ${command.join(' ')} in`)
  }

  async runAttached(place: Place, run: Run): Promise<number> {
    return this.changing(
      'runAttached',
      () => this.behaviour.run({ ...run, name: `${place.service} attached` }).exitCode,
    )
  }

  async reach(_place: Place, { workload, port }: { readonly workload: string; readonly port: number }): Promise<Way> {
    return { host: workload, port, close: () => {} }
  }

  async restart(place: Place, name: string, watch: Watch): Promise<Verdict> {
    return this.rollOut(place, this.workload(place, name), watch)
  }

  async scale(place: Place, name: string, instances: number, watch: Watch): Promise<Verdict> {
    return this.rollOut(place, { ...this.workload(place, name), instances }, watch)
  }

  async runSchedule(place: Place, schedule: string, name: string, watch: Watch): Promise<RunResult> {
    const part = this.room(place).parts.find(candidate => samePart(candidate, { kind: 'schedule', name: schedule }))
    if (part?.kind !== 'schedule') throw new DeployError(`there is no schedule "${schedule}"`)
    const { service, version, process } = part
    return this.runOnce(place, { name, service, version, process, timeLimitSeconds: watch.timeLimitSeconds }, watch)
  }

  close(): void {}

  private workload(place: Place, name: string): Workload {
    const part = this.room(place).parts.find(candidate => samePart(candidate, { kind: 'workload', name }))
    if (part?.kind !== 'workload') throw new DeployError(`there is no workload "${name}"`)
    return part
  }

  private replace(place: Place, part: Part): void {
    const room = this.room(place)
    room.parts = [...room.parts.filter(candidate => !samePart(candidate, part)), part]
  }

  private async changing<T>(verb: string, change: () => T): Promise<T> {
    await Promise.resolve()
    this.behaviour.at(`before ${verb}`)
    const result = change()
    this.behaviour.at(`after ${verb}`)
    return result
  }

  private room({ namespace }: Place): Room {
    let room = this.rooms.get(namespace)
    if (room === undefined) {
      room = { parts: [], data: new Set(), failing: new Set(), bundles: new Map(), runs: new Map(), entries: new Map() }
      this.rooms.set(namespace, room)
    }
    return room
  }

  private entriesOf(place: Place): LedgerEntry[] {
    return [...this.room(place).entries]
      .filter(([key]) => key.startsWith(`${place.service} `))
      .map(([, entry]) => entry)
      .toSorted((left, right) => right.revision - left.revision)
  }

  private async writeEntry(
    place: Place,
    entry: Omit<LedgerEntry, 'mark'>,
    mark: string | undefined,
  ): Promise<LedgerEntry> {
    return this.changing('write', () => {
      const { entries } = this.room(place)
      const key = entryKey(place, entry.revision)
      if (entries.get(key)?.mark !== mark)
        throw new LedgerConflict(`release ${entry.revision} of "${place.service}" was written by somebody else`)
      const written = structuredClone({ ...entry, mark: String(++this.marks) })
      entries.set(key, written)
      return written
    })
  }

  private async take(place: Place, { deployer, isGone }: Taker): Promise<DeliveryLease> {
    const key = `${place.namespace} ${place.service}`
    const holder = this.holders.get(key)
    if (holder !== undefined && holder !== deployer && !isGone(holder))
      throw new DeployError(`${holder} delivers "${place.service}" to the namespace ${place.namespace} right now`)
    this.holders.set(key, deployer)
    return {
      lost: new AbortController().signal,
      release: async () => {
        if (this.holders.get(key) === deployer) this.holders.delete(key)
      },
    }
  }
}

const entryKey = ({ service }: Place, revision: number): string => `${service} ${revision}`

const restartsOfFailing = 3

const observedWorkload = (
  { name, track, version, process, instances }: Workload,
  fails: boolean,
): ObservedWorkload => ({
  name,
  track,
  version,
  image: process.image,
  wanted: instances,
  ready: fails ? 0 : instances,
  autoscaled: false,
  instances: Array.from({ length: instances }, (_unused, index) => ({
    name: `${name}-${index}`,
    version,
    state: fails ? 'Failing' : 'Running',
    ready: !fails,
    restarts: fails ? restartsOfFailing : 0,
  })),
})
