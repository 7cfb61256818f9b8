// Quotas under writes at the same time, by one server and by two on one store.
import { expect, onTestFinished, test } from 'vitest'
import { configMaps, resourceQuotas } from '../../api/resources.ts'
import { startControllers } from '../../control/controller.ts'
import { resourceQuotaController } from '../../controllers/resourcequota/resourcequota.ts'
import { machineClock } from '../../host/machine-clock.ts'
import { silentLogger } from '../../lib/logger.ts'
import { MemoryStore } from '../../store/memory-store.ts'
import { startTestServer } from '../../testing/in-process-server.ts'

test('two servers together let no more pass than fits, while the controller counts', async () => {
  const store = new MemoryStore()
  const servers = [await startTestServer({ store }), await startTestServer({ store })] as const
  const [{ local, server }] = servers
  const counted = { current: () => [configMaps], subscribe: () => () => {} }
  const controllers = await startControllers([resourceQuotaController(counted)], {
    client: local,
    clock: machineClock,
    random: server.context.random,
    logger: silentLogger,
  })
  onTestFinished(async () => {
    await controllers.stop()
    for (const one of servers) {
      one.remote.close()
      await one.server.close()
    }
  })
  await local.create(resourceQuotas, {
    metadata: { namespace: 'default', name: 'q' },
    spec: { hard: { 'count/configmaps': '50' } },
  })
  const outcomes = await Promise.all(
    Array.from({ length: 120 }, (_unused, index) =>
      servers[index % 2]!.local.create(configMaps, { metadata: { namespace: 'default', name: `c${index}` } }).then(
        () => 'stored',
        (error: Error) => error.message,
      ),
    ),
  )
  expect(outcomes.filter(outcome => outcome === 'stored').length).toBe(50)
  expect(
    outcomes
      .filter(outcome => outcome !== 'stored')
      .every(text =>
        text.includes(
          'exceeded quota: q, requested: count/configmaps=1, used: count/configmaps=50, limited: count/configmaps=50',
        ),
      ),
  ).toBe(true)
  expect((await local.get(resourceQuotas, { namespace: 'default', name: 'q' })).status?.used).toEqual({
    'count/configmaps': '50',
  })
})

test('what is refused by another quota, or is there already, is not noted', async () => {
  const server = await startTestServer()
  onTestFinished(() => server.close())
  const { local } = server
  for (const [name, limit] of [
    ['a', '5'],
    ['b', '1'],
  ] as const)
    await local.create(resourceQuotas, {
      metadata: { namespace: 'default', name },
      spec: { hard: { 'count/configmaps': limit } },
    })
  const create = (name: string): Promise<string> =>
    local.create(configMaps, { metadata: { namespace: 'default', name } }).then(
      () => 'stored',
      (error: Error) => error.message,
    )
  expect(await create('first')).toBe('stored')
  expect(await create('first')).toContain('already exists')
  expect(await create('second')).toContain('exceeded quota: b')
  expect((await local.get(resourceQuotas, { namespace: 'default', name: 'a' })).status?.used).toEqual({
    'count/configmaps': '1',
  })
})
