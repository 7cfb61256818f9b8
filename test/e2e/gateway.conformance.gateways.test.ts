// The conformance features of the Gateway API for classes of gateways, and for Gateways and their listeners, each as a
// test that bears its name.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { gatewayClassName, gatewayController } from '../../src/api/gateway-names.ts'
import type { Gateway } from '../../src/api/gateway-api/types.ts'
import { reasonToSkipCluster } from '../../src/testing/cluster-fixture.ts'
import type { Case } from '../../src/testing/gateway-asker.ts'
import { testAuthority, type TestAuthority } from '../../src/testing/gateway-certificates.ts'
import { GatewayFixture } from '../../src/testing/gateway-fixture.ts'
import {
  appBackends,
  gateway,
  gatewayApi,
  grant,
  home,
  httpRoute,
  httpsListener,
  listener,
  prefix,
  rule,
  secret,
  webBackends,
  type TestObject,
} from '../../src/testing/gateway-manifests.ts'

const reason = reasonToSkipCluster()
const taken = { Accepted: 'True', ResolvedRefs: 'True' }

describe.skipIf(reason !== undefined)(`Gateways${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let fixture: GatewayFixture
  let authority: TestAuthority
  beforeAll(async () => {
    fixture = await GatewayFixture.up('gateways')
    authority = await testAuthority('gateways')
    const certificate = await authority.server('secure.test.com')
    await fixture.apply(secret('certificate', certificate), secret('certificate', certificate, webBackends))
  })
  afterEach(() => fixture?.unmake())
  afterAll(() => fixture?.close())

  const generation = async (kind: string, name: string): Promise<number> =>
    Number((await fixture.get<Gateway>(kind, name)).metadata.generation)

  describe('generations', () => {
    test('GatewayClassObservedGenerationBump', async () => {
      const name = 'observed-class'
      await fixture.make({
        apiVersion: `${gatewayApi}/v1`,
        kind: 'GatewayClass',
        metadata: { name },
        spec: { controllerName: gatewayController, description: 'old' },
      })
      await fixture.status('gatewayclass', name, { Accepted: 'True Accepted' })
      await fixture.patch('gatewayclass', name, { spec: { description: 'new' } })
      expect(await generation('gatewayclass', name)).toBe(2)
      await fixture.status('gatewayclass', name, { Accepted: 'True Accepted' })
      expect(await fixture.cluster.show('get', 'gatewayclass', gatewayClassName)).toContain(gatewayController)
    })

    test('GatewayObservedGenerationBump', async () => {
      const all = { Accepted: 'True', Programmed: 'True' }
      await fixture.make(gateway('observed', [listener('http')]))
      await fixture.gateway('observed', all, { http: { conditions: { ...taken, Programmed: 'True' } } })
      const added = listener('alternate', { hostname: 'foo.com', from: 'All' })
      await fixture.patch('gateway', 'observed', [{ op: 'add', path: '/spec/listeners/-', value: added }])
      expect(await generation('gateway', 'observed')).toBe(2)
      await fixture.gateway('observed', all, {
        http: { conditions: taken },
        alternate: { conditions: taken, kinds: ['HTTPRoute'] },
      })
    })
  })

  describe('listeners', () => {
    test('GatewayModifyListeners', async () => {
      const https = httpsListener('https', 'certificate', { hostname: 'secure.test.com', from: 'All' })
      const one = { kinds: ['HTTPRoute'], conditions: taken, attached: 1 }
      await fixture.make(
        gateway('adding', [https]),
        httpRoute('of-adding', 'adding', [rule('v1')]),
        gateway('removing', [https, listener('http', { from: 'All' })]),
        httpRoute('of-removing', 'removing', [rule('v1')]),
      )
      await fixture.gateway('adding', { Accepted: 'True' }, { https: one })
      await fixture.gateway('removing', { Accepted: 'True' }, { https: one, http: one })
      await fixture.answers('removing', [['/', 'v1']])
      const added = listener('http', { hostname: 'data.test.com', from: 'All' })
      await fixture.patch('gateway', 'adding', [{ op: 'add', path: '/spec/listeners/-', value: added }])
      await fixture.patch('gateway', 'removing', [{ op: 'remove', path: '/spec/listeners/0' }])
      await fixture.gateway('adding', { Accepted: 'True', Programmed: 'True' }, { https: one, http: one })
      await fixture.gateway('removing', { Accepted: 'True', Programmed: 'True' }, { http: one })
      expect((await fixture.get<Gateway>('gateway', 'removing')).status?.listeners).toHaveLength(1)
      await fixture.answers('adding', [
        ['data.test.com/', 'v1'],
        ['other.test.com/', 404],
      ])
      const { error } = await fixture.asker.request(await fixture.place('removing', 443), {
        to: 'secure.test.com/',
        tls: { serverName: 'secure.test.com', trusted: authority.certificate },
      })
      expect(error).toBeDefined()
    })

    test('GatewayWithAttachedRoutes', async () => {
      const options = { from: { 'kubernetes.io/metadata.name': home }, kinds: ['HTTPRoute'] }
      const http = { kinds: ['HTTPRoute'], conditions: taken }
      await fixture.make(
        gateway('with-one', [listener('http', options)]),
        gateway('with-two', [listener('http', options)]),
        gateway('with-listeners', [listener('unattached', { ...options, port: 8080 }), listener('http', options)]),
        gateway('unresolved', [httpsListener('https', 'nothing', options)]),
        httpRoute('one', 'with-one', [rule('v1')]),
        httpRoute('two-1', 'with-two', [rule('v1')]),
        httpRoute('two-2', 'with-two', [rule('v1')]),
        httpRoute('by-section', 'with-listeners/http', [rule('v1')]),
        httpRoute('unresolved', 'unresolved', [rule('nothing')]),
      )
      await fixture.listeners('with-one', { http: { ...http, attached: 1 } })
      await fixture.listeners('with-two', { http: { ...http, attached: 2 } })
      await fixture.listeners('with-listeners', {
        unattached: { ...http, attached: 0 },
        http: { ...http, attached: 1 },
      })
      await fixture.listeners('unresolved', {
        https: { conditions: { Programmed: 'False', ResolvedRefs: 'False InvalidCertificateRef' }, attached: 1 },
      })
    })

    test('GatewayInvalidRouteKind', async () => {
      const ResolvedRefs = 'False InvalidRouteKinds'
      await fixture.make(
        gateway('only-invalid', [listener('http', { kinds: ['InvalidRoute'] })]),
        gateway('partly-invalid', [listener('http', { kinds: ['InvalidRoute', 'HTTPRoute'] })]),
      )
      await fixture.listeners('only-invalid', { http: { kinds: [], conditions: { ResolvedRefs }, attached: 0 } })
      await fixture.listeners('partly-invalid', {
        http: { kinds: ['HTTPRoute'], conditions: { ResolvedRefs }, attached: 0 },
      })
    })

    test('GatewayListenerUnsupportedProtocol', async () => {
      const invalid = listener('invalid', { port: 1111, protocol: 'INVALID' })
      const refused = { kinds: [], conditions: { Accepted: 'False UnsupportedProtocol' }, attached: 0 }
      await fixture.make(
        gateway('only-unsupported', [invalid]),
        gateway('partly-unsupported', [listener('http'), invalid]),
      )
      await fixture.gateway('only-unsupported', { Accepted: 'False ListenersNotValid' }, { invalid: refused })
      await fixture.gateway(
        'partly-unsupported',
        { Accepted: 'True ListenersNotValid' },
        {
          http: { kinds: ['HTTPRoute'], conditions: { Accepted: 'True Accepted' }, attached: 0 },
          invalid: refused,
        },
      )
    })

    test('GatewayHTTPListenerIsolation', async () => {
      const hostnames = {
        empty: undefined,
        wildcard: '*.example.com',
        'wildcard-foo': '*.foo.example.com',
        precise: 'abc.foo.example.com',
      }
      const asked = { 'bar.com': 'empty', 'bar.example.com': 'wildcard', 'bar.foo.example.com': 'wildcard-foo' }
      const names = Object.keys(hostnames)
      const routes = (parent: string, more: object): TestObject[] =>
        names.map(name => httpRoute(`${parent}-${name}`, `${parent}/${name}`, [rule('v1', [prefix(`/${name}`)])], more))
      const cases = Object.entries({ ...asked, 'abc.foo.example.com': 'precise' }).flatMap(([host, own]) =>
        names.map((name): Case => [`${host}/${name}`, name === own ? 'v1' : 404]),
      )
      const listeners = Object.entries(hostnames).map(([name, hostname]) => listener(name, { hostname, from: 'All' }))
      await fixture.make(gateway('isolated', listeners), gateway('isolated-by-both', listeners))
      await fixture.routed('isolated', cases, ...routes('isolated', {}))
      const all = ['bar.com', '*.example.com', '*.foo.example.com', 'abc.foo.example.com']
      await fixture.routed('isolated-by-both', cases, ...routes('isolated-by-both', { hostnames: all }))
    })
  })

  describe('addresses and parameters', () => {
    test('GatewayOptionalAddressValue', async () => {
      await fixture.make(gateway('any-address', [listener('http')], { addresses: [{ type: 'IPAddress' }] }))
      await fixture.gateway('any-address', { Accepted: 'True', Programmed: 'True' })
      expect((await fixture.place('any-address')).address).toMatch(/^\d+\.\d+\.\d+\.\d+$/)
    })

    test('GatewayStaticAddresses', async () => {
      const usable = { type: 'IPAddress', value: '127.0.0.77' }
      const addresses = [{ type: 'example.com/invalid', value: 'x' }, { type: 'IPAddress', value: '192.0.2.7' }, usable]
      const withoutFirst = [{ op: 'remove', path: '/spec/addresses/0' }]
      await fixture.make(gateway('static', [listener('http')], { addresses }))
      await fixture.gateway('static', { Accepted: 'False UnsupportedAddress' })
      await fixture.patch('gateway', 'static', withoutFirst)
      await fixture.gateway('static', { Accepted: 'True Accepted', Programmed: 'False AddressNotUsable' })
      await fixture.patch('gateway', 'static', withoutFirst)
      await fixture.gateway(
        'static',
        { Accepted: 'True Accepted', Programmed: 'True Programmed' },
        { http: { kinds: ['HTTPRoute'], conditions: taken, attached: 0 } },
      )
      expect((await fixture.get<Gateway>('gateway', 'static')).status?.addresses).toEqual([usable])
      await fixture.routed('static', [['/', 'v1']], httpRoute('at-static', 'static', [rule('v1')]))
    })

    test('GatewayInvalidParametersRef', async () => {
      const parametersRef = { group: 'example.com', kind: 'Parameters', name: 'nothing' }
      await fixture.make(gateway('parameters', [listener('http')], { infrastructure: { parametersRef } }))
      await fixture.gateway('parameters', { Accepted: 'False InvalidParameters' })
    })
  })

  describe('certificates', () => {
    /** A gateway with one listener that wants the certificate, and what becomes of it. */
    async function wanting(
      name: string,
      reference: object,
      conditions: Readonly<Record<string, string>>,
    ): Promise<void> {
      await fixture.make(gateway(name, [httpsListener('https', reference)]))
      await fixture.listeners(name, { https: { kinds: ['HTTPRoute'], conditions, attached: 0 } })
    }
    const elsewhere = { name: 'certificate', namespace: webBackends }
    const granting = (name: string, from: object, to: object, namespace = webBackends): TestObject =>
      grant(name, namespace, { kind: 'Gateway', ...from }, { kind: 'Secret', name: 'certificate', ...to })
    const permitted = { Programmed: 'True Programmed', ResolvedRefs: 'True' }
    const refused = { ResolvedRefs: 'False RefNotPermitted' }

    test('GatewayInvalidTLSConfiguration', async () => {
      await fixture.make(secret('malformed', { 'tls.crt': 'Hello world', 'tls.key': 'Hello world' }))
      const conditions = { ResolvedRefs: 'False InvalidCertificateRef' }
      await wanting('nonexistent', { name: 'nothing' }, conditions)
      await wanting('other-group', { group: 'wrong.example.com', kind: 'Secret', name: 'certificate' }, conditions)
      await wanting('other-kind', { kind: 'WrongKind', name: 'certificate' }, conditions)
      await wanting('malformed', { name: 'malformed' }, conditions)
    })

    test('GatewaySecretMissingReferenceGrant', () => wanting('not-granted', elsewhere, refused))

    test('GatewaySecretInvalidReferenceGrant', async () => {
      await fixture.make(
        granting('wrong-namespace', {}, {}, appBackends),
        granting('wrong-from-group', { group: 'other.example.com' }, {}),
        granting('wrong-from-kind', { kind: 'HTTPRoute' }, {}),
        granting('wrong-from-namespace', { namespace: 'elsewhere' }, {}),
        granting('wrong-to-group', {}, { group: 'other.example.com' }),
        granting('wrong-to-kind', {}, { kind: 'Service' }),
        granting('wrong-to-name', {}, { name: 'other' }),
      )
      await wanting('wrongly-granted', elsewhere, refused)
    })

    test('GatewaySecretReferenceGrantAllInNamespace', async () => {
      await fixture.make(granting('all', {}, { name: undefined }))
      await wanting('all-granted', elsewhere, permitted)
    })

    test('GatewaySecretReferenceGrantSpecific', async () => {
      await fixture.make(granting('one', {}, {}))
      await wanting('one-granted', elsewhere, permitted)
    })
  })
})
