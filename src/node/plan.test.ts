import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Container, Pod, PodSpec } from '../api/generated/models.ts'
import type { ContainerStatus } from '../cri/runtime.ts'
import { crashLoopMessage, nextBackOff, plan, type Action } from './plan.ts'
import { newPodState, type PodState } from './pod-state.ts'
import { podStatus } from './pod-status.ts'

const now = Date.UTC(2026, 0, 1)
const sandbox = {
  id: 's1',
  name: 'web',
  uid: 'u1',
  namespace: 'default',
  attempt: 0,
  ready: true,
  createdAtMs: now,
  labels: {},
  annotations: {},
  address: '10.42.0.5',
}

function podWith(spec: Partial<PodSpec> = {}, metadata: Partial<Pod['metadata']> = {}): Pod {
  return {
    metadata: { name: 'web', namespace: 'default', uid: 'u1', generation: 1, ...metadata },
    spec: { containers: [{ name: 'main', image: 'i' }], ...spec },
    status: {},
  } as unknown as Pod
}

function attempt(
  name: string,
  state: ContainerStatus['state'],
  change: Partial<ContainerStatus> = {},
): ContainerStatus {
  return {
    id: `${name}-${change.attempt ?? 0}`,
    sandboxId: 's1',
    name,
    attempt: 0,
    state,
    createdAtMs: now,
    labels: {},
    annotations: {},
    startedAtMs: now,
    finishedAtMs: now,
    exitCode: 0,
    reason: '',
    message: '',
    image: 'i',
    imageRef: 'sha256:1',
    logPath: '',
    ...change,
  }
}

function stateWith(...containers: ContainerStatus[]): PodState {
  const state = newPodState()
  state.sandbox = sandbox
  state.volumesReady = true
  for (const container of containers) {
    state.containers.set(container.name, [container, ...(state.containers.get(container.name) ?? [])])
    state.probes.set(container.id, { started: true, ready: true })
  }
  for (const name of ['main', 'one', 'two', 'side']) state.images.add(name)
  return state
}

const brief = (actions: readonly Action[]): string[] =>
  actions.map(action => ('container' in action ? `${action.type} ${action.container}` : action.type))
const planned = (pod: Pod, state: PodState, atMs = now): string[] => brief(plan(pod, state, atMs).actions)

test('a new pod begins with everything that does not need something else', () => {
  expect(planned(podWith(), newPodState())).toEqual(['prepare', 'start-sandbox', 'ensure-image main'])
})

test('nothing is done twice', () => {
  const state = newPodState()
  for (const key of ['prepare', 'sandbox', 'image:main']) state.busy.add(key)
  expect(planned(podWith(), state)).toEqual([])
})

test('with sandbox, volumes and image the container starts', () => {
  expect(planned(podWith(), stateWith())).toEqual(['start-container main'])
})

test('init containers come one after the other', () => {
  const pod = podWith({ initContainers: [{ name: 'one' }, { name: 'two' }] as Container[] })
  expect(planned(pod, stateWith())).toEqual(['start-container one'])
  expect(planned(pod, stateWith(attempt('one', 'running')))).toEqual([])
  expect(planned(pod, stateWith(attempt('one', 'exited')))).toEqual(['start-container two'])
  expect(planned(pod, stateWith(attempt('one', 'exited'), attempt('two', 'exited')))).toEqual(['start-container main'])
})

test('a sidecar lets the others start once it runs, and stops last', () => {
  const pod = podWith({ initContainers: [{ name: 'side', restartPolicy: 'Always' }] as Container[] })
  expect(planned(pod, stateWith())).toEqual(['start-container side'])
  expect(planned(pod, stateWith(attempt('side', 'running')))).toEqual(['start-container main'])
  const ending = podWith(pod.spec, { deletionTimestamp: '2026-01-01T00:00:30Z', deletionGracePeriodSeconds: 30 })
  expect(planned(ending, stateWith(attempt('side', 'running'), attempt('main', 'running')))).toEqual([
    'stop-container main',
  ])
  expect(planned(ending, stateWith(attempt('side', 'running'), attempt('main', 'exited')))).toEqual([
    'stop-container side',
  ])
})

test.each([
  ['Always', 0, ['start-container main']],
  ['Always', 1, ['start-container main']],
  ['OnFailure', 0, ['stop-sandbox']],
  ['OnFailure', 1, ['start-container main']],
  ['Never', 1, ['stop-sandbox']],
])('restart policy %s after exit code %i: %j', (restartPolicy, exitCode, expected) => {
  expect(planned(podWith({ restartPolicy }), stateWith(attempt('main', 'exited', { exitCode })))).toEqual(expected)
})

test('restarts wait longer and longer, and start anew after a quiet time', () => {
  const first = nextBackOff(undefined, now, now)
  expect(first).toEqual({ waitUntilMs: now, next: { delayMs: 10_000, sinceMs: now } })
  const second = nextBackOff(first.next, now + 1_000, now + 1_000)
  expect(second.waitUntilMs).toBe(now + 11_000)
  expect(second.next.delayMs).toBe(20_000)
  expect(nextBackOff({ delayMs: 300_000, sinceMs: now }, now, now).next.delayMs).toBe(300_000)
  expect(nextBackOff({ delayMs: 300_000, sinceMs: now }, now + 700_000, now + 700_000).waitUntilMs).toBe(now + 700_000)
})

test('a crash loop is waited for and shown', () => {
  const state = stateWith(attempt('main', 'exited', { exitCode: 1 }))
  state.restarts.set('main', { delayMs: 20_000, sinceMs: now - 1_000 })
  expect(plan(podWith(), state, now)).toEqual({ actions: [], wakeAtMs: now + 20_000 })
  expect(crashLoopMessage(podWith(), 'main', state)).toBe(
    'back-off 20s restarting failed container=main pod=web_default(u1)',
  )
  expect(podStatus(podWith(), state, '10.0.0.1', now).containerStatuses?.[0]?.state).toEqual({
    waiting: {
      reason: 'CrashLoopBackOff',
      message: 'back-off 20s restarting failed container=main pod=web_default(u1)',
    },
  })
})

test('deletion stops containers, then the sandbox, then cleans', () => {
  const pod = podWith({}, { deletionTimestamp: '2026-01-01T00:00:30Z', deletionGracePeriodSeconds: 7 })
  expect(plan(pod, stateWith(attempt('main', 'running')), now).actions).toMatchObject([
    { type: 'stop-container', gracePeriodSeconds: 7 },
  ])
  const stopped = stateWith(attempt('main', 'exited'))
  expect(planned(pod, stopped)).toEqual(['stop-sandbox'])
  stopped.sandbox = { ...sandbox, ready: false }
  expect(planned(pod, stopped)).toEqual(['clean'])
})

test('a lost sandbox takes its containers along and comes anew', () => {
  const state = stateWith(attempt('main', 'running'))
  state.sandbox = { ...sandbox, ready: false }
  expect(planned(podWith(), state)).toEqual(['stop-container main'])
  state.containers.set('main', [attempt('main', 'exited', { exitCode: 137 })])
  expect(plan(podWith(), state, now).actions).toContainEqual({ type: 'start-sandbox', attempt: 1 })
})

test('an active deadline gives the pod up', () => {
  const pod = { ...podWith({ activeDeadlineSeconds: 10 }), status: { startTime: '2026-01-01T00:00:00Z' } } as Pod
  expect(plan(pod, stateWith(attempt('main', 'running')), now + 5_000)).toEqual({ actions: [], wakeAtMs: now + 10_000 })
  expect(planned(pod, stateWith(attempt('main', 'running')), now + 10_000)).toEqual(['give-up'])
})

test.each([
  ['nothing yet', stateWith(), 'Pending', 'False'],
  ['running', stateWith(attempt('main', 'running')), 'Running', 'True'],
  ['exited', stateWith(attempt('main', 'exited', { exitCode: 1 })), 'Running', 'False'],
])('status of a pod whose container is %s', (_what, state, phase, ready) => {
  const status = podStatus(podWith(), state, '10.0.0.1', now)
  expect(status.phase).toBe(phase)
  expect(status.conditions?.find(({ type }) => type === 'Ready')?.status).toBe(ready)
})

test('a finished job has succeeded', () => {
  const status = podStatus(podWith({ restartPolicy: 'Never' }), stateWith(attempt('main', 'exited')), '10.0.0.1', now)
  expect(status).toMatchObject({
    phase: 'Succeeded',
    containerStatuses: [{ state: { terminated: { exitCode: 0, reason: 'Completed' } } }],
  })
  expect(status.conditions?.find(({ type }) => type === 'Ready')).toMatchObject({
    status: 'False',
    reason: 'PodCompleted',
  })
})

test('writing the status changes nothing the second time', () => {
  const pod = podWith()
  const state = stateWith(attempt('main', 'running'))
  const once = podStatus(pod, state, '10.0.0.1', now)
  expect(podStatus({ ...pod, status: once }, state, '10.0.0.1', now + 60_000)).toEqual(once)
})

test('whatever the state: nothing starts that runs or is done, without a sandbox, or while pod or node end', () => {
  const containerState = fc.constantFrom<ContainerStatus['state'] | 'none'>('none', 'running', 'exited', 'created')
  const scene = fc.record({
    main: containerState,
    one: containerState,
    exitCode: fc.constantFrom(0, 1),
    sandboxReady: fc.boolean(),
    hasSandbox: fc.boolean(),
    volumesReady: fc.boolean(),
    images: fc.boolean(),
    deleting: fc.boolean(),
    gone: fc.boolean(),
    nodeStops: fc.boolean(),
    policy: fc.constantFrom('Always', 'OnFailure', 'Never'),
    restarted: fc.boolean(),
    busy: fc.subarray(['sandbox', 'start:main', 'stop:main', 'prepare']),
  })
  fc.assert(
    fc.property(
      scene,
      ({
        main,
        one,
        exitCode,
        sandboxReady,
        hasSandbox,
        volumesReady,
        images,
        deleting,
        gone,
        nodeStops,
        policy,
        restarted,
        busy,
      }) => {
        const pod = podWith(
          { restartPolicy: policy, initContainers: [{ name: 'one' }] as Container[] },
          deleting ? { deletionTimestamp: '2026-01-01T00:00:30Z' } : {},
        )
        const state = stateWith(
          ...(
            [
              ['one', one],
              ['main', main],
            ] as const
          ).flatMap(([name, its]) => (its === 'none' ? [] : [attempt(name, its, { exitCode })])),
        )
        state.sandbox = hasSandbox ? { ...sandbox, ready: sandboxReady } : undefined
        state.volumesReady = volumesReady
        state.gone = gone
        if (nodeStops) state.nodeStopsAtMs = now + 60_000
        if (!images) state.images.clear()
        if (restarted) state.restarts.set('main', { delayMs: 10_000, sinceMs: now })
        for (const key of busy) state.busy.add(key)
        const { actions } = plan(pod, state, now)
        const starts = actions.filter(action => action.type === 'start-container')
        for (const { container } of starts) {
          expect(state.containers.get(container)?.[0]?.state).not.toBe('running')
          expect(state.busy.has(`start:${container}`)).toBe(false)
        }
        const possible = state.sandbox?.ready === true && volumesReady && images && !deleting && !gone
        expect(starts.length > 0 && !possible).toBe(false)
        const begun = brief(actions).filter(action => /^(start|prepare|ensure)/.test(action))
        expect((deleting || gone || nodeStops) && begun.length > 0).toBe(false)
        const isDone = main === 'exited' && (policy === 'Never' || (policy === 'OnFailure' && exitCode === 0))
        expect(isDone && starts.some(({ container }) => container === 'main')).toBe(false)
        expect(podStatus(pod, state, '10.0.0.1', now).containerStatuses).toHaveLength(1)
      },
    ),
  )
})
