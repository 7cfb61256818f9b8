// The conformance features of the Gateway API for gRPC, each as a test that bears its name.
import { afterAll, afterEach, beforeAll, describe, test } from 'vitest'
import { reasonToSkipCluster } from '../../src/testing/cluster-fixture.ts'
import { echoOf } from '../../src/testing/gateway-asker.ts'
import type { Question } from '../../src/testing/gateway-client.ts'
import { GatewayFixture } from '../../src/testing/gateway-fixture.ts'
import {
  backend,
  gateway,
  grpcRoute,
  header,
  listener,
  rule,
  type TestObject,
} from '../../src/testing/gateway-manifests.ts'

const reason = reasonToSkipCluster()
/** Status of a call that nothing takes. */
const unimplemented = 12

describe.skipIf(reason !== undefined)(`gRPC${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let fixture: GatewayFixture
  beforeAll(async () => {
    fixture = await GatewayFixture.up(
      'calls',
      ['grpc-1', 'grpc-2', 'grpc-3'].map(service => ({ service, protocol: 'http2' })),
    )
  })
  afterEach(() => fixture?.unmake())
  afterAll(() => fixture?.close())

  /** A method of the service, perhaps at a name and with headers, and who answers it, or the status. */
  type Call = readonly [
    asked: { readonly method?: string; readonly host?: string; readonly headers?: Readonly<Record<string, string>> },
    expected: string | number,
  ]

  const called = (name: string, calls: readonly Call[]): Promise<void> =>
    fixture.holds(async () => {
      const place = await fixture.place(name)
      const found = await Promise.all(
        calls.map(async ([{ method = 'Echo', host = 'example.com', headers = {} }, expected]) => {
          const question = { type: 'call', ...place, method: `/test.Echo/${method}`, host, headers } as const
          const answer = await fixture.asker.ask(question)
          const what = answer.status === 0 ? echoOf(answer).service : answer.status
          return what === expected ? [] : [`${method} ${host} ${JSON.stringify(headers)} is ${what}, not ${expected}`]
        }),
      )
      return found.flat()
    })

  const method = (name: string): object => ({ method: { service: 'test.Echo', method: name } })

  async function routed(calls: readonly Call[], ...routes: readonly TestObject[]): Promise<void> {
    await fixture.make(...routes)
    await fixture.accepted('grpcroute', ...routes.map(({ metadata }) => metadata.name))
    await called('same', calls)
  }

  test('GRPCExactMethodMatching', () =>
    routed(
      [
        [{ method: 'Echo' }, 'grpc-1'],
        [{ method: 'EchoTwo' }, 'grpc-2'],
        [{ method: 'EchoThree' }, unimplemented],
      ],
      grpcRoute('methods', 'same', [rule('grpc-1', [method('Echo')]), rule('grpc-2', [method('EchoTwo')])]),
    ))

  test('GRPCRouteHeaderMatching', () =>
    routed(
      [
        [{ headers: { Version: 'one' } }, 'grpc-1'],
        [{ headers: { Version: 'two' } }, 'grpc-2'],
        [{ headers: { Version: 'two', Color: 'orange' } }, 'grpc-1'],
        [{ headers: { Version: 'two', Color: 'blue' } }, 'grpc-2'],
        [{ headers: { Color: 'blue' } }, 'grpc-1'],
        [{ headers: { Color: 'green' } }, 'grpc-1'],
        [{ headers: { Color: 'red' } }, 'grpc-2'],
        [{ headers: { Color: 'yellow' } }, 'grpc-2'],
        [{ headers: { Color: 'orange' } }, unimplemented],
        [{ headers: { Color: 'purple' } }, unimplemented],
        [{ headers: { 'Some-Other-Header': 'one' } }, unimplemented],
      ],
      grpcRoute('headers', 'same', [
        rule('grpc-1', [header({ version: 'one' })]),
        rule('grpc-2', [header({ version: 'two' })]),
        rule('grpc-1', [header({ version: 'two', color: 'orange' })]),
        rule('grpc-1', [header({ color: 'blue' }), header({ color: 'green' })]),
        rule('grpc-2', [header({ color: 'red' }), header({ color: 'yellow' })]),
      ]),
    ))

  test('GRPCRouteListenerHostnameMatching', async () => {
    await fixture.make(
      gateway(
        'calls-by-hostname',
        ['bar.com', 'foo.bar.com', '*.bar.com', '*.foo.com'].map((hostname, at) =>
          listener(`listener-${at + 1}`, { hostname }),
        ),
      ),
      grpcRoute('host-1', 'calls-by-hostname/listener-1', [rule('grpc-1')]),
      grpcRoute('host-2', 'calls-by-hostname/listener-2', [rule('grpc-2')]),
      grpcRoute('host-3', ['calls-by-hostname/listener-3', 'calls-by-hostname/listener-4'], [rule('grpc-3')]),
    )
    await fixture.accepted('grpcroute', 'host-1', 'host-2', 'host-3')
    await called('calls-by-hostname', [
      [{ host: 'bar.com' }, 'grpc-1'],
      [{ host: 'foo.bar.com' }, 'grpc-2'],
      [{ host: 'baz.bar.com' }, 'grpc-3'],
      [{ host: 'boo.bar.com' }, 'grpc-3'],
      [{ host: 'multiple.prefixes.bar.com' }, 'grpc-3'],
      [{ host: 'multiple.prefixes.foo.com' }, 'grpc-3'],
      [{ host: 'foo.com' }, unimplemented],
      [{ host: 'no.matching.host' }, unimplemented],
    ])
  })

  test('GRPCRouteNamedRule', () =>
    routed(
      [
        [{ method: 'Echo' }, 'grpc-1'],
        [{ method: 'EchoTwo' }, 'grpc-2'],
      ],
      grpcRoute('named', 'same', [
        rule('grpc-1', [method('Echo')], { name: 'named-rule' }),
        rule('grpc-2', [method('EchoTwo')]),
      ]),
    ))

  test('GRPCRouteWeight', async () => {
    const weights = { 'grpc-1': 70, 'grpc-2': 30, 'grpc-3': 0 }
    const backends = Object.entries(weights).map(([name, weight]) => backend(name, { weight }))
    await fixture.make(grpcRoute('weighted', 'same', [rule(backends)]))
    await fixture.accepted('grpcroute', 'weighted')
    const question: Question = {
      type: 'call',
      ...(await fixture.place('same')),
      method: '/test.Echo/Echo',
      host: 'example.com',
      headers: {},
    }
    await fixture.holds(async () => ((await fixture.asker.ask(question)).status === 0 ? [] : ['nobody answers']))
    await fixture.sharesOf(async () => echoOf(await fixture.asker.ask(question)).service ?? '', {
      'grpc-1': 0.7,
      'grpc-2': 0.3,
    })
  })
})
