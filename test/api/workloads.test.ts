// The control loops and the scheduler against the real API server: with the transport that is a function
// call, and over HTTPS, where informers lag behind and the client must keep its promise.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isNotFound } from '../../src/api/api-error.ts'
import type { Deployment } from '../../src/api/generated/models.ts'
import type { New } from '../../src/api/object.ts'
import {
  configMaps,
  deployments,
  endpoints,
  endpointSlices,
  events,
  jobs,
  namespaces,
  nodes,
  pods,
  replicaSets,
  replicationControllers,
  resourceQuotas,
  serviceAccounts,
  services,
} from '../../src/api/resources.ts'
import { eventually } from '../../src/testing/eventually.ts'
import type { TestCluster } from '../../src/testing/test-cluster.ts'
import { startTestCluster } from '../../src/testing/test-cluster.ts'

describe.each([
  ['in process', false],
  ['over HTTPS', true],
] as const)('control loops %s', (_transport, useRemote) => {
  let cluster: TestCluster
  const namespace = 'default'

  beforeAll(async () => {
    cluster = await startTestCluster({ nodes: 0, useRemote })
    cluster.run = undefined
    await cluster.addNode('node-0')
  })
  afterAll(() => cluster.stop())

  const template = (app: string, image = 'one') => ({
    metadata: { labels: { app } },
    spec: { containers: [{ name: 'c', image, ports: [{ name: 'http', containerPort: 8080 }] }] },
  })
  const deployment = (name: string, replicas: number): New<Deployment> => ({
    metadata: { namespace, name },
    spec: { replicas, selector: { matchLabels: { app: name } }, template: template(name) },
  })
  const podsOf = (app: string) =>
    cluster.client
      .informer(pods)
      .list(namespace)
      .filter(pod => pod.metadata.labels?.app === app)
  const available = (name: string) => {
    const found = cluster.client.informer(deployments).get({ namespace, name })
    return found?.status.observedGeneration === found?.metadata.generation &&
      found?.status.updatedReplicas === found?.spec.replicas &&
      found?.status.replicas === found?.spec.replicas &&
      found?.status.availableReplicas === found?.spec.replicas
      ? found
      : undefined
  }
  const reasonOf = (object: Deployment | undefined, type: string) =>
    object?.status.conditions?.find(condition => condition.type === type)?.reason

  describe('deployments', () => {
    test('roll out, roll over, roll back and report', async () => {
      const { client } = cluster
      await client.create(deployments, deployment('web', 3))
      const first = await eventually('first rollout', () => available('web'))
      expect(podsOf('web').map(pod => pod.spec.nodeName)).toEqual(['node-0', 'node-0', 'node-0'])
      await eventually('conditions', () => reasonOf(available('web'), 'Progressing') === 'NewReplicaSetAvailable')
      expect(reasonOf(available('web'), 'Available')).toBe('MinimumReplicasAvailable')
      expect(first.metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('1')

      await client.patch(
        deployments,
        { namespace, name: 'web' },
        { type: 'strategic', value: { spec: { template: template('web', 'two') } } },
      )
      await eventually('second rollout', () => available('web'))
      await eventually(
        'only new pods',
        () => podsOf('web').length === 3 && podsOf('web').every(pod => pod.spec.containers[0]!.image === 'two'),
      )
      const sets = client
        .informer(replicaSets)
        .list(namespace)
        .filter(set => set.metadata.labels?.app === 'web')
      expect(new Set(sets.map(set => set.spec.replicas))).toEqual(new Set([0, 3]))

      await client.patch(
        deployments,
        { namespace, name: 'web' },
        { type: 'strategic', value: { spec: { template: template('web', 'one') } } },
      )
      await eventually(
        'rollback',
        () => available('web') && podsOf('web').every(pod => pod.spec.containers[0]!.image === 'one'),
      )
      expect(
        client
          .informer(replicaSets)
          .list(namespace)
          .filter(set => set.metadata.labels?.app === 'web'),
      ).toHaveLength(2)
      await eventually(
        'third revision',
        () =>
          client.informer(deployments).get({ namespace, name: 'web' })?.metadata.annotations?.[
            'deployment.kubernetes.io/revision'
          ] === '3',
      )

      await client.patch(deployments, { namespace, name: 'web' }, { type: 'merge', value: { spec: { replicas: 1 } } })
      await eventually('scaled', () => available('web') && podsOf('web').length === 1)
      const messages = await eventually('events', () => {
        const found = client
          .informer(events)
          .list(namespace)
          .filter(event => event.involvedObject.name === 'web')
          .map(event => event.message)
        return found.length > 3 && found
      })
      expect(messages[0]).toMatch(/^Scaled up replica set web-[a-z0-9]+ from 0 to 3$/)
    })

    test('take their pods with them when deleted', async () => {
      const { client } = cluster
      await client.create(deployments, deployment('gone', 2))
      await eventually('rollout', () => available('gone'))
      await client.delete(deployments, { namespace, name: 'gone' }, { propagationPolicy: 'Foreground' })
      await eventually('collection', () => client.informer(deployments).get({ namespace, name: 'gone' }) === undefined)
      expect(podsOf('gone')).toEqual([])
    })

    test('leave their ReplicaSet behind as an orphan, which the next one adopts', async () => {
      const { client } = cluster
      await client.create(deployments, deployment('again', 1))
      await eventually('rollout', () => available('again'))
      const [pod] = podsOf('again')
      await client.delete(deployments, { namespace, name: 'again' }, { propagationPolicy: 'Orphan' })
      await eventually('deletion', () => client.informer(deployments).get({ namespace, name: 'again' }) === undefined)
      expect(podsOf('again')).toHaveLength(1)
      await client.create(deployments, deployment('again', 1))
      await eventually('adoption', () => available('again'))
      expect(podsOf('again').map(one => one.metadata.uid)).toEqual([pod!.metadata.uid])
    })
  })

  test('a replication controller replaces a deleted pod', async () => {
    const { client } = cluster
    await client.create(replicationControllers, {
      metadata: { namespace, name: 'rc' },
      spec: { replicas: 2, template: template('rc') },
    })
    await eventually('pods', () => podsOf('rc').length === 2)
    const [victim] = podsOf('rc')
    await client.delete(pods, victim!.metadata)
    const others = () => podsOf('rc').filter(pod => pod.metadata.uid !== victim!.metadata.uid)
    await eventually('replacement', () => others().length === 2 && podsOf('rc').length === 2)
    expect(others()).toHaveLength(2)
  })

  test('a service lists the ready pods behind it', async () => {
    const { client } = cluster
    await client.create(deployments, deployment('served', 2))
    await client.create(services, {
      metadata: { namespace, name: 'served' },
      spec: { selector: { app: 'served' }, ports: [{ port: 80, targetPort: 'http' }] },
    })
    await eventually(
      'endpoints',
      () => client.informer(endpoints).get({ namespace, name: 'served' })?.subsets?.[0]?.addresses?.length === 2,
    )
    const slice = await eventually('slice', () =>
      client
        .informer(endpointSlices)
        .list(namespace)
        .find(one => one.metadata.labels?.['kubernetes.io/service-name'] === 'served' && one.endpoints?.length === 2),
    )
    expect(slice.ports).toEqual([{ name: '', port: 8080, protocol: 'TCP' }])
    expect(slice.endpoints![0]!.conditions).toEqual({ ready: true, serving: true, terminating: false })
    await client.delete(services, { namespace, name: 'served' })
    await eventually(
      'removal',
      () =>
        client.informer(endpoints).get({ namespace, name: 'served' }) === undefined &&
        client.informer(endpointSlices).get(slice.metadata) === undefined,
    )
  })

  test('a namespace gets its account and certificate, and goes with everything in it', async () => {
    const { client } = cluster
    await client.create(namespaces, { metadata: { name: 'shortlived' } })
    await eventually(
      'content',
      () =>
        client.informer(serviceAccounts).get({ namespace: 'shortlived', name: 'default' }) &&
        client.informer(configMaps).get({ namespace: 'shortlived', name: 'kube-root-ca.crt' }),
    )
    await client.create(deployments, { ...deployment('web', 2), metadata: { namespace: 'shortlived', name: 'web' } })
    await eventually('pods', () => client.informer(pods).list('shortlived').length === 2)
    await client.delete(namespaces, { name: 'shortlived' })
    await eventually('deletion', () => client.informer(namespaces).get({ name: 'shortlived' }) === undefined)
    expect(client.informer(pods).list('shortlived')).toEqual([])
    await expect(client.get(namespaces, { name: 'shortlived' })).rejects.toSatisfy(isNotFound)
  })

  test('a quota is counted, and what is deleted counts no more', async () => {
    const { client } = cluster
    await client.create(namespaces, { metadata: { name: 'counted' } })
    await client.create(configMaps, { metadata: { namespace: 'counted', name: 'one' } })
    await client.create(resourceQuotas, {
      metadata: { namespace: 'counted', name: 'q' },
      spec: { hard: { 'count/configmaps': '9' } },
    })
    const used = () =>
      client.informer(resourceQuotas).get({ namespace: 'counted', name: 'q' })?.status?.used?.['count/configmaps']
    await eventually('count', () => used() === '2')
    await client.delete(configMaps, { namespace: 'counted', name: 'one' })
    await eventually('recount', () => used() === '1')
  })

  test('a pod that fits nowhere says why, and is bound when there is room', async () => {
    const { client } = cluster
    await client.create(pods, {
      metadata: { namespace, name: 'huge' },
      spec: { containers: [{ name: 'c', image: 'x', resources: { requests: { cpu: '64' } } }] },
    })
    const pod = await eventually('verdict', () => {
      const found = client.informer(pods).get({ namespace, name: 'huge' })
      return found?.status.conditions?.some(condition => condition.reason === 'Unschedulable') && found
    })
    expect(pod.status.conditions![0]).toMatchObject({
      type: 'PodScheduled',
      status: 'False',
      message:
        '0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.',
    })
    await cluster.addNode('large', { cpu: '128', memory: '1Ti', pods: '10' })
    await eventually('binding', () => client.informer(pods).get({ namespace, name: 'huge' })?.spec.nodeName === 'large')
    await client.delete(nodes, { name: 'large' })
  })

  test('a job runs to its end and its pods are counted once', async () => {
    const other = await startTestCluster({ nodes: 0, useRemote })
    const { client } = other
    other.run = () => ({ phase: 'Succeeded', containerStatuses: [] })
    await other.addNode('node-0')
    await client.create(jobs, {
      metadata: { namespace, name: 'batch' },
      spec: {
        completions: 5,
        parallelism: 2,
        template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'x' }] } },
      },
    })
    const job = await eventually('completion', () => {
      const found = client.informer(jobs).get({ namespace, name: 'batch' })
      return found?.status.conditions?.some(condition => condition.type === 'Complete') && found
    })
    expect(job.status.succeeded).toBe(5)
    await eventually('release', () =>
      client
        .informer(pods)
        .list(namespace)
        .every(pod => (pod.metadata.finalizers ?? []).length === 0),
    )
    expect(client.informer(pods).list(namespace)).toHaveLength(5)
    await client.delete(jobs, { namespace, name: 'batch' }, { propagationPolicy: 'Background' })
    await eventually('collection', () => client.informer(pods).list(namespace).length === 0)
    await other.stop()
  })
})
