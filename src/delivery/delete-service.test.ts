import { describe, expect, test } from 'vitest'
import { Killed, MemoryDelivery, plainManifest } from '../testing/memory-delivery.ts'
import { deleteService, type Deleted } from './delete-service.ts'
import type { Manifest } from './manifest/manifest.ts'

const full: Manifest = {
  ...plainManifest,
  services: [{ type: 'postgres' }],
  migrate: { up: ['up'], down: ['down'], irreversible: false, timeLimitSeconds: 60 },
  schedules: [
    { task: 'sync', timing: { cron: '0 * * * *' }, command: ['node', 'sync.js'], overlap: false, retries: 0 },
  ],
  routes: [{ host: 'hcn.localhost', path: '/', port: 'http' }],
  checks: { after: { command: ['after'], timeLimitSeconds: 60 } },
  files: [{ path: '/etc/rules.json', source: 'rules.json' }],
  secrets: ['TOKEN'],
}

async function delivered(...versions: readonly string[]): Promise<MemoryDelivery> {
  const delivery = new MemoryDelivery()
  for (const version of versions) await delivery.deploy(full, version)
  return delivery
}

const deleted = (delivery: MemoryDelivery, withData: boolean): Promise<Deleted> =>
  delivery.work(options => deleteService(delivery.place, withData, options))

const server = 'hcn-postgres'

describe('deleting a service', () => {
  test('leaves its data, the server that has it, and the password that opens it', async () => {
    const delivery = await delivered('1.0.0', '1.1.0')
    expect(await deleted(delivery, false)).toEqual({ removed: true, kept: [server] })
    const { parts, data, bundles } = delivery.engine.snapshot(delivery.place)
    expect(parts.map(({ kind, name }) => `${kind} ${name}`)).toEqual([`entrance ${server}`, `workload ${server}`])
    expect(data).toEqual([server])
    expect(bundles).toEqual([`${server}-admin`])
    expect(await delivery.releases()).toEqual([])
    expect(delivery.engine.runNames(delivery.place)).toEqual([])
  })

  test('tells of nothing that had gone before', async () => {
    const delivery = new MemoryDelivery()
    const check = { command: ['node', 'smoke.js'], timeLimitSeconds: 60 }
    const strategy = { kind: 'canary', steps: [{ percent: 50, seconds: 2 }], analysis: { maxRestarts: 0, queries: [] } }
    const canary = { ...plainManifest, strategy, checks: { before: check } } as Manifest
    for (const version of ['1.0.0', '1.1.0']) await delivery.deploy(canary, version)
    delivery.done.length = 0
    await deleted(delivery, false)
    expect(delivery.done).toEqual(['remove entrance hcn', 'remove workload hcn'])
  })

  test('with its data leaves nothing', async () => {
    const delivery = await delivered('1.0.0', '1.1.0')
    expect(await deleted(delivery, true)).toEqual({ removed: true, kept: [] })
    expect(delivery.engine.snapshot(delivery.place)).toEqual({ parts: [], bundles: [], data: [] })
    expect(await delivery.engine.services('test', 'test')).toEqual([])
  })

  test('takes the data of a service away that was deleted without it', async () => {
    const delivery = await delivered('1.0.0')
    await deleted(delivery, false)
    expect(await deleted(delivery, false)).toEqual({ removed: false, kept: [server] })
    expect(await deleted(delivery, true)).toEqual({ removed: true, kept: [] })
    expect(delivery.engine.snapshot(delivery.place)).toEqual({ parts: [], bundles: [], data: [] })
  })

  test('finds nothing where there is none', async () => {
    expect(await deleted(new MemoryDelivery(), true)).toEqual({ removed: false, kept: [] })
  })

  test('takes away what a delivery left that was killed', async () => {
    const delivery = await delivered('1.0.0')
    delivery.lives = 25
    await expect(delivery.deploy(full, '1.1.0')).rejects.toThrow(Killed)
    delivery.next()
    await deleted(delivery, true)
    expect(delivery.engine.snapshot(delivery.place)).toEqual({ parts: [], bundles: [], data: [] })
    expect(await delivery.releases()).toEqual([])
  })

  test.each([false, true])('is finished by the next one, wherever it was killed (with data: %s)', async withData => {
    const whole = await delivered('1.0.0', '1.1.0')
    await deleted(whole, withData)
    const wanted = whole.engine.snapshot(whole.place)
    let lives = 0
    for (let killed = true; killed; lives++) {
      const delivery = await delivered('1.0.0', '1.1.0')
      delivery.lives = lives
      killed = await deleted(delivery, withData).then(
        () => false,
        (error: unknown) => error instanceof Killed,
      )
      delivery.next()
      await deleted(delivery, withData)
      expect(delivery.engine.snapshot(delivery.place)).toEqual(wanted)
      expect(await delivery.releases()).toEqual([])
    }
    expect(lives).toBeGreaterThan(20)
  })

  test('that was killed anywhere can be followed by a delivery', async () => {
    let lives = 0
    for (let killed = true; killed; lives++) {
      const delivery = await delivered('1.0.0')
      delivery.lives = lives
      killed = await deleted(delivery, true).then(
        () => false,
        (error: unknown) => error instanceof Killed,
      )
      delivery.next()
      expect(await delivery.deploy(full, '1.1.0')).toMatchObject({ state: 'deployed', version: '1.1.0' })
    }
  })

  test('waits for nobody who delivers it just now', async () => {
    const delivery = await delivered('1.0.0')
    const lease = await delivery.engine.ledger.take(delivery.place, {
      deployer: 'somebody',
      isGone: () => false,
      waiting: () => {},
      signal: new AbortController().signal,
    })
    const refusal = delivery.work(options => deleteService(delivery.place, true, { ...options, isGone: () => false }))
    await expect(refusal).rejects.toThrow('somebody delivers "hcn" to the namespace test right now')
    await lease.release()
    expect((await delivery.releases()).length).toBe(1)
  })

  test('stops behind a part when it is interrupted, and says how it goes on', async () => {
    const delivery = await delivered('1.0.0')
    const interruption = new AbortController()
    const stopped = delivery.work(options =>
      deleteService(delivery.place, false, {
        ...options,
        signal: interruption.signal,
        report: { ...options.report, step: () => interruption.abort(new Error('interrupted by Ctrl-C')) },
      }),
    )
    await expect(stopped).rejects.toThrow(
      'interrupted by Ctrl-C; some of "hcn" may be gone by now; to take the rest away: sampan delete -e test hcn',
    )
    await deleted(delivery, false)
    expect(await delivery.releases()).toEqual([])
  })
})
