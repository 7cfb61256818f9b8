// What readers may rely on: pages of one list are one state, and a watch tells exactly what happened.
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { isNotFound, type ApiError } from '../../api/api-error.ts'
import type { ConfigMap } from '../../api/generated/models.ts'
import type { KubeList, WatchEvent } from '../../api/object.ts'
import { configMaps, namespaces, pods } from '../../api/resources.ts'
import { settle } from '../../testing/fake-clock.ts'
import { startTestServer, type TestServer } from '../../testing/in-process-server.ts'

let server: TestServer
let namespace = ''
let number = 0
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.close())
beforeEach(async () => {
  namespace = `n${number++}`
  await server.local.create(namespaces, { metadata: { name: namespace } })
})

const labelsOf = (shown: boolean): Record<string, string> => (shown ? { shown: 'yes' } : {})
async function put(name: string, value: string, shown = true): Promise<ConfigMap> {
  const metadata = { namespace, name, labels: labelsOf(shown) }
  try {
    const old = await server.local.get(configMaps, { namespace, name })
    return await server.local.update<ConfigMap>(configMaps, {
      ...old,
      metadata: { ...old.metadata, labels: labelsOf(shown) },
      data: { value },
    })
  } catch (error) {
    if (!isNotFound(error)) throw error
    return server.local.create<ConfigMap>(configMaps, { metadata, data: { value } })
  }
}
const remove = (name: string): Promise<void> => server.local.delete(configMaps, { namespace, name }).catch(() => {})
const shown = (objects: readonly ConfigMap[]): string[] =>
  objects.map(({ metadata, data }) => `${metadata.name}=${data?.['value'] ?? ''}`)
const failureOf = (promise: Promise<unknown>): Promise<ApiError> =>
  promise.then(
    () => {
      throw new Error('it did not fail')
    },
    (error: unknown) => error as ApiError,
  )

const change = fc.record({
  name: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
  value: fc.option(fc.constantFrom('1', '2', '3'), { nil: undefined }),
  isShown: fc.boolean(),
})
type ChangeOf = typeof change extends fc.Arbitrary<infer T> ? T : never
const make = ({ name, value, isShown }: ChangeOf): Promise<unknown> =>
  value === undefined ? remove(name) : put(name, value, isShown)

describe('pages of one list', () => {
  test('are the state at the first page, whatever happens in between', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(change, { maxLength: 8 }),
        fc.array(fc.array(change, { maxLength: 3 }), { minLength: 6, maxLength: 6 }),
        fc.integer({ min: 1, max: 3 }),
        fc.boolean(),
        async (before, between, limit, selected) => {
          for (const one of before) await make(one)
          const selection = { namespace, ...(selected && { labelSelector: 'shown=yes' }) }
          const whole = await server.local.list(configMaps, selection)
          const found: ConfigMap[] = []
          let page: KubeList<ConfigMap> = await server.local.list(configMaps, { ...selection, limit })
          found.push(...page.items)
          for (let index = 0; page.metadata.continue !== undefined; index++) {
            for (const one of between[index] ?? []) await make(one)
            page = await server.local.list(configMaps, { ...selection, limit, continue: page.metadata.continue })
            found.push(...page.items)
            expect(page.metadata.resourceVersion).toBe(whole.metadata.resourceVersion)
          }
          expect(shown(found)).toEqual(shown(whole.items))
        },
      ),
      { numRuns: 60 },
    )
  }, 30_000)

  test('say how many are left, unless a selector is at work', async () => {
    for (const name of ['a', 'b', 'c']) await put(name, '1')
    const answer = await server.call('GET', `/api/v1/namespaces/${namespace}/configmaps?limit=1`)
    expect(answer.json.metadata.remainingItemCount).toBe(2)
    const selected = await server.call('GET', `/api/v1/namespaces/${namespace}/configmaps?limit=1&labelSelector=shown`)
    expect(selected.json.metadata.remainingItemCount).toBeUndefined()
    expect(selected.json.metadata.continue).toBeDefined()
  })

  test.each(['nonsense', Buffer.from('{"v":"meta.k8s.io/v1","rv":"x"}').toString('base64url')])(
    'with the token %s are refused',
    async token => {
      expect((await failureOf(server.local.list(configMaps, { namespace, limit: 1, continue: token }))).code).toBe(400)
    },
  )
})

describe('a list', () => {
  test('at a revision that is still to come is refused for now', async () => {
    const answer = await server.call('GET', '/api/v1/configmaps?resourceVersion=999999999')
    expect([answer.status, answer.json.reason]).toEqual([504, 'Timeout'])
  })

  test('at an exact revision shows that state', async () => {
    const first = await put('a', '1')
    await put('a', '2')
    const answer = await server.call(
      'GET',
      `/api/v1/namespaces/${namespace}/configmaps?resourceVersion=${first.metadata.resourceVersion}&resourceVersionMatch=Exact`,
    )
    expect(shown(answer.json.items as ConfigMap[])).toEqual(['a=1'])
  })

  test('at a revision, with a limit, shows exactly that state, page by page', async () => {
    await put('a', '1')
    const {
      metadata: { resourceVersion },
    } = await put('b', '1')
    await put('a', '2')
    const path = `/api/v1/namespaces/${namespace}/configmaps?limit=1`
    const first = await server.call('GET', `${path}&resourceVersion=${resourceVersion}`)
    const second = await server.call('GET', `${path}&continue=${first.json.metadata.continue as string}`)
    expect([...shown(first.json.items as ConfigMap[]), ...shown(second.json.items as ConfigMap[])]).toEqual([
      'a=1',
      'b=1',
    ])
    expect(first.json.metadata.resourceVersion).toBe(resourceVersion)
    const newer = await server.call(
      'GET',
      `${path}&resourceVersion=${resourceVersion}&resourceVersionMatch=NotOlderThan`,
    )
    expect(shown(newer.json.items as ConfigMap[])).toEqual(['a=2'])
  })

  test.each(['-1', 'abc', '1.5'])('at the revision %s is refused', async revision => {
    expect((await server.call('GET', `/api/v1/configmaps?resourceVersion=${revision}`)).status).toBe(400)
  })

  test('by a field that cannot be selected is refused', async () => {
    expect((await failureOf(server.local.list(pods, { fieldSelector: 'spec.hostname=a' }))).message).toContain(
      'field label not supported: spec.hostname',
    )
  })
})

describe('a watch', () => {
  async function collect(
    options: { resourceVersion?: string; labelSelector?: string; fieldSelector?: string },
    work: () => Promise<unknown>,
  ): Promise<string[]> {
    const abort = new AbortController()
    const seen: string[] = []
    const watching = (async () => {
      for await (const { type, object } of server.local.watch(configMaps, {
        namespace,
        ...options,
        signal: abort.signal,
      }) as AsyncIterable<WatchEvent<ConfigMap>>)
        seen.push(`${type} ${object.metadata.name}=${object.data?.['value'] ?? ''}`)
    })()
    await settle()
    await work()
    await settle()
    abort.abort()
    await watching
    return seen
  }

  test('begins with what is there', async () => {
    await put('a', '1')
    expect(await collect({}, () => put('b', '1'))).toEqual(['ADDED a=1', 'ADDED b=1'])
  })

  test('from a revision tells what happened since, and nothing twice', async () => {
    const {
      metadata: { resourceVersion },
    } = await put('a', '1')
    await put('a', '2')
    expect(await collect({ resourceVersion }, () => put('a', '3'))).toEqual(['MODIFIED a=2', 'MODIFIED a=3'])
  })

  test('with a selector shows an object come and go as it begins and ceases to fit', async () => {
    expect(
      await collect({ labelSelector: 'shown=yes' }, async () => {
        await put('a', '1', false)
        await put('a', '2', true)
        await put('a', '3', true)
        await put('a', '4', false)
        await put('a', '5', false)
        await remove('a')
      }),
    ).toEqual(['ADDED a=2', 'MODIFIED a=3', 'DELETED a=4'])
  })

  test('of one name tells of that one', async () => {
    expect(
      await collect({ fieldSelector: 'metadata.name=a' }, async () => {
        await put('a', '1')
        await put('b', '1')
        await remove('a')
      }),
    ).toEqual(['ADDED a=1', 'DELETED a=1'])
  })

  test('whatever happens, following it leads to the same as listing', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(change, { maxLength: 6 }),
        fc.array(change, { maxLength: 10 }),
        async (before, after) => {
          for (const one of before) await make(one)
          const start = await server.local.list(configMaps, { namespace, labelSelector: 'shown=yes' })
          const followed = new Map(start.items.map(object => [object.metadata.name, object.data?.['value'] ?? '']))
          const seen = await collect(
            { resourceVersion: start.metadata.resourceVersion, labelSelector: 'shown=yes' },
            async () => {
              for (const one of after) await make(one)
            },
          )
          for (const event of seen) {
            const [type = '', name = '', value = ''] = event.split(/[ =]/)
            expect(followed.has(name)).toBe(type !== 'ADDED')
            if (type === 'DELETED') followed.delete(name)
            else followed.set(name, value)
          }
          const end = await server.local.list(configMaps, { namespace, labelSelector: 'shown=yes' })
          expect([...followed].map(([name, value]) => `${name}=${value}`).sort()).toEqual(shown(end.items))
        },
      ),
      { numRuns: 60 },
    )
  }, 30_000)

  test('from a revision that is still to come is refused for now', async () => {
    const answer = await server.call('GET', '/api/v1/configmaps?watch=true&resourceVersion=999999999')
    expect([answer.status, answer.json.reason]).toEqual([504, 'Timeout'])
  })
})
