import { expect, test } from 'vitest'
import type { Container } from '../api/generated/models.ts'
import { FakeClock } from '../testing/fake-clock.ts'
import { ContainerProber, type ProbeKind } from './container-prober.ts'

interface Fixture {
  readonly clock: FakeClock
  readonly prober: ContainerProber
  readonly complaints: ProbeKind[]
  healthy: (command: string) => boolean
  asked: string[]
}

function probing(container: Partial<Container>): Fixture {
  const clock = new FakeClock()
  const fixture: Fixture = { clock, complaints: [], healthy: () => true, asked: [], prober: undefined as never }
  const prober = new ContainerProber({ name: 'main', ...container }, clock.now(), {
    clock,
    onChange: () => {},
    onUnhealthy: kind => fixture.complaints.push(kind),
    run: async probe => {
      const command = probe.exec!.command![0]!
      fixture.asked.push(command)
      return { ok: fixture.healthy(command), message: 'no' }
    },
  })
  return Object.assign(fixture, { prober })
}

const probe = (command: string, options = {}) => ({
  exec: { command: [command] },
  periodSeconds: 10,
  failureThreshold: 3,
  successThreshold: 1,
  timeoutSeconds: 1,
  ...options,
})

test('without probes a container is started and ready', () => {
  expect(probing({}).prober.state).toEqual({ started: true, ready: true })
})

test('readiness is asked at once and becomes true without waiting for a period', async () => {
  const fixture = probing({ readinessProbe: probe('ready') })
  fixture.healthy = () => fixture.asked.length > 3
  fixture.prober.start()
  await fixture.clock.advance(0)
  expect(fixture.asked).toEqual(['ready'])
  expect(fixture.prober.state.ready).toBe(false)
  await fixture.clock.advance(400)
  expect(fixture.prober.state.ready).toBe(true)
  expect(fixture.complaints).toEqual(['readiness'])
})

test('an initial delay is kept', async () => {
  const fixture = probing({ readinessProbe: probe('ready', { initialDelaySeconds: 5 }) })
  fixture.prober.start()
  await fixture.clock.advance(4_900)
  expect(fixture.asked).toEqual([])
  await fixture.clock.advance(200)
  expect(fixture.prober.state.ready).toBe(true)
})

test('readiness is lost after the threshold of failures and comes back', async () => {
  const fixture = probing({ readinessProbe: probe('ready') })
  fixture.prober.start()
  await fixture.clock.advance(1_000)
  fixture.healthy = () => false
  await fixture.clock.advance(20_000)
  expect(fixture.prober.state.ready).toBe(true)
  await fixture.clock.advance(10_000)
  expect(fixture.prober.state.ready).toBe(false)
  fixture.healthy = () => true
  await fixture.clock.advance(10_000)
  expect(fixture.prober.state.ready).toBe(true)
})

test('liveness fails for good after the threshold', async () => {
  const fixture = probing({ livenessProbe: probe('alive') })
  fixture.healthy = () => false
  fixture.prober.start()
  await fixture.clock.advance(19_000)
  expect(fixture.prober.state.unhealthy).toBeUndefined()
  await fixture.clock.advance(2_000)
  expect(fixture.prober.state.unhealthy).toBe('Container main failed liveness probe, will be restarted')
  const { length } = fixture.asked
  await fixture.clock.advance(60_000)
  expect(fixture.asked.length).toBe(length)
})

test('quick extra probes of startup never use up its failures, and the others wait for it', async () => {
  const fixture = probing({
    startupProbe: probe('up', { failureThreshold: 2 }),
    livenessProbe: probe('alive'),
    readinessProbe: probe('ready'),
  })
  let up = false
  fixture.healthy = command => command !== 'up' || up
  fixture.prober.start()
  await fixture.clock.advance(9_000)
  expect(new Set(fixture.asked)).toEqual(new Set(['up']))
  expect(fixture.asked.length).toBeGreaterThan(5)
  expect(fixture.prober.state.unhealthy).toBeUndefined()
  up = true
  await fixture.clock.advance(2_000)
  expect(fixture.prober.state).toMatchObject({ started: true, ready: true })
  expect(fixture.asked.slice(-2).sort()).toEqual(['alive', 'ready'])
})

test('startup that never comes gives the container up', async () => {
  const fixture = probing({ startupProbe: probe('up', { failureThreshold: 2 }) })
  fixture.healthy = () => false
  fixture.prober.start()
  await fixture.clock.advance(11_000)
  expect(fixture.prober.state.unhealthy).toBe('Container main failed startup probe, will be restarted')
})
