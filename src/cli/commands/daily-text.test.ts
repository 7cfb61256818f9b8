// What the daily commands print, from what they saw.
import { expect, test } from 'vitest'
import { MemoryDelivery, plainManifest } from '../../testing/memory-delivery.ts'
import { lookAt } from '../looking.ts'
import { instanceOf } from '../instance-of.ts'
import { historyText, releaseText } from './history.ts'
import { browserProgram, lastingAddress } from './open.ts'
import { psFacts, psText } from './ps.ts'
import { statusText } from './service-status.ts'
import { serviceState, type Looked } from '../../delivery/service-state.ts'

const nowMs = Date.UTC(2026, 0, 1, 12)

async function lookedAt(...versions: readonly string[]): Promise<Looked> {
  const delivery = new MemoryDelivery()
  const manifest = {
    ...plainManifest,
    strategy: { kind: 'blue-green' as const },
    notify: ['team-hook'],
    ports: [{ name: 'http', port: 3000, protocol: 'TCP' as const, nodePort: 30080 }],
    schedules: [
      { task: 'sync', timing: { cron: '30 * * * *' }, command: ['node', 'sync.js'], overlap: false, retries: 0 },
    ],
  }
  for (const version of versions) {
    delivery.failing = version === '9.0.0' ? '-check-after' : undefined
    const checks = { after: { command: ['e2e'], timeLimitSeconds: 60 } }
    await delivery.deploy({ ...manifest, checks }, version).catch(() => {})
  }
  return (await lookAt(delivery, [delivery.place]))[0]!
}

test('ps', async () => {
  const looked = await lookedAt('1.0.0', '1.1.0')
  expect(psText([looked], nowMs)).toBe(`\
SERVICE   INSTANCE      VERSION   STATE     READY   RESTARTS   ROLE
hcn       hcn-blue-0    1.0.0     Running   yes     0          warm (blue)
hcn       hcn-blue-1    1.0.0     Running   yes     0          warm (blue)
hcn       hcn-green-0   1.1.0     Running   yes     0
hcn       hcn-green-1   1.1.0     Running   yes     0

SERVICE   TASK   RUNNING   LAST START   NEXT
hcn       sync   no        never        in 30m (2026-01-01T12:30:00Z)`)
  expect(psFacts(looked, nowMs)).toMatchObject({ service: 'hcn', instances: [{ role: 'warm (blue)' }, {}, {}, {}] })
})

test('status', async () => {
  const looked = await lookedAt('1.0.0')
  const nothing = { workloads: [], entrances: [], schedules: [], routes: [] }
  const troubled = { place: { ...looked.place, service: 'other' }, releases: [], observed: nothing }
  expect(statusText([serviceState(looked), serviceState(troubled)])).toBe(`\
SERVICE   RELEASE   VERSION   STATE    READY   ADDRESS
hcn       1         1.0.0     well     2/2     port 30080 of the machines
other     -         -         absent   0/0`)
})

test('history', async () => {
  const { releases } = await lookedAt('1.0.0', '9.0.0')
  expect(historyText(releases).split('\n')).toEqual([
    expect.stringMatching(/^RELEASE +VERSION +STATE +AT +BY +WHAT$/),
    expect.stringMatching(
      /^2 +9\.0\.0 +failed +2026-\S+ +process 1 +check what runs now: e2e: it ended with exit code 1$/,
    ),
    expect.stringMatching(/^1 +1\.0\.0 +deployed +2026-\S+ +process 1$/),
  ])
  const steps = releaseText(releases[0]!)
  expect(steps).toMatch(/^hcn 9\.0\.0 in test, release 2: failed$/m)
  expect(steps).toMatch(/^1\. +\S.* +taken back +2026-\S+$/m)
  expect(steps).toMatch(/^\d\. +\S.* +not begun$/m)
})

test('an instance is one that serves, or the one that is named', async () => {
  const looked = await lookedAt('1.0.0', '1.1.0')
  expect(instanceOf(looked, undefined)).toBe('hcn-green-0')
  expect(instanceOf(looked, 'blue-1')).toBe('hcn-blue-1')
  expect(() => instanceOf(looked, '1')).toThrow('"1" may be hcn-blue-1 or hcn-green-1')
  expect(() => instanceOf(looked, 'hcn-gren-0')).toThrow(
    '"hcn" has no instance "hcn-gren-0"; did you mean "hcn-green-0"?',
  )
})

test('an address is a route that something serves, else a port that answers', async () => {
  const looked = await lookedAt('1.0.0')
  const routes = [{ name: 'r', host: 'hcn.test', path: '/api', served: true }]
  const answers = async (): Promise<boolean> => true
  expect(await lastingAddress({ ...looked, observed: { ...looked.observed, routes } }, '127.0.0.1')).toBe(
    'http://hcn.test/api',
  )
  expect(await lastingAddress(looked, '127.0.0.1', answers)).toBe('http://127.0.0.1:30080/')
  expect(await lastingAddress(looked, '::1', answers)).toBe('http://[::1]:30080/')
  expect(await lastingAddress(looked, '127.0.0.1', async () => false)).toBeUndefined()
})

test.each([
  ['darwin', {}, 'open'],
  ['linux', { DISPLAY: ':0' }, 'xdg-open'],
  ['linux', { WAYLAND_DISPLAY: 'wayland-0' }, 'xdg-open'],
  ['linux', {}, undefined],
])('a browser on %s with %o', (platform, environment, program) => {
  expect(browserProgram(platform, environment)).toBe(program)
})
