// Two whole API servers with all control loops on one store, in this process: what has to happen happens
// once, and goes on when the server that did it stops.
import { expect, onTestFinished, test } from 'vitest'
import { deployments, leases, pods, replicaSets } from '../../src/api/resources.ts'
import { startControllers, type Running } from '../../src/control/controller.ts'
import { runWhileLeading } from '../../src/control/while-leading.ts'
import { machineClock } from '../../src/host/machine-clock.ts'
import { silentLogger } from '../../src/lib/logger.ts'
import { MemoryStore } from '../../src/store/memory-store.ts'
import { eventually } from '../../src/testing/eventually.ts'
import { startTestServer, type TestServer } from '../../src/testing/in-process-server.ts'
import { controllersOf } from '../../src/testing/test-cluster.ts'

const namespace = 'default'
const name = { namespace: 'kube-system', name: 'kube-controller-manager' }

function work(server: TestServer, identity: string, starts: string[]): Running {
  const { local } = server
  const common = { client: local, clock: machineClock, logger: silentLogger }
  return runWhileLeading({
    ...common,
    name,
    identity,
    start: () => {
      starts.push(identity)
      return startControllers(controllersOf(server), { ...common, random: server.server.context.random })
    },
  })
}

test('a Deployment is acted on by one of two servers, and by the other one after it', { timeout: 30_000 }, async () => {
  const store = new MemoryStore()
  const servers = [await startTestServer({ store }), await startTestServer({ store })] as const
  const starts: string[] = []
  const [first, second] = [work(servers[0], 'first', starts), work(servers[1], 'second', starts)]
  onTestFinished(async () => {
    await Promise.all([first.stop(), second.stop()])
    for (const { remote, server } of servers) {
      remote.close()
      await server.close()
    }
  })
  await eventually('that one leads', () => starts.length === 1)
  const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'i' }] } }
  const [one, other] = starts[0] === 'first' ? [servers[0], servers[1]] : [servers[1], servers[0]]
  await other.local.create(deployments, {
    metadata: { namespace, name: 'web' },
    spec: { replicas: 2, selector: { matchLabels: { app: 'web' } }, template },
  } as never)
  const made = async (from: TestServer): Promise<[number, number]> => [
    (await from.local.list(replicaSets, { namespace })).items.length,
    (await from.local.list(pods, { namespace })).items.length,
  ]
  await eventually('that the pods are there', async () => (await made(one))[1] === 2)
  expect(await made(other)).toEqual([1, 2])
  await (one === servers[0] ? first : second).stop()
  await eventually('that the other one leads', () => starts.length === 2)
  await one.local.patch(deployments, { namespace, name: 'web' }, { type: 'merge', value: { spec: { replicas: 3 } } })
  await eventually('that there are three', async () => (await made(other))[1] === 3)
  expect([await made(one), (await one.local.get(leases, name)).spec.leaseTransitions]).toEqual([[1, 3], 1])
})
