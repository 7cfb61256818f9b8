import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ContainerState, ContainerStatus } from '../cri/runtime.ts'
import { newPodState, type PodState } from './pod-state.ts'
import { corrections, knownToRun } from './relist.ts'

const sandbox = (id: string, ready = true): NonNullable<PodState['sandbox']> => ({
  id,
  name: 'web',
  uid: 'u1',
  namespace: 'default',
  attempt: 0,
  ready,
  createdAtMs: 0,
  labels: {},
  annotations: {},
})

const container = (id: string, state: ContainerState): ContainerStatus =>
  ({ id, name: `name-${id}`, state, attempt: 0, sandboxId: 's' }) as ContainerStatus

function stateOf(sandboxId: string | undefined, containers: readonly ContainerStatus[]): PodState {
  const state = newPodState()
  if (sandboxId !== undefined) state.sandbox = sandbox(sandboxId)
  for (const seen of containers) state.containers.set(seen.name, [seen])
  return state
}

const nothing = { endedSandbox: undefined, ended: [], lost: [] }
const empty = { readySandboxes: new Set<string>(), containers: new Map<string, ContainerState>() }

test('a list that began before the pod did says nothing about it', () => {
  const known = knownToRun(newPodState())
  expect(corrections(stateOf('s', [container('c', 'running')]), known, empty)).toEqual(nothing)
})

test('what ended or vanished unnoticed is found', () => {
  const state = stateOf('s', [container('ended', 'running'), container('lost', 'running')])
  expect(corrections(state, knownToRun(state), { ...empty, containers: new Map([['ended', 'exited']]) })).toEqual({
    endedSandbox: 's',
    ended: ['ended'],
    lost: [{ name: 'name-lost', id: 'lost' }],
  })
})

test('what is known to have ended is not asked for, and does not come back', () => {
  const state = stateOf('s', [container('c', 'running')])
  const known = knownToRun(state)
  state.sandbox = sandbox('s', false)
  state.containers.set('name-c', [container('c', 'exited')])
  const list = { readySandboxes: new Set(['s']), containers: new Map([['c', 'running' as const]]) }
  expect(corrections(state, known, list)).toEqual(nothing)
})

test('a container whose postStart hook still runs counts as not running, whatever the list says', () => {
  const state = stateOf('s', [container('c', 'created')])
  const list = { readySandboxes: new Set(['s']), containers: new Map([['c', 'running' as const]]) }
  expect(corrections(state, knownToRun(state), list)).toEqual(nothing)
})

test('whenever the list begins and is read: it never ends what runs, and finds what ended before it began', () => {
  const time = fc.nat(20)
  const life = fc.record({ start: time, length: fc.nat(20), noticedAfter: fc.nat(5), endIsNoticed: fc.boolean() })
  fc.assert(
    fc.property(fc.array(life, { maxLength: 6 }), fc.tuple(time, time, time), (lives, times) => {
      const [begins, read, applied] = times.toSorted((a, b) => a - b) as [number, number, number]
      const truth = lives.map((its, index) => ({ id: String(index), end: its.start + its.length, ...its }))
      const stateAt = (now: number): PodState =>
        stateOf(
          undefined,
          truth
            .filter(({ start, noticedAfter }) => start + noticedAfter <= now)
            .map(({ id, end, endIsNoticed }) => container(id, endIsNoticed && end <= now ? 'exited' : 'running')),
        )
      const list = {
        readySandboxes: new Set<string>(),
        containers: new Map(
          truth
            .filter(({ start }) => start <= read)
            .map(({ id, end }) => [id, end <= read ? ('exited' as const) : ('running' as const)]),
        ),
      }
      const { ended, lost } = corrections(stateAt(applied), knownToRun(stateAt(begins)), list)
      expect(lost).toEqual([])
      for (const id of ended) expect(truth[Number(id)]!.end).toBeLessThanOrEqual(read)
      const overlooked = truth.filter(
        ({ start, noticedAfter, end, endIsNoticed }) =>
          !endIsNoticed && start + noticedAfter <= begins && end <= begins,
      )
      for (const { id } of overlooked) expect(ended).toContain(id)
    }),
  )
})
