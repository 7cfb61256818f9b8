// The control loop that cleans up service account tokens of the older sort; its rules: plan.test.ts beside it.
import { expect, test } from 'vitest'
import { configMaps, pods, secrets, serviceAccounts } from '../../src/api/resources.ts'
import { startControllers } from '../../src/control/controller.ts'
import { silentLogger } from '../../src/lib/logger.ts'
import { systemRandom } from '../../src/main/system.ts'
import { eventually } from '../../src/testing/eventually.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'
import { startTestServer } from '../../src/testing/in-process-server.ts'
import { legacyServiceAccountTokenCleaner } from '../../src/controllers/legacy-serviceaccount-token-cleaner/legacy-serviceaccount-token-cleaner.ts'

const dayMs = 86_400_000

test('a token that nobody uses is marked after a year and goes after another, a mounted one stays', async () => {
  const server = await startTestServer()
  const clock = new FakeClock(Date.now())
  const { local } = server
  const metadata = (name: string): { namespace: string; name: string } => ({ namespace: 'default', name })
  await local.create(serviceAccounts, {
    metadata: metadata('default'),
    secrets: [{ name: 'idle' }, { name: 'mounted' }],
  })
  for (const name of ['idle', 'mounted']) {
    await local.create(secrets, {
      metadata: { ...metadata(name), annotations: { 'kubernetes.io/service-account.name': 'default' } },
      type: 'kubernetes.io/service-account-token',
    })
  }
  await local.create(pods, {
    metadata: metadata('p'),
    spec: {
      containers: [{ name: 'c', image: 'x', volumeMounts: [] }],
      volumes: [{ name: 'v', secret: { secretName: 'mounted' } }],
    },
  })
  await local.patch(
    configMaps,
    { namespace: 'kube-system', name: 'kube-apiserver-legacy-service-account-token-tracking' },
    { type: 'merge', value: { data: { since: '2020-01-01' } } },
  )
  const running = await startControllers([legacyServiceAccountTokenCleaner], {
    client: local,
    clock,
    random: systemRandom,
    logger: silentLogger,
  })
  const label = (name: string): string | undefined =>
    local.informer(secrets).get(metadata(name))?.metadata.labels?.['kubernetes.io/legacy-token-invalid-since']

  await clock.advance(364 * dayMs)
  expect(label('idle')).toBeUndefined()
  await clock.advance(2 * dayMs)
  await eventually('the mark', () => label('idle') !== undefined)
  expect(label('mounted')).toBeUndefined()
  await clock.advance(367 * dayMs)
  await eventually('the end', () => local.informer(secrets).get(metadata('idle')) === undefined)
  expect(local.informer(secrets).get(metadata('mounted'))).toBeDefined()
  await running.stop()
  await server.close()
})
