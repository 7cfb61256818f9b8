import { beforeEach, describe, expect, test } from 'vitest'
import type { KubeObject } from '../../api/object.ts'
import { flowSchemas, priorityLevelConfigurations } from '../../api/resources.ts'
import { MemoryStore } from '../../store/memory-store.ts'
import { FakeClock } from '../../testing/fake-clock.ts'
import type { UserInfo } from '../request.ts'
import { ObjectStorage } from '../storage/object-storage.ts'
import { defaultFlowSchemas, defaultPriorityLevels } from './default-configuration.ts'
import { FlowControl, type Passage } from './flow-control.ts'

const get = { verb: 'get', group: '', resource: 'pods', namespace: 'default', name: 'a' }
const member = (username: string, ...groups: string[]): UserInfo => ({
  username,
  groups: [...groups, 'system:authenticated'],
})

let storage: ObjectStorage
let clock: FakeClock
let rejected: string[]

const put = (
  kind: typeof flowSchemas | typeof priorityLevelConfigurations,
  object: { metadata: { name: string }; spec: object },
  revision = 0,
): Promise<unknown> =>
  storage.put(
    kind,
    object.metadata.name,
    {
      apiVersion: 'v1',
      kind: kind.kind,
      ...object,
      metadata: { ...object.metadata, uid: `uid of ${object.metadata.name}` },
    } as unknown as KubeObject,
    revision,
  )

/** A level with so many of the server's seats, and the schema that leads the group of its name to it. */
async function level(name: string, shares: number, more: object = {}, queueLengthLimit = 10): Promise<void> {
  const limitResponse =
    queueLengthLimit === 0
      ? { type: 'Reject' }
      : { type: 'Queue', queuing: { queues: 1, handSize: 1, queueLengthLimit } }
  await put(priorityLevelConfigurations, {
    metadata: { name },
    spec: {
      type: 'Limited',
      limited: { nominalConcurrencyShares: shares, lendablePercent: 0, limitResponse, ...more },
    },
  })
  await put(flowSchemas, {
    metadata: { name },
    spec: {
      matchingPrecedence: 50,
      priorityLevelConfiguration: { name },
      distinguisherMethod: { type: 'ByUser' },
      rules: [
        {
          subjects: [{ kind: 'Group', group: { name } }],
          resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], namespaces: ['*'], clusterScope: true }],
        },
      ],
    },
  })
}

function control(seats: number): FlowControl {
  return new FlowControl({ storage, clock, seats, onReject: (...why) => rejected.push(why.join(' ')) })
}

/** Which of the requests have been let in so far, in the order in which they were. */
function watched(): {
  order: string[]
  note: (name: string, entering: Passage | Promise<Passage>) => Promise<Passage>
} {
  const order: string[] = []
  return {
    order,
    note: async (name, entering) => {
      const passage = await entering
      order.push(name)
      return passage
    },
  }
}

const settle = (): Promise<void> =>
  new Promise(resolve => {
    setImmediate(resolve)
  })

beforeEach(async () => {
  storage = await ObjectStorage.open(new MemoryStore())
  clock = new FakeClock()
  rejected = []
})

describe('which schema a request belongs to', () => {
  test('as in a cluster of Kubernetes', async () => {
    for (const each of defaultPriorityLevels) await put(priorityLevelConfigurations, each)
    for (const each of defaultFlowSchemas) await put(flowSchemas, each)
    const flow = control(600)
    const schemaFor = async (
      user: UserInfo,
      attributes: Parameters<FlowControl['enter']>[1],
    ): Promise<string | undefined> => {
      const passage = await flow.enter(user, attributes)
      passage.leave()
      return passage.schema?.metadata.name
    }
    const lease = {
      verb: 'update',
      group: 'coordination.k8s.io',
      resource: 'leases',
      namespace: 'kube-node-lease',
      name: 'n',
    }
    const node = { verb: 'patch', group: '', resource: 'nodes', subresource: 'status', name: 'n' }
    const account = member('system:serviceaccount:default:default', 'system:serviceaccounts')
    expect(
      await Promise.all([
        schemaFor(member('admin', 'system:masters'), get),
        schemaFor(member('jane'), get),
        schemaFor(member('jane'), { verb: 'get', path: '/healthz' }),
        schemaFor(member('jane'), { verb: 'get', path: '/version' }),
        schemaFor(member('system:node:n', 'system:nodes'), lease),
        schemaFor(member('system:node:n', 'system:nodes'), node),
        schemaFor(member('system:node:n', 'system:nodes'), get),
        schemaFor(member('system:kube-scheduler'), lease),
        schemaFor(member('system:kube-scheduler'), get),
        schemaFor(account, get),
        schemaFor(member('system:serviceaccount:kube-system:x', 'system:serviceaccounts'), get),
        schemaFor({ username: 'x', groups: [] }, get),
      ]),
    ).toEqual([
      'exempt',
      'global-default',
      'probes',
      'global-default',
      'system-node-high',
      'system-node-high',
      'system-nodes',
      'system-leader-election',
      'kube-scheduler',
      'service-accounts',
      'kube-system-service-accounts',
      undefined,
    ])
    const seats = Object.fromEntries([...flow.levels].map(each => [each.name, each.nominalSeats]))
    expect(seats).toEqual({
      'catch-all': 13,
      exempt: 0,
      'global-default': 49,
      'leader-election': 25,
      'node-high': 98,
      system: 74,
      'workload-high': 98,
      'workload-low': 245,
    })
  })
})

describe('a level', () => {
  test('lets in as many as it has seats, and the next when one leaves', async () => {
    await level('two', 1)
    const flow = control(2)
    const { order, note } = watched()
    const [first] = await Promise.all([
      note('1', flow.enter(member('u', 'two'), get)),
      note('2', flow.enter(member('u', 'two'), get)),
    ])
    const third = note('3', flow.enter(member('u', 'two'), get))
    await settle()
    expect(order).toEqual(['1', '2'])
    first.leave()
    first.leave()
    const fourth = note('4', flow.enter(member('u', 'two'), get))
    await third
    await settle()
    expect(order).toEqual(['1', '2', '3'])
    const passage = await third
    passage.leave()
    await fourth
  })

  test('gives flows their turn: one user with many requests does not hold up another', async () => {
    await level('one', 1)
    const flow = control(1)
    const { order, note } = watched()
    const running = await note('a1', flow.enter(member('a', 'one'), get))
    const later = [
      ...['a2', 'a3', 'a4'].map(name => note(name, flow.enter(member('a', 'one'), get))),
      note('b1', flow.enter(member('b', 'one'), get)),
    ]
    for (const passage of later) void passage.then(each => each.leave())
    running.leave()
    await Promise.all(later)
    expect(order).toEqual(['a1', 'a2', 'b1', 'a3', 'a4'])
  })

  test('refuses with 429 and a time to come back when its queue is full', async () => {
    await level('one', 1, {}, 1)
    const flow = control(1)
    await flow.enter(member('u', 'one'), get)
    const waiting = flow.enter(member('u', 'one'), get)
    expect(() => flow.enter(member('u', 'one'), get)).toThrow(
      expect.objectContaining({
        status: expect.objectContaining({
          code: 429,
          reason: 'TooManyRequests',
          details: expect.objectContaining({ retryAfterSeconds: 1 }),
        }),
      }),
    )
    expect(rejected).toEqual(['one one queue-full'])
    const [outcome] = await Promise.allSettled([waiting, clock.advance(15_000)])
    expect(outcome).toMatchObject({ status: 'rejected', reason: { status: { code: 429 } } })
    expect(rejected).toEqual(['one one queue-full', 'one one time-out'])
  })

  test('without a queue refuses at once', async () => {
    await level('one', 1, {}, 0)
    const flow = control(1)
    await flow.enter(member('u', 'one'), get)
    expect(() => flow.enter(member('u', 'one'), get)).toThrow('Too many requests')
    expect(rejected).toEqual(['one one concurrency-limit'])
  })

  test('borrows free seats that another lends, and no more', async () => {
    await level('lender', 4, { lendablePercent: 50 })
    await level('borrower', 1, {}, 0)
    const flow = control(5)
    for (let index = 0; index < 3; index++) await flow.enter(member('u', 'borrower'), get)
    expect(() => flow.enter(member('u', 'borrower'), get)).toThrow('Too many requests')
  })

  test('that may not borrow does not', async () => {
    await level('lender', 4, { lendablePercent: 50 })
    await level('borrower', 1, { borrowingLimitPercent: 0 }, 0)
    const flow = control(5)
    await flow.enter(member('u', 'borrower'), get)
    expect(() => flow.enter(member('u', 'borrower'), get)).toThrow('Too many requests')
  })

  test('lets a request that is wider than itself run alone', async () => {
    await level('one', 1)
    const flow = control(2)
    const wide = await flow.enter(member('u', 'one'), get, 10)
    const { order, note } = watched()
    const next = note('next', flow.enter(member('u', 'one'), get))
    await settle()
    expect(order).toEqual([])
    wide.leave()
    await next
  })

  test('that is changed counts at once', async () => {
    await level('one', 1, {}, 0)
    const flow = control(10)
    const { revision } = storage.get(priorityLevelConfigurations, 'one')!
    expect([...flow.levels].map(each => each.nominalSeats)).toEqual([10])
    await put(
      priorityLevelConfigurations,
      { metadata: { name: 'one' }, spec: { type: 'Exempt', exempt: {} } },
      revision,
    )
    for (let index = 0; index < 30; index++) await flow.enter(member('u', 'one'), get)
  })
})
