// Deliveries into an engine in memory: a schema that runs change, backing services that remember, hooks that listen,
// and processes that can be killed between any two things they do.
import { defaultSettings } from '../images/build/settings.ts'
import { deploy, resume, rollback } from '../delivery/deploy.ts'
import type { DeliveryOptions } from '../delivery/delivering.ts'
import { MemoryEngine } from '../delivery/engine/memory/memory-engine.ts'
import type { Inability, RunResult } from '../delivery/engine/engine.ts'
import type { Part, Place, Run } from '../delivery/engine/parts.ts'
import type { News } from '../delivery/execution/world.ts'
import type { Manifest } from '../delivery/manifest/manifest.ts'
import { serviceMaterial } from '../delivery/materials/service-materials.ts'
import { bundleOf } from '../delivery/plan/bundles.ts'
import type { Materials } from '../delivery/plan/materials.ts'
import type { Release } from '../delivery/release.ts'
import type { BackingService } from '../delivery/services/backing-service.ts'
import { takeBackGroup } from '../delivery/take-back-group.ts'
import { FakeClock } from './fake-clock.ts'

export class Killed extends Error {}

export const plainManifest: Manifest = {
  name: 'hcn',
  image: 'sampan.local/hcn',
  namespace: 'test',
  replicas: 2,
  command: [],
  ports: [{ name: 'http', port: 3000, protocol: 'TCP' }],
  health: { kind: 'http', path: '/healthz', port: 'http' },
  environment: {},
  resources: {},
  security: { root: false, capabilities: [], readOnlyRoot: false },
  sidecars: [],
  strategy: { kind: 'rolling' },
  stopSeconds: 30,
  spread: true,
  disruptionBudget: true,
  services: [],
  migrate: undefined,
  routes: [],
  schedules: [],
  checks: {},
  files: [],
  secrets: [],
  notify: [],
  build: defaultSettings,
  dev: { reload: 'restart' },
}

/** What there is outside of the engine's parts. */
interface Outside {
  readonly schema: readonly string[]
  readonly databases: readonly string[]
}

export class MemoryDelivery {
  readonly engine = new MemoryEngine()
  readonly place: Place = { environment: 'test', namespace: 'test', service: 'hcn' }
  readonly notes: string[] = []
  readonly warnings: string[] = []
  /** What was said to be done. */
  readonly done: string[] = []
  readonly told: News[] = []
  /** Words in the name of a run, the kind of a verb or the name of a hook that fail. */
  failing: string | undefined
  /** What the engine cannot do. */
  lacking: readonly Inability[] = []
  /** Routes share requests by weights. */
  weighs = false
  query: DeliveryOptions['query']
  /** What hooks do not answer to. */
  deafTo: News['event'] | undefined

  /** What a run says that fails. */
  said = ['no']
  /** A verb fails one time. */
  once = false
  /** How many things may still happen before the process is killed. */
  lives = Infinity
  private readonly clock = new FakeClock()
  private schema: string[] = []
  private readonly databases = new Set<string>()
  private dead = false
  private processes = 1
  private passwords = 0

  constructor() {
    this.engine.behaviour = {
      at: verb => {
        const { failing } = this
        if (failing !== undefined && `before ${failing}` === verb) {
          if (this.once) this.failing = undefined
          throw new Error(`${failing} fails`)
        }
        this.live()
      },
      cannot: () => this.lacking,
      sharing: () =>
        this.weighs ? { by: 'weights' } : { by: 'instances', because: 'nothing in memory weighs requests' },
      run: run => this.run(run),
      rollOut: workload =>
        this.failing === `rollOut ${workload.track}`
          ? { state: 'failed', reason: 'it crashes', lastWords: ['boom'] }
          : { state: 'done' },
    }
  }

  /** @param group of releases that are delivered together */
  deploy(manifest: Manifest, version: string, group?: string): Promise<Release> {
    return this.deliver(manifest, version, group === undefined ? {} : { group })
  }

  /** As somebody who works on it does. */
  develop(manifest: Manifest): Promise<Release> {
    return this.deliver(manifest, 'dev', { development: true })
  }

  private deliver(manifest: Manifest, version: string, more: Partial<DeliveryOptions>): Promise<Release> {
    const gather = (_place: Place, present: Release | undefined): Promise<Materials> =>
      this.materials(manifest, version, present)
    return this.settled(deploy({ manifest, environment: 'test', version, gather }, { ...this.options(), ...more }))
  }

  rollback(revision?: number, keepSchema = false): Promise<Release> {
    const wanted = { place: this.place, keepSchema, ...(revision !== undefined && { revision }) }
    return this.settled(rollback(wanted, this.options()))
  }

  takeBackGroup(group: string): Promise<void> {
    return this.settled(takeBackGroup(this.place, group, this.options()))
  }

  resume(): Promise<Release> {
    return this.settled(resume(this.place, this.options()))
  }

  /** Something else that is done under the service's lease, or beside it. */
  work<T>(what: (options: DeliveryOptions) => Promise<T>): Promise<T> {
    return this.settled(what(this.options()))
  }

  /** Somebody else comes after the process that was killed. */
  next(): void {
    this.dead = false
    this.lives = Infinity
    this.processes++
  }

  /** All that a release may have changed. */
  state(): { readonly parts: readonly Part[]; readonly data: readonly string[]; readonly outside: Outside } {
    const { parts, data } = this.engine.snapshot(this.place)
    return { parts, data, outside: this.outside() }
  }

  outside(): Outside {
    return { schema: [...this.schema], databases: [...this.databases].toSorted() }
  }

  async releases(): Promise<Release[]> {
    return (await this.engine.ledger.list(this.place)).map(({ content }) => content as Release)
  }

  /** Drives the clock meanwhile. */
  private async settled<T>(work: Promise<T>): Promise<T> {
    let over = false
    const end = work.finally(() => {
      over = true
    })
    end.catch(() => {})
    while (!over) await this.clock.advance(1_000)
    if (this.dead) throw new Killed('killed')
    return end
  }

  private live(): void {
    if (this.dead || this.lives-- <= 0) {
      this.dead = true
      throw new Killed('killed')
    }
  }

  private run({ name, process }: Run): RunResult {
    const [program = ''] = process.command
    if (this.failing !== undefined && name.includes(this.failing)) return { exitCode: 1, lines: this.said }
    const given = process.variables['SAMPAN_RELEASE']
    const release = given !== undefined && 'value' in given ? given.value : ''
    if (program === 'up') this.schema = [...this.schema, release]
    if (program === 'down') this.schema = this.schema.filter(entry => entry !== release)
    return { exitCode: 0, lines: program === 'version' ? [`v${this.schema.join('.')}`] : [] }
  }

  private options(): DeliveryOptions {
    const process = this.processes
    return {
      engine: this.engine,
      clock: this.clock,
      report: {
        step: text => void this.done.push(text),
        waiting: () => {},
        note: text => void this.notes.push(text),
        warning: text => void this.warnings.push(text),
      },
      service: async () => this.backing(),
      tell: async (hook, news) => {
        this.live()
        if ((this.failing === hook && news.event === 'deployed') || news.event === this.deafTo)
          throw new Error('nobody answers')
        this.told.push(news)
      },
      ...(this.query !== undefined && { query: this.query }),
      deployer: `process ${process}`,
      isGone: deployer => deployer !== `process ${this.processes}`,
      timeLimitSeconds: 60,
      signal: new AbortController().signal,
    }
  }

  private async materials(manifest: Manifest, version: string, present: Release | undefined): Promise<Materials> {
    const { engine, place } = this
    const services = manifest.services.map(wish =>
      serviceMaterial(wish, {
        engine,
        place,
        present,
        load: async () => this.backing(),
        external: () => undefined,
        secret: name => name,
        password: () => `password${this.passwords++}`,
      }),
    )
    return {
      image: { reference: `${manifest.image}:${version}@sha256:${version}` },
      sidecarImages: {},
      ...(manifest.files.length > 0 && {
        files: bundleOf(
          'hcn',
          'files',
          false,
          Object.fromEntries(manifest.files.map(({ source }) => [source, version])),
        ),
      }),
      ...(manifest.secrets.length > 0 && {
        secrets: bundleOf('hcn', 'secrets', true, Object.fromEntries(manifest.secrets.map(name => [name, version]))),
      }),
      services: await Promise.all(services),
    }
  }

  private backing(): BackingService {
    return {
      type: 'postgres',
      title: 'PostgreSQL',
      port: { name: 'postgres', port: 5432, protocol: 'TCP' },
      credentials: 'own',
      administrator: 'postgres',
      managed: () => ({
        process: { image: 'postgres:17', command: [], security: plainManifest.security },
        variables: {},
        storagePath: '/data',
        health: { kind: 'tcp', port: 'postgres' },
        stopSeconds: 10,
      }),
      variables: ({ credentials: { user, password } }) => ({ DATABASE_URL: `postgres://${user}:${password}@db` }),
      ensure: async (_server, { database }) => {
        this.live()
        if (this.failing === 'ensure') throw new Error('ensure fails')
        const made = this.databases.has(database) ? [] : [`database ${database}`]
        this.databases.add(database)
        this.live()
        return made
      },
      exists: async (_server, { database }) => {
        this.live()
        return this.databases.has(database)
      },
      drop: async (_server, { database }) => {
        this.live()
        this.databases.delete(database)
        return [`database ${database}`]
      },
      backup: async () => {},
      restore: async () => {},
    }
  }
}
