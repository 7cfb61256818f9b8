import { expect, test } from 'vitest'
import type { Observation } from '../engine/engine.ts'
import type { Release } from '../release.ts'
import { planDeletion, type DeletionInput } from './plan-deletion.ts'
import type { ServiceNeed } from './step.ts'

const nothing: Observation = { workloads: [], entrances: [], schedules: [], routes: [] }

const external: ServiceNeed = {
  type: 'mysql',
  database: 'test_hcn',
  credentials: 'hcn-mysql-new',
  administrator: 'hcn-mysql-server-1',
  owner: 'test/hcn',
  server: { kind: 'external', host: 'db.example.com', port: 3306, asked: 3306 },
}

const release = (revision: number, state: Release['state'], more: Partial<Release> = {}): Release =>
  ({ service: 'hcn', revision, state, parts: [], steps: [], needs: [], ...more }) as unknown as Release

const input = (more: Partial<DeletionInput>): DeletionInput => ({
  releases: [],
  observed: nothing,
  bundles: [],
  holders: [],
  withData: false,
  ...more,
})

const inWords = (more: Partial<DeletionInput>): string[] =>
  planDeletion(input(more)).map(step => {
    switch (step.kind) {
      case 'part':
        return `${step.part.kind} ${step.part.name}${step.withData ? ' with data' : ''}`
      case 'drop':
        return `drop ${step.need.database} with ${step.need.credentials}`
      case 'release':
        return `release ${step.revision}`
      default:
        return `${step.kind} ${step.name}`
    }
  })

test('what begins something goes first, and what tells of the rest goes last', () => {
  const observed: Observation = {
    workloads: ['hcn', 'hcn-postgres'].map(name => ({
      name,
      track: 'main',
      version: '1',
      image: '',
      wanted: 1,
      ready: 1,
      autoscaled: false,
      instances: [],
    })),
    entrances: [{ name: 'hcn' }, { name: 'hcn-postgres' }],
    schedules: [{ name: 'hcn-sync', task: 'sync', running: 0 }],
    routes: [{ name: 'hcn-route', host: 'hcn', path: '/', served: true }],
  }
  const all = {
    observed,
    releases: [release(3, 'failed'), release(2, 'deployed', { needs: [external] }), release(1, 'superseded')],
    bundles: ['hcn-files-1', 'hcn-postgres-admin'],
    holders: ['hcn-postgres'],
  }
  const before = ['schedule hcn-sync', 'route hcn-route', 'entrance hcn', 'workload hcn']
  const releases = ['release 1', 'release 3', 'release 2']
  expect(inWords(all)).toEqual([...before, ...releases, 'bundle hcn-files-1'])
  expect(inWords({ ...all, withData: true })).toEqual([
    ...before,
    'drop test_hcn with hcn-mysql-new',
    'entrance hcn-postgres with data',
    'workload hcn-postgres with data',
    ...releases,
    'bundle hcn-files-1',
    'bundle hcn-postgres-admin',
  ])
})

test('a database of several releases is dropped once, with the credentials that are the newest', () => {
  const older = { ...external, credentials: 'hcn-mysql-old' }
  const other = { ...external, database: 'other' }
  const releases = [release(2, 'deployed', { needs: [external] }), release(1, 'superseded', { needs: [older, other] })]
  expect(inWords({ releases, withData: true })).toEqual([
    'drop test_hcn with hcn-mysql-new',
    'drop other with hcn-mysql-new',
    'release 1',
    'release 2',
  ])
})

test('what nobody sees any more goes quietly', () => {
  const parts = ['hcn', 'hcn-canary'].map(name => ({ kind: 'workload', name })) as unknown as Release['parts']
  const observed = { ...nothing, workloads: [{ name: 'hcn' }] } as unknown as Observation
  const steps = planDeletion(input({ releases: [release(1, 'deployed', { parts })], observed }))
  expect(steps.flatMap(step => (step.kind === 'part' ? `${step.part.name} ${step.seen}` : []))).toEqual([
    'hcn true',
    'hcn-canary false',
  ])
})

test('parts go that only a delivery which was interrupted may have made', () => {
  const step = { id: 'rollout', kind: 'bring', put: [{ kind: 'workload', name: 'hcn-canary' }], remove: [], before: [] }
  const pending = release(1, 'pending', { steps: [step] as unknown as Release['steps'] })
  expect(inWords({ releases: [pending] })).toEqual(['workload hcn-canary', 'release 1'])
})
