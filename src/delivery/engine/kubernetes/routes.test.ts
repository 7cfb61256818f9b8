// Routes where a Gateway takes them: the contract's tests of parts, with no more rights than docs/delivery-rights.md names;
// and what becomes of routes of the other kind, and of those that the Gateway does not take.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  accessPolicies,
  gatewayClasses,
  gateways,
  httpRoutes,
  trafficPolicies,
} from '../../../api/gateway-api/resources.ts'
import type { Gateway, HTTPRoute, Listener } from '../../../api/gateway-api/types.ts'
import { gatewayClassName, offeredGateway } from '../../../api/gateway-names.ts'
import type { Role, RoleBinding } from '../../../api/generated/models.ts'
import type { KubeObject } from '../../../api/object.ts'
import { ingressClasses, ingresses, namespaces, roleBindings, roles } from '../../../api/resources.ts'
import { findObject } from '../../../client/find-object.ts'
import type { Gateway as RunningGateway } from '../../../gateway/gateway.ts'
import { deployerRules } from '../../../testing/deployer-role.ts'
import { eventually } from '../../../testing/eventually.ts'
import {
  busyboxProcesses,
  pretendedCluster,
  pretendedKubernetes,
  type PretendedCluster,
} from '../../../testing/kubernetes-worlds.ts'
import { runningGateway, startOfferedGateway } from '../../../testing/offered-gateway.ts'
import { partBuilders } from '../contract/part-builders.ts'
import { Suite, watch } from '../contract/suite.ts'
import { testParts } from '../contract/test-parts.ts'
import { testPlaces } from '../contract/test-places.ts'
import type { Place } from '../parts.ts'
import type { KubernetesEngine } from './kubernetes-engine.ts'
import type { GatewayName } from './route-style.ts'

describe('engine contract: Kubernetes in process, routes of a Gateway', () => {
  const used = new Set<string>()
  const suite = new Suite(() => pretendedKubernetes(right => used.add(right), true), ['rooms'])
  beforeAll(() => suite.open())
  afterAll(() => suite.close())
  testPlaces(suite)
  testParts(suite)

  test('makes use of the rights that the document names for them', () => {
    // kube-apiserver asks for `create` where there is nothing yet; what is served at the first look is not watched.
    const verbs = ['get', 'list', 'patch', 'delete']
    const policies = ['accesspolicies.gateway.sampan.dev', 'trafficpolicies.gateway.sampan.dev']
    expect([...used]).toEqual(
      expect.arrayContaining([
        ...['httproutes.gateway.networking.k8s.io', ...policies].flatMap(kind => verbs.map(verb => `${verb} ${kind}`)),
        'list endpointslices.discovery.k8s.io',
      ]),
    )
  })
})

describe('routes', () => {
  let cluster: PretendedCluster
  let running: RunningGateway
  let engine: KubernetesEngine
  beforeAll(async () => {
    cluster = await pretendedCluster()
    running = await startOfferedGateway(cluster.client)
    engine = cluster.engineFor()
  })
  afterAll(async () => {
    engine?.close()
    await running?.stop()
    await cluster?.close()
  })

  const few = { requests: 5, seconds: 60 }
  const { route, entrance } = partBuilders(() => busyboxProcesses)
  const placeFor = async (namespace: string): Promise<Place> => {
    const place = { environment: 'test', namespace, service: 'web' }
    await engine.prepare(place)
    await engine.put(place, entrance(place), watch())
    return place
  }
  const kindsOf = async ({ namespace }: Place): Promise<string[]> => {
    const all = await Promise.all([
      cluster.client.list(ingresses, { namespace }),
      cluster.client.list(httpRoutes, { namespace }),
    ])
    return all.flatMap<KubeObject>(({ items }) => items).map(({ kind }) => kind)
  }
  /** Takes routes of the namespaces; nobody serves one of another class. */
  const gateway = async (
    name: string,
    from: Listener['allowedRoutes']['namespaces'],
    className: string = gatewayClassName,
  ): Promise<GatewayName> => {
    await cluster.client.create<Gateway>(gateways, {
      metadata: { namespace: 'default', name },
      spec: {
        gatewayClassName: className,
        addresses: [{ type: 'IPAddress', value: '127.0.0.1' }],
        listeners: [{ name: 'http', port: 80, protocol: 'HTTP', allowedRoutes: { namespaces: from } }],
      },
    })
    if (className === gatewayClassName)
      await eventually('it is accepted', async () => {
        const { status } = await cluster.client.get(gateways, { namespace: 'default', name })
        return status?.conditions?.some(({ type, status: value }) => type === 'Accepted' && value === 'True')
      })
    return { namespace: 'default', name }
  }

  test('are taken by the Gateway that a cluster of Sampan offers, without a word of it', async () => {
    const place = await placeFor('offered')
    expect(await engine.cannot(place, [route(place)])).toEqual([])
    expect(await engine.put(place, route(place), watch())).toEqual({ state: 'done' })
    const made: HTTPRoute = await cluster.client.get(httpRoutes, { namespace: 'offered', name: 'web-api' })
    expect(made.spec).toMatchObject({
      parentRefs: [{ kind: 'Gateway', ...offeredGateway }],
      hostnames: ['web.example.com'],
      rules: [
        { matches: [{ path: { type: 'PathPrefix', value: '/api' } }], backendRefs: [{ name: 'web', port: 8080 }] },
      ],
    })
    expect((await engine.observe(place)).routes).toEqual([
      { name: 'web-api', host: 'web.example.com', path: '/api', served: true },
    ])
    expect(await engine.compare(place, route(place, { host: 'shop.example.com', path: '/' }))).toEqual([
      { field: 'host', is: 'web.example.com', wanted: 'shop.example.com' },
      { field: 'path', is: '/api', wanted: '/' },
    ])
  })

  test('that were Ingresses are moved when they are served anew, and back again', async () => {
    const place = await placeFor('moved')
    const listed = async (from: KubernetesEngine, part = route(place)): Promise<unknown> => [
      await from.put(place, part, watch()),
      await kindsOf(place),
      (await from.observe(place)).routes.length,
    ]
    await cluster.client.create(ingressClasses, {
      metadata: { name: gatewayClassName },
      spec: { controller: 'sampan.dev/gateway' },
    })
    await cluster.client.delete(gateways, offeredGateway)
    const before = cluster.engineFor()
    try {
      expect(await listed(before)).toEqual([{ state: 'done' }, ['Ingress'], 1])
      expect(await before.put(place, route(place, { weights: [] }), watch())).toMatchObject({
        state: 'failed',
        reason: expect.stringContaining('requests for web.example.com/api are not weighed: which Gateway') as string,
      })
      const named = cluster.engineFor(undefined, await gateway('own', { from: 'All' }))
      expect(await named.compare(place, route(place))).toEqual([{ field: 'kind', is: 'Ingress', wanted: 'HTTPRoute' }])
      expect(await listed(named)).toEqual([{ state: 'done' }, ['HTTPRoute'], 1])
      expect(await listed(before)).toEqual([{ state: 'done' }, ['Ingress'], 1])
      expect(await listed(named)).toEqual([{ state: 'done' }, ['HTTPRoute'], 1])
      await before.remove(place, route(place), watch())
      expect(await kindsOf(place)).toEqual([])
      named.close()
    } finally {
      before.close()
    }
  })

  test('that a Gateway refuses are told beforehand, and fail with its words; the Ingress stays', async () => {
    const place = await placeFor('refused')
    const same = cluster.engineFor(undefined, await gateway('closed', { from: 'Same' }))
    const words = 'the Gateway "default/closed" takes no HTTPRoutes of the namespace refused'
    expect(await same.cannot(place, [route(place)])).toEqual([
      { hard: true, reason: expect.stringContaining(words) as string },
    ])
    expect(await engine.put(place, route(place), watch())).toEqual({ state: 'done' })
    expect(await kindsOf(place)).toEqual(['Ingress'])
    expect(await same.put(place, route(place), watch())).toEqual({
      state: 'failed',
      reason: expect.stringMatching(
        /^the Gateway "default\/closed" does not take web\.example\.com\/api: NotAllowedByListeners: no listener of/,
      ) as string,
      lastWords: [],
    })
    expect(await kindsOf(place)).toEqual(['Ingress', 'HTTPRoute'])
    same.close()
  })

  test('of a Gateway that asks for labels of namespaces are taken from those that have them', async () => {
    const place = await placeFor('labelled')
    const selector = { matchLabels: { team: 'shop' } }
    const own = cluster.engineFor(undefined, await gateway('labels', { from: 'Selector', selector }))
    expect(await own.cannot(place, [route(place)])).toMatchObject([{ hard: true }])
    const value = { metadata: { labels: { team: 'shop' } } }
    await cluster.client.patch(namespaces, { name: 'labelled' }, { type: 'merge', value })
    expect(await own.cannot(place, [route(place)])).toEqual([])
    own.close()
  })

  test('of a Gateway that is not there, or that nobody serves, are told beforehand', async () => {
    const place = await placeFor('absent')
    const missing = cluster.engineFor(undefined, { namespace: 'default', name: 'missing' })
    expect(await missing.cannot(place, [route(place)])).toEqual([
      {
        hard: true,
        reason:
          'web.example.com/api would lead nowhere: the Gateway "default/missing", which sampan.yml names, is not there',
      },
    ])
    await cluster.client.create(gatewayClasses, {
      metadata: { name: 'other' },
      spec: { controllerName: 'example.com/other' },
    })
    const unserved = cluster.engineFor(undefined, await gateway('unserved', { from: 'All' }, 'other'))
    const told = (hard: boolean): object => ({
      hard,
      reason: expect.stringMatching(
        /^web\.example\.com\/api will lead nowhere: .*the Gateway "default\/unserved".*/,
      ) as string,
    })
    expect(await unserved.cannot(place, [route(place)])).toEqual([told(false)])
    const weighed = route(place, { weights: [{ entrance: 'web', weight: 1 }] })
    expect(await unserved.cannot(place, [weighed])).toEqual([told(true)])
    missing.close()
    unserved.close()
  })

  test('need rights, which are told beforehand, also those to move them', async () => {
    const place = await placeFor('narrow')
    const give = (name: string, leaves: string): Promise<unknown> =>
      cluster.client.create<Role>(roles, {
        metadata: { name, namespace: 'narrow' },
        rules: deployerRules().filter(({ resources }) => !resources?.includes(leaves)),
      })
    const as = async (user: string): Promise<KubernetesEngine> => {
      await cluster.client.create<RoleBinding>(roleBindings, {
        metadata: { name: user, namespace: 'narrow' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: user },
        subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
      })
      const named = { namespace: 'default', name: 'own' }
      return cluster.engineFor(await cluster.certificateOf(user), named)
    }
    await give('without-routes', 'httproutes')
    const without = await as('without-routes')
    expect(await without.cannot(place, [route(place)])).toEqual([
      {
        hard: true,
        reason: expect.stringContaining(
          'you may not get, list, create, patch, delete, watch httproutes.gateway.networking.k8s.io',
        ) as string,
      },
    ])
    without.close()
    await cluster.client.create<Role>(roles, {
      metadata: { name: 'reading', namespace: 'narrow' },
      rules: deployerRules().map(rule =>
        rule.resources?.includes('ingresses') ? { ...rule, verbs: ['get', 'list'] } : rule,
      ),
    })
    const reading = await as('reading')
    expect(await reading.cannot(place, [route(place)])).toEqual([])
    await engine.put(place, route(place), watch())
    expect(await kindsOf(place)).toEqual(['Ingress'])
    expect(await reading.cannot(place, [route(place)])).toEqual([
      { hard: true, reason: expect.stringContaining('you may not delete ingresses.networking.k8s.io') as string },
    ])
    reading.close()
  })

  test('are known with their policies before they are there, and lose them after they have changed', async () => {
    const place = await placeFor('policed')
    const named = cluster.engineFor(undefined, { namespace: 'default', name: 'own' })
    const asked = route(place, { access: { authentication: { kind: 'basic' } }, limit: { ...few, by: 'consumer' } })
    const name = { namespace: 'policed', name: 'web-api' }
    await running.stop()
    const putting = named.put(place, asked, watch())
    await eventually('the last policy is there', () => findObject(cluster.client, trafficPolicies, name))
    expect(await findObject(cluster.client, httpRoutes, name)).toBeUndefined()
    running = await runningGateway(cluster.client)
    expect(await putting).toEqual({ state: 'done' })
    const there = await cluster.client.get(accessPolicies, name)
    expect(there.status?.ancestors[0]?.conditions[0]).toMatchObject({ type: 'Accepted', status: 'True' })
    await cluster.client.patch(trafficPolicies, name, {
      type: 'merge',
      value: { spec: { rateLimits: [{ requests: 9, per: '1s', by: 'Address' }] } },
    })
    await cluster.client.delete(accessPolicies, name)
    expect(await named.compare(place, asked)).toEqual([
      { field: 'AccessPolicy', is: 'none', wanted: 'one' },
      { field: 'rateLimit', is: '9 1s Address', wanted: '5 60s Consumer' },
    ])
    expect(await named.compare(place, route(place))).toEqual([{ field: 'TrafficPolicy', is: 'one', wanted: 'none' }])
    // What is led elsewhere by a port that is not there is not changed, and stays closed.
    expect(await named.put(place, route(place, { port: 'other' }), watch())).toMatchObject({ state: 'failed' })
    expect(await findObject(cluster.client, trafficPolicies, name)).toBeDefined()
    expect(await named.put(place, route(place), watch())).toEqual({ state: 'done' })
    expect(await findObject(cluster.client, trafficPolicies, name)).toBeUndefined()
    named.close()
  }, 30_000)

  test('take their policies along when they are moved, which are for both until that is done', async () => {
    const place = await placeFor('taken-along')
    const asked = route(place, { limit: { ...few, by: 'address' } })
    const named = cluster.engineFor(undefined, { namespace: 'default', name: 'own' })
    const kinds = async (): Promise<unknown> => {
      const { spec } = await cluster.client.get(trafficPolicies, { namespace: 'taken-along', name: 'web-api' })
      return [spec.targetRefs.map(({ kind }) => kind), await kindsOf(place)]
    }
    expect(await engine.put(place, asked, watch())).toEqual({ state: 'done' })
    expect(await kinds()).toEqual([['Ingress'], ['Ingress']])
    const same = cluster.engineFor(undefined, { namespace: 'default', name: 'closed' })
    expect(await same.put(place, asked, watch())).toMatchObject({ state: 'failed' })
    expect(await kinds()).toEqual([
      ['HTTPRoute', 'Ingress'],
      ['Ingress', 'HTTPRoute'],
    ])
    expect(await named.put(place, asked, watch())).toEqual({ state: 'done' })
    expect(await kinds()).toEqual([['HTTPRoute'], ['HTTPRoute']])
    expect(await named.compare(place, asked)).toEqual([])
    await named.remove(place, asked, watch())
    expect((await cluster.client.list(trafficPolicies, { namespace: 'taken-along' })).items).toEqual([])
    named.close()
    same.close()
  }, 30_000)

  test('whose tokens nobody could verify fail with the words of the gateway', async () => {
    const place = await placeFor('keyless')
    const named = cluster.engineFor(undefined, { namespace: 'default', name: 'own' })
    const authentication = { kind: 'token', issuer: 'https://login.example.com', keys: 'missing' } as const
    expect(await named.put(place, route(place, { access: { authentication } }), watch())).toEqual({
      state: 'failed',
      reason: expect.stringMatching(
        /^the AccessPolicy of web\.example\.com\/api is not heeded: InvalidKeys: there is no Secret "missing"/,
      ) as string,
      lastWords: [],
    })
    expect(await kindsOf(place)).toEqual([])
    named.close()
  })

  test('with policies are refused beforehand where another program would serve them', async () => {
    const place = await placeFor('elsewhere')
    const asked = route(place, { access: { allow: ['10.0.0.0/8'] } })
    const told = (why: string): object[] => [
      {
        hard: true,
        reason: expect.stringMatching(new RegExp(`^web\\.example\\.com/api would be open .*${why}`)) as string,
      },
    ]
    const other = cluster.engineFor(undefined, { namespace: 'default', name: 'unserved' })
    expect(await other.cannot(place, [asked])).toEqual([
      ...told('the Gateway "default/unserved" is served by example.com/other, which knows nothing of them'),
      { hard: true, reason: expect.stringContaining('will lead nowhere') as string },
    ])
    expect((await other.cannot(place, [route(place)])).some(({ hard }) => hard)).toBe(false)
    other.close()
    await cluster.client.create(ingressClasses, { metadata: { name: 'two' }, spec: { controller: 'example.com/two' } })
    await cluster.client.delete(ingressClasses, { name: gatewayClassName })
    expect(await engine.cannot(place, [asked])).toEqual(told('its Ingress would be of the IngressClass "two"'))
    expect(await engine.put(place, asked, watch())).toMatchObject({ state: 'failed' })
    expect(await kindsOf(place)).toEqual([])
    expect(await engine.cannot(place, [route(place)])).toEqual([])
  })

  test('to entrances behind which nothing is ready are not weighed', async () => {
    const place = await placeFor('unbacked')
    const named = cluster.engineFor(undefined, { namespace: 'default', name: 'own' })
    const weighed = route(place, { weights: [{ entrance: 'web', weight: 1 }] })
    expect(await named.put(place, weighed, watch())).toMatchObject({
      state: 'failed',
      reason: 'nothing that is ready stands behind web',
    })
    expect(await findObject(cluster.client, httpRoutes, { namespace: 'unbacked', name: 'web-api' })).toBeUndefined()
    named.close()
  }, 30_000)
})
