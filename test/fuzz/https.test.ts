// The same over HTTPS: odd paths, methods, headers, query parameters and bodies, some at a time. The server
// answers everything and is there afterwards.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { allKinds } from '../../src/api/kinds/all.ts'
import { serviceAccounts } from '../../src/api/resources.ts'
import { startTestServer, type TestServer } from '../../src/testing/in-process-server.ts'
import { Chance, fuzz } from './cases.ts'
import { encoded, mutate, objectOfKind, text } from './generate.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
  await server.local.create(serviceAccounts, { metadata: { namespace: 'default', name: 'default' } })
})
afterAll(() => server.close())

const atOnce = 8
const parameters = [
  'fieldValidation',
  'dryRun',
  'fieldManager',
  'labelSelector',
  'fieldSelector',
  'limit',
  'continue',
  'resourceVersion',
  'resourceVersionMatch',
  'pretty',
  'timeoutSeconds',
  'force',
  'propagationPolicy',
  'gracePeriodSeconds',
  'includeObject',
  'sendInitialEvents',
  'allowWatchBookmarks',
  'tailLines',
  'container',
  'hash',
]
const types = [
  'application/json',
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
  'text/plain',
  'application/json; charset=latin1',
  ';',
]
const accepts = [
  'application/json',
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
  'application/json;as=Table;v=v1;g=meta.k8s.io',
  'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json',
  '*/*',
  ';;',
  'a/b;q=x',
  'application/json;stream=watch',
]
const subresources = [
  '',
  '',
  '',
  '',
  '/status',
  '/scale',
  '/log',
  '/exec',
  '/eviction',
  '/binding',
  '/token',
  '/proxy/a',
  '/finalize',
  '/approval',
  '/ephemeralcontainers',
  '/resize',
  '/none',
  '/a/b/c',
]
const elsewhere = [
  '/',
  '/api',
  '/apis',
  '/apis/apps',
  '/version',
  '/healthz',
  '/readyz?verbose',
  '/metrics',
  '/openapi/v2',
  '/openapi/v3/api/v1',
  '/openapi/v3/none',
  '/.well-known/openid-configuration',
  '/openid/v1/jwks',
  '/logs',
  '/api/v2',
  '/apis//v1',
  '//',
  '/%',
  '/%2e%2e/',
  '/api/v1/proxy/x',
]
const escaped = (part: string): string => (part.isWellFormed() ? encodeURIComponent(part) : '%ED%A0%80')

function path(chance: Chance, kind: (typeof allKinds)[number]): string {
  if (chance.isOneIn(6)) return chance.pick(elsewhere)
  const { group, version, plural, scope } = kind.resource
  const place =
    scope === 'Namespaced' && !chance.isOneIn(5)
      ? `/namespaces/${chance.isOneIn(8) ? escaped(text(chance)) : 'default'}`
      : ''
  const name = chance.isOneIn(3)
    ? ''
    : `/${chance.isOneIn(3) ? escaped(text(chance)) : 'fuzz'}${chance.pick(subresources)}`
  const query = Array.from(
    { length: chance.number(4) },
    () =>
      `${chance.pick(parameters)}=${escaped(chance.isOneIn(2) ? text(chance) : chance.pick(['1', '-1', 'true', 'All', 'x', '']))}`,
  ).join('&')
  return `/${group === '' ? 'api' : `apis/${group}`}/${version}${place}/${plural}${name}?${query}`
}

async function ask(chance: Chance): Promise<void> {
  const kind = chance.pick(allKinds)
  const { bytes, mediaType } = encoded(kind, mutate(objectOfKind(kind, chance), chance), chance)
  const method = chance.pick(['GET', 'GET', 'POST', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE'])
  const target = path(chance, kind)
  // Webhooks and policies that are made by chance would change what comes after.
  const query =
    kind.resource.group === 'admissionregistration.k8s.io' && !target.includes('dryRun') ? '&dryRun=All' : ''
  const headers = {
    'Content-Type': chance.isOneIn(3) ? chance.pick(types) : mediaType,
    Accept: chance.pick(accepts),
    ...(chance.isOneIn(20) && { 'Impersonate-User': 'fuzz' }),
    ...(chance.isOneIn(20) && { Authorization: 'Bearer x.y.z' }),
  }
  const { status, text: body } = await server.call(method, target + query, {
    headers,
    ...(method !== 'GET' && method !== 'HEAD' && { body: bytes }),
  })
  const isHonest =
    status < 500 || [501, 503, 504].includes(status) || body.includes('failed to create typed patch object')
  expect(
    isHonest,
    `${method} ${target} with ${JSON.stringify(headers)} and ${bytes.toString().slice(0, 500)}: ${status} ${body.slice(0, 500)}`,
  ).toBe(true)
}

test('any request', async () => {
  await fuzz('requests', 0.03 / atOnce, async chance => {
    await Promise.all(Array.from({ length: atOnce }, () => ask(new Chance(chance.number(2 ** 31)))))
  })
  expect((await server.call('GET', '/readyz')).text).toBe('ok')
}, 120_000)
