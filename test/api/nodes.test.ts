// What a node may do: read what its own pods need, write its own objects, and nothing of other nodes.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Pod } from '../../src/api/generated/models.ts'
import {
  clusterRoles,
  configMaps,
  namespaces,
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  secrets,
  serviceAccounts,
} from '../../src/api/resources.ts'
import { signCertificate, type KeyPairPem } from '../../src/server/auth/certificate-authority.ts'
import { eventually } from '../../src/testing/eventually.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'
import { startTestServer, type Answer, type CallOptions, type TestServer } from '../../src/testing/in-process-server.ts'

let server: TestServer
let certificate: KeyPairPem

async function launch(name: string, nodeName: string, spec: Partial<Pod['spec']> = {}): Promise<Pod> {
  return server.local.create(pods, {
    metadata: { namespace: 'default', name },
    spec: { nodeName, containers: [{ name: 'main', image: 'i' }], ...spec },
  })
}

const reading = (name: string): Partial<Pod['spec']> => ({
  containers: [
    {
      name: 'main',
      image: 'i',
      envFrom: [{ secretRef: { name: `${name}-env` } }, { configMapRef: { name: `${name}-env` } }],
    },
  ],
  imagePullSecrets: [{ name: `${name}-pull` }],
  volumes: [
    { name: 'a', secret: { secretName: `${name}-volume` } },
    {
      name: 'b',
      projected: {
        sources: [
          { configMap: { name: `${name}-projected` } },
          { serviceAccountToken: { path: 't', audience: 'vault' } },
        ],
      },
    },
    { name: 'c', persistentVolumeClaim: { claimName: `${name}-claim` } },
  ],
})

beforeAll(async () => {
  server = await startTestServer()
  certificate = await signCertificate(
    server.keys.authority,
    { commonName: 'system:node:n1', organizations: ['system:nodes'], usage: 'client', days: 1 },
    Date.now(),
  )
  for (const name of ['default', 'other'])
    await server.local.create(serviceAccounts, { metadata: { namespace: 'default', name } })
  for (const name of ['n1', 'n2']) await server.local.create(nodes, { metadata: { name } })
  for (const name of ['mine-env', 'mine-pull', 'mine-volume', 'theirs-env', 'volume-secret'])
    await server.local.create(secrets, { metadata: { namespace: 'default', name } })
  for (const name of ['mine-env', 'mine-projected', 'theirs-env'])
    await server.local.create(configMaps, { metadata: { namespace: 'default', name } })
  for (const name of ['mine', 'theirs']) {
    const claim = {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '1Gi' } },
      storageClassName: '',
      volumeName: `${name}-volume`,
    }
    await server.local.create(persistentVolumeClaims, {
      metadata: { namespace: 'default', name: `${name}-claim` },
      spec: claim,
    })
    await server.local.create(persistentVolumes, {
      metadata: { name: `${name}-volume` },
      spec: {
        accessModes: ['ReadWriteOnce'],
        capacity: { storage: '1Gi' },
        claimRef: { namespace: 'default', name: `${name}-claim` },
        csi: {
          driver: 'd',
          volumeHandle: name,
          ...(name === 'mine' && { nodeStageSecretRef: { namespace: 'default', name: 'volume-secret' } }),
        },
      },
    })
  }
  await launch('mine', 'n1', reading('mine'))
  await launch('theirs', 'n2', { ...reading('theirs'), serviceAccountName: 'other' })
})
afterAll(() => server.close())

const asNode = (method: string, path: string, options: CallOptions = {}): Promise<Answer> =>
  server.call(method, path, { ...options, certificate })
const core = '/api/v1'
const mine = `${core}/namespaces/default`

describe('a node reads', () => {
  test.each([
    `${mine}/secrets/mine-env`,
    `${mine}/secrets/mine-pull`,
    `${mine}/secrets/mine-volume`,
    `${mine}/secrets/volume-secret`,
    `${mine}/configmaps/mine-env`,
    `${mine}/configmaps/mine-projected`,
    `${mine}/persistentvolumeclaims/mine-claim`,
    `${core}/persistentvolumes/mine-volume`,
    `${mine}/pods/mine`,
    `${core}/nodes/n1`,
    `${core}/services`,
    `${core}/pods?fieldSelector=spec.nodeName%3Dn1`,
    `${mine}/secrets?fieldSelector=metadata.name%3Dmine-env`,
    `${core}/nodes?fieldSelector=metadata.name%3Dn1`,
  ])('%s', async path => {
    expect((await asNode('GET', path)).status).toBe(200)
  })

  test.each([
    [
      `${mine}/secrets/theirs-env`,
      'secrets "theirs-env" is forbidden: User "system:node:n1" cannot get resource "secrets" in API group "" in the namespace "default": no relationship found between node \'n1\' and this object',
    ],
    [`${mine}/secrets`, 'No Object name found'],
    [`${core}/secrets`, 'can only read namespaced object of this type'],
    [`${mine}/configmaps/theirs-env`, 'no relationship found'],
    [`${mine}/persistentvolumeclaims/theirs-claim`, 'no relationship found'],
    [`${core}/persistentvolumes/theirs-volume`, 'no relationship found'],
    [`${core}/persistentvolumes`, 'can only get individual resources of this type'],
    [`${mine}/pods/theirs`, 'no relationship found'],
    [`${core}/pods`, 'can only list/watch pods with spec.nodeName field selector'],
    [`${core}/nodes`, "node 'n1' cannot read all nodes, only its own Node object"],
    [`${core}/nodes/n2`, "node 'n1' cannot read 'n2', only its own Node object"],
    ['/apis/apps/v1/deployments', 'cannot list resource "deployments"'],
  ])('not %s', async (path, message) => {
    const refused = await asNode('GET', path)
    expect([refused.status, refused.json.reason]).toEqual([403, 'Forbidden'])
    expect(refused.json.message).toContain(message)
  })

  test('what a pod needs only while the pod is bound to it', async () => {
    await server.local.create(secrets, { metadata: { namespace: 'default', name: 'brief' } })
    expect((await asNode('GET', `${mine}/secrets/brief`)).status).toBe(403)
    await launch('brief', 'n1', {
      containers: [
        { name: 'main', image: 'i', env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'brief', key: 'a' } } }] },
      ],
    })
    expect((await asNode('GET', `${mine}/secrets/brief`)).status).toBe(200)
    await server.local.delete(pods, { namespace: 'default', name: 'brief' }, { gracePeriodSeconds: 0 })
    expect((await asNode('GET', `${mine}/secrets/brief`)).status).toBe(403)
  })

  test('what a role gives it in addition', async () => {
    expect((await asNode('GET', '/version')).status).toBe(200)
    expect((await asNode('GET', '/apis')).status).toBe(200)
  })

  test('through an informer what it may get', async () => {
    const node = server.as('system:node:n1', ['system:nodes'])
    expect(
      node
        .informer(pods)
        .list()
        .map(({ metadata }) => metadata.name),
    ).toEqual(['mine'])
    expect(node.informer(secrets).get({ namespace: 'default', name: 'theirs-env' })).toBeUndefined()
    const seen: string[] = []
    const stop = node.informer(pods).subscribe(({ type, object }) => seen.push(`${type} ${object.metadata.name}`))
    const { metadata } = await server.local.create(pods, {
      metadata: { namespace: 'default', name: 'later' },
      spec: { containers: [{ name: 'main', image: 'i' }] },
    })
    await server.local.post(pods, { namespace: 'default', name: 'later' }, 'binding', {
      metadata: { name: 'later' },
      target: { kind: 'Node', name: 'n1' },
    } as never)
    await server.local.delete(pods, metadata, { gracePeriodSeconds: 0 })
    stop()
    expect(seen).toEqual(['ADDED mine', 'ADDED later', 'DELETED later'])
    await expect(node.get(secrets, { namespace: 'default', name: 'theirs-env' })).rejects.toThrow(
      'no relationship found',
    )
  })
})

describe('a node writes', () => {
  const patch = (path: string, body: object): Promise<Answer> =>
    asNode('PATCH', path, { body, headers: { 'Content-Type': 'application/merge-patch+json' } })

  test('its own node, but not its taints and not the labels of others', async () => {
    expect(
      (
        await patch(`${core}/nodes/n1`, {
          metadata: { labels: { 'kubernetes.io/os': 'linux', 'example.com/a': 'b', 'x.node.kubernetes.io/y': 'z' } },
        })
      ).status,
    ).toBe(200)
    expect((await patch(`${core}/nodes/n1/status`, { status: { capacity: { cpu: '2' } } })).status).toBe(200)
    expect((await patch(`${core}/nodes/n2`, { metadata: { labels: { a: 'b' } } })).json.message).toBe(
      'nodes "n2" is forbidden: node "n1" is not allowed to modify node "n2"',
    )
    expect((await patch(`${core}/nodes/n1`, { spec: { taints: [] } })).json.message).toBe(
      'nodes "n1" is forbidden: node "n1" is not allowed to modify taints',
    )
    expect(
      (
        await patch(`${core}/nodes/n1`, {
          metadata: {
            labels: { 'node-restriction.kubernetes.io/pci': 'true', 'node-role.kubernetes.io/control-plane': '' },
          },
        })
      ).json.message,
    ).toBe(
      'nodes "n1" is forbidden: is not allowed to modify labels: node-restriction.kubernetes.io/pci, node-role.kubernetes.io/control-plane',
    )
    expect((await asNode('POST', `${core}/nodes`, { body: { metadata: { name: 'n3' } } })).json.message).toBe(
      'nodes "n3" is forbidden: node "n1" is not allowed to modify node "n3"',
    )
    expect((await asNode('DELETE', `${core}/nodes/n1`)).status).toBe(403)
  })

  test('the status of its own pods, and deletes them', async () => {
    const status = { status: { phase: 'Running' } }
    expect((await patch(`${mine}/pods/mine/status`, status)).status).toBe(200)
    expect((await patch(`${mine}/pods/theirs/status`, status)).json.message).toBe(
      'pods "theirs" is forbidden: node "n1" can only update pod status for pods with spec.nodeName set to itself',
    )
    expect((await patch(`${mine}/pods/mine/status`, { metadata: { labels: { a: 'b' } } })).json.message).toBe(
      'pods "mine" is forbidden: node "n1" cannot update labels through pod status',
    )
    expect((await asNode('DELETE', `${mine}/pods/theirs`)).json.message).toBe(
      'pods "theirs" is forbidden: node "n1" can only delete pods with spec.nodeName set to itself',
    )
    expect((await patch(`${mine}/pods/mine`, { metadata: { labels: { a: 'b' } } })).status).toBe(403)
    await launch('over', 'n1')
    expect((await asNode('DELETE', `${mine}/pods/over?gracePeriodSeconds=0`)).status).toBe(200)
  })

  test('evictions of its own pods', async () => {
    const eviction = (name: string): object => ({
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { name, namespace: 'default' },
    })
    await launch('evicted', 'n1')
    expect((await asNode('POST', `${mine}/pods/theirs/eviction`, { body: eviction('theirs') })).json.message).toBe(
      'pods "theirs" is forbidden: node n1 can only evict pods with spec.nodeName set to itself',
    )
    expect((await asNode('POST', `${mine}/pods/evicted/eviction`, { body: eviction('evicted') })).status).toBe(201)
  })

  test('mirror pods of its own and no other pods', async () => {
    const { uid } = (await server.local.get(nodes, { name: 'n1' })).metadata
    const owner = { apiVersion: 'v1', kind: 'Node', name: 'n1', uid, controller: true }
    const pod = (change: object = {}, spec: object = {}): object => ({
      metadata: {
        name: 'mirror',
        annotations: { 'kubernetes.io/config.mirror': 'x' },
        ownerReferences: [owner],
        ...change,
      },
      spec: { nodeName: 'n1', containers: [{ name: 'main', image: 'i' }], ...spec },
    })
    const refusal = async (body: object): Promise<string> =>
      (await asNode('POST', `${mine}/pods`, { body })).json.message
    expect(await refusal(pod({ annotations: {} }))).toBe(
      'pods "mirror" is forbidden: pod does not have "kubernetes.io/config.mirror" annotation, node "n1" can only create mirror pods',
    )
    expect(await refusal(pod({}, { nodeName: 'n2' }))).toContain(
      'node "n1" can only create pods with spec.nodeName set to itself',
    )
    expect(await refusal(pod({ ownerReferences: [] }))).toContain(
      'node "n1" can only create pods with an owner reference set to itself',
    )
    expect(await refusal(pod({ ownerReferences: [{ ...owner, controller: false }] }))).toContain(
      'with a controller owner reference set to itself',
    )
    expect(await refusal(pod({ ownerReferences: [{ ...owner, uid: 'other' }] }))).toContain(
      `node n1 UID mismatch: expected other got ${uid}`,
    )
    expect(await refusal(pod({}, { serviceAccountName: 'default' }))).toContain(
      'node "n1" can not create pods that reference a service account',
    )
    expect(await refusal(pod({}, { volumes: [{ name: 'v', secret: { secretName: 's' } }] }))).toContain(
      'node "n1" can not create pods that reference secrets',
    )
    expect((await asNode('POST', `${mine}/pods`, { body: pod() })).status).toBe(201)
  })

  test('its lease and its CSINode', async () => {
    const leases = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases'
    expect((await asNode('POST', leases, { body: { metadata: { name: 'n1' } } })).status).toBe(201)
    expect((await asNode('POST', leases, { body: { metadata: { name: 'n2' } } })).json.message).toBe(
      'leases.coordination.k8s.io "n2" is forbidden: can only access node lease with the same name as the requesting node',
    )
    expect(
      (
        await asNode('POST', '/apis/coordination.k8s.io/v1/namespaces/default/leases', {
          body: { metadata: { name: 'n1' } },
        })
      ).json.message,
    ).toContain('can only access leases in the "kube-node-lease" system namespace')
    expect((await asNode('GET', `${leases}/n2`)).json.message).toContain(
      'can only access node lease with the same name as the requesting node',
    )
    const csi = '/apis/storage.k8s.io/v1/csinodes'
    expect((await asNode('POST', csi, { body: { metadata: { name: 'n1' }, spec: { drivers: [] } } })).status).toBe(201)
    expect(
      (await asNode('POST', csi, { body: { metadata: { name: 'n2' }, spec: { drivers: [] } } })).json.message,
    ).toBe(
      'csinodes.storage.k8s.io "n2" is forbidden: can only access CSINode with the same name as the requesting node',
    )
  })
})

describe('a node asks for tokens', () => {
  const ask = (account: string, spec: object): Promise<Answer> =>
    asNode('POST', `${mine}/serviceaccounts/${account}/token`, { body: { spec } })
  const bound = async (name: string): Promise<object> => ({
    apiVersion: 'v1',
    kind: 'Pod',
    name,
    uid: (await server.local.get(pods, { namespace: 'default', name })).metadata.uid,
  })

  test('for its own pods alone', async () => {
    const answer = await ask('default', { boundObjectRef: await bound('mine') })
    expect(answer.status).toBe(201)
    const who = await server.call('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {
      body: {},
      anonymous: true,
      headers: { Authorization: `Bearer ${answer.json.status.token}` },
    })
    expect(who.json.status.userInfo.extra['authentication.kubernetes.io/node-name']).toEqual(['n1'])
    expect((await ask('other', { boundObjectRef: await bound('theirs') })).json.message).toContain(
      "no relationship found between node 'n1' and this object",
    )
    expect((await ask('default', {})).json.message).toBe(
      'serviceaccounts "default" is forbidden: node requested token not bound to a pod',
    )
    expect(
      (await ask('default', { boundObjectRef: { ...(await bound('mine')), uid: undefined } })).json.message,
    ).toContain('node requested token with a pod binding without a uid')
    expect((await ask('default', { boundObjectRef: { ...(await bound('mine')), uid: 'x' } })).json.message).toContain(
      'the UID in the bound object reference (x) does not match the UID in record',
    )
    expect((await ask('default', { boundObjectRef: await bound('theirs') })).json.message).toContain(
      'node requested token bound to a pod scheduled on a different node',
    )
  })

  test('for audiences that the pod names', async () => {
    const boundObjectRef = await bound('mine')
    expect((await ask('default', { boundObjectRef, audiences: ['vault'] })).status).toBe(201)
    expect((await ask('default', { boundObjectRef, audiences: ['bank'] })).json.message).toBe(
      'serviceaccounts "default" is forbidden: audience "bank" not found in pod spec volume, system:node:n1 is not authorized to request tokens for this audience',
    )
    expect((await ask('default', { boundObjectRef, audiences: ['vault', 'bank'] })).json.message).toContain(
      'node may only request 0 or 1 audiences',
    )
  })
})

test('a node is told that its rules are not all there is', async () => {
  const { json } = await asNode('POST', '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews', {
    body: { spec: { namespace: 'default' } },
  })
  expect(json.status).toMatchObject({
    incomplete: true,
    evaluationError: 'node authorizer does not support user rule resolution',
  })
})

test('who is in system:nodes without being a node gets nothing from it', async () => {
  const stranger = await server.call('GET', `${mine}/secrets/mine-env`, {
    headers: { 'Impersonate-User': 'x', 'Impersonate-Group': 'system:nodes' },
  })
  expect(stranger.json.message).toMatch(/in the namespace "default"$/)
})

test('a token is bound to what is there', async () => {
  const ask = (boundObjectRef: object): Promise<Answer> =>
    server.call('POST', `${mine}/serviceaccounts/default/token`, { body: { spec: { boundObjectRef } } })
  expect((await ask({ apiVersion: 'v1', kind: 'Pod', name: 'nowhere' })).json.message).toBe('pods "nowhere" not found')
  expect((await ask({ apiVersion: 'v1', kind: 'Pod', name: 'theirs' })).json.message).toBe(
    'cannot bind token for serviceaccount "default" to pod running with different serviceaccount name.',
  )
  expect((await ask({ apiVersion: 'v1', kind: 'Secret', name: 'mine-env', uid: 'x' })).status).toBe(409)
  expect((await ask({ apiVersion: 'v1', kind: 'Node', name: 'n1' })).status).toBe(201)
})

test('the components act with the rights of their roles', async () => {
  const may = async (user: string, verb: string, resource: string, group = ''): Promise<boolean> =>
    (
      await server.call('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', {
        body: { spec: { user, resourceAttributes: { verb, resource, group } } },
      })
    ).json.status.allowed
  expect(await may('system:kube-scheduler', 'list', 'nodes')).toBe(true)
  expect(await may('system:kube-scheduler', 'get', 'secrets')).toBe(false)
  expect(await may('system:kube-proxy', 'watch', 'endpointslices', 'discovery.k8s.io')).toBe(true)
  expect(await may('system:kube-proxy', 'list', 'pods')).toBe(false)
  expect(await may('system:kube-controller-manager', 'watch', 'anything', 'example.com')).toBe(true)
  expect(await may('system:serviceaccount:kube-system:coredns', 'list', 'services')).toBe(true)
})

test('roles of an older version get what is new and keep what was added', async () => {
  const clock = new FakeClock()
  const first = await startTestServer({ clock })
  const path = '/apis/rbac.authorization.k8s.io/v1/clusterroles/system:kube-dns'
  const added = { apiGroups: ['example.com'], resources: ['things'], verbs: ['get'] }
  expect(
    (
      await first.call('PATCH', path, {
        body: { rules: [added] },
        headers: { 'Content-Type': 'application/merge-patch+json' },
      })
    ).status,
  ).toBe(200)
  await clock.advance(1000)
  const rules = await eventually('updated', () =>
    [first.local.informer(clusterRoles).get({ name: 'system:kube-dns' })?.rules].find(
      now => now !== undefined && now.length > 1,
    ),
  )
  expect(rules).toContainEqual(added)
  expect(rules).toContainEqual({ apiGroups: [''], resources: ['services'], verbs: ['watch'] })
  await first.close()
})

test('a namespace of its own is not for a node to make', async () => {
  await expect(
    server.as('system:node:n1', ['system:nodes']).create(namespaces, { metadata: { name: 'mine' } }),
  ).rejects.toThrow('cannot create resource "namespaces"')
})
