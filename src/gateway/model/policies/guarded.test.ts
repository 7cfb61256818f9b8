// No rule leads anywhere without the policies that are for it, whatever Gateways, routes and policies there are: as somebody
// would find them out who reads the objects.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { AccessPolicy, PolicyTarget } from '../../../api/gateway-api/policies.ts'
import type { Gateway, HTTPRouteFilter, HTTPRouteRule, HTTPRoute } from '../../../api/gateway-api/types.ts'
import { gatewayGroup } from '../../../api/gateway-names.ts'
import type { Ingress } from '../../../api/generated/models.ts'
import { gateway, httpRoute, listener, observedWith, parent, toService } from '../../../testing/gateway-objects.ts'
import { accessPolicy } from '../../../testing/policed-gateway.ts'
import { isThorough } from '../../../testing/thoroughness.ts'
import { gatewayModel, type MadeModel } from '../gateway-model.ts'
import type { Backend, Entrance, Host, Rule } from '../model.ts'

const front = { address: '127.0.0.1', port: 80, ownAddresses: ['127.7.0.1', '127.7.0.2'] }
const gatewayNames = ['g1', 'g2'] as const
const listenerNames = ['http', 'named', 'other'] as const
const ruleNames = ['n1', 'n2', undefined] as const
const services = ['s1', 's2', 'gone'] as const

const gateways: readonly Gateway[] = gatewayNames.map(name =>
  gateway({ name }, [
    listener(),
    listener({ name: 'named', hostname: '*.x.example' }),
    listener({ name: 'other', port: 81 }),
  ]),
)

const filter: fc.Arbitrary<HTTPRouteFilter[]> = fc.constantFrom<HTTPRouteFilter[]>(
  [],
  [{ type: 'RequestRedirect', requestRedirect: { hostname: 'elsewhere.example', statusCode: 302 } }],
  [{ type: 'URLRewrite', urlRewrite: { path: { type: 'ReplaceFullPath', replaceFullPath: '/x' } } }],
  [{ type: 'RequestMirror', requestMirror: { backendRef: toService('s2') } }],
  [{ type: 'RequestHeaderModifier', requestHeaderModifier: { set: [{ name: 'a', value: 'b' }] } }],
)
const rule: fc.Arbitrary<Partial<HTTPRouteRule>> = fc.record({
  matches: fc.array(
    fc.record(
      {
        path: fc.record({
          type: fc.constantFrom('PathPrefix' as const, 'Exact' as const),
          value: fc.constantFrom('/', '/a', '/a/b'),
        }),
        method: fc.constantFrom('GET' as const, 'POST' as const),
      },
      { requiredKeys: ['path'] },
    ),
    { minLength: 1, maxLength: 2 },
  ),
  filters: filter,
  backendRefs: fc.array(
    fc
      .record({ name: fc.constantFrom(...services), weight: fc.constantFrom(0, 1, 3) })
      .map(({ name, weight }) => toService(name, { weight })),
    { maxLength: 2 },
  ),
})
const route = (name: string): fc.Arbitrary<HTTPRoute> =>
  fc
    .record({
      parents: fc.array(
        fc.record(
          { name: fc.constantFrom(...gatewayNames), sectionName: fc.constantFrom(...listenerNames) },
          { requiredKeys: ['name'] },
        ),
        { minLength: 1, maxLength: 2 },
      ),
      hostnames: fc.subarray(['a.x.example', '*.example', 'b.example']),
      rules: fc.array(rule, { minLength: 1, maxLength: ruleNames.length }),
      created: fc.constantFrom('2026-01-01T00:00:00Z', '2026-02-01T00:00:00Z'),
    })
    .map(({ parents, hostnames, rules, created }) =>
      httpRoute(
        {
          name,
          created,
          parents: parents.map(({ name: to, ...more }) => parent(to, more)),
          ...(hostnames.length > 0 && { hostnames }),
        },
        rules.map((each, at) => ({ ...each, ...(ruleNames[at] !== undefined && { name: ruleNames[at] }) })),
      ),
    )
const ingress = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { namespace: 'shop', name: 'i1', creationTimestamp: '2026-01-15T00:00:00Z', generation: 1 },
  spec: {
    ingressClassName: 'sampan',
    rules: [
      {
        host: 'b.example',
        http: {
          paths: [{ path: '/a', pathType: 'Prefix', backend: { service: { name: 's1', port: { number: 80 } } } }],
        },
      },
    ],
  },
} as unknown as Ingress

const target: fc.Arbitrary<PolicyTarget> = fc
  .oneof(
    fc.record({
      kind: fc.constant('Gateway'),
      name: fc.constantFrom(...gatewayNames),
      sectionName: fc.option(fc.constantFrom(...listenerNames)),
    }),
    fc.record({
      kind: fc.constant('HTTPRoute'),
      name: fc.constantFrom('r1', 'r2'),
      sectionName: fc.option(fc.constantFrom('n1', 'n2')),
    }),
    fc.record({ kind: fc.constant('Service'), name: fc.constantFrom(...services), sectionName: fc.constant(null) }),
    fc.record({ kind: fc.constant('Ingress'), name: fc.constant('i1'), sectionName: fc.constant(null) }),
  )
  .map(({ kind, name, sectionName }) => ({
    group: kind === 'Service' ? '' : kind === 'Ingress' ? 'networking.k8s.io' : gatewayGroup,
    kind,
    name,
    ...(sectionName !== null && { sectionName }),
  }))
const policies = fc.array(fc.array(target, { minLength: 1, maxLength: 2 }), { maxLength: 4 }).map(all =>
  all.map((targets, at): AccessPolicy => {
    const made = accessPolicy(`p${at}`, {}, { authentication: { keys: { header: 'x-key' } } })
    return { ...made, spec: { ...made.spec, targetRefs: targets } }
  }),
)

/** Names of the policies for an object, or a part of it. */
function policiesFor(all: readonly AccessPolicy[], kind: string, name: string, part?: string): readonly string[] {
  return all
    .filter(({ spec }) =>
      spec.targetRefs.some(
        each =>
          each.kind === kind && each.name === name && (each.sectionName === undefined || each.sectionName === part),
      ),
    )
    .map(({ metadata }) => `AccessPolicy shop/${metadata.name}`)
}

/** What a rule has to meet because of where its requests come in: one of these. */
function entranceChoices(
  { gateways: own }: MadeModel,
  { address, port }: Entrance,
  host: Host,
  source: string,
  all: readonly AccessPolicy[],
): readonly (readonly string[])[] {
  if (source.startsWith('Ingress ')) return [[]]
  const found = own.flatMap(({ gateway: { metadata }, listeners }) =>
    listeners
      .filter(
        ({ name, places }) =>
          JSON.stringify(name) === host.listener &&
          places.some(place => place.address === address && place.port === port),
      )
      .map(({ spec }) => policiesFor(all, 'Gateway', metadata.name, spec.name)),
  )
  return found
}

function missingAt(made: MadeModel, all: readonly AccessPolicy[]): string[] {
  const missing: string[] = []
  const problem = (rule: Rule, backend: Backend | undefined, expected: readonly string[]): string | undefined => {
    const met = new Set((backend?.handling.policies ?? []).map(({ source }) => source))
    const absent = expected.filter(name => !met.has(name))
    return absent.length === 0 ? undefined : `${rule.source} leads to ${backend?.id} without ${absent.join(', ')}`
  }
  for (const entrance of made.model.entrances)
    for (const host of entrance.hosts)
      for (const each of host.rules) {
        const [kind = '', key = '', part] = each.source.split(' ')
        const name = key.split('/')[1]!
        const own = policiesFor(all, kind, name, part)
        const choices = entranceChoices(made, entrance, host, each.source, all)
        for (const { backend: id, weight } of each.action.shares) {
          if (id === undefined || weight === 0) continue
          const backend = made.model.backends.get(id)
          const ofService = backend?.service === undefined ? [] : policiesFor(all, 'Service', backend.service.name)
          const found = choices.map(ofGateway => problem(each, backend, [...own, ...ofService, ...ofGateway]))
          if (found.length > 0 && found.every(text => text !== undefined)) missing.push(found[0]!)
        }
      }
  return missing
}

test('no rule leads anywhere without the policies that are for it', () => {
  fc.assert(
    fc.property(route('r1'), route('r2'), policies, (first, second, accessPolicies) => {
      const made = gatewayModel(
        observedWith(
          {
            gateways,
            httpRoutes: [first, second],
            ingresses: [ingress],
            ingressClasses: [{ metadata: { name: 'sampan' }, spec: { controller: 'sampan.dev/gateway' } } as never],
            accessPolicies,
          },
          ['shop/s1', 'shop/s2'],
        ),
        front,
      )
      expect(made.model.entrances.flatMap(({ hosts }) => hosts.flatMap(({ rules }) => rules)).length).toBeGreaterThan(0)
      expect(missingAt(made, accessPolicies)).toEqual([])
    }),
    { numRuns: isThorough ? 100_000 : 2_000 },
  )
}, 600_000)
