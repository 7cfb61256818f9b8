import { beforeEach, describe, expect, test } from 'vitest'
import { MemoryDelivery, plainManifest } from '../testing/memory-delivery.ts'
import type { ObservedSchedule, Terminal } from './engine/engine.ts'
import type { Run } from './engine/parts.ts'
import { runCommand, runTask } from './run-task.ts'

const manifest = {
  ...plainManifest,
  environment: { GREETING: { value: 'hello' } },
  schedules: ['sync', 'report'].map(task => ({
    task,
    timing: { cron: '0 * * * *' },
    command: ['node', `${task}.js`],
    overlap: task === 'report',
    retries: 0,
  })),
}

let delivery: MemoryDelivery
let runs: Run[]

beforeEach(async () => {
  delivery = new MemoryDelivery()
  await delivery.deploy(manifest, '1.0.0')
  runs = []
  const { behaviour } = delivery.engine
  delivery.engine.behaviour = {
    ...behaviour,
    run: run => {
      runs.push(run)
      return { exitCode: 3, lines: ['a line'] }
    },
  }
})

describe('a task', () => {
  const lines: string[] = []
  const start = (task: string, signal = new AbortController().signal) =>
    runTask(delivery.place, { task, mark: 'm1' }, delivery.engine, {
      progress: () => {},
      heldUp: () => {},
      line: line => lines.push(line),
      signal,
    })
  const runsNow = (running: number): void => {
    const { engine } = delivery
    const observe = engine.observe.bind(engine)
    engine.observe = async place => {
      const seen = await observe(place)
      return { ...seen, schedules: seen.schedules.map((schedule): ObservedSchedule => ({ ...schedule, running })) }
    }
  }

  test('runs now as it would at its time, and gives its exit code', async () => {
    expect(await start('sync')).toMatchObject({ exitCode: 3 })
    expect(lines).toEqual(['a line'])
    expect(runs).toMatchObject([{ name: 'hcn-sync-m1', version: '1.0.0', process: { command: ['node', 'sync.js'] } }])
  })

  test('that there is not is told with the one that is meant', async () => {
    await expect(start('snyc')).rejects.toThrow('release 1 of "hcn" has no task "snyc"; did you mean "sync"?')
  })

  test('is not run twice at once, unless it may be', async () => {
    runsNow(1)
    await expect(start('sync')).rejects.toThrow('"sync" of "hcn" runs just now and is not to run twice at once')
    expect(await start('report')).toMatchObject({ exitCode: 3 })
  })

  test('ends with whoever started it', async () => {
    const stop = AbortSignal.abort(new Error('stopped'))
    await expect(start('sync', stop)).rejects.toThrow('stopped')
    expect(delivery.engine.runNames(delivery.place)).toEqual([])
  })
})

test('a process of its own has the image and the variables of the release that runs', async () => {
  const command = { command: ['node', 'console.js'], mark: 'm1' }
  expect(await runCommand(delivery.place, command, delivery.engine, {} as Terminal)).toBe(3)
  expect(runs[0]!.process).toMatchObject({
    image: 'sampan.local/hcn:1.0.0@sha256:1.0.0',
    command: ['node', 'console.js'],
    variables: { GREETING: { value: 'hello' }, SERVICE_VERSION: { value: '1.0.0' } },
  })
})

test('nothing is run where no release runs', async () => {
  const place = { ...delivery.place, service: 'other' }
  const command = { command: ['sh'], mark: 'm1' }
  await expect(runCommand(place, command, delivery.engine, {} as Terminal)).rejects.toThrow(
    'no release of "other" runs in the environment "test"',
  )
})
