import { describe, expect, test } from 'vitest'
import type { CronJob, Job, JobStatus, Pod } from '../../../api/generated/models.ts'
import type { Timing } from '../parts.ts'
import { observedSchedule } from './observed-schedule.ts'

const at = (text: string): number => Date.parse(`2026-01-01T${text}:00Z`)
const minutes = (text: string): number => at(text) / 60_000
const owner = { apiVersion: 'batch/v1', kind: 'CronJob', name: 'hcn-sync', uid: 'cron', controller: true }
const sevenHours: Timing = { start: '2026-01-01T00:00:00Z', everyMinutes: 420 }
const daily: Timing = { cron: '0 6 * * *' }

const cron = (timing: Timing, lastScheduleTime?: string): CronJob => ({
  apiVersion: 'batch/v1',
  kind: 'CronJob',
  metadata: {
    name: 'hcn-sync',
    namespace: 'n',
    uid: 'cron',
    resourceVersion: '1',
    creationTimestamp: '2025-12-31T23:59:00Z',
    labels: { 'sampan.dev/task': 'sync' },
    annotations: { 'sampan.dev/timing': JSON.stringify(timing) },
  },
  spec: {
    schedule: 'cron' in timing ? timing.cron : '0 * * * *',
    timeZone: 'Etc/UTC',
    startingDeadlineSeconds: 300,
    jobTemplate: {},
  },
  status: lastScheduleTime === undefined ? {} : { lastScheduleTime: `2026-01-01T${lastScheduleTime}:00Z` },
})
const job = (time: string, status: JobStatus = {}): Job => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: {
    name: `hcn-sync-${minutes(time)}`,
    namespace: 'n',
    uid: time,
    resourceVersion: '1',
    creationTimestamp: '',
    ownerReferences: [owner],
  },
  spec: { template: {} },
  status: { startTime: `2026-01-01T${time}:01Z`, ...status },
})
const complete = (time: string): JobStatus => ({
  completionTime: `2026-01-01T${time}:09Z`,
  conditions: [{ type: 'Complete', status: 'True' }],
})
const observed = (given: CronJob, jobs: Job[], now: string, pods: Pod[] = []) =>
  observedSchedule(given, { jobs, pods }, at(now))

describe('a schedule', () => {
  test('tells its last start and success, and what runs', () => {
    const runs = [job('00:00', complete('00:00')), job('07:00')]
    expect(observed(cron(sevenHours, '07:00'), runs, '07:01')).toEqual({
      name: 'hcn-sync',
      task: 'sync',
      running: 1,
      lastStart: '2026-01-01T07:00:01Z',
      lastSuccess: '2026-01-01T00:00:09Z',
    })
  })

  test('does not count times that its guard lets pass', () => {
    const runs = [job('00:00', complete('00:00')), job('01:00', complete('01:00')), job('02:00')]
    expect(observed(cron(sevenHours, '02:00'), runs, '02:30')).toMatchObject({
      running: 0,
      lastStart: '2026-01-01T00:00:01Z',
      lastSuccess: '2026-01-01T00:00:09Z',
    })
  })

  test.each([
    [daily, undefined, '06:04', undefined],
    [daily, undefined, '06:06', 'its time 2026-01-01T06:00:00Z was missed'],
    [daily, '06:00', '06:06', undefined],
    [sevenHours, '06:00', '07:06', 'its time 2026-01-01T07:00:00Z was missed'],
    [sevenHours, '06:00', '09:30', 'its time 2026-01-01T07:00:00Z was missed'],
    [sevenHours, '08:00', '09:30', undefined],
    [{ ...sevenHours, count: 1 }, '06:00', '09:30', undefined],
  ] as const)('%j served at %s: at %s its trouble is %s', (timing, served, now, trouble) => {
    expect(observed(cron(timing, served), [], now).trouble).toBe(trouble)
  })

  test('has not missed what was before it was changed', () => {
    const changed = cron(daily)
    changed.metadata.managedFields = [{ manager: 'sampan', operation: 'Apply', time: '2026-01-01T08:00:00Z' }]
    expect(observed(changed, [], '09:00').trouble).toBeUndefined()
  })

  test('tells how its last run failed', () => {
    const failed = (reason: string): JobStatus => ({ conditions: [{ type: 'Failed', status: 'True', reason }] })
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...cron(daily).metadata, ownerReferences: [{ ...owner, uid: '06:00' }] },
      spec: { containers: [{ name: 'hcn' }] },
      status: { containerStatuses: [{ name: 'hcn', state: { terminated: { exitCode: 3 } } }] },
    } as unknown as Pod
    const run = (reason: string) => [job('06:00', failed(reason))]
    expect(observed(cron(daily, '06:00'), run('BackoffLimitExceeded'), '07:00', [pod]).trouble).toBe(
      'the run of 2026-01-01T06:00:00Z ended with exit code 3',
    )
    expect(observed(cron(daily, '06:00'), run('DeadlineExceeded'), '07:00').trouble).toBe(
      'the run of 2026-01-01T06:00:00Z was not done within its time limit',
    )
  })
})
