import { describe, expect, test } from 'vitest'
import type { Observation, ObservedWorkload } from './engine/engine.ts'
import type { Part } from './engine/parts.ts'
import type { Release } from './release.ts'
import { roleOf, scheduleStates, serviceState, type Looked, type ServiceState } from './service-state.ts'

const place = { environment: 'test', namespace: 'test', service: 'hcn' }

const observedWorkload = (more: Partial<ObservedWorkload> = {}): ObservedWorkload => ({
  name: 'hcn',
  track: 'main',
  version: '1.0.0',
  image: 'hcn:1.0.0',
  wanted: 2,
  ready: 2,
  autoscaled: false,
  instances: [],
  ...more,
})
const workload = (more: object = {}): Part =>
  ({ kind: 'workload', name: 'hcn', service: 'hcn', track: 'main', instances: 2, ...more }) as unknown as Part
const entrance = (more: object = {}): Part =>
  ({ kind: 'entrance', name: 'hcn', service: 'hcn', leadsTo: 'serving', ports: [], ...more }) as unknown as Part

const release = (more: Partial<Release> = {}): Release =>
  ({
    ...place,
    revision: 3,
    version: '1.0.0',
    state: 'deployed',
    by: 'anna@laptop (process 1)',
    parts: [workload(), entrance()],
    steps: [],
    course: { direction: 'forward', steps: {} },
    ...more,
  }) as unknown as Release

const observation = (more: Partial<Observation> = {}): Observation => ({
  workloads: [observedWorkload()],
  entrances: [],
  schedules: [],
  routes: [],
  ...more,
})

const looked = (more: Partial<Looked> = {}): Looked => ({
  place,
  releases: [release()],
  observed: observation(),
  ...more,
})

describe('a service', () => {
  const pending = release({
    revision: 4,
    version: '1.1.0',
    state: 'pending',
    steps: [{ id: 'rollout', title: 'roll out 1.1.0' }] as unknown as Release['steps'],
    course: { direction: 'forward', steps: { rollout: { state: 'begun', at: '2026-01-01T00:00:00Z' } } },
  })
  const troubled = { name: 'hcn-sync', task: 'sync', running: 0, trouble: 'its time was missed' }
  test.each<[string, Partial<Looked>, Partial<ServiceState>]>([
    ['is well', {}, { condition: 'well', revision: 3, version: '1.0.0', ready: 2, wanted: 2, troubles: [] }],
    [
      'is not ready with too few instances',
      { observed: observation({ workloads: [observedWorkload({ ready: 1 })] }) },
      { condition: 'not ready', ready: 1 },
    ],
    [
      'that lost its instances says so',
      { observed: observation({ workloads: [] }) },
      { condition: 'not ready', ready: 0, wanted: 2, troubles: [expect.stringContaining('its instances are gone')] },
    ],
    [
      'that was never delivered is absent',
      { releases: [], observed: observation({ workloads: [] }) },
      { condition: 'absent' },
    ],
    [
      'that runs although nobody recorded it says so, and what to do',
      {
        releases: [release({ revision: 2, state: 'failed' })],
        observed: observation({
          workloads: [observedWorkload({ ready: 1 }), observedWorkload({ name: 'hcn-postgres', track: 'postgres' })],
          schedules: [{ name: 'hcn-sync', task: 'sync', running: 0 }],
        }),
      },
      {
        condition: 'trouble',
        ready: 1,
        wanted: 2,
        troubles: [
          'no release tells of what runs: hcn 1.0.0 (1 ready), schedule sync; somebody deleted the records. To deliver over it: sampan deploy -e test hcn:1.0.0, to take it away: sampan delete -e test hcn',
          expect.stringContaining('hcn: 1 of 2'),
        ],
      },
    ],
    [
      'of which the data alone is left is absent',
      { releases: [], observed: observation({ workloads: [observedWorkload({ track: 'postgres' })] }) },
      { condition: 'absent', troubles: [] },
    ],
    [
      'is half-way, with the step and what to do',
      { releases: [pending, release()] },
      {
        condition: 'half-way',
        revision: 3,
        troubles: [
          'release 4 (1.1.0) of anna@laptop (process 1) is half-way at "roll out 1.1.0"; when nobody is behind it any more: sampan deploy -e test hcn --resume, or sampan rollback -e test hcn',
        ],
      },
    ],
    [
      'has trouble with a schedule',
      { observed: observation({ schedules: [troubled] }) },
      { condition: 'trouble', troubles: ['schedule sync: its time was missed'] },
    ],
    [
      'has trouble with a server beside it',
      {
        observed: observation({
          workloads: [
            observedWorkload(),
            observedWorkload({ name: 'hcn-postgres', track: 'postgres', wanted: 1, ready: 0 }),
          ],
        }),
      },
      { condition: 'trouble', ready: 2, troubles: ['hcn-postgres: 0 of 1 instances are ready'] },
    ],
    [
      'has the address of a route that something serves',
      { observed: observation({ routes: [{ name: 'r', host: 'hcn.test', path: '/api', served: true }] }) },
      { address: 'http://hcn.test/api' },
    ],
    [
      'has a port of the machines where nothing serves its route',
      {
        releases: [
          release({ parts: [workload(), entrance({ ports: [{ name: 'http', port: 80, external: 30080 }] })] }),
        ],
        observed: observation({ routes: [{ name: 'r', host: 'hcn.test', path: '/api', served: false }] }),
      },
      { address: 'port 30080 of the machines' },
    ],
  ])('%s', (_what, seen, state) => {
    expect(serviceState(looked(seen))).toMatchObject(state)
  })
})

test.each([
  ['the colour that serves', 'hcn-green', 'green', ''],
  ['the other colour', 'hcn-blue', 'blue', 'warm (blue)'],
  ['what served before there were colours', 'hcn', 'main', 'warm'],
  ['a canary', 'hcn-canary', 'canary', 'canary'],
  ['a server', 'hcn-postgres', 'postgres', 'postgres'],
])('the role of %s', (_which, name, track, role) => {
  const parts = [
    workload({ name: 'hcn-green', track: 'green' }),
    workload({ name: 'hcn-blue', track: 'blue' }),
    entrance({ leadsTo: { track: 'green' } }),
  ]
  expect(roleOf(release({ parts }), observedWorkload({ name, track }))).toBe(role)
})

test('schedules have their next time', () => {
  const schedule = {
    kind: 'schedule',
    name: 'hcn-sync',
    task: 'sync',
    timing: { cron: '30 2 * * *' },
  } as unknown as Part
  const seen = looked({
    releases: [release({ parts: [workload(), schedule] })],
    observed: observation({ schedules: [{ name: 'hcn-sync', task: 'sync', running: 1 }] }),
  })
  expect(scheduleStates(seen, Date.parse('2026-01-01T12:00:00Z'))).toEqual([
    { name: 'hcn-sync', task: 'sync', running: 1, next: '2026-01-02T02:30:00Z' },
  ])
})
