// The contract suite: every engine runs it. It knows processes by what they do, which the factory says in the engine's
// own images and commands, and nothing of what the engine makes of the parts. Each verb is given twice, and where a
// command can be killed in between, another engine over the same world goes on.
import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually } from '../../testing/eventually.ts'
import { DeployError } from '../deploy-error.ts'
import type { Engine, LogLine, ObservedWorkload, Terminal, Watch } from './engine.ts'
import { LedgerConflict, type Taker } from './ledger.ts'
import { partName, type Bundle, type Entrance, type Part, type Place, type Process, type Route } from './parts.ts'
import type { Run, Schedule, Workload } from './parts.ts'

export interface EngineWorld {
  /** Another engine over the same world, as another command has it. */
  engine(): Engine
  /** Where services of the suite may live. */
  readonly namespace: string
  readonly processes: TestProcesses
  close(): Promise<void>
}

/** What not every world has: outputs, processes that take a terminal, sockets, runs that go on, instances that change. */
type Ability = 'logs' | 'terminals' | 'ways' | 'endless runs' | 'instances'

export interface TestProcesses {
  /** Writes `ready to serve` and goes on until it is told to stop; answers HTTP at port 8080. */
  readonly serves: Process
  /** Goes on until it is told to stop, and takes nothing that `serves` takes. */
  readonly rests: Process
  /** Writes `broken` and ends with code 3. */
  readonly crashes: Process
  /** Its image does not exist. */
  readonly missing: Process
  /** Writes the lines and ends with the code. */
  says(lines: readonly string[], exitCode: number): Process
  /** Program and arguments that write what they get as input, for instances of `serves`. */
  readonly echoes: readonly string[]
}

const timeLimitSeconds = 60
const port = { name: 'http', port: 8080, protocol: 'TCP' } as const

const watch = (more: Partial<Watch> = {}): Watch => ({
  progress: () => {},
  heldUp: () => {},
  timeLimitSeconds,
  signal: new AbortController().signal,
  ...more,
})

/** In place of the tests of what a world does not have. */
const notHere = (() => {}) as unknown as typeof test

const noneHere = (() => {}) as unknown as typeof describe

/** @param lacks what this world cannot show: the tests of that are none of its tests */
export function testEngine(name: string, open: () => Promise<EngineWorld>, lacks: readonly Ability[] = []): void {
  describe(`engine contract: ${name}`, () => {
    let world: EngineWorld
    let engine: Engine
    beforeAll(async () => {
      world = await open()
      engine = world.engine()
      await engine.prepare(newPlace())
    })
    afterAll(async () => {
      engine?.close()
      await world?.close()
    })

    const testOf = (ability: Ability): typeof test => (lacks.includes(ability) ? notHere : test)
    const describeOf = (ability: Ability): typeof describe => (lacks.includes(ability) ? noneHere : describe)

    const newPlace = (): Place => ({
      environment: 'test',
      namespace: world.namespace,
      service: `s${randomBytes(4).toString('hex')}`,
    })

    /** As another command would. */
    async function elsewhere<T>(ask: (other: Engine) => Promise<T>): Promise<T> {
      const other = world.engine()
      try {
        return await ask(other)
      } finally {
        other.close()
      }
    }

    const workload = ({ service }: Place, more: Partial<Workload> = {}): Workload => ({
      kind: 'workload',
      name: service,
      service,
      version: '1.0.0',
      track: 'main',
      serving: true,
      instances: 1,
      process: world.processes.serves,
      ports: [port],
      health: { kind: 'tcp', port: 'http' },
      stopSeconds: 1,
      update: 'rolling',
      spread: true,
      disruptionBudget: true,
      ...more,
    })
    const entrance = ({ service }: Place, more: Partial<Entrance> = {}): Entrance => ({
      kind: 'entrance',
      name: service,
      service,
      leadsTo: 'serving',
      ports: [port],
      ...more,
    })
    const route = ({ service }: Place, more: Partial<Route> = {}): Route => ({
      kind: 'route',
      name: `${service}-api`,
      service,
      host: `${service}.example.com`,
      path: '/api',
      entrance: service,
      port: 'http',
      ...more,
    })
    const schedule = ({ service }: Place, more: Partial<Schedule> = {}): Schedule => ({
      kind: 'schedule',
      name: `${service}-report`,
      service,
      version: '1.0.0',
      task: 'report',
      timing: { cron: '0 0 1 1 *' },
      process: world.processes.says(['reported'], 0),
      overlap: false,
      retries: 0,
      ...more,
    })
    const run = ({ service }: Place, process: Process, more: Partial<Run> = {}): Run => ({
      name: `${service}-run`,
      service,
      version: '1.0.0',
      process,
      timeLimitSeconds,
      ...more,
    })
    const seen = async (place: Place, workloadName = place.service): Promise<ObservedWorkload | undefined> =>
      (await engine.observe(place)).workloads.find(found => found.name === workloadName)
    const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
      promise.then(
        () => undefined,
        (error: unknown) => error,
      )

    describe('a place', () => {
      test('that is prepared again is as empty as before', async () => {
        const place = newPlace()
        await engine.prepare(place)
        await engine.prepare(place)
        expect(await engine.observe(place)).toEqual({ workloads: [], entrances: [], schedules: [], routes: [] })
      })

      test('takes what is to come, as far as can be known', async () => {
        const place = newPlace()
        const parts = [workload(place), entrance(place), schedule(place), route(place)]
        expect((await engine.cannot(place, parts)).filter(({ hard }) => hard)).toEqual([])
      })

      test('says how requests are shared, and why so', async () => {
        const { by, because } = await engine.sharing()
        expect(by).toBe('instances')
        expect(because).toMatch(/\w+ \w+/)
      })

      test('is as empty as before when it was asked what cannot be done there', async () => {
        const place = newPlace()
        await engine.cannot(place, [workload(place), entrance(place), schedule(place), route(place)])
        expect(await engine.observe(place)).toEqual({ workloads: [], entrances: [], schedules: [], routes: [] })
      })
    })

    describe('a rollout', () => {
      test('ends when every instance serves, and a second one finds it done', async () => {
        const place = newPlace()
        const wanted = workload(place, { instances: 2 })
        expect(await engine.rollOut(place, wanted, watch())).toEqual({ state: 'done' })
        expect(await elsewhere(other => other.rollOut(place, wanted, watch()))).toEqual({ state: 'done' })
        const serving = { version: '1.0.0', ready: true, restarts: 0 }
        expect(await seen(place)).toMatchObject({
          track: 'main',
          version: '1.0.0',
          image: world.processes.serves.image,
          wanted: 2,
          ready: 2,
          autoscaled: false,
          instances: [serving, serving],
        })
      })

      test('replaces the instances by those of the next version', async () => {
        const place = newPlace()
        await engine.rollOut(place, workload(place, { instances: 2 }), watch())
        await engine.rollOut(place, workload(place, { version: '2.0.0' }), watch())
        await eventually('the old instances are gone', async () => (await seen(place))?.instances.length === 1)
        expect(await seen(place)).toMatchObject({ version: '2.0.0', wanted: 1, instances: [{ version: '2.0.0' }] })
      })

      test('that was left in the middle is finished by the next', async () => {
        const place = newPlace()
        const killed = new AbortController()
        const begun = engine.rollOut(
          place,
          workload(place),
          watch({ signal: killed.signal, progress: () => killed.abort(new Error('killed')) }),
        )
        await failureOf(begun)
        expect(await elsewhere(other => other.rollOut(place, workload(place), watch()))).toEqual({ state: 'done' })
      })

      test('does not begin when it is told to stop', async () => {
        const place = newPlace()
        const stopped = watch({ signal: AbortSignal.abort(new Error('enough')) })
        await expect(engine.rollOut(place, workload(place), stopped)).rejects.toThrow('enough')
        expect(await seen(place)).toBeUndefined()
      })

      test('of an odd version under a long name is found by both', async () => {
        const place = newPlace()
        const name = `${place.service}-${'x'.repeat(80)}`
        const version = `1.0.0_${'y'.repeat(100)}-`
        await engine.rollOut(place, workload(place, { name, version }), watch())
        expect(await seen(place, name)).toMatchObject({ name, version, instances: [{ version }] })
        await engine.remove(place, { kind: 'workload', name })
        expect(await seen(place, name)).toBeUndefined()
      })

      test.for([
        ['whose image does not exist', 'missing', /image/i],
        ['that keeps crashing', 'crashes', /crash|exit code 3/],
      ] as const)('%s fails with the reason, and one that works mends it', async ([, which, reason]) => {
        const place = newPlace()
        const failing = workload(place, { process: world.processes[which], health: undefined, ports: [] })
        expect(await engine.rollOut(place, failing, watch())).toMatchObject({
          state: 'failed',
          reason: expect.stringMatching(reason) as string,
        })
        expect(await elsewhere(other => other.rollOut(place, workload(place), watch()))).toEqual({ state: 'done' })
        await eventually('what failed is gone', async () => (await seen(place))?.instances.length === 1)
      })

      testOf('logs')('that keeps crashing comes with the last words', async () => {
        const place = newPlace()
        const failing = workload(place, { process: world.processes.crashes, health: undefined, ports: [] })
        const verdict = await engine.rollOut(place, failing, watch())
        expect(verdict.state === 'failed' && verdict.lastWords.join('\n')).toMatch(/broken/)
        await engine.remove(place, partName(failing))
      })

      test('brings what is to run beside each instance, and compares it', async () => {
        const place = newPlace()
        const beside = [{ name: 'helper', process: world.processes.rests, health: undefined }]
        const wanted = workload(place, { beside })
        expect(await engine.rollOut(place, wanted, watch())).toEqual({ state: 'done' })
        expect(await seen(place)).toMatchObject({ image: world.processes.serves.image, ready: 1 })
        expect(await engine.compare(place, wanted)).toEqual([])
        const changed = { ...world.processes.rests, variables: { GREETING: { value: 'good evening' } } }
        expect(
          await engine.compare(
            place,
            workload(place, { beside: [{ name: 'helper', process: changed, health: undefined }] }),
          ),
        ).toEqual([{ field: 'beside.helper.variables.GREETING', is: '"hello"', wanted: '"good evening"' }])
        expect(await engine.rollOut(place, workload(place), watch())).toEqual({ state: 'done' })
        expect(await engine.compare(place, workload(place))).toEqual([])
      })

      test('waits for what is beside an instance, too, where its health is told', async () => {
        const place = newPlace()
        const asked = (serves: boolean): Workload => {
          const helper = { name: 'helper', process: world.processes.rests }
          const health = { kind: 'tcp', port: serves ? 'helper' : 'nothing' } as const
          const ports = [port, { ...port, name: 'helper', port: 8081 }, { ...port, name: 'nothing', port: 8082 }]
          return workload(place, { ports, beside: [{ ...helper, health }] })
        }
        expect(await engine.rollOut(place, asked(true), watch())).toEqual({ state: 'done' })
        expect(await engine.compare(place, asked(true))).toEqual([])
        expect(await engine.compare(place, asked(false))).toMatchObject([{ field: 'beside.helper.health' }])
      })

      test('fails with what fails beside the instances', async () => {
        const place = newPlace()
        const failing = workload(place, {
          beside: [{ name: 'helper', process: world.processes.crashes, health: undefined }],
        })
        expect(await engine.rollOut(place, failing, watch())).toMatchObject({
          state: 'failed',
          reason: expect.stringMatching(/helper.*exit code 3/) as string,
        })
        expect((await seen(place))!.instances[0]!.restarts).toBeGreaterThanOrEqual(2)
        await engine.remove(place, partName(failing))
      })

      test('that does not come in time says so', async () => {
        const place = newPlace()
        const waiting = workload(place, { process: world.processes.missing })
        const verdict = await engine.rollOut(place, waiting, watch({ timeLimitSeconds: 0 }))
        expect(verdict).toMatchObject({ state: 'failed', reason: expect.any(String) as string })
        await engine.remove(place, partName(waiting))
      })
    })

    describe('instances', () => {
      testOf('instances')('are restarted all', async () => {
        const place = newPlace()
        await engine.rollOut(place, workload(place), watch())
        const [before] = (await seen(place))!.instances
        expect(await engine.restart(place, place.service, watch())).toEqual({ state: 'done' })
        await eventually('the old instance is gone', async () => {
          const { instances } = (await seen(place))!
          return instances.length === 1 && instances[0]!.name !== before!.name
        })
        expect(await engine.compare(place, workload(place))).toEqual([])
      })

      test('are as many as they are scaled to', async () => {
        const place = newPlace()
        await engine.rollOut(place, workload(place), watch())
        expect(await engine.scale(place, place.service, 2, watch())).toEqual({ state: 'done' })
        expect(await seen(place)).toMatchObject({ wanted: 2, ready: 2 })
      })

      test('that are not there are neither restarted nor scaled', async () => {
        const place = newPlace()
        expect(await failureOf(engine.restart(place, 'nobody', watch()))).toBeInstanceOf(DeployError)
        expect(await failureOf(engine.scale(place, 'nobody', 2, watch()))).toBeInstanceOf(DeployError)
      })
    })

    describe('parts', () => {
      const parts: readonly [string, (place: Place) => Exclude<Part, Workload>, (part: never) => Part][] = [
        ['entrance', entrance, (part: Entrance) => ({ ...part, leadsTo: { track: 'blue' } })],
        ['route', route, (part: Route) => ({ ...part, path: '/' })],
        ['schedule', schedule, (part: Schedule) => ({ ...part, timing: { cron: '0 0 2 1 *' } })],
        [
          'schedule that cron cannot say',
          place => schedule(place, { timing: { start: '2026-01-01T00:00:00Z', everyMinutes: 420 } }),
          (part: Schedule) => ({ ...part, timing: { start: '2026-01-01T01:00:00Z', everyMinutes: 420 } }),
        ],
      ]
      test.for(parts)('a %s is put, compared, changed and removed, each twice', async ([, make, change]) => {
        const place = newPlace()
        const part = make(place)
        const count = async (): Promise<number> => {
          const { entrances, routes, schedules } = await engine.observe(place)
          return [...entrances, ...routes, ...schedules].filter(found => found.name === part.name).length
        }
        expect(await engine.compare(place, part)).toBeUndefined()
        await engine.put(place, part)
        await elsewhere(other => other.put(place, part))
        expect(await count()).toBe(1)
        expect(await engine.compare(place, part)).toEqual([])
        const changed = change(part as never) as typeof part
        expect(await engine.compare(place, changed)).not.toEqual([])
        await engine.put(place, changed)
        expect(await engine.compare(place, changed)).toEqual([])
        await engine.remove(place, partName(part))
        await elsewhere(other => other.remove(place, partName(part)))
        expect(await count()).toBe(0)
      })

      test('a workload is compared and removed, each twice', async () => {
        const place = newPlace()
        expect(await engine.compare(place, workload(place))).toBeUndefined()
        await engine.rollOut(place, workload(place, { instances: 2 }), watch())
        expect(await engine.compare(place, workload(place, { instances: 2 }))).toEqual([])
        expect(await engine.compare(place, workload(place, { instances: 1, version: '2.0.0' }))).not.toEqual([])
        await engine.remove(place, partName(workload(place)))
        await elsewhere(other => other.remove(place, partName(workload(place))))
        expect(await seen(place)).toBeUndefined()
      })

      test('with data are removed only with it', async () => {
        const place = newPlace()
        const stores = workload(place, {
          name: `${place.service}-postgres`,
          track: 'postgres',
          serving: false,
          update: 'recreate',
          storage: { path: '/data', size: '10Mi' },
        })
        expect(await engine.rollOut(place, stores, watch())).toEqual({ state: 'done' })
        await engine.remove(place, partName(stores))
        expect(await seen(place, stores.name)).toMatchObject({ track: 'postgres', wanted: 1 })
        expect(await engine.holdsData(place, stores.name)).toBe(true)
        // A name within a name is another one.
        await engine.remove(place, partName(workload(place)), { withData: true })
        expect(await engine.holdsData(place, place.service)).toBe(false)
        expect(await engine.holdsData(place, stores.name)).toBe(true)
        await engine.remove(place, partName(stores), { withData: true })
        await elsewhere(other => other.remove(place, partName(stores), { withData: true }))
        expect(await seen(place, stores.name)).toBeUndefined()
        await eventually('the data is gone', async () => !(await engine.holdsData(place, stores.name)))
      })

      test('of another service are not observed', async () => {
        const place = newPlace()
        await engine.put(place, entrance(place))
        expect((await engine.observe(newPlace())).entrances).toEqual([])
      })
    })

    describe('a run', () => {
      test.for([0, 3])('ends with its code (%i) and what it wrote', async exitCode => {
        const place = newPlace()
        const lines: string[] = []
        const wanted = run(place, world.processes.says(['one', 'two'], exitCode))
        const result = await engine.runOnce(place, wanted, watch({ line: line => lines.push(line) }))
        expect(result.exitCode).toBe(exitCode)
        if (!lacks.includes('logs'))
          expect([result.lines, lines]).toEqual([
            ['one', 'two'],
            ['one', 'two'],
          ])
      })

      test('is made once: who asks again gets its result, whatever he asks for', async () => {
        const place = newPlace()
        const first = await engine.runOnce(place, run(place, world.processes.says(['first'], 4)), watch())
        const second = run(place, world.processes.says(['second'], 0))
        expect(await elsewhere(other => other.runOnce(place, second, watch()))).toEqual(first)
        expect(await engine.resultOf(place, second.name, watch())).toEqual(first)
      })

      test('that was left in the middle is joined', async () => {
        const place = newPlace()
        const killed = new AbortController()
        const left = run(place, world.processes.says(['done'], 0))
        const begun = engine.runOnce(
          place,
          left,
          watch({ signal: killed.signal, progress: () => killed.abort(new Error('killed')) }),
        )
        await failureOf(begun)
        expect(await elsewhere(other => other.runOnce(place, left, watch()))).toMatchObject({ exitCode: 0 })
      })

      test('that is forgotten, twice, can be made anew', async () => {
        const place = newPlace()
        await engine.runOnce(place, run(place, world.processes.says([], 4)), watch())
        await engine.forgetRun(place, run(place, world.processes.serves).name)
        await elsewhere(other => other.forgetRun(place, run(place, world.processes.serves).name))
        expect(await engine.resultOf(place, `${place.service}-run`, watch())).toBeUndefined()
        expect(await engine.runOnce(place, run(place, world.processes.says([], 0)), watch())).toMatchObject({
          exitCode: 0,
        })
      })

      test('that nobody made has no result, and is forgotten without harm', async () => {
        const place = newPlace()
        expect(await engine.resultOf(place, 'nobody', watch())).toBeUndefined()
        await engine.forgetRun(place, 'nobody')
      })

      test('that can never begin ends with the reason, for everybody', async () => {
        const place = newPlace()
        const hopeless = run(place, world.processes.missing)
        const result = await engine.runOnce(place, hopeless, watch())
        expect(result).toMatchObject({ reason: expect.stringMatching(/image/i) as string })
        expect(result.exitCode).not.toBe(0)
        expect(await engine.resultOf(place, hopeless.name, watch())).toMatchObject({ reason: result.reason })
      })

      testOf('endless runs')('is ended by its time limit', async () => {
        const place = newPlace()
        const endless = run(place, world.processes.serves, { timeLimitSeconds: 1 })
        const result = await engine.runOnce(place, endless, watch())
        expect(result).toMatchObject({ reason: expect.stringMatching(/within 1 second/) as string })
        expect(result.exitCode).not.toBe(0)
      })

      testOf('endless runs')('goes on when nobody waits any more, until it is forgotten', async () => {
        const place = newPlace()
        const endless = run(place, world.processes.serves)
        const stop = new AbortController()
        const waiting = failureOf(engine.runOnce(place, endless, watch({ signal: stop.signal })))
        await eventually('it is there', async () => {
          const result = engine.resultOf(place, endless.name, watch({ signal: AbortSignal.timeout(200) }))
          return ((await failureOf(result)) as Error | undefined)?.name === 'TimeoutError'
        })
        stop.abort(new Error('left'))
        expect(await waiting).toMatchObject({ message: 'left' })
        await engine.forgetRun(place, endless.name)
        expect(await engine.resultOf(place, endless.name, watch())).toBeUndefined()
      })

      test('of a schedule is made now, and once for each name', async () => {
        const place = newPlace()
        const part = schedule(place, { timing: { start: '2026-01-01T00:00:00Z', everyMinutes: 420, count: 1 } })
        await engine.put(place, part)
        const result = await engine.runSchedule(place, part.name, `${place.service}-now`, watch())
        expect(result).toMatchObject({ exitCode: 0 })
        if (!lacks.includes('logs')) expect(result.lines).toEqual(['reported'])
        const again = elsewhere(other => other.runSchedule(place, part.name, `${place.service}-now`, watch()))
        expect(await again).toEqual(result)
        await engine.remove(place, partName(part))
      })

      test('of a schedule that is not there fails', async () => {
        const place = newPlace()
        expect(await failureOf(engine.runSchedule(place, 'nobody', 'now', watch()))).toBeInstanceOf(DeployError)
      })
    })

    describe('a bundle', () => {
      const bundle = ({ service }: Place, secret: boolean, content: string | Buffer): Bundle => ({
        name: `${service}-files-1`,
        service,
        secret,
        entries: { 'a.txt': Buffer.from(content).toString('base64'), empty: '' },
      })

      test.for([
        [true, 'text'],
        [false, 'text'],
        [true, Buffer.from([0xff, 0, 0x80])],
        [false, Buffer.from([0xff, 0, 0x80])],
      ] as const)('is kept byte by byte (secret: %s)', async ([secret, content]) => {
        const place = newPlace()
        const kept = bundle(place, secret, content)
        await engine.keep(place, kept)
        expect(await elsewhere(other => other.readBundle(place, kept.name))).toEqual(kept)
        expect(await engine.bundles(place)).toEqual([kept.name])
      })

      test('is never replaced', async () => {
        const place = newPlace()
        await engine.keep(place, bundle(place, true, 'first'))
        await engine.keep(place, bundle(place, true, 'second'))
        expect(await engine.readBundle(place, bundle(place, true, '').name)).toEqual(bundle(place, true, 'first'))
      })

      test('is dropped, twice, and one that is not there has no content', async () => {
        const place = newPlace()
        const { name: dropped } = bundle(place, false, '')
        await engine.keep(place, bundle(place, false, 'x'))
        await engine.dropBundle(place, dropped)
        await elsewhere(other => other.dropBundle(place, dropped))
        expect(await engine.readBundle(place, dropped)).toBeUndefined()
        expect(await engine.bundles(place)).toEqual([])
      })

      test('is of its service alone', async () => {
        const place = newPlace()
        await engine.keep(place, bundle(place, false, 'x'))
        expect(await engine.bundles(newPlace())).toEqual([])
      })
    })

    describe('the ledger', () => {
      const entry = (revision: number, state = 'pending') => ({
        revision,
        state,
        content: { version: `1.0.${revision}`, many: Array.from({ length: 500 }, () => 'the same again') },
      })

      test('lists what was added, newest first', async () => {
        const place = newPlace()
        expect(await engine.ledger.list(place)).toEqual([])
        for (const revision of [1, 2, 10]) await engine.ledger.add(place, entry(revision))
        const listed = await elsewhere(other => other.ledger.list(place))
        expect(listed.map(({ mark: _mark, ...rest }) => rest)).toEqual([10, 2, 1].map(revision => entry(revision)))
        expect(await engine.ledger.list(newPlace())).toEqual([])
      })

      test('takes a revision once', async () => {
        const place = newPlace()
        const added = await Promise.allSettled(
          Array.from({ length: 5 }, () => elsewhere(other => other.ledger.add(place, entry(1)))),
        )
        expect(added.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
        for (const result of added)
          if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(LedgerConflict)
      })

      test('lets only one write who read the newest', async () => {
        const place = newPlace()
        const first = await engine.ledger.add(place, entry(1))
        const second = await engine.ledger.write(place, { ...first, state: 'deployed' })
        expect(second.mark).not.toBe(first.mark)
        expect(await failureOf(engine.ledger.write(place, { ...first, state: 'failed' }))).toBeInstanceOf(
          LedgerConflict,
        )
        expect(await engine.ledger.list(place)).toEqual([second])
        await engine.ledger.write(place, { ...second, content: 'other' })
        expect((await engine.ledger.list(place))[0]).toMatchObject({ state: 'deployed', content: 'other' })
      })

      test('removes, twice; what is gone is not written', async () => {
        const place = newPlace()
        const added = await engine.ledger.add(place, entry(1))
        await engine.ledger.remove(place, 1)
        await engine.ledger.remove(place, 1)
        expect(await failureOf(engine.ledger.write(place, added))).toBeInstanceOf(LedgerConflict)
        expect(await engine.ledger.list(place)).toEqual([])
      })
    })

    describe('a delivery', () => {
      const taker = (deployer: string, more: Partial<Taker> = {}): Taker => ({
        deployer,
        isGone: () => false,
        waiting: () => {},
        signal: new AbortController().signal,
        ...more,
      })

      test('is one at a time for a service', async () => {
        const place = newPlace()
        const lease = await engine.ledger.take(place, taker('ann'))
        const refused = await failureOf(elsewhere(other => other.ledger.take(place, taker('bob'))))
        expect(refused).toBeInstanceOf(DeployError)
        expect((refused as Error).message).toContain('ann')
        await lease.release()
        expect(lease.lost.aborted).toBe(false)
        await (await engine.ledger.take(place, taker('bob'))).release()
        await (await engine.ledger.take(newPlace(), taker('ann'))).release()
      })

      test('is taken over from who has surely ended, at once', async () => {
        const place = newPlace()
        const left = await engine.ledger.take(place, taker('ann'))
        const lease = await engine.ledger.take(place, taker('bob', { isGone: who => who === 'ann' }))
        await left.release()
        expect(await failureOf(engine.ledger.take(place, taker('eve')))).toBeInstanceOf(DeployError)
        await lease.release()
        await lease.release()
      })
    })

    describeOf('logs')('logs', () => {
      const logs = async (lines: AsyncIterable<LogLine>): Promise<LogLine[]> => {
        const all: LogLine[] = []
        for await (const line of lines) all.push(line)
        return all
      }
      const wanted = { follow: false, previous: false, signal: new AbortController().signal }

      test('have the lines of all instances, in the order of their times', async () => {
        const place = newPlace()
        await engine.rollOut(place, workload(place, { instances: 2 }), watch())
        const instances = (await seen(place))!.instances.map(instance => instance.name)
        const lines = await logs(engine.logs(place, wanted))
        expect(new Set(lines.map(({ instance }) => instance))).toEqual(new Set(instances))
        expect(lines.map(({ text: line }) => line)).toEqual(['ready to serve', 'ready to serve'])
        expect(lines.map(({ at }) => at)).toEqual(lines.map(({ at }) => at).toSorted())
        expect(lines[0]!.at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/)
        expect(await logs(engine.logs(place, { ...wanted, workloads: ['nobody'] }))).toEqual([])
        expect(await logs(engine.logs(place, { ...wanted, tail: 0 }))).toEqual([])
        expect(await logs(engine.logs(place, { ...wanted, previous: true }))).toEqual([])
      })

      test('that are followed have those of instances that come later, until they are left', async () => {
        const place = newPlace()
        const stop = new AbortController()
        const found: LogLine[] = []
        await engine.rollOut(place, workload(place), watch())
        const reading = (async () => {
          for await (const line of engine.logs(place, { ...wanted, follow: true, signal: stop.signal }))
            found.push(line)
        })()
        await eventually('the first instance is heard', () => found.length === 1)
        await engine.scale(place, place.service, 2, watch())
        await eventually('the second instance is heard', () => found.length === 2)
        stop.abort()
        await reading
        expect(new Set(found.map(({ instance }) => instance)).size).toBe(2)
      })
    })

    describeOf('terminals')('a terminal', () => {
      function terminal(input?: string): { readonly terminal: Terminal; output(): Promise<string> } {
        const [output, errors] = [new PassThrough(), new PassThrough()]
        const written = text(output)
        return {
          terminal: {
            ...(input !== undefined && { input: Readable.from([Buffer.from(input)]) }),
            output,
            errors,
            raw: false,
            signal: new AbortController().signal,
          },
          output: () => {
            output.end()
            return written
          },
        }
      }

      test('has a command in an instance, with its input, output and exit code', async () => {
        const place = newPlace()
        await engine.rollOut(place, workload(place), watch())
        const [instance] = (await seen(place))!.instances
        const given = terminal('said')
        const command = { instance: instance!.name, command: world.processes.echoes, terminal: given.terminal }
        expect(await engine.exec(place, command)).toBe(0)
        expect(await given.output()).toBe('said')
        const failing = { ...command, command: ['sh', '-c', 'exit 7'], terminal: terminal().terminal }
        expect(await engine.exec(place, failing)).toBe(7)
      })

      test('is refused a command in an instance that is not there', async () => {
        const command = { instance: 'nobody', command: ['true'], terminal: terminal().terminal }
        expect(await failureOf(engine.exec(newPlace(), command))).toBeInstanceOf(DeployError)
      })

      test.for([undefined, 'said'])('has a process of its own, which leaves nothing (input: %s)', async input => {
        const place = newPlace()
        const given = terminal(input)
        const process = input === undefined ? world.processes.says(['said'], 5) : world.processes.serves
        const command = input === undefined ? process.command : world.processes.echoes
        const code = await engine.runAttached(place, run(place, { ...process, command }), given.terminal)
        expect([code, (await given.output()).trim()]).toEqual([input === undefined ? 5 : 0, 'said'])
        expect(await engine.resultOf(place, `${place.service}-run`, watch())).toBeUndefined()
      })
    })

    describeOf('ways')('a way', () => {
      const answerOf = (host: string, portNumber: number): Promise<string> =>
        new Promise((resolve, reject) => {
          const socket = connect(portNumber, host, () => socket.write('GET / HTTP/1.0\r\n\r\n'))
          socket.on('error', reject)
          text(socket).then(resolve, reject)
        })

      test('leads to a port of an instance, again and again, until it is closed', async () => {
        const place = newPlace()
        await engine.rollOut(place, workload(place), watch())
        const way = await engine.reach(place, { workload: place.service, port: 8080 })
        for (let attempt = 0; attempt < 3; attempt++) expect(await answerOf(way.host, way.port)).toMatch(/^HTTP\/1/)
        way.close()
        await expect(answerOf(way.host, way.port)).rejects.toThrow('ECONNREFUSED')
      })

      test('to nobody is none', async () => {
        expect(await failureOf(engine.reach(newPlace(), { workload: 'nobody', port: 8080 }))).toBeInstanceOf(
          DeployError,
        )
      })
    })
  })
}
