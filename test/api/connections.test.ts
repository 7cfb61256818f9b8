// What opens a connection is admitted with its options, and they count as admission left them.
// What webhooks are told of them: admission-webhooks.test.ts.
import { createServer, type Server } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { badRequest } from '../../src/api/api-error.ts'
import type { Pod } from '../../src/api/generated/models.ts'
import { pods, serviceAccounts } from '../../src/api/resources.ts'
import type { NodeStreams } from '../../src/streams/node-streams.ts'
import { startTestServer, type TestServer } from '../../src/testing/in-process-server.ts'

let server: TestServer
let backend: Server
let reached: unknown[] = []
const note = (...what: unknown[]): never => {
  reached.push(what)
  throw badRequest('reached the agent')
}
const agent = {
  exec: async ({ container }: { container: string }, command: unknown, options: unknown) =>
    note('exec', container, command, options),
  attach: async ({ container }: { container: string }, options: unknown) => note('attach', container, options),
  portForward: async (_target: unknown, port: number) => note('portforward', port),
} as unknown as NodeStreams

const core = '/api/v1/namespaces/default'
const admission = '/apis/admissionregistration.k8s.io/v1'

beforeAll(async () => {
  backend = createServer((request, response) => void response.end(`got ${request.url}`))
  await new Promise<void>(resolve => {
    backend.listen(0, '127.0.0.1', resolve)
  })
  server = await startTestServer({
    findNodeStreams: () => agent,
    reach: () => ({ host: '127.0.0.1', port: (backend.address() as AddressInfo).port }),
  })
  const { local } = server
  await local.create(serviceAccounts, { metadata: { namespace: 'default', name: 'default' } })
  const pod = await local.create(pods, {
    metadata: { namespace: 'default', name: 'p' },
    spec: {
      nodeName: 'n',
      containers: [
        { name: 'c', image: 'x:1' },
        { name: 'd', image: 'x:1' },
      ],
    },
  })
  await local.update<Pod>(
    pods,
    { ...pod, status: { ...pod.status, podIP: '10.9.8.7', podIPs: [{ ip: '10.9.8.7' }] } },
    { subresource: 'status' },
  )
})
afterAll(async () => {
  await server.close()
  backend.close()
})
beforeEach(async () => {
  reached = []
  for (const kind of ['mutatingadmissionpolicies', 'mutatingadmissionpolicybindings'])
    await server.call('DELETE', `${admission}/${kind}`)
})

const connect = (path: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const { keys, port } = server
    const headers = {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==',
      'Sec-WebSocket-Protocol': 'v4.channel.k8s.io',
    }
    const call = httpsRequest({
      host: '127.0.0.1',
      port,
      path: core + path,
      ca: keys.authority.certificate,
      cert: keys.admin.certificate,
      key: keys.admin.key,
      agent: false,
      headers,
    })
    call.on('upgrade', (_response, socket) => {
      socket.once('data', () => socket.destroy()).once('close', () => resolve('switched'))
    })
    call.on('response', response => {
      const chunks: Buffer[] = []
      response
        .on('data', (chunk: Buffer) => chunks.push(chunk))
        .on('end', () => resolve((JSON.parse(Buffer.concat(chunks).toString()) as { message: string }).message))
    })
    call.on('error', reject).end()
  })

const constraints = (resource: string): object => ({
  resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], resources: [resource], operations: ['CONNECT'] }],
})
async function bound(spec: object): Promise<void> {
  const made = await server.call('POST', `${admission}/mutatingadmissionpolicies`, {
    body: { metadata: { name: 'p' }, spec },
  })
  expect(made.status, made.text).toBe(201)
  const binding = await server.call('POST', `${admission}/mutatingadmissionpolicybindings`, {
    body: { metadata: { name: 'b' }, spec: { policyName: 'p' } },
  })
  expect(binding.status, binding.text).toBe(201)
}
const patched = (resource: string, patch: string): Promise<void> =>
  bound({
    matchConstraints: constraints(resource),
    reinvocationPolicy: 'Never',
    mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression: patch } }],
  })

test('exec runs what a policy made of the command, where it says', async () => {
  await patched(
    'pods/exec',
    '[JSONPatch{op: "replace", path: "/command", value: ["id"]}, JSONPatch{op: "add", path: "/container", value: "d"}, JSONPatch{op: "remove", path: "/stdin"}]',
  )
  await connect('/pods/p/exec?command=sh&command=-c&container=c&stdin=1&stdout&stderr=false')
  expect(reached).toEqual([['exec', 'd', ['id'], { stdin: false, stdout: true, stderr: false, tty: false }]])
})

test('attach takes the streams that a policy leaves', async () => {
  await patched(
    'pods/attach',
    '[JSONPatch{op: "add", path: "/tty", value: true}, JSONPatch{op: "add", path: "/stderr", value: true}]',
  )
  await connect('/pods/p/attach?container=c&stdout=true')
  expect(reached).toEqual([['attach', 'c', { stdin: false, stdout: true, stderr: false, tty: true }]])
})

test('port-forward of the older form goes to the ports that a policy names', async () => {
  await patched('pods/portforward', '[JSONPatch{op: "add", path: "/ports", value: [81]}]')
  expect(await connect('/pods/p/portforward?ports=80')).toBe('switched')
  expect(reached).toEqual([['portforward', 81]])
  expect(await connect('/pods/p/portforward?ports=http')).toBe('strconv.ParseInt: parsing "http": invalid syntax')
})

test('a proxy asks for the path that a policy names', async () => {
  expect((await server.call('GET', `${core}/pods/p:80/proxy/a%20b/?c=d`)).text).toBe('got /a%20b/?c=d')
  await patched('pods/proxy', '[JSONPatch{op: "add", path: "/path", value: "e/" + object.path}]')
  expect((await server.call('GET', `${core}/pods/p:80/proxy/a%20b/?c=d`)).text).toBe('got /e/a%20b/?c=d')
})

test('what admission makes of the options must be options; nothing is tried out', async () => {
  await patched('pods/exec', '[JSONPatch{op: "replace", path: "/command", value: "id"}]')
  expect(await connect('/pods/p/exec?command=sh&container=c&stdout=true')).toContain(
    'command must be a list of texts, but is "id"',
  )
  expect(await connect('/pods/p/exec?command=sh&container=c&stdout=true&dryRun=All')).toBe('dryRun is not supported')
  expect((await server.call('GET', `${core}/pods/p:80/proxy/x?dryRun=All`)).json).toMatchObject({
    code: 400,
    message: 'dryRun is not supported',
  })
  expect(reached).toEqual([])
})

test('without an upgrade it is said what is wrong with the rest', async () => {
  const answered = async (path: string): Promise<unknown> => (await server.call('GET', core + path)).json.message
  expect(await answered('/pods/none/exec')).toBe('pods "none" not found')
  expect(await answered('/pods/p/attach?container=c&stdin=1')).toBe('Upgrade request required')
})

test('a policy changes what is posted to a subresource as what it is', async () => {
  const rules = {
    resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], resources: ['pods/binding'], operations: ['CREATE'] }],
  }
  await server.local.create(pods, {
    metadata: { namespace: 'default', name: 'q' },
    spec: { containers: [{ name: 'c', image: 'x:1' }] },
  })
  await bound({
    matchConstraints: rules,
    reinvocationPolicy: 'Never',
    mutations: [
      {
        patchType: 'ApplyConfiguration',
        applyConfiguration: { expression: 'Object{metadata: Object.metadata{annotations: {"moved": "yes"}}}' },
      },
      {
        patchType: 'JSONPatch',
        jsonPatch: { expression: '[JSONPatch{op: "replace", path: "/target/name", value: "chosen"}]' },
      },
    ],
  })
  const posted = await server.call('POST', `${core}/pods/q/binding`, {
    body: { metadata: { name: 'q' }, target: { kind: 'Node', name: 'asked' } },
  })
  expect(posted.status, posted.text).toBe(201)
  expect((await server.call('GET', `${core}/pods/q`)).json).toMatchObject({
    metadata: { annotations: { moved: 'yes' } },
    spec: { nodeName: 'chosen' },
  })
})
