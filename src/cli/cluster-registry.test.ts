// A cluster that is down is told with what starts it again, and not another one.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, test, vi } from 'vitest'
import { FakeClock } from '../testing/fake-clock.ts'
import { clusterRegistry } from './cluster-registry.ts'

const folder = mkdtempSync(join(tmpdir(), 'sampan-cluster-registry-'))
afterAll(() => rmSync(folder, { recursive: true }))
afterEach(() => void vi.unstubAllEnvs())

test.each([
  ['with a data directory of its own', { dataDirectory: '/srv/data' }, 'sampan up --name lab --data-dir /srv/data,'],
  ['with the usual one', { dataDirectory: '/var/lib/sampan/lab' }, 'sampan up --name lab,'],
  ['by an earlier version', undefined, 'sampan up --name lab,'],
])('a cluster that was started %s', async (_how, extension, command) => {
  const file = join(folder, 'kubeconfig')
  const extensions = extension === undefined ? [] : [{ name: 'sampan.dev', extension }]
  const cluster = { server: 'https://127.0.0.1:1', 'insecure-skip-tls-verify': true, extensions }
  writeFileSync(
    file,
    JSON.stringify({
      clusters: [{ name: 'lab', cluster }],
      users: [{ name: 'lab', user: {} }],
      contexts: [{ name: 'mine', context: { cluster: 'lab', user: 'lab' } }],
    }),
  )
  vi.stubEnv('KUBECONFIG', file)
  await expect(clusterRegistry('mine', new FakeClock())).rejects.toThrow(
    `the cluster of the context "mine" is down, so there is no registry to push to; start it with: ${command}`,
  )
})
