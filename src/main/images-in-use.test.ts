// Where digests of images stand in a cluster.
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { PodSpec } from '../api/generated/models.ts'
import { cronJobs, deployments, namespaces, pods, secrets, serviceAccounts } from '../api/resources.ts'
import { SecretLedger } from '../delivery/engine/kubernetes/secret-ledger.ts'
import { digestOf } from '../images/registry/digest.ts'
import { FakeClock } from '../testing/fake-clock.ts'
import { startTestServer, type TestServer } from '../testing/in-process-server.ts'
import { imagesInUse } from './images-in-use.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
  await server.local.create(namespaces, { metadata: { name: 'shop' } })
  await server.local.create(serviceAccounts, { metadata: { name: 'default', namespace: 'shop' } })
})
afterAll(() => server.close())

const named = (what: string): string => `sampan.local/${what}:1@${digestOf(what)}`
const podOf = (image: string): PodSpec => ({ containers: [{ name: 'main', image }] })
const metadata = { name: 'web', namespace: 'shop' }
const labels = { app: 'web' }

test('those of pods, of what makes pods, of what runs, and of kept releases', async () => {
  const { local } = server
  await local.create(pods, { metadata, spec: podOf(named('pod')) })
  const containerStatuses = [{ name: 'main', imageID: `sampan.local/x@${digestOf('running')}` }]
  const value = { status: { containerStatuses } }
  await local.patch(pods, metadata, { type: 'merge', value }, { subresource: 'status' })
  const template = { metadata: { labels }, spec: podOf(named('deployment')) }
  await local.create(deployments, { metadata, spec: { selector: { matchLabels: labels }, template } })
  const job = { template: { spec: { ...podOf(named('schedule')), restartPolicy: 'Never' } } }
  await local.create(cronJobs, { metadata, spec: { schedule: '0 0 * * *', jobTemplate: { spec: job } } })
  const place = { service: 'web', environment: 'shop', namespace: 'shop' }
  const release = { revision: 1, state: 'superseded', content: { image: named('release') } }
  await new SecretLedger(local, new FakeClock()).add(place, release)
  const found = await imagesInUse(local)
  for (const what of ['pod', 'running', 'deployment', 'schedule', 'release'])
    expect(found, what).toContain(digestOf(what))
})

test('it is not guessed what a release is that cannot be read', async () => {
  await server.local.patch(
    secrets,
    { namespace: 'shop', name: 'sampan.release.web.v1' },
    {
      type: 'merge',
      value: { data: { release: 'bm8gZ3ppcA==' } },
    },
  )
  await expect(imagesInUse(server.local)).rejects.toThrow('cannot be read')
})
