// What must never happen to a delivery, whatever the manifest, whatever was there and whenever the process is killed.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Killed, MemoryDelivery, plainManifest } from '../testing/memory-delivery.ts'
import type { Entrance, Part, Route, Workload } from './engine/parts.ts'
import type { Manifest, Strategy } from './manifest/manifest.ts'

const command = (...words: string[]): { command: string[]; timeLimitSeconds: number } => ({
  command: words,
  timeLimitSeconds: 60,
})

const strategy = fc.constantFrom<Strategy>(
  { kind: 'rolling' },
  { kind: 'recreate' },
  { kind: 'blue-green' },
  {
    kind: 'canary',
    steps: [
      { percent: 10, seconds: 2 },
      { percent: 50, seconds: 2 },
    ],
    analysis: { maxRestarts: 0, run: command('analyse'), queries: [] },
  },
)

const manifests: fc.Arbitrary<Manifest> = fc
  .record({
    strategy,
    replicas: fc.integer({ min: 1, max: 4 }),
    migrates: fc.constantFrom('no', 'yes', 'with version'),
    postgres: fc.boolean(),
    tasks: fc.subarray(['sync', 'report', 'clean']),
    paths: fc.subarray(['/', '/api']),
    before: fc.boolean(),
    after: fc.boolean(),
    files: fc.boolean(),
    secrets: fc.boolean(),
    notify: fc.boolean(),
  })
  .map(({ migrates, postgres, tasks, paths, before, after, files, secrets, notify, ...rest }) => ({
    ...plainManifest,
    ...rest,
    services: postgres ? [{ type: 'postgres' as const }] : [],
    migrate:
      migrates === 'no'
        ? undefined
        : {
            up: ['up'],
            down: ['down'],
            ...(migrates === 'with version' && { version: ['version'] }),
            irreversible: false,
            timeLimitSeconds: 60,
          },
    schedules: tasks.map(task => ({
      task,
      timing: { cron: '0 * * * *' },
      command: ['node', `${task}.js`],
      overlap: false,
      retries: 0,
    })),
    routes: paths.map(path => ({ host: 'hcn.localhost', path, port: 'http' })),
    checks: { ...(before && { before: command('before') }), ...(after && { after: command('after') }) },
    files: files ? [{ path: '/etc/rules.json', source: 'rules.json' }] : [],
    secrets: secrets ? ['TOKEN'] : [],
    notify: notify ? ['team-hook'] : [],
  }))

const failures = [
  'rollOut main',
  'rollOut blue',
  'rollOut green',
  'rollOut canary',
  'rollOut candidate',
  'rollOut postgres',
  'put entrance',
  'put schedule',
  'put route',
  'remove workload',
  'remove schedule',
  'ensure',
  '-migrate',
  '-check-before',
  '-check-after',
  '-analysis-2',
  'team-hook',
]

interface Earlier {
  readonly releases: readonly Manifest[]
  /** Routes share requests by weights. */
  readonly weighs: boolean
}

/** A service that has had these releases. */
async function having({ releases: earlier, weighs }: Earlier): Promise<MemoryDelivery> {
  const delivery = new MemoryDelivery()
  delivery.weighs = weighs
  for (const [index, manifest] of earlier.entries()) await delivery.deploy(manifest, `${index + 1}.0.0`)
  return delivery
}

/** How many things a delivery does that a kill could come between. */
async function livesOf(earlier: Earlier, work: (delivery: MemoryDelivery) => Promise<unknown>): Promise<number> {
  const delivery = await having(earlier)
  delivery.lives = 100_000
  await work(delivery)
  return 100_000 - delivery.lives
}

const history: fc.Arbitrary<Earlier> = fc.record({
  releases: fc.array(manifests, { minLength: 0, maxLength: 2 }),
  weighs: fc.boolean(),
})
/** A moment within a delivery, as a share of all that it does. */
const moment = fc.double({ min: 0, max: 1, noNaN: true })
const runs = { numRuns: 150 }

describe('a delivery that fails', () => {
  test('leaves what was there, and the next one works', async () => {
    await fc.assert(
      fc.asyncProperty(history, manifests, fc.constantFrom(...failures), async (earlier, manifest, failing) => {
        const delivery = await having(earlier)
        const before = delivery.state()
        delivery.failing = failing
        const failed = await delivery.deploy(manifest, '9.0.0').then(
          () => undefined,
          (error: Error) => error.message,
        )
        delivery.failing = undefined
        if (failed !== undefined) {
          expect(failed).toContain('hcn 9.0.0 was not delivered')
          // What fails again while it is taken back is taken back once it works.
          if (failed.includes('stays half-way')) await delivery.rollback().catch(() => {})
          expect(delivery.state()).toEqual(before)
        }
        await delivery.deploy(manifest, '10.0.0')
        expect((await delivery.releases())[0]).toMatchObject({ state: 'deployed', version: '10.0.0' })
      }),
      runs,
    )
  })
})

/** @param refused how many records are written before one is refused, once */
async function refusingWrite(
  { engine }: MemoryDelivery,
  refused: number,
  work: () => Promise<unknown>,
): Promise<{ readonly writes: number; readonly failed: string | undefined }> {
  const { behaviour } = engine
  let writes = 0
  engine.behaviour = {
    ...behaviour,
    at(verb) {
      if (verb === 'before write' && writes++ === refused) throw new Error('nobody answers')
      behaviour.at(verb)
    },
  }
  const failed = await work().then(
    () => undefined,
    (error: Error) => error.message,
  )
  engine.behaviour = behaviour
  return { writes, failed }
}

test('a delivery whose record is not written is taken back; at its end nothing is, and --resume records it', async () => {
  await fc.assert(
    fc.asyncProperty(history, manifests, moment, async (earlier, manifest, when) => {
      const whole = await having(earlier)
      const { writes } = await refusingWrite(whole, Infinity, () => whole.deploy(manifest, '9.0.0'))
      const delivery = await having(earlier)
      const before = delivery.state()
      const refused = Math.min(writes - 1, Math.floor(when * writes))
      const { failed } = await refusingWrite(delivery, refused, () => delivery.deploy(manifest, '9.0.0'))
      if (failed !== undefined && !failed.includes('every step is done, but that could not be recorded')) {
        expect(delivery.state()).toEqual(before)
        return
      }
      expect(delivery.state()).toEqual(whole.state())
      if (failed !== undefined) await delivery.resume()
      expect((await delivery.releases())[0]).toMatchObject({ state: 'deployed', version: '9.0.0' })
    }),
    runs,
  )
})

interface KilledDelivery {
  readonly delivery: MemoryDelivery
  /** What there was before it. */
  readonly before: ReturnType<MemoryDelivery['state']>
  /** It was recorded, and not brought to its end. */
  readonly isPending: boolean
}

async function killed(earlier: Earlier, manifest: Manifest, when: number): Promise<KilledDelivery> {
  const lives = await livesOf(earlier, whole => whole.deploy(manifest, '9.0.0'))
  const delivery = await having(earlier)
  const before = delivery.state()
  delivery.lives = Math.floor(when * (lives - 1))
  await expect(delivery.deploy(manifest, '9.0.0')).rejects.toThrow(Killed)
  delivery.next()
  return { delivery, before, isPending: (await delivery.releases())[0]?.state === 'pending' }
}

describe('a delivery that is killed at any moment', () => {
  test('is finished by --resume as if nothing had been', async () => {
    await fc.assert(
      fc.asyncProperty(history, manifests, moment, async (earlier, manifest, when) => {
        const whole = await having(earlier)
        await whole.deploy(manifest, '9.0.0')
        const { delivery, before, isPending } = await killed(earlier, manifest, when)
        if (!isPending) {
          // Before it was recorded nothing was changed; behind its last step nothing is left to do.
          const [newest] = await delivery.releases()
          expect(delivery.state()).toEqual(newest?.version === '9.0.0' ? whole.state() : before)
          return
        }
        await delivery.resume()
        expect(delivery.state()).toEqual(whole.state())
        expect((await delivery.releases())[0]).toMatchObject({ state: 'deployed', version: '9.0.0' })
      }),
      runs,
    )
  })

  test('is taken back by a rollback, and by the next delivery', async () => {
    await fc.assert(
      fc.asyncProperty(history, manifests, moment, async (earlier, manifest, when) => {
        const { delivery, before, isPending } = await killed(earlier, manifest, when)
        if (!isPending) return
        const { state } = await delivery.rollback()
        expect(state).toBe(earlier.releases.length > 0 ? 'deployed' : 'failed')
        expect(delivery.state()).toEqual(before)
        await delivery.deploy(manifest, '10.0.0')
        expect((await delivery.releases())[0]).toMatchObject({ state: 'deployed', version: '10.0.0' })
      }),
      runs,
    )
  })

  test('also when it was killed again while it was taken back', async () => {
    await fc.assert(
      fc.asyncProperty(
        history,
        manifests,
        moment,
        fc.integer({ min: 0, max: 30 }),
        async (earlier, manifest, when, second) => {
          const { delivery, before, isPending } = await killed(earlier, manifest, when)
          if (!isPending) return
          delivery.lives = second
          await delivery.rollback().catch(() => {})
          delivery.next()
          if ((await delivery.releases())[0]?.state === 'pending') await delivery.rollback().catch(() => {})
          expect(delivery.state()).toEqual(before)
        },
      ),
      runs,
    )
  })
})

describe('a rollback', () => {
  test('puts instances, schedules, routes and the schema of any kept release back', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(manifests, { minLength: 2, maxLength: 4 }),
        fc.nat(),
        fc.nat(),
        async (earlier, first, second) => {
          const delivery = new MemoryDelivery()
          const states: ReturnType<MemoryDelivery['state']>[] = []
          for (const [index, manifest] of earlier.entries()) {
            await delivery.deploy(manifest, `${index + 1}.0.0`)
            states.push(delivery.state())
          }
          for (const wanted of [first, second]) {
            const goal = (wanted % earlier.length) + 1
            const release = await delivery.rollback(goal).catch((error: Error) => error.message)
            if (typeof release === 'string') expect(release).toContain('is what runs now')
            const was = states[goal - 1]!
            expect(aspects(delivery.state().parts)).toEqual(aspects(was.parts))
            expect(delivery.outside().schema.toSorted()).toEqual(was.outside.schema.toSorted())
          }
        },
      ),
      runs,
    )
  })

  /** What a user of the service could tell apart: who gets the requests, schedules and routes. */
  function aspects(parts: readonly Part[]): unknown {
    const entrance = parts.find(part => part.kind === 'entrance' && part.name === 'hcn')
    const serving = parts.filter(
      part =>
        part.kind === 'workload' &&
        entrance?.kind === 'entrance' &&
        (entrance.leadsTo === 'serving' ? part.serving : part.track === entrance.leadsTo.track),
    )
    return [serving, entrance, parts.filter(({ kind }) => kind === 'schedule' || kind === 'route')]
  }
})

/** Entrances that it leads to, now. */
const entrancesOf = ({ entrance, weights = [] }: Route): readonly string[] =>
  weights.length === 0 ? [entrance] : weights.filter(({ weight }) => weight > 0).map(each => each.entrance)

test('a route always leads to instances, whatever fails', async () => {
  await fc.assert(
    fc.asyncProperty(
      history,
      manifests,
      fc.constantFrom(undefined, ...failures),
      async (earlier, manifest, failing) => {
        const delivery = await having(earlier)
        const at = delivery.engine.behaviour.at
        const lost: string[] = []
        delivery.engine.behaviour = {
          ...delivery.engine.behaviour,
          at: verb => {
            lost.push(...leadingNowhere(delivery.state().parts).map(route => `${verb}: ${route}`))
            at(verb)
          },
        }
        delivery.failing = failing
        delivery.once = true
        await delivery.deploy(manifest, '9.0.0').catch(() => {})
        await delivery.rollback().catch(() => {})
        expect(lost).toEqual([])
      },
    ),
    runs,
  )
})

const leadingNowhere = (parts: readonly Part[]): string[] =>
  parts
    .filter(part => part.kind === 'route')
    .filter(
      route =>
        !entrancesOf(route).every(name => {
          const entrance = parts.find((part): part is Entrance => part.kind === 'entrance' && part.name === name)
          return entrance !== undefined && parts.some(part => part.kind === 'workload' && isBehind(part, entrance))
        }),
    )
    .map(({ name }) => name)

const isBehind = ({ track, serving, instances }: Workload, { leadsTo }: Entrance): boolean =>
  instances > 0 && (leadsTo === 'serving' ? serving : track === leadsTo.track)

test('no task ever has two schedules', async () => {
  await fc.assert(
    fc.asyncProperty(history, manifests, async (earlier, manifest) => {
      const delivery = await having(earlier)
      const at = delivery.engine.behaviour.at
      delivery.engine.behaviour = {
        ...delivery.engine.behaviour,
        at: verb => {
          at(verb)
          const tasks = delivery
            .state()
            .parts.flatMap(part => (part.kind === 'schedule' ? [`${part.service} ${part.task}`] : []))
          expect(new Set(tasks).size).toBe(tasks.length)
        },
      }
      await delivery.deploy(manifest, '9.0.0')
      await delivery.rollback().catch(() => {})
    }),
    runs,
  )
})
