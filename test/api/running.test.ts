// What keeps a server running well under load and lets others see how it is: flow control, time limits,
// health checks, metrics.
import { request as httpsRequest } from 'node:https'
import type { IncomingMessage } from 'node:http'
import { connect } from 'node:tls'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { configMaps } from '../../src/api/resources.ts'
import { StoreFailure, type Entry } from '../../src/store/store.ts'
import { MemoryStore } from '../../src/store/memory-store.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'
import { startTestServer, type TestServer } from '../../src/testing/in-process-server.ts'
import { eventually } from '../../src/testing/eventually.ts'

const flowControl = '/apis/flowcontrol.apiserver.k8s.io/v1'
const clerk = { 'Impersonate-User': 'clerk', 'Impersonate-Group': 'clerks' }

/** A store that can be made to fail or to hang. */
class BrittleStore extends MemoryStore {
  mood: 'fine' | 'failing' | 'hanging' = 'fine'
  asked = 0

  override async get(key: string): Promise<Entry | undefined> {
    this.asked++
    if (this.mood === 'failing') throw new StoreFailure('the store is gone')
    if (this.mood === 'hanging') return new Promise(() => {})
    return super.get(key)
  }
}

describe('flow control', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startTestServer()
    await server.call('POST', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
      body: {
        metadata: { name: 'clerks' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
        subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'clerks' }],
      },
    })
  })
  afterAll(() => server.close())

  test('a server begins with the levels and schemas of Kubernetes', async () => {
    const { json } = await server.call('GET', `${flowControl}/flowschemas`, {
      headers: { Accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
    })
    const rows = (json.rows as { cells: unknown[] }[]).map(({ cells }) => cells.slice(0, 4).join(' ')).toSorted()
    expect(rows).toEqual([
      'catch-all catch-all 10000 ByUser',
      'endpoint-controller workload-high 150 ByUser',
      'exempt exempt 1 <none>',
      'global-default global-default 9900 ByUser',
      'kube-controller-manager workload-high 800 ByNamespace',
      'kube-scheduler workload-high 800 ByNamespace',
      'kube-system-service-accounts workload-high 900 ByNamespace',
      'probes exempt 2 <none>',
      'service-accounts workload-low 9000 ByUser',
      'system-leader-election leader-election 100 ByUser',
      'system-node-high node-high 400 ByUser',
      'system-nodes system 500 ByUser',
      'workload-leader-election leader-election 200 ByUser',
    ])
    const levels = (await server.call('GET', `${flowControl}/prioritylevelconfigurations`)).json.items as {
      metadata: { name: string }
    }[]
    expect(levels.map(({ metadata }) => metadata.name).toSorted()).toEqual([
      'catch-all',
      'exempt',
      'global-default',
      'leader-election',
      'node-high',
      'system',
      'workload-high',
      'workload-low',
    ])
  })

  test('every answer names the schema and the level of its request', async () => {
    const { headers } = await server.call('GET', '/api/v1/namespaces/default/pods', { headers: clerk })
    const schema = (await server.call('GET', `${flowControl}/flowschemas/global-default`)).json
    const level = (await server.call('GET', `${flowControl}/prioritylevelconfigurations/global-default`)).json
    expect([headers['x-kubernetes-pf-flowschema-uid'], headers['x-kubernetes-pf-prioritylevel-uid']]).toEqual([
      schema.metadata.uid,
      level.metadata.uid,
    ])
  })

  test('a schema without its level says so in its status, and says so no longer when the level is there', async () => {
    const dangling = async (): Promise<unknown> =>
      (await server.call('GET', `${flowControl}/flowschemas/lost`)).json.status?.conditions
        ?.map(({ type, status, reason }: Record<string, string>) => `${type} ${status} ${reason}`)
        .join()
    await server.call('POST', `${flowControl}/flowschemas`, {
      body: { metadata: { name: 'lost' }, spec: { priorityLevelConfiguration: { name: 'nowhere' } } },
    })
    await eventually('the status of the schema', async () => (await dangling()) === 'Dangling True NotFound')
    await server.call('POST', `${flowControl}/prioritylevelconfigurations`, {
      body: { metadata: { name: 'nowhere' }, spec: { type: 'Exempt' } },
    })
    await eventually('the status of the schema', async () => (await dangling()) === 'Dangling False Found')
  })

  test('a client that holds all seats of its level is told to come back; others are not held up', async () => {
    const data = { text: 'x'.repeat(900_000) }
    for (let index = 0; index < 10; index++)
      await server.local.create(configMaps, { metadata: { namespace: 'default', name: `big-${index}` }, data })
    await server.call('POST', `${flowControl}/prioritylevelconfigurations`, {
      body: {
        metadata: { name: 'narrow' },
        spec: {
          type: 'Limited',
          limited: { nominalConcurrencyShares: 1, borrowingLimitPercent: 0, limitResponse: { type: 'Reject' } },
        },
      },
    })
    await server.call('POST', `${flowControl}/flowschemas`, {
      body: {
        metadata: { name: 'narrow' },
        spec: {
          matchingPrecedence: 500,
          priorityLevelConfiguration: { name: 'narrow' },
          rules: [
            {
              subjects: [{ kind: 'Group', group: { name: 'clerks' } }],
              resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], namespaces: ['*'] }],
            },
          ],
        },
      },
    })
    const unread = (): Promise<IncomingMessage> =>
      new Promise((resolve, reject) => {
        const { authority, admin } = server.keys
        httpsRequest(
          {
            host: '127.0.0.1',
            port: server.port,
            path: '/api/v1/namespaces/default/configmaps',
            ca: authority.certificate,
            cert: admin.certificate,
            key: admin.key,
            agent: false,
            headers: clerk,
          },
          resolve,
        )
          .once('error', reject)
          .end()
      })
    // One share of 246 is three of the 600 seats.
    const lists = [await unread(), await unread(), await unread()]
    const refused = await server.call('GET', '/api/v1/namespaces/default/configmaps/big-0', { headers: clerk })
    const level = (await server.call('GET', `${flowControl}/prioritylevelconfigurations/narrow`)).json
    expect(refused).toMatchObject({
      status: 429,
      text: 'Too many requests, please try again later.\n',
      headers: {
        'retry-after': '1',
        'content-type': 'text/plain; charset=utf-8',
        'x-content-type-options': 'nosniff',
        'x-kubernetes-pf-prioritylevel-uid': level.metadata.uid,
      },
    })
    expect(
      (
        await server.call('GET', '/api/v1/namespaces/default/configmaps/big-0', {
          headers: { 'Impersonate-User': 'clerk', 'Impersonate-Group': 'system:masters' },
        })
      ).status,
    ).toBe(200)
    expect((await server.call('GET', '/metrics')).text).toContain(
      'apiserver_flowcontrol_rejected_requests_total{flow_schema="narrow",priority_level="narrow",reason="concurrency-limit"} 1',
    )
    for (const list of lists) list.destroy()
    await eventually(
      'the seats to be free again',
      async () =>
        (await server.call('GET', '/api/v1/namespaces/default/configmaps/big-0', { headers: clerk })).status === 200,
    )
  })
})

describe('health and metrics', () => {
  const store = new BrittleStore()
  const clock = new FakeClock(Date.now())
  let server: TestServer
  beforeAll(async () => {
    server = await startTestServer({ store, clock })
  })
  afterAll(() => server.close())

  /** Moves the server's clock on, second by second, until the answer is there. */
  async function whileTimePasses<T>(answer: Promise<T>): Promise<T> {
    let isThere = false
    const arrived = answer.finally(() => {
      isThere = true
    })
    await eventually('the answer', async () => {
      await clock.advance(1000)
      return isThere
    })
    return arrived
  }

  test('checks by name, with and without one of them', async () => {
    expect((await server.call('GET', '/readyz', { anonymous: true })).text).toBe('ok')
    expect((await server.call('GET', '/readyz?verbose', { anonymous: true })).text).toMatch(
      /^\[\+\]ping ok\n\[\+\]log ok\n\[\+\]etcd ok\n\[\+\]etcd-readiness ok\n\[\+\]informer-sync ok\n(\[\+\]poststarthook\/\S+ ok\n)+\[\+\]shutdown ok\nreadyz check passed\n$/,
    )
    expect((await server.call('GET', '/livez?verbose&exclude=etcd', { anonymous: true })).text).toMatch(
      /^\[\+\]ping ok\n\[\+\]log ok\n\[\+\]etcd excluded: ok\n(\[\+\]poststarthook\/\S+ ok\n)+livez check passed\n$/,
    )
    expect((await server.call('GET', '/livez?verbose&exclude=nest&exclude=ant', { anonymous: true })).text).toMatch(
      / ok\nwarn: some health checks cannot be excluded: no matches for "ant","nest"\nlivez check passed\n$/,
    )
    for (const name of ['etcd', 'log', 'poststarthook/rbac/bootstrap-roles'])
      expect((await server.call('GET', `/healthz/${name}`)).text).toBe('ok')
    expect(await server.call('GET', '/healthz/nest')).toMatchObject({ status: 404, text: '404 page not found\n' })
  })

  test('a store that fails or does not answer makes the server unready', async () => {
    store.mood = 'failing'
    expect(await server.call('GET', '/readyz', { anonymous: true })).toMatchObject({
      status: 500,
      text: expect.stringMatching(
        /\n\[-\]etcd failed: reason withheld\n\[-\]etcd-readiness failed: reason withheld\n[^]*\n\[\+\]shutdown ok\nreadyz check failed\n$/,
      ),
    })
    expect((await server.call('GET', '/readyz?exclude=etcd&exclude=etcd-readiness', { anonymous: true })).status).toBe(
      200,
    )
    store.mood = 'hanging'
    const asked = server.call('GET', '/livez/etcd')
    expect(await whileTimePasses(asked)).toMatchObject({
      status: 500,
      text: 'internal server error: it did not answer within 2 s\n',
      headers: { 'content-type': 'text/plain; charset=utf-8' },
    })
    store.mood = 'fine'
    expect((await server.call('GET', '/readyz', { anonymous: true })).status).toBe(200)
  })

  test('requests are counted under the names that Kubernetes uses', async () => {
    await server.call('GET', '/api/v1/namespaces/default/pods/none')
    await server.call('POST', '/api/v1/namespaces/default/configmaps?dryRun=All', { body: { metadata: { name: 'x' } } })
    const { text: counts, headers } = await server.call('GET', '/metrics')
    expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(counts).toContain(
      'apiserver_request_total{verb="GET",dry_run="",group="",version="v1",resource="pods",subresource="",scope="resource",component="apiserver",code="404"} 1',
    )
    expect(counts).toContain(
      'apiserver_request_total{verb="POST",dry_run="All",group="",version="v1",resource="configmaps",subresource="",scope="namespace",component="apiserver",code="201"} 1',
    )
    expect(counts).toMatch(/apiserver_request_duration_seconds_bucket\{verb="GET",.*le="\+Inf"\} 1/)
    expect(counts).toContain('apiserver_resource_objects{group="",resource="namespaces"} 4')
    expect(counts).toContain('apiserver_current_inflight_requests{request_kind="readOnly"} 1')
    expect(counts).toMatch(/process_resident_memory_bytes \d+/)
    expect(counts).toContain('sampan_event_loop_delay_seconds{quantile="0.99"}')
  })

  test('only those may read metrics who were given the right', async () => {
    expect((await server.call('GET', '/metrics', { headers: { 'Impersonate-User': 'jane' } })).status).toBe(403)
    expect(
      (
        await server.call('GET', '/metrics', {
          headers: { 'Impersonate-User': 'prometheus', 'Impersonate-Group': 'system:monitoring' },
        })
      ).status,
    ).toBe(200)
  })

  test('an open watch is counted while it is open, and does not count as in flight', async () => {
    const open = server.call('GET', '/api/v1/configmaps?watch=true&timeoutSeconds=1')
    await eventually('the watch to be counted', async () =>
      (await server.call('GET', '/metrics')).text.includes(
        'apiserver_longrunning_requests{verb="WATCH",group="",version="v1",resource="configmaps",subresource="",scope="cluster",component="apiserver"} 1',
      ),
    )
    await clock.advance(1000)
    await open
    await eventually('the watch to be over', async () =>
      (await server.call('GET', '/metrics')).text.includes(
        'apiserver_longrunning_requests{verb="WATCH",group="",version="v1",resource="configmaps",subresource="",scope="cluster",component="apiserver"} 0',
      ),
    )
  })

  test('a request that wants to switch protocols is counted, with the code it ends with', async () => {
    const { authority, admin } = server.keys
    const code = await new Promise<number | undefined>((resolve, reject) => {
      const request = httpsRequest(
        {
          host: '127.0.0.1',
          port: server.port,
          path: '/api/v1/namespaces/default/pods/none/exec?command=x&stdout=true',
          ca: authority.certificate,
          cert: admin.certificate,
          key: admin.key,
          agent: false,
          headers: { Connection: 'Upgrade', Upgrade: 'SPDY/3.1' },
        },
        response => resolve(response.resume().statusCode),
      )
      request.once('error', reject).end()
    })
    expect(code).toBe(404)
    await eventually('the count', async () =>
      (await server.call('GET', '/metrics')).text.includes(
        'apiserver_request_total{verb="CONNECT",dry_run="",group="",version="v1",resource="pods",subresource="exec",scope="resource",component="apiserver",code="404"} 1',
      ),
    )
  })

  test('a request that takes too long is answered with 504 and leaves the server working', async () => {
    const silent = (path: string): Promise<unknown> =>
      new Promise((resolve, reject) => {
        const { authority, admin } = server.keys
        const request = httpsRequest(
          {
            host: '127.0.0.1',
            port: server.port,
            method: 'POST',
            path,
            ca: authority.certificate,
            cert: admin.certificate,
            key: admin.key,
            agent: false,
            headers: { 'Content-Type': 'application/json', 'Content-Length': 1000 },
          },
          response => {
            const { statusCode: status, headers } = response
            text(response)
              .then(body => ({ status, type: headers['content-type'], body }))
              .then(resolve, reject)
              .finally(() => request.destroy())
          },
        )
        request.on('error', reject)
        request.flushHeaders()
      })
    expect(await whileTimePasses(silent('/api/v1/namespaces/default/configmaps?timeout=5s'))).toEqual({
      status: 504,
      type: 'text/plain; charset=utf-8',
      body: '{"metadata":{},"status":"Failure","message":"Timeout: request did not complete within the allotted timeout","reason":"Timeout","details":{},"code":504}\n',
    })
    expect((await server.call('GET', '/api/v1/namespaces/default?timeout=soon')).json.message).toContain(
      'invalid timeout specified in the request URL',
    )
    expect((await server.call('GET', '/api/v1/namespaces/default')).status).toBe(200)
  })
})

test('a server that shuts down sends new requests away, but tells how it is', async () => {
  const store = new BrittleStore()
  const clock = new FakeClock(Date.now())
  const server = await startTestServer({ store, clock })
  const { authority, admin } = server.keys
  const connection = connect({
    host: '127.0.0.1',
    port: server.port,
    servername: 'localhost',
    ca: authority.certificate,
    cert: admin.certificate,
    key: admin.key,
  })
  const ask = (path: string, more = ''): boolean =>
    connection.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n${more}\r\n`)
  const answers = text(connection)
  store.mood = 'hanging'
  store.asked = 0
  ask('/livez/etcd')
  await eventually('the check to begin', () => store.asked === 1)
  await clock.advance(1000)
  const closed = server.server.close()
  for (const path of ['/api/v1/namespaces', '/metrics']) ask(path)
  ask('/readyz', 'Connection: close\r\n')
  store.mood = 'fine'
  await eventually('all requests to have arrived', () => store.asked > 1)
  await clock.advance(1000)
  const [, , refused, metrics, readiness] = (await answers).split('HTTP/1.1 ')
  expect(refused).toMatch(
    /^503 .*^Retry-After: 1\r$.*^Content-Type: application\/json\r$.*"message":"apiserver is shutting down","reason":"ServiceUnavailable","code":503\}$/ms,
  )
  expect(metrics).toMatch(/^200 .*process_cpu_seconds_total/s)
  expect(readiness).toMatch(/^500 .*\[-\]shutdown failed: reason withheld\nreadyz check failed\n$/s)
  await closed
  await server.close()
})
