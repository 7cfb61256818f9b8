// What whoever delivers is told, and what becomes of releases, on an engine in memory.
import { beforeEach, describe, expect, test } from 'vitest'
import { Killed, MemoryDelivery, plainManifest } from '../testing/memory-delivery.ts'
import { DeployError } from './deploy-error.ts'
import type { Manifest, Migration } from './manifest/manifest.ts'
import type { Release } from './release.ts'
import { standsText, type Looked } from './service-state.ts'

const migrate: Migration = { up: ['up'], down: ['down'], irreversible: false, timeLimitSeconds: 60 }
const check = { command: ['node', 'smoke.js'], timeLimitSeconds: 60 }
const whole: Manifest = {
  ...plainManifest,
  services: [{ type: 'postgres' }],
  migrate,
  checks: { before: check, after: check },
  schedules: [
    { task: 'sync', timing: { cron: '0 * * * *' }, command: ['node', 'sync.js'], overlap: false, retries: 0 },
  ],
  routes: [{ host: 'hcn.localhost', path: '/', port: 'http' }],
  notify: ['team-hook'],
}

let delivery: MemoryDelivery
beforeEach(() => {
  delivery = new MemoryDelivery()
})

const states = (releases: readonly Release[]): string[] =>
  releases.map(({ revision, version, state }) => `${revision} ${version} ${state}`)
const failure = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'no failure',
    (error: Error) => error.message,
  )

test('the steps of a release stand in the order in which they are safe', async () => {
  await delivery.deploy(whole, '1.0.0')
  const { steps } = (await delivery.releases())[0]!
  expect(steps.map(({ id }) => id)).toEqual([
    'postgres-server',
    'postgres',
    'migrate',
    'candidate',
    'check-before',
    'candidate-end',
    'rollout',
    'entrance',
    'schedules',
    'routes',
    'check-after',
    'notify-team-hook',
  ])
})

test('a release is written when it is made, before each step, and when all is done', async () => {
  const { behaviour } = delivery.engine
  let writes = 0
  delivery.engine.behaviour = { ...behaviour, at: verb => void (verb === 'after write' && writes++) }
  const { steps, course } = await delivery.deploy(plainManifest, '1.0.0')
  expect(writes).toBe(1 + steps.length + 1)
  expect(steps.map(({ id }) => course.steps[id]?.state)).toEqual(steps.map(() => 'done'))
})

describe('a step that fails', () => {
  test('says nothing of the secrets that its program printed', async () => {
    delivery.failing = '-migrate'
    delivery.said = ['TOKEN is the-secret-of-1', 'nobody answers at postgres://hcn:password1@db']
    const message = await failure(delivery.deploy({ ...whole, secrets: ['TOKEN'] }, 'the-secret-of-1'))
    expect(message).toContain('TOKEN is ***\n')
    expect(message).toContain('nobody answers at postgres://hcn:***@db\n')
  })

  test.each([
    ['-migrate', 'migrate the schema: up: it ended with exit code 1'],
    ['-check-before', 'check the new version before it gets requests: node smoke.js: it ended with exit code 1'],
    ['rollOut main', 'it crashes\nboom'],
    ['put schedule', 'put schedule fails'],
    ['-check-after', 'check what runs now: node smoke.js: it ended with exit code 1'],
    ['team-hook', 'the hook "team-hook" could not be told: nobody answers'],
  ])('%s: all of it is taken back, and said so', async (failing, words) => {
    await delivery.deploy(whole, '1.0.0')
    const before = delivery.state()
    delivery.failing = failing
    delivery.once = true
    const message = await failure(delivery.deploy({ ...whole, replicas: 3 }, '2.0.0'))
    expect(message).toMatch(new RegExp(`^hcn 2\\.0\\.0 was not delivered: ${words.replaceAll('.', '\\.')}`))
    expect(message).toMatch(/\nrelease 1 \(1\.0\.0\) is in place as before$/)
    expect(delivery.state()).toEqual(before)
    expect(states(await delivery.releases())).toEqual(['2 2.0.0 failed', '1 1.0.0 deployed'])
    expect(delivery.told.at(-1)).toMatchObject({ event: 'failed', version: '2.0.0' })
  })

  test('the first one leaves nothing', async () => {
    delivery.failing = 'rollOut main'
    expect(await failure(delivery.deploy(whole, '1.0.0'))).toMatch(
      /everything that it made was taken away again; there is no release before it\nthe namespace test stays with the record of it \(sampan history -e test hcn\); to take that away too: sampan env delete test$/,
    )
    expect(delivery.state()).toEqual({ parts: [], data: [], outside: { schema: [], databases: [] } })
  })

  test('the namespace of the first one is not offered where another service is, too', async () => {
    const other = { environment: 'test', namespace: 'test', service: 'other' }
    await delivery.engine.ledger.add(other, { revision: 1, state: 'deployed', content: {} })
    delivery.failing = 'rollOut main'
    expect(await failure(delivery.deploy(whole, '1.0.0'))).toMatch(/there is no release before it$/)
  })

  test('that its record is refused is said before anything is said to be done', async () => {
    delivery.failing = 'write'
    expect(await failure(delivery.deploy(whole, '1.0.0'))).toBe(
      'release 1 of "hcn" could not be recorded, so it was not begun: write fails',
    )
    delivery.failing = 'keep'
    expect(await failure(delivery.deploy(whole, '1.0.0'))).toBe(
      'release 1 of "hcn" could not be recorded, so it was not begun: keep fails',
    )
    expect(delivery.done).toEqual([])
    delivery.failing = undefined
    await delivery.deploy(whole, '1.0.0')
    expect(delivery.done[0]).toBe('release 1: hcn 1.0.0 to test')
    await delivery.deploy(whole, '2.0.0')
    delivery.failing = 'write'
    delivery.done.length = 0
    expect(await failure(delivery.rollback())).toContain('release 3 of "hcn" could not be recorded')
    expect(delivery.done).toEqual([])
    delivery.failing = undefined
    await delivery.rollback()
    expect(delivery.done[0]).toBe('release 3: hcn back to release 1 (1.0.0) in test')
  })

  test('a hook that does not answer keeps nothing from being taken back', async () => {
    const manifest: Manifest = { ...whole, notify: ['team-hook', 'other-hook'] }
    await delivery.deploy(manifest, '1.0.0')
    const before = delivery.state()
    delivery.failing = 'other-hook'
    delivery.deafTo = 'undone'
    expect(await failure(delivery.deploy(manifest, '2.0.0'))).toMatch(/release 1 \(1\.0\.0\) is in place as before$/)
    expect(delivery.notes).toContain('the hook "team-hook" could not be told: nobody answers')
    expect(delivery.state()).toEqual(before)
  })

  test('what cannot be taken back stays half-way, and the next command takes it back', async () => {
    await delivery.deploy(whole, '1.0.0')
    const before = delivery.state()
    delivery.failing = 'put entrance'
    expect(await failure(delivery.deploy(whole, '2.0.0'))).toMatch(
      /taking it back failed as well: start the postgres server hcn-postgres: put entrance fails\nrelease 2 stays half-way; to take the rest of it back: sampan rollback -e test hcn$/,
    )
    delivery.failing = undefined
    expect((await delivery.rollback()).revision).toBe(1)
    expect(delivery.state()).toEqual(before)
  })
})

describe('a rollback', () => {
  test('runs down from the images that brought the migrations, newest first', async () => {
    for (const version of ['1.0.0', '2.0.0', '3.0.0']) await delivery.deploy(whole, version)
    const release = await delivery.rollback(1)
    expect(delivery.outside().schema).toEqual(['1'])
    const migrations = release.steps.filter(step => step.kind === 'migrate')
    expect(migrations.map(({ id, forward }) => `${id} ${forward.process.image}`)).toEqual([
      'migrate-down-3 sampan.local/hcn:3.0.0@sha256:3.0.0',
      'migrate-down-2 sampan.local/hcn:2.0.0@sha256:2.0.0',
    ])
    expect(states(await delivery.releases())[0]).toBe('4 1.0.0 deployed')
    const ids = release.steps.map(({ id }) => id)
    expect(ids.indexOf('rollout')).toBeLessThan(ids.indexOf('migrate-down-3'))
  })

  test('tells down to which version of the schema, where that can be asked for', async () => {
    const versioned: Manifest = { ...whole, migrate: { ...migrate, version: ['version'] } }
    await delivery.deploy(versioned, '1.0.0')
    await delivery.deploy(versioned, '2.0.0')
    const { steps } = await delivery.rollback()
    const down = steps.find(step => step.kind === 'migrate')!
    expect(down.forward.process.variables['SAMPAN_SCHEMA_TO']).toEqual({ value: 'v1' })
  })

  test('runs no down of an image that brought no change', async () => {
    const unchanged: Migration = { ...migrate, up: ['true'], version: ['version'] }
    await delivery.deploy({ ...whole, migrate: unchanged }, '1.0.0')
    await delivery.deploy({ ...whole, migrate: { ...unchanged, irreversible: true } }, '2.0.0')
    const { steps } = await delivery.rollback()
    expect(steps.filter(step => step.kind === 'migrate')).toEqual([])
  })

  test('refuses to go behind a migration that is irreversible, unless the schema is to stay', async () => {
    await delivery.deploy(whole, '1.0.0')
    await delivery.deploy({ ...whole, migrate: { ...migrate, irreversible: true } }, '2.0.0')
    const before = delivery.state()
    expect(await failure(delivery.rollback())).toContain(
      'release 2 (2.0.0) brought a migration that is marked irreversible; going back to release 1 (1.0.0) would need the schema from before it',
    )
    expect(delivery.state()).toEqual(before)
    await delivery.rollback(undefined, true)
    expect(delivery.outside().schema).toEqual(['1', '2'])
  })

  test('goes to no release that never ran', async () => {
    await delivery.deploy(whole, '1.0.0')
    delivery.failing = '-check-after'
    await failure(delivery.deploy(whole, '2.0.0'))
    delivery.failing = undefined
    expect(await failure(delivery.rollback(2))).toContain('release 2 of "hcn" failed and never ran')
    expect(await failure(delivery.rollback(7))).toContain('there is no release 7 of "hcn"; there is 2, 1')
    expect(await failure(delivery.rollback(1))).toContain('release 1 (1.0.0) is what runs now')
    expect(await failure(delivery.rollback())).toContain('there is no earlier release of "hcn" to go back to')
  })
})

describe('a rollback of what was interrupted', () => {
  const looked = async (): Promise<Looked> => ({
    place: delivery.place,
    releases: await delivery.releases(),
    observed: await delivery.engine.observe(delivery.place),
  })
  const interrupted = async (version: string): Promise<void> => {
    delivery.lives = 30
    await expect(delivery.deploy(whole, version)).rejects.toThrow(Killed)
    delivery.next()
  }

  test('leaves nothing of a first release, and says so', async () => {
    await interrupted('1.0.0')
    const release = await delivery.rollback()
    expect(standsText(release, await looked())).toBe(
      'release 1 (1.0.0) of hcn was taken back; there is no release before it, so nothing of it runs in test',
    )
    expect(delivery.state().parts).toEqual([])
  })

  test('says of the one before what it finds', async () => {
    await delivery.deploy(whole, '1.0.0')
    await interrupted('2.0.0')
    expect(standsText(await delivery.rollback(), await looked())).toMatch(/^hcn 1\.0\.0 runs in test \(release 1\)/)
    await interrupted('3.0.0')
    await delivery.work(({ engine, signal }) =>
      engine.remove(delivery.place, { kind: 'workload', name: 'hcn' }, { progress: () => {}, signal }),
    )
    expect(standsText(await delivery.rollback(), await looked())).toBe(
      'release 1 (1.0.0) of hcn is in place in test again, but 0 of 2 instances are ready; look why with: sampan status -e test hcn',
    )
  })
})

describe('strategies', () => {
  const blueGreen: Manifest = { ...plainManifest, strategy: { kind: 'blue-green' }, checks: { before: check } }

  test('blue-green: the old colour stays, and a rollback starts nothing', async () => {
    await delivery.deploy(blueGreen, '1.0.0')
    await delivery.deploy(blueGreen, '2.0.0')
    const colours = (): string[] =>
      delivery.state().parts.flatMap(part => (part.kind === 'workload' ? [`${part.track} ${part.version}`] : []))
    expect(colours()).toEqual(['blue 1.0.0', 'green 2.0.0'])
    expect(delivery.state().parts.find(({ kind }) => kind === 'entrance')).toMatchObject({
      leadsTo: { track: 'green' },
    })
    await delivery.rollback()
    expect(colours()).toEqual(['blue 1.0.0', 'green 2.0.0'])
    expect(delivery.state().parts.find(({ kind }) => kind === 'entrance')).toMatchObject({ leadsTo: { track: 'blue' } })
    await delivery.deploy(blueGreen, '3.0.0')
    expect(colours()).toEqual(['blue 1.0.0', 'green 3.0.0'])
  })

  test('canary: shares by instances, watched, and the schema is moved once', async () => {
    const canary: Manifest = {
      ...plainManifest,
      migrate,
      replicas: 4,
      strategy: {
        kind: 'canary',
        steps: [
          { percent: 10, seconds: 2 },
          { percent: 50, seconds: 2 },
        ],
        analysis: { maxRestarts: 0, queries: [] },
      },
    }
    await delivery.deploy(canary, '1.0.0')
    const release = await delivery.deploy(canary, '2.0.0')
    expect(release.steps.map(({ title }) => title)).toEqual([
      'migrate the schema: up',
      'give 20 % of the requests to 1 new instance',
      'watch them for 2 s',
      'give 50 % of the requests to 4 new instances',
      'watch them for 2 s',
      'roll out 2.0.0 on 4 instances',
      'lead hcn to the instances',
      'stop the instances beside',
    ])
    expect(delivery.outside().schema).toEqual(['1', '2'])
  })
})

describe('a canary', () => {
  const queries = [{ name: 'errors', query: 'rate(errors[1m])', maximum: 0.1 }]
  const canary = (more: object = {}): Manifest => ({
    ...plainManifest,
    replicas: 3,
    strategy: {
      kind: 'canary',
      steps: [
        { percent: 25, seconds: 4 },
        { percent: 50, seconds: 4 },
      ],
      analysis: { maxRestarts: 0, queries: [], ...more },
    },
  })

  test('keeps its share when there are more beside it, also while it is watched', async () => {
    await delivery.deploy(canary(), '1.0.0')
    const { engine, place } = delivery
    const before = engine.behaviour
    const sizes: number[] = []
    const watch = { progress: () => {}, heldUp: () => {}, timeLimitSeconds: 1, signal: new AbortController().signal }
    engine.behaviour = {
      ...before,
      rollOut(workload) {
        if (workload.track === 'canary') sizes.push(workload.instances)
        if (sizes.length === 1) void engine.scale(place, 'hcn', 9, watch)
        return before.rollOut(workload)
      },
    }
    await delivery.deploy(canary(), '2.0.0')
    expect(sizes).toEqual([1, 3, 9])
  })

  test('says by what the requests are shared, and how many get them, before it begins', async () => {
    await delivery.deploy(canary(), '1.0.0')
    expect(delivery.warnings).toEqual([])
    await delivery.deploy({ ...canary(), replicas: 2 }, '2.0.0')
    expect(delivery.warnings).toEqual([
      'requests are shared by numbers of instances, not by weights: 25 % become 25 % (1 of 4), 50 % become 50 % (3 of 6); nothing in memory weighs requests',
    ])
  })

  describe('by weights', () => {
    const routes = [{ host: 'hcn.localhost', path: '/', port: 'http' }]
    const routed = (more: object = {}): Manifest => ({ ...canary(more), replicas: 4, routes })
    beforeEach(async () => {
      delivery.weighs = true
      await delivery.deploy(routed(), '1.0.0')
    })

    const looks = (): string[] =>
      delivery
        .state()
        .parts.flatMap(part =>
          part.kind === 'workload'
            ? [`${part.name} ${part.version} ${part.instances}${part.serving ? '' : ' aside'}`]
            : part.kind === 'entrance'
              ? [`${part.name} to ${JSON.stringify(part.leadsTo)}`]
              : part.kind === 'route'
                ? [(part.weights ?? []).map(({ entrance, weight }) => `${weight} to ${entrance}`).join(', ')]
                : [],
        )

    test('gives each step its share, and one entrance gets all requests of routes before and after', async () => {
      const { engine } = delivery
      const before = engine.behaviour
      const seen: string[][] = []
      engine.behaviour = {
        ...before,
        run: run => {
          seen.push(looks())
          expect(run.process.variables['SAMPAN_TARGET_HOST']).toEqual({ value: 'hcn-canary' })
          return before.run(run)
        },
      }
      const usual = looks()
      const release = await delivery.deploy(routed({ run: { command: ['look'], timeLimitSeconds: 60 } }), '2.0.0')
      const entrances = ['hcn to "serving"', 'hcn-canary to {"track":"canary"}', 'hcn-main to {"track":"main"}']
      expect(seen).toEqual([
        [...entrances, '75 to hcn-main, 25 to hcn-canary', 'hcn 1.0.0 4', 'hcn-canary 2.0.0 1 aside'],
        [...entrances, '50 to hcn-main, 50 to hcn-canary', 'hcn 1.0.0 4', 'hcn-canary 2.0.0 2 aside'],
      ])
      expect(looks()).toEqual(usual.map(line => line.replace('1.0.0', '2.0.0')))
      expect(release.steps.map(({ title }) => title)).toEqual([
        'give 25 % of the requests to 1 new instance',
        'watch them for 4 s',
        'give 50 % of the requests to 2 new instances',
        'watch them for 4 s',
        'roll out 2.0.0 on 4 instances',
        'lead hcn to the instances',
        'lead all requests of routes to the instances, and stop the instances beside',
        'set routes: hcn.localhost/',
      ])
      expect(delivery.warnings).toEqual([])
    })

    test('takes routes back before what they lead to', async () => {
      delivery.failing = '-analysis-2'
      const { engine } = delivery
      const before = engine.behaviour
      const led: string[] = []
      engine.behaviour = {
        ...before,
        at: verb => {
          before.at(verb)
          if (verb.startsWith('after put') || verb.startsWith('after remove')) led.push(verb.slice('after '.length))
        },
      }
      const usual = delivery.state()
      await failure(delivery.deploy(routed({ run: { command: ['look'], timeLimitSeconds: 60 } }), '2.0.0'))
      expect(led).toEqual([
        'put entrance',
        'put entrance',
        'put route',
        'put route',
        'put route',
        'put route',
        'remove workload',
        'remove entrance',
        'remove entrance',
      ])
      expect(delivery.state()).toEqual(usual)
    })

    test('keeps as many instances as the share of those beside takes', async () => {
      const { engine, place } = delivery
      const before = engine.behaviour
      const watch = { progress: () => {}, heldUp: () => {}, timeLimitSeconds: 1, signal: new AbortController().signal }
      const sizes: number[] = []
      engine.behaviour = {
        ...before,
        rollOut(workload) {
          if (workload.track === 'canary') sizes.push(workload.instances)
          if (sizes.length === 1) void engine.scale(place, 'hcn', 9, watch)
          return before.rollOut(workload)
        },
      }
      await delivery.deploy(routed(), '2.0.0')
      expect(sizes).toEqual([1, 3, 5])
    })

    test.each([
      ['without a route', { routes: [] }],
      ['of a port that the new version has not', { ports: [{ name: 'web', port: 3000, protocol: 'TCP' }] }],
    ] as const)('%s there are none, and instances count', async (_which, change) => {
      if ('routes' in change) await delivery.deploy({ ...routed(), ...change }, '1.1.0')
      const next = { ...routed(), ...change, ...('ports' in change && { routes: [], health: undefined }) }
      await delivery.deploy(next as Manifest, '2.0.0')
      expect(delivery.warnings).toEqual([
        expect.stringMatching(/^requests are shared by numbers of instances.*; no route leads to both versions$/),
      ])
    })
  })

  test.each([
    ['that does not answer', undefined, 'it does not answer'],
    ['that has no value now', (): Promise<undefined> => Promise.resolve(undefined), undefined],
    ['that answers', (): Promise<number> => Promise.resolve(0), undefined],
  ] as const)('asks a Prometheus %s before anything is changed', async (_which, answer, refusal) => {
    await delivery.deploy(canary(), '1.0.0')
    const before = delivery.state()
    delivery.query = answer ?? (() => Promise.reject(new DeployError('it does not answer')))
    const message = await failure(delivery.deploy(canary({ queries }), '2.0.0'))
    if (refusal === undefined) expect(message).toBe('no failure')
    else {
      expect(message).toBe(`hcn cannot be delivered to memory, and nothing was changed:\n  ${refusal}`)
      expect(delivery.state()).toEqual(before)
      expect(await delivery.releases()).toHaveLength(1)
    }
  })

  test('says that queries are asked of nobody', async () => {
    await delivery.deploy(canary({ queries }), '1.0.0')
    expect(delivery.warnings).toEqual([])
    await delivery.deploy(canary({ queries }), '2.0.0')
    expect(delivery.warnings).toContain(
      'no Prometheus is known for this environment, so nobody looks at "errors"; name one in sampan.yml (prometheus)',
    )
  })
})

test('what the engine cannot do is told, and what would fail is refused before anything is changed', async () => {
  delivery.lacking = [{ hard: false, reason: 'hosts lead nowhere' }]
  await delivery.deploy(whole, '1.0.0')
  expect(delivery.warnings).toEqual(['hosts lead nowhere'])
  const before = delivery.state()
  delivery.lacking = [
    { hard: false, reason: 'hosts lead nowhere' },
    { hard: true, reason: 'there are no volumes' },
  ]
  expect(await failure(delivery.deploy({ ...whole, replicas: 3 }, '2.0.0'))).toBe(
    'hcn cannot be delivered to memory, and nothing was changed:\n  there are no volumes',
  )
  expect(delivery.state()).toEqual(before)
  expect(delivery.engine.runNames(delivery.place)).toHaveLength(3)
})

describe('an autoscaler that decides how many instances there are', () => {
  const number = (): string => delivery.done.find(title => title.startsWith('roll out'))!
  beforeEach(async () => {
    await delivery.deploy(plainManifest, '1.0.0')
    await delivery.deploy(plainManifest, '1.1.0')
    delivery.done.length = 0
    const observe = delivery.engine.observe.bind(delivery.engine)
    delivery.engine.observe = async place => {
      const seen = await observe(place)
      return { ...seen, workloads: seen.workloads.map(each => ({ ...each, autoscaled: true, wanted: 5 })) }
    }
  })

  test('a rollout names its number', async () => {
    await delivery.deploy(plainManifest, '2.0.0')
    expect(number()).toBe('roll out 2.0.0 on 5 instances')
  })

  test('a rollback names its number', async () => {
    await delivery.rollback()
    expect(number()).toBe('roll out 1.0.0 on 5 instances')
  })

  test('a colour that it knows names its number', async () => {
    const blueGreen: Manifest = { ...plainManifest, strategy: { kind: 'blue-green' } }
    for (const version of ['2.0.0', '3.0.0', '4.0.0']) await delivery.deploy(blueGreen, version)
    expect(delivery.done.filter(title => title.startsWith('start'))).toEqual([
      'start 2 instances beside the old ones (blue)',
      'start 2 instances beside the old ones (green)',
      'start 5 instances beside the old ones (blue)',
    ])
  })
})

test('a canary behind a colour is rolled out at once, and says so', async () => {
  await delivery.deploy({ ...plainManifest, strategy: { kind: 'blue-green' } }, '1.0.0')
  const strategy = {
    kind: 'canary',
    steps: [{ percent: 10, seconds: 2 }],
    analysis: { maxRestarts: 0, queries: [] },
  } as const
  await delivery.deploy({ ...plainManifest, strategy }, '2.0.0')
  const { steps } = (await delivery.releases())[0]!
  expect(steps[0]!.title).toBe(
    'roll out 2.0.0 on 2 instances at once: a share of the requests cannot be had beside a colour',
  )
})

test('who was killed is followed by somebody who is told', async () => {
  await delivery.deploy(whole, '1.0.0')
  delivery.lives = 30
  await expect(delivery.deploy(whole, '2.0.0')).rejects.toThrow(Killed)
  delivery.next()
  await delivery.deploy(whole, '3.0.0')
  expect(delivery.notes).toContain('release 2 (2.0.0) was interrupted half-way; taking it back')
  expect(states(await delivery.releases())).toEqual(['3 3.0.0 deployed', '2 2.0.0 failed', '1 1.0.0 superseded'])
})

describe('of releases that are delivered together', () => {
  test('one that runs is taken back when another one fails, and the one before runs again', async () => {
    await delivery.deploy(whole, '1.0.0')
    const before = delivery.state()
    await delivery.deploy({ ...whole, replicas: 3 }, '2.0.0', 'group')
    await delivery.takeBackGroup('group')
    expect(delivery.state()).toEqual(before)
    expect(states(await delivery.releases())).toEqual(['2 2.0.0 failed', '1 1.0.0 deployed'])
    await delivery.deploy(whole, '3.0.0')
    expect(states(await delivery.releases())[0]).toBe('3 3.0.0 deployed')
  })

  test('what keeps one from being taken back is told with its step and what to do', async () => {
    await delivery.deploy(whole, '1.0.0')
    const before = delivery.state()
    await delivery.deploy({ ...whole, replicas: 3 }, '2.0.0', 'group')
    delivery.failing = 'put entrance'
    expect(await failure(delivery.takeBackGroup('group'))).toBe(
      'release 2 (2.0.0) of "hcn" could not be taken back: lead hcn to the instances: put entrance fails\nrelease 2 stays half-way; to take the rest of it back: sampan rollback -e test hcn',
    )
    delivery.failing = undefined
    await delivery.rollback()
    expect(delivery.state()).toEqual(before)
    await delivery.deploy({ ...whole, replicas: 3 }, '2.0.0', 'group')
    delivery.failing = 'write'
    expect(await failure(delivery.takeBackGroup('group'))).toBe(
      '"hcn" could not be taken back: write fails\nlook at what there is, and go back by hand: sampan history -e test hcn, sampan rollback -e test hcn',
    )
  })

  test('another release than theirs is left alone', async () => {
    await delivery.deploy(whole, '1.0.0', 'group')
    await delivery.deploy(whole, '2.0.0')
    await delivery.takeBackGroup('group')
    expect(states(await delivery.releases())[0]).toBe('2 2.0.0 deployed')
  })

  test('a kill while it is taken back is no different from one at another time', async () => {
    await delivery.deploy(whole, '1.0.0')
    const before = delivery.state()
    for (let lives = 0; ; lives++) {
      await delivery.deploy({ ...whole, replicas: 3 }, '2.0.0', 'group')
      delivery.lives = lives
      const killed = await delivery.takeBackGroup('group').then(
        () => false,
        () => true,
      )
      delivery.next()
      if (killed) await delivery.takeBackGroup('group')
      expect(delivery.state()).toEqual(before)
      if (!killed) break
    }
  })
})

test('releases that are old are forgotten with their configuration, and one to go back to stays', async () => {
  const manifest: Manifest = { ...plainManifest, secrets: ['TOKEN'] }
  for (let index = 1; index <= 15; index++) await delivery.deploy(manifest, `${index}.0.0`)
  expect((await delivery.releases()).map(({ revision }) => revision)).toEqual([15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5])
  expect(await delivery.engine.bundles(delivery.place)).toHaveLength(11)
  delivery.failing = 'rollOut main'
  for (let index = 16; index <= 30; index++) await failure(delivery.deploy(manifest, `${index}.0.0`))
  delivery.failing = undefined
  expect((await delivery.rollback()).version).toBe('14.0.0')
})

test('a secret stands in no record', async () => {
  await delivery.deploy({ ...whole, secrets: ['TOKEN'] }, 'value-of-the-token')
  const bundle = (await delivery.engine.bundles(delivery.place)).find(name => name.startsWith('hcn-secrets-'))
  expect(bundle).toBeDefined()
  const text = JSON.stringify(await delivery.releases())
  expect(text).not.toContain(Buffer.from('value-of-the-token').toString('base64'))
  expect(text).not.toMatch(/password\d/)
})
