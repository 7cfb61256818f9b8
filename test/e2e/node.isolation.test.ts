// What a pod's security, resources, volumes and namespaces mean inside its containers.
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { secrets } from '../../src/api/resources.ts'
import { podControlGroups } from '../../src/testing/cluster-fixture.ts'
import { eventually } from '../../src/testing/eventually.ts'
import { NodeFixture } from '../../src/testing/node-fixture.ts'
import { reasonToSkip } from '../../src/testing/private-containerd.ts'

const reason = reasonToSkip()
const sh = (script: string): string[] => ['sh', '-c', script]
const forever = 'trap "exit 0" TERM; sleep 1000000 & wait'

describe.skipIf(reason !== undefined)(`isolation${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let node: NodeFixture
  let directory: string
  beforeAll(async () => {
    node = await NodeFixture.start('isolation', '10.81.0.0/24')
    directory = await mkdtemp(join(tmpdir(), 'sampan-host-'))
  })
  afterAll(async () => {
    await node?.close()
    await rm(directory, { recursive: true, force: true })
  })

  test('user, groups and a read-only root', async () => {
    const output = await node.outputOf(
      'user',
      {
        command: sh('id -u; id -g; id -G; touch /x 2>&1; grep NoNewPrivs /proc/self/status'),
        securityContext: { readOnlyRootFilesystem: true, allowPrivilegeEscalation: false },
      },
      { securityContext: { runAsUser: 1000, runAsGroup: 2000, fsGroup: 3000, supplementalGroups: [4000] } },
    )
    expect(output.split('\n')).toEqual([
      '1000',
      '2000',
      '2000 3000 4000',
      'touch: /x: Read-only file system',
      'NoNewPrivs:\t1',
      '',
    ])
  })

  test('capabilities are added and dropped, privileged has all', async () => {
    const bits = async (name: string, securityContext: object): Promise<bigint> =>
      BigInt(
        `0x${/CapEff:\s*(\w+)/.exec(await node.outputOf(name, { command: sh('cat /proc/self/status'), securityContext }))![1]}`,
      )
    expect(await bits('none', { capabilities: { drop: ['ALL'] } })).toBe(0n)
    expect(await bits('net', { capabilities: { drop: ['ALL'], add: ['NET_ADMIN'] } })).toBe(1n << 12n)
    expect(await bits('all', { privileged: true })).toBeGreaterThan(1n << 30n)
  })

  test('limits reach the kernel; too much memory is OOMKilled', async () => {
    const resources = { requests: { cpu: '250m', memory: '32Mi' }, limits: { cpu: '500m', memory: '32Mi' } }
    const pod = await node.launch('limited', { command: sh(forever), resources })
    await node.untilReady('limited')
    const group = await node.exec(
      pod,
      'sh',
      '-c',
      'cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/cpu/cpu.shares /sys/fs/cgroup/cpu/cpu.cfs_quota_us || cat /sys/fs/cgroup/memory.max',
    )
    expect(group).toContain(String(32 * 2 ** 20))
    const weights = podControlGroups(pod.metadata.uid)
      .flatMap(path => ['cpu.shares', 'cpu.weight'].map(file => join(path, file)))
      .filter(existsSync)
      .map(file => readFileSync(file, 'utf8').trim())
    // Of the pod and of its container: 250m as shares, or as a weight where control groups are version 2.
    expect(weights.filter(weight => weight === '256' || weight === '10').length).toBeGreaterThanOrEqual(2)
    await node.remove('limited', 0)
    await node.launch('greedy', { command: sh('tail /dev/zero'), resources }, { restartPolicy: 'Never' })
    const killed = await node.untilPhase('greedy', 'Failed')
    expect(killed.status.containerStatuses?.[0]?.state?.terminated).toMatchObject({
      reason: 'OOMKilled',
      exitCode: 137,
    })
    await node.remove('greedy', 0)
  })

  test('secrets, shared and host directories, sub-paths', async () => {
    await mkdir(join(directory, 'shared'))
    await writeFile(join(directory, 'shared/in'), 'from the host')
    await node.client.create(secrets, {
      metadata: { name: 'keys', namespace: 'default' },
      data: { password: Buffer.from('hunter2').toString('base64') },
    })
    const output = await node.outputOf(
      'volumes',
      {
        command: sh(
          'cat /keys/password; echo; stat -c %a /keys/..data/password; cat /host/in; echo; echo out > /host/out; echo x > /mem/x; grep " /mem " /proc/mounts | cut -d" " -f1; stat -c "%a %g" /scratch; ls /sub; cat /etc/one',
        ),
        volumeMounts: [
          { name: 'keys', mountPath: '/keys', readOnly: true },
          { name: 'host', mountPath: '/host' },
          { name: 'memory', mountPath: '/mem' },
          { name: 'scratch', mountPath: '/scratch' },
          { name: 'scratch', mountPath: '/sub', subPathExpr: 'deep/$(WHO)' },
          { name: 'keys', mountPath: '/etc/one', subPath: 'password' },
        ],
        env: [{ name: 'WHO', value: 'me' }],
      },
      {
        volumes: [
          { name: 'keys', secret: { secretName: 'keys', defaultMode: 0o400 } },
          { name: 'host', hostPath: { path: join(directory, 'shared'), type: 'Directory' } },
          { name: 'memory', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
          { name: 'scratch', emptyDir: {} },
        ],
        securityContext: { fsGroup: 3000 },
      },
    )
    expect(output.split('\n')).toEqual(['hunter2', '440', 'from the host', 'tmpfs', '2777 3000', 'hunter2'])
    expect(await readFile(join(directory, 'shared/out'), 'utf8')).toBe('out\n')
  })

  test('a sub-path cannot lead outside of its volume', async () => {
    await node.launch(
      'escape',
      {
        command: sh('sleep 1000'),
        volumeMounts: [
          { name: 'scratch', mountPath: '/a' },
          { name: 'scratch', mountPath: '/b', subPath: 'link' },
        ],
      },
      {
        volumes: [{ name: 'scratch', emptyDir: {} }],
        initContainers: [
          {
            name: 'one',
            image: 'sampan.local/busybox:1',
            command: sh('ln -s /etc /a/link'),
            volumeMounts: [{ name: 'scratch', mountPath: '/a' }],
          },
        ],
      },
    )
    const waiting = await eventually(
      'refused',
      () => node.show('escape')?.status.containerStatuses?.[0]?.state?.waiting?.message,
    )
    expect(waiting).toContain('subPath leads outside of its volume')
    await node.remove('escape', 0)
  })

  test('the host network', async () => {
    const output = await node.outputOf(
      'hosted',
      { command: sh('hostname; cat /etc/hosts | head -1') },
      { hostNetwork: true, dnsPolicy: 'Default' },
    )
    expect(output).toBe(`${hostname()}\n# Kubernetes-managed hosts file (host network).\n`)
  })

  test('containers of a pod share network and, if asked, processes', async () => {
    const pod = await node.launch(
      'pair',
      { command: sh('sleep 0.3; nc 127.0.0.1 7000; ps | grep -c "[n]c -l"; sleep 1000') },
      {
        shareProcessNamespace: true,
        containers: [
          {
            name: 'main',
            image: 'sampan.local/busybox:1',
            command: sh('sleep 0.3; ps | grep -c "nc -l -p [7]000"; nc 127.0.0.1 7000; sleep 1000'),
          },
          { name: 'other', image: 'sampan.local/busybox:1', command: sh('echo hi | nc -l -p 7000; sleep 1000') },
        ],
      },
    )
    expect(
      await eventually('output', async () => {
        const out = node.show('pair')?.status.phase === 'Running' ? await node.logs(pod) : ''
        return out.includes('hi') && out
      }),
    ).toMatch(/^[1-9]\d*\nhi\n$/)
    await node.remove('pair', 0)
  })

  test('a dead sandbox is replaced together with its containers', async () => {
    await node.launch('reborn', { command: sh(forever) })
    const before = await node.untilReady('reborn')
    const [sandbox] = await node.place.runtime.listPodSandboxes({ 'io.kubernetes.pod.name': 'reborn' })
    await node.place.runtime.stopPodSandbox(sandbox!.id)
    const after = await eventually('new address', () => {
      const pod = node.show('reborn')
      return pod?.status.podIP !== before.status.podIP && pod?.status.containerStatuses?.[0]?.ready === true && pod
    })
    expect(after.status.containerStatuses?.[0]?.restartCount).toBeGreaterThan(0)
    await node.remove('reborn', 0)
  })

  test('a pod deleted by force while it starts leaves nothing', async () => {
    await node.launch('gone', { command: sh(forever) })
    await eventually('started', () => node.show('gone')?.status.phase === 'Pending')
    await node.remove('gone', 0)
    await eventually(
      'nothing left',
      async () => (await node.place.runtime.listPodSandboxes({ 'io.kubernetes.pod.name': 'gone' })).length === 0,
    )
    expect(await node.place.runtime.listContainers({ 'io.kubernetes.pod.name': 'gone' })).toEqual([])
  })
})
