// How instances shared requests before, and what a BalancingPolicy says of it.
import { describe, expect, test } from 'vitest'
import type { KubeObject } from '../../api/object.ts'
import { importConfiguration } from './import-configuration.ts'
import { reportText } from './report.ts'

const parent = { group: 'gateway.networking.k8s.io', kind: 'Gateway', namespace: 'kube-system', name: 'sampan' }

interface Policy extends KubeObject {
  readonly spec: { readonly targetRefs: readonly { readonly name: string }[] }
}

function imported(text: string) {
  const { objects, report } = importConfiguration([{ name: 'it', text }], { namespace: 'shop', parent })
  const policies = (objects as Policy[])
    .filter(({ kind }) => kind === 'BalancingPolicy')
    .map(({ spec: { targetRefs, ...rest } }) => ({ services: targetRefs.map(({ name }) => name), ...rest }))
  const services = (objects as Policy[]).filter(({ kind }) => kind === 'Service').map(({ metadata }) => metadata.name)
  return { policies, services, report: reportText(report) }
}

const kong = (upstream: string, targets = '{ target: "10.0.0.1:80" }, { target: "10.0.0.2:80" }') =>
  imported(`
services: [{ name: s, host: pool, routes: [{ name: a, hosts: [a.test], preserve_host: true }] }]
upstreams: [{ name: pool, ${upstream}${upstream === '' ? '' : ', '}targets: [${targets}] }]`)

const marathon = (labels: Readonly<Record<string, string>>) =>
  imported(JSON.stringify([{ id: '/web', labels: { HAPROXY_GROUP: 'x', ...labels }, ports: [10_001] }]))

const hashed = (hash: object, more: object = {}): object => ({ algorithm: 'ConsistentHash', hash, ...more })

describe('an upstream of Kong', () => {
  test.each<[string, string, object | undefined]>([
    ['takes turns', '', undefined],
    ['takes turns when it says so', 'algorithm: round-robin, hash_on: none', undefined],
    ['without something to hash takes turns', 'algorithm: consistent-hashing', undefined],
    ['has the fewest connections', 'algorithm: least-connections', { algorithm: 'LeastConnections' }],
    [
      'has the fewest connections, whatever hash_on says',
      'algorithm: least-connections, hash_on: ip',
      { algorithm: 'LeastConnections' },
    ],
    ['has the fewest requests in place of the shortest time', 'algorithm: latency', { algorithm: 'LeastConnections' }],
    ['is chosen by address', 'hash_on: ip', hashed({ by: 'Address' })],
    ['is chosen by a header', 'hash_on: header, hash_on_header: X-T', hashed({ by: 'Header', name: 'X-T' })],
    [
      'is chosen by a parameter',
      'hash_on: query_arg, hash_on_query_arg: t',
      hashed({ by: 'QueryParameter', name: 't' }),
    ],
    ['is chosen by who asks', 'hash_on: consumer', hashed({ by: 'Header', name: 'X-Consumer-Name' })],
    [
      'is chosen by a cookie, and keeps who has none',
      'algorithm: round-robin, hash_on: cookie, hash_on_cookie: c',
      hashed({ by: 'Cookie', name: 'c' }, { affinity: { cookie: {} } }),
    ],
    ['is not chosen by a path', 'hash_on: path', undefined],
    ['is not chosen by what has no name', 'hash_on: header', undefined],
    [
      'keeps its clients',
      'algorithm: sticky-sessions, sticky_sessions_cookie: where',
      { algorithm: 'RoundRobin', affinity: { cookie: { name: 'where' } } },
    ],
    [
      'throws out who fails',
      'healthchecks: { passive: { unhealthy: { http_failures: 4, tcp_failures: 2, timeouts: 0 } } }',
      { algorithm: 'RoundRobin', ejection: { consecutiveErrors: 2, duration: '30s' } },
    ],
    [
      'takes back who failed when it would have been looked at',
      'healthchecks: { active: { healthy: { interval: 5, successes: 3 } }, passive: { unhealthy: { timeouts: 1 } } }',
      { algorithm: 'RoundRobin', ejection: { consecutiveErrors: 1, duration: '15s' } },
    ],
    [
      'counts nothing',
      'healthchecks: { active: { healthy: { interval: 0 } }, passive: { unhealthy: { http_failures: 0 } } }',
      undefined,
    ],
  ])('%s', (_what, upstream, expected) => {
    expect(kong(upstream).policies).toEqual(expected === undefined ? [] : [{ services: ['s'], ...expected }])
  })

  test.each([
    ['hash_on: path', 'hash_on'],
    ['hash_on: header, hash_on_header: X-T, hash_fallback: ip', 'hash_fallback'],
    ['healthchecks: { active: { healthy: { interval: 5 } } }', 'healthchecks / active'],
    ['algorithm: newest', 'algorithm'],
  ])('with %s is told of', (upstream, field) => {
    expect(kong(upstream).report).toContain(`left out     upstreams pool / ${field}: `)
  })

  const weighed =
    '{ target: "10.0.0.1:80", weight: 9 }, { target: "10.0.0.2:80", weight: 1 }, { target: "10.0.0.3:80", weight: 0 }'

  test('is one Service for clients that stay, without those that got nothing', () => {
    const { policies, services, report } = kong('hash_on: ip', weighed)
    expect([policies.length, services]).toEqual([1, ['s']])
    expect(report).toContain('the Service s with 2 addresses')
    expect(report).toContain(
      'changed      upstreams pool: its targets have different weights, and all get the same share',
    )
  })

  test('keeps its weights otherwise, and that is told', () => {
    const { policies, services, report } = kong('algorithm: least-connections', weighed)
    expect([policies, services]).toEqual([[], ['s-10-0-0-1', 's-10-0-0-2', 's-10-0-0-3']])
    expect(report).toContain('left out     upstreams pool: its targets have different weights')
  })
})

describe('a port of marathon-lb', () => {
  test.each<[Readonly<Record<string, string>>, object | undefined]>([
    [{}, undefined],
    [{ BALANCE: 'roundrobin' }, undefined],
    [{ BALANCE: 'leastconn' }, { algorithm: 'LeastConnections' }],
    [{ BALANCE: 'source' }, hashed({ by: 'Address' })],
    [{ BALANCE: 'hdr(X-Tenant)' }, hashed({ by: 'Header', name: 'X-Tenant' })],
    [{ BALANCE: 'url_param tenant check_post' }, hashed({ by: 'QueryParameter', name: 'tenant' })],
    [{ BALANCE: 'uri' }, undefined],
    [{ STICKY: 'true' }, { algorithm: 'RoundRobin', affinity: { cookie: {} } }],
    [
      { STICKY: 'true', BALANCE: 'leastconn' },
      { algorithm: 'LeastConnections', affinity: { cookie: {} } },
    ],
    [{ STICKY: 'false' }, undefined],
  ])('%o', (labels, expected) => {
    const named = Object.fromEntries(Object.entries(labels).map(([key, value]) => [`HAPROXY_0_${key}`, value]))
    const { policies, report } = marathon({ HAPROXY_0_VHOST: 'a.test', ...named })
    expect(policies).toEqual(expected === undefined ? [] : [{ services: ['web'], ...expected }])
    for (const key of Object.keys(labels)) expect(report).toContain(`HAPROXY_0_${key}`)
  })

  test('whose connections are handed on keeps what is known of them', () => {
    expect(marathon({ HAPROXY_0_STICKY: 'true', HAPROXY_0_BALANCE: 'source' }).policies).toEqual([
      { services: ['web'], ...hashed({ by: 'Address' }) },
    ])
    expect(marathon({ HAPROXY_0_BALANCE: 'hdr(X-T)' }).policies).toEqual([])
  })

  test('of an application with several is for all of them, and the first one counts', () => {
    const { policies, report } = imported(
      JSON.stringify([
        {
          id: '/web',
          labels: {
            HAPROXY_GROUP: 'x',
            HAPROXY_0_VHOST: 'a.test',
            HAPROXY_0_BALANCE: 'leastconn',
            HAPROXY_1_VHOST: 'b.test',
            HAPROXY_1_STICKY: 'true',
          },
          ports: [10_001, 10_002],
        },
      ]),
    )
    expect(policies).toEqual([{ services: ['web'], algorithm: 'LeastConnections' }])
    expect(report).toContain('how it is balanced is for all ports of the Service web')
    expect(report).toContain('left out     /web / labels / HAPROXY_1: how the Service web is balanced is said by')
  })
})
