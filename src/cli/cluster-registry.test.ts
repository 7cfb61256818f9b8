// A server of this machine tells its registry itself; a cluster that is down is told with what starts it again, and not
// another one.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, test, vi } from 'vitest'
import { FakeClock } from '../testing/fake-clock.ts'
import { clusterRegistry, type ServerHere } from './cluster-registry.ts'

const folder = mkdtempSync(join(tmpdir(), 'sampan-cluster-registry-'))
afterAll(() => rmSync(folder, { recursive: true }))
afterEach(() => void vi.unstubAllEnvs())

const url = 'https://127.0.0.1:1'
const dataDirectory = '/srv/data'

/** The registry of a cluster whose API does not answer. */
function registryOf(extension: object | undefined, server?: ServerHere): Promise<string> {
  const file = join(folder, 'kubeconfig')
  const extensions = extension === undefined ? [] : [{ name: 'sampan.dev', extension }]
  const cluster = { server: url, 'insecure-skip-tls-verify': true, extensions }
  writeFileSync(
    file,
    JSON.stringify({
      clusters: [{ name: 'lab', cluster }],
      users: [{ name: 'lab', user: {} }],
      contexts: [{ name: 'mine', context: { cluster: 'lab', user: 'lab' } }],
    }),
  )
  vi.stubEnv('KUBECONFIG', file)
  const serverHere = async (name: string) => (name === 'lab' ? server : undefined)
  return clusterRegistry('mine', { clock: new FakeClock(), serverHere })
}

test.each([
  ['with a data directory of its own', { dataDirectory }, 'sampan up --name lab --data-dir /srv/data,'],
  ['with the usual one', { dataDirectory: '/var/lib/sampan/lab' }, 'sampan up --name lab,'],
  ['by an earlier version', undefined, 'sampan up --name lab,'],
])('a cluster that was started %s', async (_how, extension, command) => {
  await expect(registryOf(extension)).rejects.toThrow(
    `the cluster of the context "mine" is down, so there is no registry to push to; start it with: ${command}`,
  )
})

test('the server of this machine tells its own', async () => {
  expect(await registryOf({ dataDirectory }, { url, dataDirectory, registry: '127.0.0.1:5000' })).toBe('127.0.0.1:5000')
})

test.each([
  ['the context leads elsewhere', { dataDirectory }, { url: 'https://127.0.0.1:2', dataDirectory }],
  ['it has another data directory', { dataDirectory }, { url, dataDirectory: '/srv/other' }],
  ['nobody knows whose context it is', undefined, { url, dataDirectory }],
])('a server of the same name is not believed when %s', async (_when, extension, server) => {
  await expect(registryOf(extension, { ...server, registry: '127.0.0.1:5000' })).rejects.toThrow('is down')
})
