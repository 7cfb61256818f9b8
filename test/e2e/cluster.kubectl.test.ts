// Unmodified kubectl against a real cluster: each verb does what it does elsewhere.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Pod } from '../../src/api/generated/models.ts'
import { ClusterFixture, reasonToSkipCluster } from '../../src/testing/cluster-fixture.ts'
import { eventually } from '../../src/testing/eventually.ts'

const reason = reasonToSkipCluster()
const image = 'sampan.local/busybox:1'
const serve =
  'mkdir -p /www; echo "page of $VERSION" > /www/index.html; echo "started $VERSION"; httpd -p 8080 -h /www; trap "echo bye; exit 0" TERM; sleep 1000000 & wait'

const webManifest = (version: string, replicas = 2): object => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', labels: { app: 'web' } },
  spec: {
    replicas,
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: {
        containers: [
          {
            name: 'main',
            image,
            command: ['sh', '-c', serve],
            env: [{ name: 'VERSION', value: version }],
            ports: [{ containerPort: 8080 }],
            readinessProbe: { httpGet: { port: 8080, path: '/' }, periodSeconds: 1 },
          },
        ],
      },
    },
  },
})

describe.skipIf(reason !== undefined)(`kubectl${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let cluster: ClusterFixture
  beforeAll(async () => {
    cluster = await ClusterFixture.up('kubectl')
    await cluster.pushBusybox()
    await eventually(
      'the service account',
      async () => (await cluster.kubectl('get', 'serviceaccount', 'default')).code === 0,
    )
  })
  afterAll(() => cluster?.close())

  const show = (...args: string[]): Promise<string> => cluster.show(...args)
  const rolledOut = (name = 'web'): Promise<string> => show('rollout', 'status', `deployment/${name}`, '--timeout=30s')
  const webPods = async (): Promise<Pod[]> =>
    (await cluster.json<{ items: Pod[] }>('get', 'pods', '-l', 'app=web')).items.filter(
      ({ metadata }) => metadata.deletionTimestamp === undefined,
    )

  test('apply, diff, get', async () => {
    expect((await cluster.kubectlWith(webManifest('1'), 'diff')).code).toBe(1)
    expect((await cluster.kubectlWith(webManifest('1'), 'apply')).out).toBe('deployment.apps/web created\n')
    expect((await cluster.kubectlWith(webManifest('1'), 'apply')).out).toBe('deployment.apps/web unchanged\n')
    expect(await rolledOut()).toContain('deployment "web" successfully rolled out')
    expect(await cluster.kubectlWith(webManifest('1'), 'diff')).toMatchObject({ code: 0, out: '' })
    const changed = await cluster.kubectlWith(webManifest('1b'), 'diff')
    expect(changed.code).toBe(1)
    expect(changed.out).toMatch(/^-.*value: ['"]?1['"]?$/m)
    expect(changed.out).toMatch(/^\+.*value: 1b$/m)
    expect(await show('get', 'deployments')).toMatch(
      /^NAME +READY +UP-TO-DATE +AVAILABLE +AGE\nweb +2\/2 +2 +2 +\d+s\n$/,
    )
    expect(await show('get', 'pods', '-o', 'wide')).toMatch(
      /^NAME +READY +STATUS +RESTARTS +AGE +IP +NODE +NOMINATED NODE +READINESS GATES\nweb-\w+-\w+ +1\/1 +Running +0 +\d+s +10\.\d+\.\d+\.\d+ +\S+ +<none> +<none>/,
    )
    expect(await show('get', 'deploy,rs,po', '-o', 'name')).toMatch(
      /^deployment\.apps\/web\nreplicaset\.apps\/web-\w+\n(pod\/web-\w+-\w+\n){2}$/,
    )
    expect(await show('get', 'deployment', 'web', '-o', 'yaml')).toMatch(
      /^apiVersion: apps\/v1\nkind: Deployment\nmetadata:/,
    )
    expect(
      await show('get', 'pods', '-o', 'custom-columns=NAME:.metadata.name,UP:.status.phase', '--no-headers'),
    ).toMatch(/^(web-\S+ +Running\n){2}$/)
    expect(await show('get', 'pods', '--field-selector=status.phase=Pending', '-o', 'name')).toBe('')
    expect(await show('get', 'all')).toContain('service/kubernetes')
    expect(await cluster.kubectl('get', 'pod', 'nothing')).toMatchObject({
      code: 1,
      err: 'Error from server (NotFound): pods "nothing" not found\n',
    })
    expect(await cluster.kubectl('get', 'nothings')).toMatchObject({
      code: 1,
      err: 'error: the server doesn\'t have a resource type "nothings"\n',
    })
  })

  test('get --watch sees a pod come and go', async () => {
    const watch = cluster.spawn('kubectl', ['get', 'pods', '-w', '--no-headers', '-l', 'app=watched'])
    let seen = ''
    watch.stdout!.on('data', (chunk: Buffer) => {
      seen += chunk.toString()
    })
    await show(
      'run',
      'watched',
      `--image=${image}`,
      '--labels=app=watched',
      '--',
      'sh',
      '-c',
      'trap "exit 0" TERM; sleep 1000000 & wait',
    )
    await eventually('running', () => /watched +1\/1 +Running/.test(seen))
    await show('delete', 'pod', 'watched')
    await eventually('terminating', () => /watched +\d\/1 +(Terminating|Completed)/.test(seen))
    watch.kill()
    expect(seen).toMatch(/Pending|ContainerCreating/)
  })

  test('describe shows conditions and events', async () => {
    const [pod] = await webPods()
    const described = await show('describe', 'pod', pod!.metadata.name)
    expect(described).toMatch(/^Controlled By: +ReplicaSet\/web-/m)
    expect(described).toMatch(/^ +Ready +True/m)
    for (const event of [
      'Normal +Scheduled +.*Successfully assigned default/web-',
      'Normal +Pulled ',
      'Normal +Created ',
      'Normal +Started ',
    ])
      expect(described).toMatch(new RegExp(event))
    expect(await show('describe', 'deployment', 'web')).toMatch(/Scaled up replica set web-\w+ from 0 to 2/)
    expect(await show('describe', 'node')).toMatch(/Non-terminated Pods: +\(2 in total\)/)
    expect(await show('get', 'events', '--field-selector', `involvedObject.name=${pod!.metadata.name}`)).toMatch(
      /Started +pod\/web-/,
    )
    expect(await show('events', '--for', `pod/${pod!.metadata.name}`)).toMatch(/Scheduled/)
  })

  test('expose and NodePort answer', async () => {
    await show('expose', 'deployment', 'web', '--port=80', '--target-port=8080', '--type=NodePort')
    expect(await show('get', 'service', 'web')).toMatch(/web +NodePort +10\.\d+\.\d+\.\d+ +<none> +80:3\d+\/TCP/)
    const port = await show('get', 'service', 'web', '-o', 'jsonpath={.spec.ports[0].nodePort}')
    await eventually(
      'the service answers',
      async () => (await cluster.curl(`http://127.0.0.1:${port}/`)) === 'page of 1\n',
    )
    expect(
      await cluster.curl(`http://${await show('get', 'service', 'web', '-o', 'jsonpath={.spec.clusterIP}')}/`),
    ).toBe('page of 1\n')
    expect(await show('describe', 'service', 'web')).toMatch(/^Endpoints: +\S+:8080,\S+:8080$/m)
    expect(await show('get', 'endpointslices', '-l', 'kubernetes.io/service-name=web', '--no-headers')).toMatch(
      /web-\w+ +IPv4 +8080/,
    )
  })

  test('server-side apply owns its fields and reports conflicts', async () => {
    const mine = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'owned' }, data: { colour: 'red' } }
    expect((await cluster.kubectlWith(mine, 'apply', '--server-side', '--field-manager=one')).out).toBe(
      'configmap/owned serverside-applied\n',
    )
    const conflict = await cluster.kubectlWith(
      { ...mine, data: { colour: 'blue' } },
      'apply',
      '--server-side',
      '--field-manager=two',
    )
    expect(conflict.code).toBe(1)
    expect(conflict.err).toContain('conflict with "one": .data.colour')
    expect(
      await cluster.kubectlWith(
        { ...mine, data: { colour: 'blue' } },
        'apply',
        '--server-side',
        '--field-manager=two',
        '--force-conflicts',
      ),
    ).toMatchObject({ code: 0 })
    expect(await show('get', 'configmap', 'owned', '-o', 'jsonpath={.data.colour}')).toBe('blue')
    expect(await cluster.kubectlWith({ ...mine, dta: {} }, 'apply', '--server-side')).toMatchObject({
      code: 1,
      err: expect.stringContaining('dta') as string,
    })
    expect((await cluster.kubectlWith({ ...mine, kind: 'Deployment', apiVersion: 'apps/v1' }, 'create')).err).toMatch(
      /unknown field "data"/,
    )
  })

  test('edit, scale, set image, set env, label, annotate, patch', async () => {
    const edited = await cluster.run('kubectl', ['edit', 'deployment', 'web'], {
      environment: { EDITOR: 'sed -i s/replicas:\\ 2/replicas:\\ 3/' },
    })
    expect(edited).toMatchObject({ code: 0, out: 'deployment.apps/web edited\n' })
    await rolledOut()
    expect(await webPods()).toHaveLength(3)
    expect(await show('scale', 'deployment/web', '--replicas=1')).toBe('deployment.apps/web scaled\n')
    await eventually('one is left', async () => (await webPods()).length === 1)
    expect(await show('set', 'image', 'deployment/web', `main=${image}`)).toBe('')
    expect(await show('set', 'env', 'deployment/web', 'COLOUR=green')).toBe('deployment.apps/web env updated\n')
    await rolledOut()
    expect(await show('set', 'resources', 'deployment/web', '--requests=cpu=10m')).toContain(
      'resource requirements updated',
    )
    await show('label', 'deployment', 'web', 'team=geo')
    expect(await cluster.kubectl('label', 'deployment', 'web', 'team=other')).toMatchObject({ code: 1 })
    expect(await show('get', 'deployment', '-l', 'team in (geo),!gone', '-o', 'name')).toBe('deployment.apps/web\n')
    await show('annotate', 'deployment', 'web', 'note=checked')
    await show('label', 'deployment', 'web', 'team-')
    expect(
      await show('get', 'deployment', 'web', '-o', 'jsonpath={.metadata.annotations.note}{.metadata.labels.team}'),
    ).toBe('checked')
    await show(
      'patch',
      'deployment',
      'web',
      '-p',
      '{"spec":{"template":{"spec":{"containers":[{"name":"main","env":[{"name":"EXTRA","value":"1"}]}]}}}}',
    )
    expect(
      await show('get', 'deployment', 'web', '-o', 'jsonpath={.spec.template.spec.containers[0].env[*].name}'),
    ).toContain('VERSION')
    await show(
      'patch',
      'deployment',
      'web',
      '--type=json',
      '-p',
      '[{"op":"replace","path":"/spec/replicas","value":2}]',
    )
    await show('patch', 'deployment', 'web', '--type=merge', '-p', '{"spec":{"minReadySeconds":0}}')
    await rolledOut()
    expect(await webPods()).toHaveLength(2)
  })

  test('rollout history, undo, restart, pause and resume', async () => {
    await cluster.kubectlWith(webManifest('2'), 'apply')
    await rolledOut()
    const history = await show('rollout', 'history', 'deployment/web')
    expect(history).toMatch(/^deployment\.apps\/web \nREVISION +CHANGE-CAUSE\n1 +<none>\n/)
    expect(await show('rollout', 'history', 'deployment/web', '--revision=1')).toMatch(/VERSION:\s+1/)
    expect(await show('rollout', 'undo', 'deployment/web', '--to-revision=1')).toBe('deployment.apps/web rolled back\n')
    await rolledOut()
    expect(
      await show('get', 'deployment', 'web', '-o', 'jsonpath={.spec.template.spec.containers[0].env[0].value}'),
    ).toBe('1')
    const before = new Set((await webPods()).map(({ metadata }) => metadata.uid))
    expect(await show('rollout', 'restart', 'deployment/web')).toBe('deployment.apps/web restarted\n')
    await rolledOut()
    expect((await webPods()).some(({ metadata }) => before.has(metadata.uid))).toBe(false)
    await show('rollout', 'pause', 'deployment/web')
    const stays = (await webPods()).map(({ metadata }) => metadata.uid).sort()
    await show('set', 'env', 'deployment/web', 'PAUSED=1')
    expect((await webPods()).map(({ metadata }) => metadata.uid).sort()).toEqual(stays)
    await show('rollout', 'resume', 'deployment/web')
    await rolledOut()
    expect((await webPods()).map(({ metadata }) => metadata.uid).sort()).not.toEqual(stays)
  })

  test('logs: whole, followed, the last lines, of a deployment', async () => {
    await show(
      'run',
      'talker',
      `--image=${image}`,
      '--restart=Never',
      '--',
      'sh',
      '-c',
      'for i in 1 2 3 4 5; do echo line $i; sleep 0.2; done',
    )
    await eventually('it talks', async () => (await cluster.kubectl('logs', 'talker')).out.startsWith('line 1'))
    expect(await show('logs', '-f', 'talker')).toBe('line 1\nline 2\nline 3\nline 4\nline 5\n')
    expect(await show('logs', 'talker', '--tail=2')).toBe('line 4\nline 5\n')
    expect(await show('logs', 'talker', '--timestamps', '--tail=1')).toMatch(/^\d{4}-\d\d-\d\dT\S+ line 5\n$/)
    expect(await show('logs', 'deployment/web')).toMatch(/started 1/)
    expect(await show('logs', '-l', 'app=web', '--prefix')).toMatch(/^\[pod\/web-\w+-\w+\/main\] started 1$/m)
    await show('delete', 'pod', 'talker')
  })

  test('exec with and without a terminal, cp both ways, port-forward', async () => {
    const [pod] = await webPods()
    const name = pod!.metadata.name
    expect(await show('exec', name, '--', 'cat', '/www/index.html')).toBe('page of 1\n')
    expect(await show('exec', 'deployment/web', '--', 'hostname')).toMatch(/^web-/)
    expect(await cluster.kubectl('exec', name, '--', 'sh', '-c', 'echo no >&2; exit 7')).toMatchObject({
      code: 7,
      err: expect.stringMatching(/^no\n/) as string,
    })
    expect(await cluster.run('kubectl', ['exec', '-i', name, '--', 'cat'], { input: 'through\n' })).toMatchObject({
      out: 'through\n',
      code: 0,
    })
    const terminal = await cluster.run(
      'script',
      ['-qec', `kubectl exec -it ${name} -- sh -c 'tty; stty size; read word; echo got $word'`, '/dev/null'],
      { input: 'hello\n' },
    )
    expect(terminal.out).toMatch(/\/dev\/pts\/\d+\r\n/)
    expect(terminal.out).toMatch(/got hello\r\n/)
    const sent = join(cluster.directory, 'sent')
    const bytes = Buffer.alloc(300_000, 7)
    writeFileSync(sent, bytes)
    await show('cp', sent, `${name}:/tmp/file`)
    await show('cp', `${name}:/tmp/file`, `${sent}.back`)
    expect(readFileSync(`${sent}.back`).equals(bytes)).toBe(true)
    for (const target of [`pod/${name}`, 'service/web']) {
      const forward = cluster.spawn('kubectl', ['port-forward', target, target.startsWith('pod') ? ':8080' : ':80'])
      const port = await new Promise<string>(resolve => {
        forward.stdout!.on('data', (chunk: Buffer) => {
          const found = /127\.0\.0\.1:(\d+)/.exec(chunk.toString())
          if (found !== null) resolve(found[1]!)
        })
      })
      expect(await Promise.all([1, 2, 3].map(() => cluster.curl(`http://127.0.0.1:${port}/`)))).toEqual(
        Array(3).fill('page of 1\n'),
      )
      forward.kill()
    }
  })

  test('kubectl run, attached, gives back output and exit code', async () => {
    expect(
      (
        await cluster.kubectl(
          'run',
          'once',
          '--rm',
          '-i',
          '--quiet',
          '--restart=Never',
          `--image=${image}`,
          '--',
          'sh',
          '-c',
          'sleep 0.3; echo done',
        )
      ).out,
    ).toContain('done')
    expect(
      await cluster.kubectl(
        'run',
        'fails',
        '--rm',
        '-i',
        '--quiet',
        '--restart=Never',
        `--image=${image}`,
        '--',
        'sh',
        '-c',
        'sleep 0.3; exit 3',
      ),
    ).toMatchObject({ code: 3 })
  })

  test('explain, api-resources, api-versions, cluster-info, get --raw', async () => {
    expect(await show('explain', 'pod.spec.containers')).toMatch(
      /KIND: +Pod\nVERSION: +v1\n\nFIELD: containers <\[\]Container>/,
    )
    expect(await show('explain', 'pod.spec.containers')).toMatch(/imagePullPolicy/)
    const recursive = await show('explain', 'deployment', '--recursive')
    expect(recursive).toMatch(/GROUP: +apps\nKIND: +Deployment/)
    expect(recursive).toMatch(/ {8}maxSurge\s+<IntOrString>/)
    const resources = await show('api-resources')
    for (const row of [
      /^pods +po +v1 +true +Pod$/m,
      /^deployments +deploy +apps\/v1 +true +Deployment$/m,
      /^nodes +no +v1 +false +Node$/m,
      /^jobs +batch\/v1 +true +Job$/m,
    ])
      expect(resources).toMatch(row)
    expect((await show('api-versions')).split('\n')).toEqual(
      expect.arrayContaining(['v1', 'apps/v1', 'batch/v1', 'coordination.k8s.io/v1', 'discovery.k8s.io/v1']),
    )
    expect(await show('cluster-info')).toMatch(/control plane.* is running at .*https:\/\/127\.0\.0\.1:6443/)
    expect(JSON.parse(await show('get', '--raw', '/version'))).toMatchObject({ major: '1', minor: '36' })
    expect(await show('get', '--raw', '/readyz')).toBe('ok')
    expect(await show('version')).toMatch(/Server Version: v1\.36/)
  })

  test('create namespace, configmap, secret, job, service account and token', async () => {
    await show('create', 'namespace', 'extra')
    await eventually(
      'its root certificate',
      async () => (await cluster.kubectl('get', 'configmap', '-n', 'extra', 'kube-root-ca.crt')).code === 0,
    )
    writeFileSync(join(cluster.directory, 'settings'), 'a=1\n')
    await show(
      'create',
      'configmap',
      'settings',
      '-n',
      'extra',
      '--from-literal=k=v',
      `--from-file=${join(cluster.directory, 'settings')}`,
    )
    expect(await show('get', 'configmap', 'settings', '-n', 'extra', '-o', 'jsonpath={.data.k}{.data.settings}')).toBe(
      'va=1\n',
    )
    await show('create', 'secret', 'generic', 'hidden', '-n', 'extra', '--from-literal=p=w')
    expect(await show('get', 'secret', 'hidden', '-n', 'extra', '-o', 'jsonpath={.data.p}')).toBe('dw==')
    await show('create', 'serviceaccount', 'robot', '-n', 'extra')
    const token = (await show('create', 'token', 'robot', '-n', 'extra')).trim()
    const authorized = async (word: string): Promise<string> =>
      cluster.curl(
        'https://127.0.0.1:6443/api',
        '--insecure',
        '--output',
        '/dev/null',
        '--write-out',
        '%{http_code}',
        '-H',
        `Authorization: Bearer ${word}`,
      )
    expect([await authorized(token), await authorized(`${token}x`)]).toEqual(['200', '401'])
    await show('create', 'job', 'migration', '-n', 'extra', `--image=${image}`, '--', 'sh', '-c', 'echo migrated')
    expect(await show('wait', '-n', 'extra', '--for=condition=complete', 'job/migration', '--timeout=20s')).toContain(
      'condition met',
    )
    expect(await show('logs', '-n', 'extra', 'job/migration')).toBe('migrated\n')
    expect(await show('get', 'job', '-n', 'extra', 'migration', '--no-headers')).toMatch(/^migration +Complete +1\/1/)
    await show('delete', 'namespace', 'extra')
    expect(await cluster.kubectl('get', 'namespace', 'extra')).toMatchObject({ code: 1 })
  })

  test('wait and delete, with and without what belongs to it', async () => {
    await show('wait', '--for=condition=Available', 'deployment/web', '--timeout=20s')
    await show('wait', '--for=jsonpath={.status.readyReplicas}=2', 'deployment/web', '--timeout=20s')
    await show(
      'create',
      'deployment',
      'brief',
      `--image=${image}`,
      '--',
      'sh',
      '-c',
      'trap "exit 0" TERM; sleep 1000000 & wait',
    )
    await show('wait', '--for=condition=Available', 'deployment/brief', '--timeout=20s')
    await show('delete', 'deployment', 'brief', '--cascade=orphan')
    expect(await show('get', 'replicaset', '-l', 'app=brief', '-o', 'name')).toMatch(/^replicaset/)
    await show('delete', 'replicaset', '-l', 'app=brief')
    await show('wait', '--for=delete', 'pod', '-l', 'app=brief', '--timeout=40s')
    expect(await show('get', 'pods', '-l', 'app=brief', '-o', 'name')).toBe('')
    expect(await show('delete', 'deployment', 'nothing', '--ignore-not-found')).toBe('')
  })

  test('taint, cordon, drain, uncordon', async () => {
    const node = await show('get', 'nodes', '-o', 'jsonpath={.items[0].metadata.name}')
    await show('taint', 'node', node, 'only=mine:NoSchedule')
    await show('run', 'refused', `--image=${image}`, '--', 'sleep', '1000')
    await eventually('it says why', async () =>
      /FailedScheduling.*untolerated taint\(s\)/.test(await show('describe', 'pod', 'refused')),
    )
    await show('taint', 'node', node, 'only-')
    await show('wait', '--for=condition=Ready', 'pod/refused', '--timeout=20s')
    await show('cordon', node)
    expect(await show('get', 'nodes', '--no-headers')).toMatch(/Ready,SchedulingDisabled/)
    expect(await show('drain', node, '--ignore-daemonsets', '--force', '--grace-period=1', '--timeout=40s')).toMatch(
      /drained/,
    )
    await eventually('replacements wait', async () =>
      (await webPods()).every(({ status }) => status.phase === 'Pending'),
    )
    await show('uncordon', node)
    await rolledOut()
    expect(await cluster.kubectl('get', 'pod', 'refused')).toMatchObject({ code: 1 })
  })

  test('the API goes through kubectl proxy', async () => {
    const proxy = cluster.spawn('kubectl', ['proxy', '--port=0'])
    const port = await new Promise<string>(resolve =>
      proxy.stdout!.on('data', (chunk: Buffer) => resolve(/:(\d+)/.exec(chunk.toString())![1]!)),
    )
    expect(JSON.parse(await cluster.curl(`http://127.0.0.1:${port}/api/v1/namespaces/default`))).toMatchObject({
      metadata: { name: 'default' },
    })
    proxy.kill()
    await text(proxy.stderr!)
  })
})
