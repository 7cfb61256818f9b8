// Control loops reach custom objects as soon as their kind is there: garbage collection, the deletion of
// namespaces, quotas.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { configMaps, namespaces, resourceQuotas, serviceAccounts } from '../../../src/api/resources.ts'
import { resource } from '../../../src/api/resource.ts'
import { definition, definitionsPath, install, uninstalled, version } from '../../../src/testing/custom-resources.ts'
import { eventually } from '../../../src/testing/eventually.ts'
import { startTestCluster, type TestCluster } from '../../../src/testing/test-cluster.ts'

let cluster: TestCluster
beforeAll(async () => {
  cluster = await startTestCluster({ nodes: 0 })
  await install(
    cluster.server,
    definition({ versions: [version(undefined, { name: 'v1beta1', storage: false }), version()] }),
  )
})
afterAll(() => cluster.stop())

const boats = resource('example.com', 'v1', 'boats', 'Boat')
const gone = (path: string): Promise<boolean> =>
  eventually(`${path} is gone`, async () => (await cluster.server.call('GET', path)).status === 404)
const boatPath = (namespace: string, name = ''): string =>
  `/apis/example.com/v1/namespaces/${namespace}/boats${name === '' ? '' : `/${name}`}`

describe('custom objects', () => {
  test.each(['example.com/v1', 'example.com/v1beta1'])(
    'own what is deleted with them, named as %s',
    async apiVersion => {
      const owner = await cluster.client.create(boats, { metadata: { namespace: 'default', name: 'owner' } })
      const ownerReferences = [{ apiVersion, kind: 'Boat', name: 'owner', uid: owner.metadata.uid }]
      await cluster.client.create(configMaps, { metadata: { namespace: 'default', name: 'owned', ownerReferences } })
      await cluster.client.create(boats, { metadata: { namespace: 'default', name: 'owned', ownerReferences } })
      await cluster.client.delete(boats, { namespace: 'default', name: 'owner' }, { propagationPolicy: 'Background' })
      await gone('/api/v1/namespaces/default/configmaps/owned')
      await gone(boatPath('default', 'owned'))
    },
  )

  test('wait for their dependents when deleted in the foreground', async () => {
    const owner = await cluster.client.create(boats, { metadata: { namespace: 'default', name: 'front' } })
    await cluster.client.create(boats, {
      metadata: {
        namespace: 'default',
        name: 'behind',
        ownerReferences: [
          {
            apiVersion: 'example.com/v1',
            kind: 'Boat',
            name: 'front',
            uid: owner.metadata.uid,
            blockOwnerDeletion: true,
          },
        ],
      },
    })
    await cluster.client.delete(boats, { namespace: 'default', name: 'front' }, { propagationPolicy: 'Foreground' })
    await gone(boatPath('default', 'front'))
    expect((await cluster.server.call('GET', boatPath('default', 'behind'))).status).toBe(404)
  })

  test('go with their namespace', async () => {
    await cluster.client.create(namespaces, { metadata: { name: 'short-lived' } })
    await cluster.client.create(boats, { metadata: { namespace: 'short-lived', name: 'a' } })
    await cluster.client.delete(namespaces, { name: 'short-lived' })
    await gone('/api/v1/namespaces/short-lived')
    expect((await cluster.server.call('GET', boatPath('short-lived'))).json.items).toEqual([])
  })

  test('count against a quota', async () => {
    await cluster.client.create(namespaces, { metadata: { name: 'limited' } })
    await eventually('the service account is there', () =>
      cluster.client.informer(serviceAccounts).get({ namespace: 'limited', name: 'default' }),
    )
    await cluster.client.create(resourceQuotas, {
      metadata: { namespace: 'limited', name: 'q' },
      spec: { hard: { 'count/boats.example.com': '1' } },
    })
    await cluster.client.create(boats, { metadata: { namespace: 'limited', name: 'a' } })
    const refused = await cluster.server.call('POST', boatPath('limited'), { body: { metadata: { name: 'b' } } })
    expect([refused.status, refused.json.message]).toEqual([
      403,
      'boats.example.com "b" is forbidden: exceeded quota: q, requested: count/boats.example.com=1, used: count/boats.example.com=1, limited: count/boats.example.com=1',
    ])
    await cluster.client.delete(boats, { namespace: 'limited', name: 'a' })
    await eventually(
      'the quota is free',
      () =>
        cluster.client.informer(resourceQuotas).get({ namespace: 'limited', name: 'q' })?.status?.used?.[
          'count/boats.example.com'
        ] === '0',
    )
  })
})

test('a definition can go while control loops run', async () => {
  await cluster.client.create(boats, { metadata: { namespace: 'default', name: 'last' } })
  await cluster.server.call('DELETE', `${definitionsPath}/boats.example.com`)
  await uninstalled(cluster.server, 'boats.example.com')
  await cluster.client.create(namespaces, { metadata: { name: 'after' } })
  await cluster.client.delete(namespaces, { name: 'after' })
  await gone('/api/v1/namespaces/after')
})
