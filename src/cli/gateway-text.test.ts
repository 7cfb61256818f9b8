// What people read of routes and of the way of a request.
import { describe, expect, test } from 'vitest'
import type { EntranceFacts } from '../gateway/entrance-facts.ts'
import type { Missed } from '../gateway/explain-request.ts'
import type { RouteFacts } from '../gateway/route-facts.ts'
import { explanationText, missedText, routesText } from './gateway-text.ts'
import { requestInMind } from './request-in-mind.ts'

const front = { address: '127.0.0.1', port: 8080, ownAddresses: [] }
const plain: EntranceFacts = { address: '127.0.0.1', port: 80, protocol: 'HTTP' }
const secure: EntranceFacts = { address: '127.0.0.1', port: 443, protocol: 'HTTPS' }
const own: EntranceFacts = { address: '127.71.3.1', port: 81, protocol: 'HTTP' }

const route = (more: Partial<RouteFacts>): RouteFacts => ({
  host: 'shop.localhost',
  path: '/',
  pathType: 'Prefix',
  conditions: [],
  owner: 'HTTPRoute test/shop',
  leadsTo: ['test/shop:3000'],
  instances: 1,
  policies: [],
  does: [],
  entrances: [plain, secure],
  by: ['Gateway kube-system/sampan'],
  ...more,
})

test('the table says where a route is, whose it is and what is asked for, within 120 columns', () => {
  const text = routesText([
    route({ policies: ['partners', 'few'].map(name => ({ name: `AccessPolicy test/${name}`, asks: [] })) }),
    route({
      path: '/about',
      pathType: 'Exact',
      conditions: ['method POST'],
      instances: 0,
      problem: 'no instance is ready',
    }),
    route({
      redirect: '308 to https://shop.localhost:8443',
      leadsTo: [],
      owner: 'Ingress test/help',
      entrances: [plain],
      by: ['Ingress'],
    }),
    route({ leadsTo: ['other/far:80'], entrances: [own], by: ['Gateway test/entry'] }),
  ])
  expect(text.split('\n')).toEqual([
    'HOST             PATH            LEADS TO         READY   OF                    AT              GATEWAY   POLICIES',
    'shop.localhost   /               shop:3000        1       HTTPRoute test/shop   80, 443 TLS     sampan    partners, few',
    'shop.localhost   = /about POST   shop:3000        0       HTTPRoute test/shop   80, 443 TLS     sampan',
    'shop.localhost   /               308 https:8443           Ingress test/help     80',
    'shop.localhost   /               other/far:80     1       HTTPRoute test/shop   127.71.3.1:81   entry',
    'shop.localhost/about (HTTPRoute test/shop): no instance is ready',
  ])
  expect(Math.max(...text.split('\n').map(line => line.length))).toBeLessThanOrEqual(120)
})

describe('a request in mind', () => {
  const asked = (url: string, ...headers: readonly string[]) => requestInMind({ url, method: 'GET', headers }, front)

  test.each<[string, object]>([
    ['shop.localhost/a', { scheme: 'http', address: '127.0.0.1', port: 8080, host: 'shop.localhost', path: '/a' }],
    ['http://shop.localhost/a', { port: 80 }],
    ['https://Shop.localhost./a//b', { scheme: 'https', port: 443, host: 'shop.localhost', path: '/a/b' }],
    ['http://127.70.1.2:81/x?a=1&a=2', { address: '127.70.1.2', port: 81, search: '?a=1&a=2', query: { a: '1' } }],
  ])('%s', (url, expected) => {
    expect(asked(url)).toMatchObject(expected)
  })

  test('has headers, one of which may say the host', () => {
    const { host, headers } = asked('http://127.0.0.1/', 'Host: a.com:80', 'X-A: 1', 'x-a:  2 ')
    expect(host).toBe('a.com')
    expect(headers).toMatchObject({ 'x-a': '1,2' })
  })

  test.each(['ftp://a.com', 'http://', 'http://a.com/x%zz'])('is none as %s', url => {
    expect(() => asked(url)).toThrow(/^expected /)
  })

  test('has no header without a name', () => {
    expect(() => asked('a.com', 'X-A')).toThrow('expected a header such as \'X-Version: 2\', found "X-A"')
  })
})

const request = requestInMind({ url: 'http://shop.localhost/orders/1', method: 'GET', headers: [] }, front)

test.each([
  ['required', 'only with a certificate of the client that is valid'],
  ['optional', 'clients are asked for a certificate, and come in without one, too'],
] as const)('that certificates of clients are %s is told', (clientCertificates, words) => {
  const entrance = { ...secure, clientCertificates }
  expect(explanationText(request, { found: 'rule', entrance, by: [], rule: route({}) })).toContain(words)
})

test('the way of a request is told in the order in which it goes', () => {
  const rule = route({
    policies: [
      { name: 'AccessPolicy test/partners', asks: ['key in X-API-Key'] },
      {
        name: 'TrafficPolicy test/few',
        asks: ['at most 2 requests in 60 s by consumer'],
        problem: 'there is no target',
      },
    ],
    does: ['the path becomes /new'],
  })
  expect(explanationText(request, { found: 'rule', entrance: plain, by: ['Gateway kube-system/sampan'], rule })).toBe(
    [
      'GET shop.localhost/orders/1 is taken by HTTPRoute test/shop (host shop.localhost, Prefix /)',
      'it comes in at 127.0.0.1:80 (Gateway kube-system/sampan)',
      'a policy asks for: key in X-API-Key (AccessPolicy test/partners)',
      'a policy asks for: at most 2 requests in 60 s by consumer (TrafficPolicy test/few)',
      'TrafficPolicy test/few is not enforced as it says: there is no target',
      'on the way the path becomes /new',
      'it leads to test/shop:3000, 1 instance',
    ].join('\n'),
  )
})

describe('what nothing takes', () => {
  const nothing: Missed = { hosts: [], paths: [], unmet: [], elsewhere: [] }
  const missed = (more: Partial<Missed>): string =>
    missedText(request, { found: 'no rule', entrance: plain, missed: { ...nothing, ...more } })

  test.each<[string, Partial<Missed>, string]>([
    ['another path', { paths: ['/help', '/order'] }, 'the nearest path of this host is /order'],
    ['another host', { hosts: ['stop.localhost', 'x.com'] }, 'did you mean the host stop.localhost?'],
    [
      'another entrance',
      { elsewhere: [own] },
      "it would be taken at http://127.71.3.1:81/orders/1 (--header 'Host: shop.localhost')",
    ],
    [
      'a method',
      { unmet: [{ owner: 'HTTPRoute a/b', conditions: ['method POST'] }] },
      'HTTPRoute a/b, which wants method POST',
    ],
  ])('is told with what comes nearest: %s', (_what, more, expected) => {
    const text = missed(more)
    expect(text).toContain('nothing takes GET shop.localhost/orders/1, so the gateway answers 404; ')
    expect(text).toContain(expected)
  })

  test('because nobody listens there, or listens for something else', () => {
    expect(missedText(request, { found: 'no entrance', entrances: [{ ...plain, port: 8080 }] })).toBe(
      'the gateway does not listen at 127.0.0.1:80; it would be taken at http://shop.localhost:8080/orders/1',
    )
    expect(missedText(request, { found: 'other protocol', entrance: secure, entrances: [] })).toBe(
      'http is not what 127.0.0.1:80 takes (HTTPS); what there is: sampan gateway routes',
    )
  })
})
