// Aggregated API servers: one that the test runs on loopback answers for a group of its own.
import { request as httpsRequest } from 'node:https'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { endpointSlices, services } from '../../src/api/resources.ts'
import { signCertificate, type KeyPairPem } from '../../src/server/auth/certificate-authority.ts'
import { eventually } from '../../src/testing/eventually.ts'
import { startTestServer, type Answer, type TestServer } from '../../src/testing/in-process-server.ts'
import { startWebhookServer, type ReceivedCall, type WebhookServer } from '../../src/testing/webhook-server.ts'

const group = 'wardle.example.com'
const registration = '/apis/apiregistration.k8s.io/v1/apiservices'
const base = `/apis/${group}/v1alpha1`

let server: TestServer
let sample: WebhookServer
let healthy = true
let respond: (call: ReceivedCall, response: ServerResponse) => unknown

const resources = {
  kind: 'APIResourceList',
  apiVersion: 'v1',
  groupVersion: `${group}/v1alpha1`,
  resources: [
    {
      name: 'flunders',
      singularName: 'flunder',
      namespaced: true,
      kind: 'Flunder',
      verbs: ['create', 'get', 'list'],
      shortNames: ['fl'],
    },
    { name: 'flunders/status', singularName: '', namespaced: true, kind: 'Flunder', verbs: ['get'] },
  ],
}

beforeAll(async () => {
  server = await startTestServer({
    resolveService: (_namespace, name) => {
      if (name === 'none') throw new Error('service "none" not found')
      return { host: '127.0.0.1', port: sample.port }
    },
  })
  const serving = await signCertificate(
    server.keys.authority,
    { commonName: 'sample', usage: 'server', days: 1, dnsNames: ['sample-api.wardle.svc'] },
    Date.now(),
  )
  sample = await startWebhookServer(serving, (call, response) => {
    const { url } = call.request
    if (url === base) return healthy ? resources : void response.writeHead(500).end()
    if (url === '/openapi/v3')
      return { paths: { [`apis/${group}/v1alpha1`]: { serverRelativeURL: `/openapi/v3${base}?hash=AB` } } }
    if (url === '/openapi/v2')
      return {
        paths: { [`${base}/flunders`]: { get: {} }, '/apis/other': {} },
        definitions: { 'com.example.Flunder': { type: 'object' } },
      }
    return respond(call, response)
  })
  await server.call('POST', '/api/v1/namespaces', { body: { metadata: { name: 'wardle' } } })
})
afterAll(async () => {
  await server.close()
  await sample.close()
})

const available = async (name: string): Promise<Answer['json']> =>
  (await server.call('GET', `${registration}/${name}`)).json.status.conditions?.[0]
const becomes = (name: string, reason: string): Promise<Answer['json']> =>
  eventually(`${name} becomes ${reason}`, async () => {
    const condition = await available(name)
    return condition?.reason === reason && condition
  })
const register = (version = 'v1alpha1', service = 'sample-api', more: object = {}): Promise<Answer> =>
  server.call('POST', registration, {
    body: {
      metadata: { name: `${version}.${group}` },
      spec: {
        group,
        version,
        groupPriorityMinimum: 2000,
        versionPriority: 200,
        caBundle: Buffer.from(server.keys.authority.certificate).toString('base64'),
        service: { namespace: 'wardle', name: service },
        ...more,
      },
    },
  })
const call = (
  path: string,
  options: { client?: KeyPairPem; headers?: Record<string, string | string[]> } = {},
): Promise<{ status: number; body: string }> =>
  new Promise((resolve, reject) => {
    httpsRequest(
      {
        host: '127.0.0.1',
        port: server.port,
        path,
        ca: server.keys.authority.certificate,
        agent: false,
        ...(options.client && { cert: options.client.certificate, key: options.client.key }),
        headers: options.headers ?? {},
      },
      (response: IncomingMessage) => {
        void text(response).then(body => resolve({ status: response.statusCode ?? 0, body }), reject)
      },
    )
      .on('error', reject)
      .end()
  })

test('what this server answers itself is registered from the start', async () => {
  const { json } = await server.call('GET', `${registration}/v1.apps`)
  expect(json).toMatchObject({
    metadata: { labels: { 'kube-aggregator.kubernetes.io/automanaged': 'onstart' } },
    spec: { group: 'apps', version: 'v1', groupPriorityMinimum: 17_800, versionPriority: 15 },
    status: {
      conditions: [
        { type: 'Available', status: 'True', reason: 'Local', message: 'Local APIServices are always available' },
      ],
    },
  })
  const all = (await server.call('GET', registration)).json.items as { metadata: { name: string } }[]
  expect(all.map(({ metadata }) => metadata.name)).toEqual(
    expect.arrayContaining(['v1.', 'v1.batch', 'v2.autoscaling', 'v1.resource.k8s.io']),
  )
})

test('[sig-api-machinery] Aggregator Should be able to support the 1.17 Sample API Server using the current Aggregator [Conformance]', async () => {
  const created = await register()
  expect(created.status, created.text).toBe(201)
  expect(created.headers['warning']).toBeUndefined()
  expect(await becomes(`v1alpha1.${group}`, 'ServiceNotFound')).toMatchObject({
    status: 'False',
    message: 'service/sample-api in "wardle" is not present',
  })
  const unavailable = await server.call('GET', `${base}/flunders`)
  expect(unavailable.status).toBe(503)
  expect(unavailable.text).toBe('service unavailable\n')

  await server.local.create(services, {
    metadata: { namespace: 'wardle', name: 'sample-api' },
    spec: { ports: [{ port: 7443, protocol: 'TCP' }] },
  })
  expect((await becomes(`v1alpha1.${group}`, 'ServicePortError')).message).toBe(
    'service/sample-api in "wardle" is not listening on port 443',
  )
  await server.call('PATCH', '/api/v1/namespaces/wardle/services/sample-api', {
    body: { spec: { ports: [{ port: 443, protocol: 'TCP' }] } },
    headers: { 'Content-Type': 'application/merge-patch+json' },
  })
  expect((await becomes(`v1alpha1.${group}`, 'EndpointsNotFound')).message).toBe(
    'cannot find endpointslices for service/sample-api in "wardle"',
  )
  const slice = await server.local.create(endpointSlices, {
    metadata: { namespace: 'wardle', name: 'sample', labels: { 'kubernetes.io/service-name': 'sample-api' } },
    addressType: 'IPv4',
    endpoints: [],
    ports: [{ name: '', port: 443, protocol: 'TCP' }],
  })
  expect((await becomes(`v1alpha1.${group}`, 'MissingEndpoints')).message).toBe(
    'endpointslices for service/sample-api in "wardle" have no addresses with port name ""',
  )
  await server.local.update(endpointSlices, {
    ...slice,
    endpoints: [{ addresses: ['10.9.8.7'], conditions: { ready: true } }],
  })
  expect(await becomes(`v1alpha1.${group}`, 'Passed')).toMatchObject({ status: 'True', message: 'all checks passed' })

  respond = ({ request, body }) => ({
    method: request.method,
    url: request.url,
    body,
    peer: (request.socket as TLSSocket).getPeerCertificate().subject,
    headers: request.headers,
  })
  const { json } = await server.call('POST', `${base}/namespaces/default/flunders?dryRun=x`, {
    body: { kind: 'Flunder' },
    headers: { 'X-Remote-User': 'forged', Authorization: 'Bearer x', 'Audit-Id': 'mine' },
  })
  expect(json).toMatchObject({
    method: 'POST',
    url: `${base}/namespaces/default/flunders?dryRun=x`,
    body: '{"kind":"Flunder"}',
    peer: { CN: 'front-proxy-client' },
    headers: {
      'audit-id': 'mine',
      'x-remote-user': 'kubernetes-admin',
      'x-remote-group': 'system:masters, system:authenticated',
    },
  })
  expect(json.headers.authorization).toBeUndefined()
})

test('is a part of discovery and of OpenAPI', async () => {
  await becomes(`v1alpha1.${group}`, 'Passed')
  const entry = {
    name: group,
    versions: [{ groupVersion: `${group}/v1alpha1`, version: 'v1alpha1' }],
    preferredVersion: { version: 'v1alpha1' },
  }
  expect(
    (await server.call('GET', '/apis')).json.groups.find(({ name }: { name: string }) => name === group),
  ).toMatchObject(entry)
  expect((await server.call('GET', `/apis/${group}`)).json).toMatchObject({ kind: 'APIGroup', ...entry })
  expect((await server.call('GET', base)).json).toEqual(resources)
  const aggregated = await server.call('GET', '/apis', {
    headers: { Accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList' },
  })
  expect(
    aggregated.json.items.find(({ metadata }: { metadata: { name: string } }) => metadata.name === group).versions,
  ).toEqual([
    {
      version: 'v1alpha1',
      freshness: 'Current',
      resources: [
        {
          resource: 'flunders',
          responseKind: { group, version: 'v1alpha1', kind: 'Flunder' },
          scope: 'Namespaced',
          singularResource: 'flunder',
          verbs: ['create', 'get', 'list'],
          shortNames: ['fl'],
          subresources: [
            { subresource: 'status', responseKind: { group, version: 'v1alpha1', kind: 'Flunder' }, verbs: ['get'] },
          ],
        },
      ],
    },
  ])
  expect((await server.call('GET', '/openapi/v3')).json.paths[`apis/${group}/v1alpha1`]).toEqual({
    serverRelativeURL: `/openapi/v3${base}?hash=AB`,
  })
  const v2 = (await server.call('GET', '/openapi/v2')).json
  expect(v2.paths[`${base}/flunders`]).toEqual({ get: {} })
  expect(v2.paths['/apis/other']).toBeUndefined()
  expect(v2.paths['/api/v1/namespaces']).toBeDefined()
  expect(v2.definitions['com.example.Flunder']).toEqual({ type: 'object' })
  respond = ({ request }) => ({ openapi: request.url })
  expect((await server.call('GET', `/openapi/v3${base}?hash=AB`)).json).toEqual({
    openapi: `/openapi/v3${base}?hash=AB`,
  })
})

test('only those get through who may, and watches stream', async () => {
  await becomes(`v1alpha1.${group}`, 'Passed')
  const denied = await server.call('GET', `${base}/namespaces/default/flunders`, {
    headers: { 'Impersonate-User': 'jane' },
  })
  expect(denied.json).toMatchObject({
    code: 403,
    message:
      'flunders.wardle.example.com is forbidden: User "jane" cannot list resource "flunders" in API group "wardle.example.com" in the namespace "default"',
  })
  const ended = new Promise<void>(resolve => {
    respond = (_call, response) => {
      response.on('close', resolve)
      response.writeHead(200, { 'Content-Type': 'application/json' })
      response.write('{"type":"ADDED"}\n')
    }
  })
  const { keys, port } = server
  const watch = httpsRequest({
    host: '127.0.0.1',
    port,
    path: `${base}/flunders?watch=true`,
    ca: keys.authority.certificate,
    cert: keys.admin.certificate,
    key: keys.admin.key,
    agent: false,
  })
  const first = await new Promise<string>((resolve, reject) => {
    watch.on('response', response =>
      response.on('error', () => {}).once('data', (chunk: Buffer) => resolve(chunk.toString())),
    )
    watch.once('error', reject).end()
  })
  expect(first).toBe('{"type":"ADDED"}\n')
  watch.on('error', () => {})
  watch.destroy()
  await ended
})

test('a server that proves to be another one is not believed', async () => {
  await register('v1beta1', 'other', { insecureSkipTLSVerify: false })
  await server.local.create(services, {
    metadata: { namespace: 'wardle', name: 'other' },
    spec: { type: 'ExternalName', externalName: 'elsewhere' },
  })
  respond = () => ({ anything: true })
  await becomes(`v1beta1.${group}`, 'Passed')
  const answer = await server.call('GET', `/apis/${group}/v1beta1/flunders`)
  expect(answer).toMatchObject({
    status: 503,
    text: 'error trying to reach service: tls: failed to verify certificate: x509: certificate is valid for sample-api.wardle.svc, not other.wardle.svc\n',
    headers: { 'content-type': 'text/plain; charset=utf-8' },
  })
  await server.call('DELETE', `${registration}/v1beta1.${group}`)
})

test('a server that fails is out of service until it answers again', async () => {
  healthy = false
  await server.call('PATCH', `${registration}/v1alpha1.${group}`, {
    body: { spec: { versionPriority: 201 } },
    headers: { 'Content-Type': 'application/merge-patch+json' },
  })
  expect((await becomes(`v1alpha1.${group}`, 'FailedDiscoveryCheck')).message).toBe(
    `failing or missing response from https://127.0.0.1:${sample.port}${base}: bad status from https://127.0.0.1:${sample.port}${base}: 500`,
  )
  healthy = true
  await becomes(`v1alpha1.${group}`, 'Passed')
  await server.call('DELETE', `${registration}/v1alpha1.${group}`)
  expect((await server.call('GET', base)).status).toBe(404)
  expect((await server.call('GET', '/apis')).json.groups.some(({ name }: { name: string }) => name === group)).toBe(
    false,
  )
})

test('the front proxy may say on whose behalf it asks, and nobody else may', async () => {
  const { json } = await server.call(
    'GET',
    '/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication',
  )
  expect(json.data).toMatchObject({
    'client-ca-file': server.keys.authority.certificate,
    'requestheader-client-ca-file': server.keys.frontProxy.authority,
    'requestheader-allowed-names': '["front-proxy-client"]',
    'requestheader-username-headers': '["X-Remote-User"]',
    'requestheader-group-headers': '["X-Remote-Group"]',
    'requestheader-extra-headers-prefix': '["X-Remote-Extra-"]',
  })
  expect(
    (
      await server.call(
        'GET',
        '/apis/rbac.authorization.k8s.io/v1/namespaces/kube-system/roles/extension-apiserver-authentication-reader',
      )
    ).json.rules,
  ).toEqual([
    {
      verbs: ['get', 'list', 'watch'],
      apiGroups: [''],
      resources: ['configmaps'],
      resourceNames: ['extension-apiserver-authentication'],
    },
  ])
  const headers = {
    'X-Remote-User': 'jane',
    'X-Remote-Group': ['a', 'system:masters'],
    'X-Remote-Extra-Scopes%2fx': 'one',
  }
  const path = '/api/v1/namespaces/default/configmaps'
  expect((await call(path, { client: server.keys.frontProxy.client, headers })).status).toBe(200)
  expect(
    (await call(path, { client: server.keys.frontProxy.client, headers: { 'X-Remote-User': 'jane' } })).body,
  ).toContain('User \\"jane\\" cannot list')
  expect((await call(path, { client: server.keys.frontProxy.client })).status).toBe(401)
  expect((await call(path, { headers })).body).toContain('User \\"system:anonymous\\" cannot list')
  const other = await signCertificate(
    server.keys.authority,
    { commonName: 'front-proxy-client', usage: 'client', days: 1 },
    Date.now(),
  )
  expect((await call(path, { client: other, headers })).body).toContain('User \\"front-proxy-client\\" cannot list')
})
