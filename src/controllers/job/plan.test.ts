import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Job, Pod } from '../../api/generated/models.ts'
import { formatIndexes, indexKey, parseIndexes } from './indexes.ts'
import { failureCountKey } from './per-index.ts'
import { isJobFinished, isTracked, nextTryMs, planJob, trackingFinalizer } from './plan.ts'

const startMs = Date.parse('2026-01-01T00:00:00Z')

function job(spec: Partial<Job['spec']>, status: Job['status'] = {}): Job {
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'j', namespace: 'n', uid: 'j', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: { template: { spec: { containers: [], restartPolicy: 'Never' } }, parallelism: 1, backoffLimit: 6, ...spec },
    status,
  }
}

let serial = 0
function pod(phase: string, more: Partial<Pod['metadata']> = {}, finishedAt?: string): Pod {
  const name = `pod-${serial++}`
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'n',
      uid: name,
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
      finalizers: [trackingFinalizer],
      ...more,
    },
    spec: { containers: [] },
    status: {
      phase,
      ...(finishedAt && {
        containerStatuses: [
          {
            name: 'c',
            image: '',
            imageID: '',
            ready: false,
            restartCount: 0,
            state: { terminated: { exitCode: 1, finishedAt } },
          },
        ],
      }),
    },
  }
}

const conditions = (status: Job['status']): string[] =>
  (status.conditions ?? []).map(({ type, status: value, reason }) => `${type}=${value} ${reason}`)

test('a new job starts and makes its pods', () => {
  const plan = planJob(job({ parallelism: 3, completions: 5 }), [], startMs)
  expect(plan.create).toHaveLength(3)
  expect(plan.status.startTime).toBe('2026-01-01T00:00:00Z')
})

test('a job is complete when enough pods succeeded', () => {
  const plan = planJob(job({ completions: 1 }), [pod('Succeeded')], startMs)
  expect(plan.status.succeeded).toBe(1)
  expect(conditions(plan.status)).toEqual([
    'SuccessCriteriaMet=True CompletionsReached',
    'Complete=True CompletionsReached',
  ])
  expect(plan.untrack).toHaveLength(1)
})

test('after one failure too many the job ends its other pods, then fails', () => {
  const failing = job({ completions: 2, parallelism: 2, backoffLimit: 0 })
  const pods = [pod('Failed'), pod('Running')]
  const plan = planJob(failing, pods, startMs)
  expect(conditions(plan.status)).toEqual(['FailureTarget=True BackoffLimitExceeded'])
  expect(plan.remove).toEqual([pods[1]])
  expect(conditions(planJob({ ...failing, status: plan.status }, [pods[0]!], startMs).status)).toEqual([
    'FailureTarget=True BackoffLimitExceeded',
    'Failed=True BackoffLimitExceeded',
  ])
})

test('a deadline ends the job', () => {
  const late = job({ activeDeadlineSeconds: 5, completions: 1 }, { startTime: '2026-01-01T00:00:00Z' })
  expect(planJob(late, [pod('Running')], startMs + 4_000).recheckAtMs).toBe(startMs + 5_000)
  expect(conditions(planJob(late, [pod('Running')], startMs + 5_000).status)).toEqual([
    'FailureTarget=True DeadlineExceeded',
  ])
})

describe('the wait after failures', () => {
  test.each([
    [1, 10],
    [2, 20],
    [3, 40],
    [9, 600],
  ])('after %i failures is %i seconds', (failures, seconds) => {
    const pods = Array.from({ length: failures }, () => pod('Failed', {}, '2026-01-01T00:00:00Z'))
    expect(nextTryMs(pods, job({}))).toBe(startMs + seconds * 1000)
  })
  test('starts anew after a success', () => {
    expect(
      nextTryMs([pod('Failed', {}, '2026-01-01T00:00:00Z'), pod('Succeeded', {}, '2026-01-01T00:00:05Z')], job({})),
    ).toBe(0)
  })
})

test('suspending removes the pods without counting them', () => {
  const plan = planJob(
    job({ suspend: true, completions: 1 }, { startTime: '2026-01-01T00:00:00Z' }),
    [pod('Running')],
    startMs,
  )
  expect([plan.remove.length, plan.discard, plan.status.startTime, conditions(plan.status)]).toEqual([
    1,
    true,
    undefined,
    ['Suspended=True JobSuspended'],
  ])
})

test('an indexed job makes the indexes that are missing', () => {
  const plan = planJob(
    job({ completionMode: 'Indexed', completions: 5, parallelism: 3 }, { completedIndexes: '0,2', succeeded: 2 }),
    [pod('Running', { annotations: { [indexKey]: '1' } })],
    startMs,
  )
  expect(plan.create).toEqual([{ index: 3 }, { index: 4 }])
})

describe('a limit for each index', () => {
  const limited = job({
    completionMode: 'Indexed',
    completions: 2,
    parallelism: 2,
    backoffLimit: 2_147_483_647,
    backoffLimitPerIndex: 1,
  })
  const at = (index: number, failures: number) => ({
    annotations: { [indexKey]: `${index}`, [failureCountKey]: `${failures}` },
  })

  test('gives an index its own wait and carries its count on', () => {
    const failedPod = pod('Failed', at(0, 0), '2026-01-01T00:00:00Z')
    const waiting = planJob(limited, [failedPod], startMs)
    expect([waiting.create, waiting.untrack, waiting.recheckAtMs]).toEqual([
      [{ index: 1, failures: 0 }],
      [],
      startMs + 10_000,
    ])
    expect(
      planJob({ ...limited, status: waiting.status }, [failedPod, pod('Running', at(1, 0))], startMs + 10_000).create,
    ).toEqual([{ index: 0, failures: 1 }])
    expect(
      planJob({ ...limited, status: waiting.status }, [failedPod, pod('Running', at(0, 1))], startMs + 10_000).untrack,
    ).toEqual([failedPod])
  })

  test('fails the index that used it up, and the job when all indexes have ended', () => {
    const plan = planJob(
      limited,
      [pod('Failed', at(0, 1), '2026-01-01T00:00:00Z'), pod('Succeeded', at(1, 0))],
      startMs,
    )
    expect([plan.status.failedIndexes, plan.status.completedIndexes]).toEqual(['0', '1'])
    expect(conditions(plan.status)).toEqual(['FailureTarget=True FailedIndexes', 'Failed=True FailedIndexes'])
  })
})

test('a success policy ends the job early', () => {
  const early = job({
    completionMode: 'Indexed',
    completions: 5,
    parallelism: 5,
    successPolicy: { rules: [{ succeededIndexes: '0-2', succeededCount: 2 }] },
  })
  const pods = [
    pod('Succeeded', { annotations: { [indexKey]: '0' } }),
    pod('Succeeded', { annotations: { [indexKey]: '2' } }),
    pod('Running', { annotations: { [indexKey]: '1' } }),
  ]
  const plan = planJob(early, pods, startMs)
  expect([conditions(plan.status), plan.remove]).toEqual([['SuccessCriteriaMet=True SuccessPolicy'], [pods[2]]])
})

test('lists of indexes survive being written', () => {
  expect(formatIndexes(new Set([0, 1, 2, 4, 6, 7]))).toBe('0-2,4,6,7')
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat({ max: 60 })), list => {
      expect(parseIndexes(formatIndexes(new Set(list)))).toEqual(new Set(list))
    }),
  )
})

test('every pod is counted once, however often the loop is interrupted, and the job ends', () => {
  const step = fc.record({
    lostStatus: fc.boolean(),
    lostUntrack: fc.boolean(),
    outcome: fc.constantFrom('Succeeded', 'Failed', 'Running'),
    pick: fc.nat(),
  })
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 1, max: 4 }),
      fc.array(step, { maxLength: 80 }),
      (completions, parallelism, steps) => {
        let current = job({ completions, parallelism, backoffLimit: 1000 })
        let pods: Pod[] = []
        let nowMs = startMs
        const real = { Succeeded: 0, Failed: 0 }
        const run = (lostStatus: boolean, lostUntrack: boolean): void => {
          nowMs += 700_000
          const plan = planJob(current, pods, nowMs)
          if (lostStatus) return
          current = { ...current, status: plan.status }
          if (lostUntrack) return
          const gone = new Set(plan.untrack.map(one => one.metadata.uid))
          pods = pods
            .map(one => (gone.has(one.metadata.uid) ? { ...one, metadata: { ...one.metadata, finalizers: [] } } : one))
            .filter(one => !plan.remove.includes(one))
          pods.push(...plan.create.map(() => pod('Running')))
          expect(pods.filter(one => one.status.phase === 'Running').length).toBeLessThanOrEqual(parallelism)
        }
        const end = (outcome: 'Succeeded' | 'Failed', pick: number): void => {
          const running = pods.filter(one => one.status.phase === 'Running')
          const chosen = running[pick % Math.max(1, running.length)]
          if (chosen === undefined) return
          real[outcome]++
          pods = pods.map(one => (one === chosen ? { ...one, status: { phase: outcome } } : one))
        }
        for (const { lostStatus, lostUntrack, outcome, pick } of steps) {
          run(lostStatus, lostUntrack)
          if (outcome !== 'Running') end(outcome, pick)
        }
        for (let round = 0; round < 20 && !isJobFinished(current); round++) {
          run(false, false)
          end('Succeeded', round)
        }
        run(false, false)
        run(false, false)
        expect(isJobFinished(current)).toBe(true)
        expect([current.status.succeeded ?? 0, current.status.failed ?? 0]).toEqual([real.Succeeded, real.Failed])
        expect(pods.filter(isTracked)).toEqual([])
      },
    ),
  )
})
