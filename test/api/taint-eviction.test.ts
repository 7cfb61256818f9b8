// Who leaves a node with a NoExecute taint, when, and what is said about it; and what nodes are told about
// keeping Secrets.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { CoreEvent, Pod, Toleration } from '../../src/api/generated/models.ts'
import { events, nodes, pods } from '../../src/api/resources.ts'
import { startControllers, type Running } from '../../src/control/controller.ts'
import { taintEvictionController } from '../../src/controllers/taint-eviction/taint-eviction.ts'
import { nextStep, ttlController } from '../../src/controllers/ttl/ttl.ts'
import { silentLogger } from '../../src/lib/logger.ts'
import { systemRandom } from '../../src/main/system.ts'
import { eventually } from '../../src/testing/eventually.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'
import { freshNamespace } from '../../src/testing/fresh-namespace.ts'
import { startTestServer, type TestServer } from '../../src/testing/in-process-server.ts'

const clock = new FakeClock()
let server: TestServer
let controllers: Running
let namespace = ''
let node = ''
beforeAll(async () => {
  server = await startTestServer({ clock })
  controllers = await startControllers([taintEvictionController, ttlController], {
    client: server.local,
    clock,
    random: systemRandom,
    logger: silentLogger,
  })
})
afterAll(async () => {
  await controllers.stop()
  await server.close()
})
beforeEach(async () => {
  namespace = await freshNamespace(server)
  node = `node-of-${namespace}`
  await server.local.create(nodes, { metadata: { name: node } })
})

const place = (name: string, ...tolerations: Toleration[]): Promise<Pod> =>
  server.local.create(pods, {
    metadata: { namespace, name },
    spec: { nodeName: node, containers: [{ name: 'c', image: 'x:1' }], tolerations },
  })
const taint = (...effects: string[]): Promise<unknown> =>
  server.local.patch(
    nodes,
    { name: node },
    {
      type: 'merge',
      value: { spec: { taints: effects.map(effect => ({ key: 'maintenance', value: 'now', effect })) } },
    },
  )
const stored = (name: string): Promise<Pod> => server.local.get(pods, { namespace, name })
const leaves = (name: string): Promise<Pod> =>
  eventually(`${name} is deleted`, async () => {
    const pod = await stored(name)
    return pod.metadata.deletionTimestamp !== undefined && pod
  })
const said = (name: string, message: string): Promise<CoreEvent> =>
  eventually(message, async () =>
    (await server.local.list(events, { namespace })).items.find(
      event => event.involvedObject.name === name && event.message === message,
    ),
  )
const tolerated = (tolerationSeconds?: number): Toleration => ({
  key: 'maintenance',
  operator: 'Exists',
  effect: 'NoExecute',
  ...(tolerationSeconds !== undefined && { tolerationSeconds }),
})

test('who tolerates the taint stays, who does not leaves at once and learns why', async () => {
  await place('stays', tolerated())
  await place('leaves')
  await taint('NoExecute')
  const { status } = await leaves('leaves')
  expect(status.conditions?.find(({ type }) => type === 'DisruptionTarget')).toMatchObject({
    status: 'True',
    reason: 'DeletionByTaintManager',
    message: 'Taint manager: deleting due to NoExecute taint',
    observedGeneration: 1,
  })
  expect(await said('leaves', `Marking for deletion Pod ${namespace}/leaves`)).toMatchObject({
    type: 'Normal',
    reason: 'TaintManagerEviction',
    source: { component: 'taint-eviction-controller' },
  })
  expect((await stored('stays')).metadata.deletionTimestamp).toBeUndefined()
})

test('who comes to a tainted node leaves as well', async () => {
  await taint('NoExecute')
  await place('late')
  await leaves('late')
})

test('a taint with another effect makes nobody leave', async () => {
  await place('first')
  await taint('NoSchedule')
  await place('second', { key: 'other', operator: 'Exists' })
  await taint('NoSchedule', 'NoExecute')
  await leaves('first')
  await leaves('second')
})

test('who tolerates it for some time leaves when that is over, and stays when the taint goes before', async () => {
  await place('patient', tolerated(60))
  await place('hasty', tolerated(20))
  await taint('NoExecute')
  await clock.advance(21_000)
  await leaves('hasty')
  expect((await stored('patient')).metadata.deletionTimestamp).toBeUndefined()
  await taint()
  await said('patient', `Cancelling deletion of Pod ${namespace}/patient`)
  await clock.advance(120_000)
  expect((await stored('patient')).metadata.deletionTimestamp).toBeUndefined()
})

test('each node says for how long Secrets may be kept', async () => {
  const found = await eventually(
    'the annotation',
    async () => (await server.local.get(nodes, { name: node })).metadata.annotations?.['node.alpha.kubernetes.io/ttl'],
  )
  expect(found).toBe('0')
})

test.each([
  [0, 100, 0],
  [0, 101, 1],
  [1, 95, 1],
  [1, 89, 0],
  [0, 700, 2],
  [1, 501, 2],
  [2, 460, 2],
  [3, 2001, 4],
  [4, 1, 0],
])('from step %i with %i nodes to step %i', (step, nodeCount, expected) =>
  expect(nextStep(step, nodeCount)).toBe(expected),
)
