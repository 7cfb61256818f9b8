import { expect, onTestFinished, test } from 'vitest'
import type { ServiceCIDR } from '../api/generated/models.ts'
import { serviceCidrs } from '../api/resources.ts'
import { silentLogger } from '../lib/logger.ts'
import { eventually } from '../testing/eventually.ts'
import { startTestServer } from '../testing/in-process-server.ts'
import { addFirstRoute, followServiceRanges } from './service-routes.ts'

test('the machine reaches the addresses of every range, as long as it is there', async () => {
  const server = await startTestServer()
  const lines: string[] = []
  const network = {
    podCidr: '10.42.0.0/16',
    serviceCidr: '10.43.0.0/16',
    dnsAddress: '10.43.0.10',
    nodeAddress: '10.42.255.254',
    domain: 'cluster.local',
  }
  const options = {
    network,
    linkName: 'sampan42',
    apply: async (added: readonly string[]) => void lines.push(...added),
  }
  await addFirstRoute(options)
  const stop = followServiceRanges({ ...options, client: server.local, logger: silentLogger })
  onTestFinished(async () => {
    stop()
    await server.close()
  })
  await server.local.create<ServiceCIDR>(serviceCidrs, {
    metadata: { name: 'more' },
    spec: { cidrs: ['10.99.0.0/24'] },
  })
  await eventually('that the new range is routed', () => lines.length === 2)
  await server.local.delete(serviceCidrs, { name: 'more' })
  await eventually('that its route is gone', () => lines.length === 3)
  expect(lines).toEqual([
    'route replace 10.43.0.0/16 dev sampan42 src 10.42.255.254 metric 42',
    'route replace 10.99.0.0/24 dev sampan42 src 10.42.255.254 metric 42',
    'route delete 10.99.0.0/24 dev sampan42 src 10.42.255.254 metric 42',
  ])
})
