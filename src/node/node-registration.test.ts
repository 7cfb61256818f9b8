import { tmpdir } from 'node:os'
import { expect, test } from 'vitest'
import { SimulatedRuntime } from '../cri/simulated-runtime.ts'
import { silentLogger } from '../lib/logger.ts'
import { FakeClient } from '../testing/fake-client.ts'
import { FakeClock } from '../testing/fake-clock.ts'
import { registerNode } from './node-registration.ts'

async function registered() {
  const [clock, client] = [new FakeClock(), new FakeClient()]
  const state = { pulled: 0, reachable: true }
  const update = client.update.bind(client)
  client.update = async (...args) => {
    if (!state.reachable) throw new Error('the API server is away')
    return update(...args)
  }
  const registration = await registerNode({
    client,
    runtime: new SimulatedRuntime({ clock }),
    nodeName: 'n',
    nodeAddress: '10.42.0.1',
    podCidr: '10.42.0.0/24',
    dataDirectory: tmpdir(),
    clock,
    logger: silentLogger,
    pulledImages: () => state.pulled,
  })
  const statusWrites = (): number => client.journal.filter(line => line === 'update nodes/status n').length
  return { clock, state, registration, statusWrites }
}

test('the status is written anew every five minutes, and soon after an image was pulled', async () => {
  const { clock, state, statusWrites, registration } = await registered()
  expect(statusWrites()).toBe(1)
  await clock.advance(290_000)
  expect(statusWrites()).toBe(1)
  await clock.advance(20_000)
  expect(statusWrites()).toBe(2)
  state.pulled = 1
  await clock.advance(10_000)
  expect(statusWrites()).toBe(3)
  registration.stop()
})

test('a status that could not be written is tried again with the next heartbeat', async () => {
  const { clock, state, statusWrites, registration } = await registered()
  state.pulled = 1
  state.reachable = false
  await clock.advance(10_100)
  expect(statusWrites()).toBe(1)
  state.reachable = true
  await clock.advance(10_000)
  expect(statusWrites()).toBe(2)
  registration.stop()
})
