// The registry behind the tokens and roles of a cluster, over HTTPS, as docker, podman and skopeo log in.
import { request } from 'node:https'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clusterRoleBindings, clusterRoles, serviceAccounts } from '../api/resources.ts'
import { digestOf } from '../images/registry/digest.ts'
import type { SecureListener } from '../images/registry/registry.ts'
import type { Logger } from '../lib/logger.ts'
import { startTestServer, type TestServer } from '../testing/in-process-server.ts'
import { RegistryFixture } from '../testing/registry-fixture.ts'
import { registryAccess } from './registry-access.ts'

let server: TestServer
let registry: RegistryFixture
let secure: SecureListener
let image: string
const tokens: Record<string, string> = {}
const logged: string[] = []
const note = (message: string, fields: object = {}): void => void logged.push(`${message} ${JSON.stringify(fields)}`)
const logger: Logger = { debug: note, info: note, warn: note, error: note, with: () => logger }

/** A service account that may do this with `team/web`, and with nothing else. */
async function account(name: string, ...verbs: string[]): Promise<void> {
  await server.local.create(serviceAccounts, { metadata: { name, namespace: 'default' } })
  const rule = { apiGroups: ['registry.sampan.dev'], resources: ['repositories'] }
  const rules = [{ ...rule, verbs, ...(!verbs.includes('list') && { resourceNames: ['team/web'] }) }]
  await server.local.create(clusterRoles, { metadata: { name }, rules })
  await server.local.create(clusterRoleBindings, {
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
    subjects: [{ kind: 'ServiceAccount', name, namespace: 'default' }],
  })
  const path = `/api/v1/namespaces/default/serviceaccounts/${name}/token`
  const { json } = await server.call('POST', path, { body: { spec: {} } })
  tokens[name] = (json as { status: { token: string } }).status.token
}

beforeAll(async () => {
  server = await startTestServer()
  registry = await RegistryFixture.start({ logger })
  image = (await registry.pushImage('team/web', '1', 'layer')).digest
  await registry.pushImage('team/other', '1', 'secret layer')
  secure = await registry.registry.listen({
    host: '127.0.0.1',
    port: 0,
    serving: server.keys.serving,
    access: registryAccess(server.local),
  })
  await account('reader', 'get')
  await account('writer', 'get', 'update')
  await account('deleter', 'delete')
  await account('lister', 'list')
})
afterAll(async () => {
  await registry.close()
  await server.close()
})

interface Said {
  readonly status: number
  readonly challenge: string | undefined
  readonly body: string
  readonly location: string | undefined
}

/** @param who undefined: shows nothing */
function call(who: string | undefined, method: string, path: string, body = ''): Promise<Said> {
  const shown = who === undefined ? {} : { authorization: `Basic ${btoa(`whoever:${tokens[who] ?? who}`)}` }
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        method,
        host: '127.0.0.1',
        port: secure.port,
        path: path.startsWith('/v2') ? path : `/v2/${path}`,
        headers: { ...shown, 'content-length': Buffer.byteLength(body) },
        ca: server.keys.authority.certificate,
      },
      response => {
        const { statusCode = 0, headers } = response
        const challenge = headers['www-authenticate']
        text(response).then(
          said => resolve({ status: statusCode, challenge, body: said, location: headers.location }),
          reject,
        )
      },
    )
    outgoing.once('error', reject)
    outgoing.end(body)
  })
}

describe('a login', () => {
  test('is asked for: GET /v2/ answers 401 and how', async () => {
    const { status, challenge, body } = await call(undefined, 'GET', '/v2/')
    expect([status, challenge]).toEqual([401, 'Basic realm="sampan"'])
    expect(JSON.parse(body)).toMatchObject({ errors: [{ code: 'UNAUTHORIZED' }] })
  })

  test('is good with a token of the cluster as password, whatever the name', async () => {
    expect((await call('reader', 'GET', '/v2/')).status).toBe(200)
  })

  test.each(['guess', '', 'a:b'])('is no good with the password "%s"', async password => {
    const { status, challenge } = await call(password, 'GET', '/v2/')
    expect([status, challenge]).toEqual([401, 'Basic realm="sampan"'])
  })
})

test.each([
  ['reader', 'GET', 'team/web/manifests/1', 200],
  ['reader', 'HEAD', 'team/web/manifests/1', 200],
  ['reader', 'GET', 'team/web/tags/list', 200],
  ['reader', 'GET', `team/web/referrers/${digestOf('x')}`, 200],
  ['reader', 'GET', `team/web/blobs/${digestOf('layer')}`, 200],
  ['reader', 'GET', 'team/other/manifests/1', 403],
  ['reader', 'GET', 'team/none/manifests/1', 403],
  ['reader', 'POST', 'team/web/blobs/uploads/', 403],
  ['reader', 'PUT', 'team/web/manifests/2', 403],
  ['reader', 'DELETE', 'team/web/manifests/1', 403],
  ['reader', 'GET', '_catalog', 403],
  ['lister', 'GET', '_catalog', 200],
  ['writer', 'POST', 'team/web/blobs/uploads/', 202],
  ['writer', 'DELETE', 'team/web/manifests/1', 403],
  ['writer', 'POST', 'team/other/blobs/uploads/', 403],
  ['deleter', 'GET', 'team/web/manifests/1', 403],
  ['deleter', 'DELETE', `team/web/blobs/${digestOf('none')}`, 404],
  [undefined, 'GET', 'team/web/manifests/1', 401],
  [undefined, 'POST', 'team/web/blobs/uploads/', 401],
  ['guess', 'GET', 'team/web/manifests/1', 401],
  ['lister', 'POST', '_sampan/prune', 404],
])('%s: %s %s answers %i', async (who, method, path, status) => {
  expect((await call(who, method, path)).status).toBe(status)
})

test('what is refused says which right is missing', async () => {
  const { body } = await call('reader', 'POST', 'team/web/blobs/uploads/')
  expect(JSON.parse(body)).toEqual({
    errors: [
      {
        code: 'DENIED',
        message:
          'you may not push team/web; it takes a role with the verb "update" on "repositories" of registry.sampan.dev',
      },
    ],
  })
})

test.each([
  ['from the repository that has it', `mount=${digestOf('secret layer')}&from=team/other`],
  ['from wherever it is', `mount=${digestOf('secret layer')}`],
])('a layer of a repository that one may not read cannot be mounted %s', async (_what, query) => {
  expect((await call('writer', 'POST', `team/web/blobs/uploads/?${query}`)).status).toBe(202)
  expect((await call('writer', 'GET', `team/web/blobs/${digestOf('secret layer')}`)).status).toBe(404)
})

test('an upload belongs to its repository: who may write to another one cannot go on with it', async () => {
  const location = await registry.startUpload('team/other')
  expect((await call('writer', 'PATCH', location, 'more')).status).toBe(403)
  expect((await call('writer', 'PATCH', location.replace('team/other', 'team/web'), 'more')).status).toBe(404)
})

test('what everybody may do takes no login', async () => {
  await server.local.create(clusterRoles, {
    metadata: { name: 'public' },
    rules: [
      { apiGroups: ['registry.sampan.dev'], resources: ['repositories'], verbs: ['get'], resourceNames: ['team/web'] },
    ],
  })
  await server.local.create(clusterRoleBindings, {
    metadata: { name: 'public' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'public' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'system:unauthenticated' }],
  })
  expect((await call(undefined, 'GET', `team/web/manifests/${image}`)).status).toBe(200)
  expect((await call(undefined, 'PUT', 'team/web/manifests/2')).status).toBe(401)
})

test('images of other registries are not fetched for others', async () => {
  expect((await call('reader', 'GET', 'team/web/manifests/1?ns=docker.io')).status).toBe(200)
})

test('a renewed certificate is shown to those who come', async () => {
  secure.renewServing(server.keys.serving)
  expect((await call('reader', 'GET', '/v2/')).status).toBe(200)
})

test('no password is ever logged', () => {
  for (const token of Object.values(tokens)) expect(logged.join('\n')).not.toContain(token)
  expect(logged.join('\n')).not.toContain('guess')
})
