// What pods may expect of their cluster: restarts, probes, volumes that follow, names, the API with their
// own token, storage that lasts, work that runs to its end.
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ContainerStatus, Pod, PodSpec } from '../../src/api/generated/models.ts'
import {
  ClusterFixture,
  folder,
  podControlGroups,
  readText,
  reasonToSkipCluster,
  succeeded,
} from '../../src/testing/cluster-fixture.ts'
import { eventually } from '../../src/testing/eventually.ts'

const reason = reasonToSkipCluster()
const image = 'sampan.local/busybox:1'
const sh = (script: string): string[] => ['sh', '-c', script]
const forever = 'trap "exit 0" TERM; sleep 1000000 & wait'

const podOf = (name: string, container: object, spec: Partial<PodSpec> = {}): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels: { app: name } },
  spec: { containers: [{ name: 'main', image, ...container }], ...spec },
})

describe.skipIf(reason !== undefined)(`pods${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let cluster: ClusterFixture
  beforeAll(async () => {
    cluster = await ClusterFixture.up('pods')
    await cluster.pushBusybox()
    await eventually(
      'the service account',
      async () => (await cluster.kubectl('get', 'serviceaccount', 'default')).code === 0,
    )
  })
  afterAll(() => cluster?.close())

  const show = (...args: string[]): Promise<string> => cluster.show(...args)
  const create = async (...objects: object[]): Promise<void> => {
    succeeded(await cluster.kubectlWith({ apiVersion: 'v1', kind: 'List', items: objects }, 'create'))
  }
  const pod = (name: string): Promise<Pod> => cluster.json<Pod>('get', 'pod', name)
  const main = async (name: string): Promise<ContainerStatus | undefined> =>
    (await pod(name)).status.containerStatuses?.[0]
  const ready = (name: string): Promise<string> => show('wait', '--for=condition=Ready', `pod/${name}`, '--timeout=20s')
  const exec = (name: string, script: string): Promise<string> => show('exec', name, '--', ...sh(script))
  const outcome = async (name: string): Promise<string> => {
    await eventually(`${name} ended`, async () =>
      ['Succeeded', 'Failed'].includes((await pod(name)).status.phase ?? ''),
    )
    return show('logs', name)
  }

  test('a killed process comes back, and the log of the one before stays readable', async () => {
    await create(
      podOf(
        'phoenix',
        {
          command: sh(`echo run $(cat /count/n 2>/dev/null); echo again > /count/n; ${forever}`),
          volumeMounts: [{ name: 'count', mountPath: '/count' }],
        },
        { volumes: [{ name: 'count', emptyDir: {} }] },
      ),
    )
    await ready('phoenix')
    const before = await main('phoenix')
    const [group] = podControlGroups((await pod('phoenix')).metadata.uid)
    expect(group).toBeDefined()
    await cluster.kubectl('exec', 'phoenix', '--', 'kill', '-TERM', '1')
    const after = await eventually('started again', async () => {
      const status = await main('phoenix')
      return status?.restartCount === 1 && status.ready ? status : undefined
    })
    expect(after.containerID).not.toBe(before?.containerID)
    expect(after.lastState?.terminated).toMatchObject({ exitCode: 0, containerID: before?.containerID })
    expect(await show('logs', 'phoenix', '--previous')).toBe('run\n')
    expect(await show('logs', 'phoenix')).toBe('run again\n')
    expect(await show('get', 'pod', 'phoenix', '--no-headers')).toMatch(/phoenix +1\/1 +Running +1 \(\d+s ago\)/)
  })

  test('a container that keeps failing backs off', async () => {
    await create(podOf('crasher', { command: sh('echo broken; exit 3') }))
    await eventually(
      'it backs off',
      async () => /crasher +0\/1 +CrashLoopBackOff +[1-9]/.test(await show('get', 'pods', '--no-headers')),
      30_000,
    )
    const status = await main('crasher')
    expect(status?.state?.waiting?.reason).toBe('CrashLoopBackOff')
    expect(status?.lastState?.terminated).toMatchObject({ exitCode: 3, reason: 'Error' })
    expect(await show('describe', 'pod', 'crasher')).toMatch(/Warning +BackOff .*Back-off restarting failed container/)
    expect(await show('logs', 'crasher')).toBe('broken\n')
    await show('delete', 'pod', 'crasher', '--now')
  })

  test('readiness takes a pod out of its service and back; liveness restarts it', async () => {
    await create(
      podOf(
        'probed',
        {
          command: sh(`touch /tmp/ready /tmp/alive; ${forever}`),
          readinessProbe: { exec: { command: ['test', '-e', '/tmp/ready'] }, periodSeconds: 1, failureThreshold: 1 },
          livenessProbe: { exec: { command: ['test', '-e', '/tmp/alive'] }, periodSeconds: 1, failureThreshold: 2 },
          ports: [{ containerPort: 80 }],
        },
        { terminationGracePeriodSeconds: 1 },
      ),
    )
    await show('expose', 'pod', 'probed', '--port=80')
    await ready('probed')
    const endpoints = (): Promise<string> =>
      show(
        'get',
        'endpointslices',
        '-l',
        'kubernetes.io/service-name=probed',
        '-o',
        'jsonpath={.items[0].endpoints[0].conditions.ready}',
      )
    await eventually('in the service', async () => (await endpoints()) === 'true')
    await exec('probed', 'rm /tmp/ready')
    await eventually('out of the service', async () => (await endpoints()) === 'false')
    await exec('probed', 'touch /tmp/ready')
    await eventually('back in the service', async () => (await endpoints()) === 'true')
    await exec('probed', 'rm /tmp/alive')
    await eventually('restarted', async () => (await main('probed'))?.restartCount === 1)
    expect(await show('describe', 'pod', 'probed')).toMatch(/Warning +Unhealthy .*Liveness probe failed/)
  })

  test('configuration in volumes follows its ConfigMap', async () => {
    await create(
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings' }, data: { colour: 'red' } },
      podOf(
        'follower',
        {
          command: sh(forever),
          volumeMounts: [{ name: 'settings', mountPath: '/settings' }],
          env: [{ name: 'COLOUR', valueFrom: { configMapKeyRef: { name: 'settings', key: 'colour' } } }],
        },
        { volumes: [{ name: 'settings', configMap: { name: 'settings' } }] },
      ),
    )
    await ready('follower')
    expect(await exec('follower', 'cat /settings/colour; echo; echo $COLOUR')).toBe('red\nred\n')
    await show('patch', 'configmap', 'settings', '--type=merge', '-p', '{"data":{"colour":"blue"}}')
    await eventually('the file follows', async () => (await exec('follower', 'cat /settings/colour')) === 'blue')
    expect(await exec('follower', 'echo $COLOUR')).toBe('red\n')
  })

  test('names: services, headless services, single pods, ports, addresses backwards', async () => {
    const label = { matchLabels: { app: 'named' } }
    await create(
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'named' },
        spec: {
          replicas: 3,
          selector: label,
          template: {
            metadata: { labels: { app: 'named' } },
            spec: {
              subdomain: 'all',
              containers: [{ name: 'main', image, command: sh(forever), ports: [{ name: 'web', containerPort: 80 }] }],
            },
          },
        },
      },
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'all' },
        spec: { clusterIP: 'None', selector: { app: 'named' }, ports: [{ name: 'web', port: 80, targetPort: 'web' }] },
      },
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'one' },
        spec: { selector: { app: 'named' }, ports: [{ name: 'web', port: 8080, targetPort: 'web' }] },
      },
      podOf('asker', { command: sh(forever) }),
    )
    await show('rollout', 'status', 'deployment/named', '--timeout=20s')
    await ready('asker')
    const addresses = (await show('get', 'pods', '-l', 'app=named', '-o', 'jsonpath={.items[*].status.podIP}'))
      .split(' ')
      .sort()
    const lookup = async (...args: string[]): Promise<string> =>
      (await cluster.kubectl('exec', 'asker', '--', 'nslookup', ...args)).out
    const found = async (name: string): Promise<string[]> =>
      [
        ...(await lookup('-type=a', name))
          .split('\n\n')
          .slice(1)
          .join('\n')
          .matchAll(/^Address: (\S+)$/gm),
      ]
        .map(match => match[1]!)
        .sort()
    await eventually('headless', async () => (await found('all.default.svc.cluster.local')).join() === addresses.join())
    const address = await show('get', 'service', 'one', '-o', 'jsonpath={.spec.clusterIP}')
    expect(await found('one.default.svc.cluster.local')).toEqual([address])
    for (const name of ['one', 'one.default', 'one.default.svc'])
      expect(await exec('asker', `ping -c 1 -W 1 ${name} | head -1`)).toContain(`(${address})`)
    expect(await lookup('-type=srv', '_web._tcp.one.default.svc.cluster.local')).toMatch(
      /service = 0 \d+ 8080 one\.default\.svc\.cluster\.local/,
    )
    expect(
      (await lookup('-type=srv', '_web._tcp.all.default.svc.cluster.local')).match(/service = 0 \d+ 80 /g),
    ).toHaveLength(3)
    expect(await lookup('-type=ptr', address.split('.').toReversed().join('.').concat('.in-addr.arpa'))).toMatch(
      /name = one\.default\.svc\.cluster\.local/,
    )
    expect(await lookup('nothing.default.svc.cluster.local')).toMatch(/NXDOMAIN/)
    expect(await exec('asker', 'cat /etc/resolv.conf')).toMatch(
      /search default\.svc\.cluster\.local svc\.cluster\.local cluster\.local/,
    )
  })

  test('a service without ready pods refuses at once', async () => {
    await create({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'empty' },
      spec: { selector: { app: 'none' }, ports: [{ port: 80 }] },
    })
    await eventually('refused', async () =>
      (await cluster.kubectl('exec', 'asker', '--', ...sh('nc -w 5 empty 80 </dev/null'))).err.includes('refused'),
    )
  })

  test('a pod that asks its own service reaches itself', async () => {
    await create(
      podOf('self', { command: sh(`mkdir /www; echo me > /www/index.html; httpd -p 80 -h /www; ${forever}`) }),
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'self' },
        spec: { selector: { app: 'self' }, ports: [{ port: 80 }] },
      },
    )
    await ready('self')
    await eventually('answer', async () =>
      (
        await cluster.kubectl('exec', 'self', '--', ...sh('printf "GET / HTTP/1.0\\r\\n\\r\\n" | nc -w 2 self 80'))
      ).out.endsWith('me\n'),
    )
  })

  test('a port of the machine leads to the pod that asked for it', async () => {
    await create(
      podOf('hosted', {
        command: sh(`mkdir /www; echo hosted > /www/index.html; httpd -p 80 -h /www; ${forever}`),
        ports: [{ containerPort: 80, hostPort: 8088 }],
      }),
    )
    await ready('hosted')
    await eventually('answer', async () => (await cluster.curl('http://127.0.0.1:8088/')) === 'hosted\n')
    const node = await show('get', 'nodes', '-o', 'jsonpath={.items[0].status.addresses[0].address}')
    expect(await cluster.curl(`http://${node}:8088/`)).toBe('hosted\n')
    await show('delete', 'pod', 'hosted', '--now')
    await eventually(
      'refused',
      async () => (await cluster.run('curl', ['--silent', '--max-time', '2', 'http://127.0.0.1:8088/'])).code === 7,
    )
  })

  test('what containers may use together bounds their pod, also after a resize', async () => {
    const resources = (cpu: string, memory: string): object => ({ limits: { cpu, memory }, requests: { cpu, memory } })
    await create(podOf('bounded', { command: sh(forever), resources: resources('200m', '64Mi') }))
    await ready('bounded')
    const groups = podControlGroups((await pod('bounded')).metadata.uid).filter(path => /\/pod[^/]+$/.test(path))
    const first = (...files: string[]): string =>
      files.flatMap(file => groups.map(group => join(group, file))).find(path => existsSync(path))!
    const limits = (): string[] => [
      readText(first('cpu.max', 'cpu.cfs_quota_us')).split(/\s/)[0]!,
      readText(first('memory.max', 'memory.limit_in_bytes')).trim(),
    ]
    expect(limits()).toEqual(['20000', String(64 << 20)])
    const resize = async (cpu: string, memory: string): Promise<void> => {
      const patch = { spec: { containers: [{ name: 'main', resources: resources(cpu, memory) }] } }
      await show('patch', 'pod', 'bounded', '--subresource=resize', '-p', JSON.stringify(patch))
    }
    await resize('300m', '128Mi')
    await eventually('more', () => limits().join() === `30000,${128 << 20}`)
    await resize('100m', '32Mi')
    await eventually('less', () => limits().join() === `10000,${32 << 20}`)
    expect((await main('bounded'))?.restartCount).toBe(0)
    await show('delete', 'pod', 'bounded', '--now')
  })

  test('a pod that was bound without a look at the node fails and says why; its set makes it again', async () => {
    const node = await show('get', 'nodes', '-o', 'jsonpath={.items[0].metadata.name}')
    const bound = { nodeName: node }
    const onPort = { command: sh(forever), ports: [{ containerPort: 80, hostPort: 8089 }] }
    await create(
      podOf('greedy', { command: sh(forever), resources: { requests: { cpu: '1k' } } }, bound),
      podOf('elsewhere', { command: sh(forever) }, { ...bound, nodeSelector: { disk: 'tape' } }),
      podOf('holder', onPort),
    )
    await ready('holder')
    const failed = async (name: string): Promise<string> => {
      await eventually(`${name} failed`, async () => (await pod(name)).status.phase === 'Failed')
      return `${(await pod(name)).status.reason}: ${(await pod(name)).status.message}`
    }
    expect(await failed('greedy')).toMatch(
      /^OutOfcpu: Pod was rejected: Node didn't have enough resource: cpu, requested: 1000000, used: \d+, capacity: \d+$/,
    )
    expect(await failed('elsewhere')).toBe(
      "NodeAffinity: Pod was rejected: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
    )
    const labels = { app: 'again' }
    const set = {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { ...bound, containers: [{ name: 'main', image, ...onPort }] } },
    }
    await create({
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 'again' },
      spec: { serviceName: 'again', ...set },
    })
    const rejections = async (): Promise<number> => {
      const selector = 'reason=NodePorts,involvedObject.name=again-0'
      return (await show('get', 'events', '--field-selector', selector, '-o', 'name')).trim().split('\n').length
    }
    await eventually('it was rejected and made again', async () => (await rejections()) > 1)
    // It is not made again hundreds of times.
    expect(await rejections()).toBeLessThan(10)
    await show('delete', 'pod', 'holder', '--now')
    await eventually(
      'it came in',
      async () => (await pod('again-0').catch(() => undefined))?.status.phase === 'Running',
      30_000,
    )
    await show('delete', 'statefulset/again', 'pod/greedy', 'pod/elsewhere', '--now')
  })

  test('the token of the pod and the way to the API are there', async () => {
    await create(
      podOf(
        'client',
        {
          command: sh(
            'S=/var/run/secrets/kubernetes.io/serviceaccount; cat $S/namespace; echo; head -1 $S/ca.crt; test -s $S/token && echo token; env | grep KUBERNETES_SERVICE_HOST; nc -w 2 kubernetes.default 443 </dev/null && echo reached',
          ),
        },
        { restartPolicy: 'Never' },
      ),
    )
    const output = await outcome('client')
    expect(output).toMatch(/^default\n-----BEGIN CERTIFICATE-----\ntoken\n/)
    expect(output).toMatch(/KUBERNETES_SERVICE_HOST=10\.\d+\.0\.1/)
    expect(output).toMatch(/reached/)
  })

  test('a job runs to its end, tries again, and gives up', async () => {
    const job = (name: string, script: string, spec: object): object => ({
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name },
      spec: {
        ...spec,
        template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image, command: sh(script) }] } },
      },
    })
    await create(
      job('migrate', 'echo schema is at 7', { completions: 2, parallelism: 2 }),
      job('hopeless', 'echo no; exit 1', { backoffLimit: 0 }),
    )
    await show('wait', '--for=condition=complete', 'job/migrate', '--timeout=20s')
    await show('wait', '--for=condition=failed', 'job/hopeless', '--timeout=20s')
    expect(await show('get', 'pods', '-l', 'batch.kubernetes.io/job-name=migrate', '--no-headers')).toMatch(
      /^(migrate-\w+ +0\/1 +Completed +0 +\d+s\n){2}$/,
    )
    expect(await show('describe', 'job', 'hopeless')).toMatch(/BackoffLimitExceeded/)
    await show('delete', 'job', 'migrate', 'hopeless')
    await eventually(
      'their pods are gone',
      async () => (await show('get', 'pods', '-l', 'batch.kubernetes.io/job-name', '-o', 'name')) === '',
    )
  })

  test('a pod may finish: hooks, signal, grace', async () => {
    await create(
      podOf(
        'polite',
        {
          command: sh('trap "echo term at $(date +%s); exit 0" TERM; sleep 1000000 & wait'),
          lifecycle: { preStop: { sleep: { seconds: 1 } } },
        },
        { terminationGracePeriodSeconds: 10 },
      ),
    )
    await ready('polite')
    const log = cluster.run('kubectl', ['logs', '-f', 'polite'])
    const startMs = performance.now()
    await show('delete', 'pod', 'polite')
    const tookMs = performance.now() - startMs
    expect(tookMs).toBeGreaterThan(1000)
    expect(tookMs).toBeLessThan(5000)
    expect((await log).out).toMatch(/^term at \d+\n$/)
  })

  test('a StatefulSet finds its data again after it was scaled away, and a deleted claim takes its directory along', async () => {
    const volumes = `${cluster.dataDirectory}/volumes`
    await create(
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'db' },
        spec: { clusterIP: 'None', selector: { app: 'db' } },
      },
      {
        apiVersion: 'apps/v1',
        kind: 'StatefulSet',
        metadata: { name: 'db' },
        spec: {
          serviceName: 'db',
          replicas: 1,
          selector: { matchLabels: { app: 'db' } },
          template: {
            metadata: { labels: { app: 'db' } },
            spec: {
              securityContext: { runAsUser: 1000, fsGroup: 2000 },
              terminationGracePeriodSeconds: 1,
              containers: [
                {
                  name: 'main',
                  image,
                  command: sh(`echo started >> /data/log; echo inside > /part/file; ${forever}`),
                  volumeMounts: [
                    { name: 'data', mountPath: '/data' },
                    { name: 'data', mountPath: '/part', subPath: 'a/part' },
                  ],
                },
              ],
            },
          },
          volumeClaimTemplates: [
            {
              metadata: { name: 'data' },
              spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
            },
          ],
        },
      },
    )
    await show('rollout', 'status', 'statefulset/db', '--timeout=20s')
    expect(await show('get', 'pvc', 'data-db-0', '--no-headers')).toMatch(
      /^data-db-0 +Bound +pvc-\S+ +1Gi +RWO +local-path /,
    )
    const [directory] = readdirSync(volumes)
    expect(directory).toMatch(/^pvc-[-0-9a-f]{36}_default_data-db-0$/)
    expect([statSync(volumes).mode & 0o777, statSync(`${volumes}/${directory}`).gid]).toEqual([0o700, 2000])
    await show('scale', 'statefulset/db', '--replicas=0')
    await show('wait', '--for=delete', 'pod/db-0', '--timeout=20s')
    await show('scale', 'statefulset/db', '--replicas=1')
    await show('rollout', 'status', 'statefulset/db', '--timeout=20s')
    expect(await exec('db-0', 'cat /data/log /data/a/part/file; stat -c %g /data/log')).toBe(
      'started\nstarted\ninside\n2000\n',
    )

    await create(
      podOf(
        'reader',
        {
          command: sh(`cat /data/log; touch /data/mine; ${forever}`),
          volumeMounts: [{ name: 'data', mountPath: '/data' }],
        },
        { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data-db-0', readOnly: true } }] },
      ),
    )
    await ready('reader')
    await eventually('reads, and cannot write', async () =>
      /^started\nstarted\n.*Read-only file system/s.test(await show('logs', 'reader')),
    )
    await show('delete', 'statefulset/db', 'service/db', 'pod/reader', '--now')
    await show('delete', 'pvc', 'data-db-0', '--timeout=20s')
    await eventually('no volume', async () => (await show('get', 'pv', '-o', 'name')) === '')
    expect(readdirSync(volumes)).toEqual([])
  })

  test('an ephemeral volume goes with its pod; a volume that is not there is told and waited for', async () => {
    const place = folder(cluster.directory, 'disks')
    const volumeClaimTemplate = {
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    } as unknown as object
    await create(
      podOf(
        'scratch',
        {
          command: sh(`echo there > /scratch/file; ${forever}`),
          volumeMounts: [{ name: 'scratch', mountPath: '/scratch' }],
        },
        { volumes: [{ name: 'scratch', ephemeral: { volumeClaimTemplate } }] as NonNullable<PodSpec['volumes']> },
      ),
      {
        apiVersion: 'v1',
        kind: 'PersistentVolume',
        metadata: { name: 'disk' },
        spec: {
          capacity: { storage: '1Gi' },
          accessModes: ['ReadWriteOnce'],
          storageClassName: '',
          local: { path: `${place}/late` },
          nodeAffinity: {
            required: {
              nodeSelectorTerms: [
                { matchExpressions: [{ key: 'kubernetes.io/os', operator: 'In', values: ['linux'] }] },
              ],
            },
          },
        },
      },
      {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name: 'disk' },
        spec: { accessModes: ['ReadWriteOnce'], storageClassName: '', resources: { requests: { storage: '1Gi' } } },
      },
      podOf(
        'waiter',
        { command: sh(`echo here > /disk/file; ${forever}`), volumeMounts: [{ name: 'disk', mountPath: '/disk' }] },
        { volumes: [{ name: 'disk', persistentVolumeClaim: { claimName: 'disk' } }] },
      ),
    )
    await eventually('told', async () =>
      (await show('describe', 'pod', 'waiter')).includes(
        `MountVolume.NewMounter initialization failed for volume "disk" : path "${place}/late" does not exist`,
      ),
    )
    folder(place, 'late')
    await Promise.all([ready('waiter'), ready('scratch')])
    await eventually(
      'written',
      async () =>
        (await exec('scratch', 'cat /scratch/file')) === 'there\n' && readText(`${place}/late/file`) === 'here\n',
    )
    await show('delete', 'pod', 'scratch', 'waiter', '--now')
    await show('delete', 'pvc/disk', 'pv/disk', '--timeout=20s')
    await eventually('no claim and no volume', async () => (await show('get', 'pvc,pv', '-o', 'name')) === '')
    expect([readdirSync(`${cluster.dataDirectory}/volumes`), readText(`${place}/late/file`)]).toEqual([[], 'here\n'])
  })

  test('a pod that is deleted leaves no control group and no link', async () => {
    const {
      metadata: { uid },
    } = await pod('polite').catch(() => pod('self'))
    expect(podControlGroups(uid)).not.toEqual([])
    await show('delete', 'pod', '--all', '--now')
    await show('delete', 'deployment', '--all')
    await eventually('no pods', async () => (await show('get', 'pods', '-o', 'name')) === '')
    await eventually('no groups', () => podControlGroups(uid).length === 0)
    expect(
      (await cluster.run('ip', ['-brief', 'link'])).out.split('\n').filter(line => line.startsWith('veth')),
    ).toEqual([])
  })

  test('thirty pods at once', async () => {
    const startMs = performance.now()
    await show('create', 'deployment', 'many', '--replicas=30', `--image=${image}`, '--', ...sh(forever))
    await show('rollout', 'status', 'deployment/many', '--timeout=90s')
    console.log(`30 pods were ready after ${Math.round(performance.now() - startMs)} ms`)
    expect(new Set((await show('get', 'pods', '-o', 'jsonpath={.items[*].status.podIP}')).split(' ')).size).toBe(30)
    succeeded(await cluster.down('--purge'))
    expect(await cluster.leftOvers()).toEqual([])
  })
})
