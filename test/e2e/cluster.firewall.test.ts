// A cluster beside other firewalls, as Docker, ufw and administrators set them up: pods are not cut off, or `up`
// says what to do; and what others wrote stays as it was.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  ClusterFixture,
  reasonToSkipCluster,
  succeeded,
  type NetworkNamespace,
} from '../../src/testing/cluster-fixture.ts'
import { eventually } from '../../src/testing/eventually.ts'

const reason = reasonToSkipCluster()
const nodePort = 30_080

describe.skipIf(reason !== undefined)(`firewalls${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  const cluster = reason === undefined ? new ClusterFixture('firewall') : undefined!
  let neighbour: NetworkNamespace | undefined
  /** Of the web pod. */
  let podAddress = ''
  afterAll(async () => {
    neighbour?.close()
    await cluster?.close()
  })

  const run = async (program: string, ...args: string[]): Promise<string> =>
    succeeded(await cluster.run(program, args)).out
  const nft = (script: string): Promise<string> => run('nft', script)
  const inPod = async (script: string): Promise<boolean> =>
    (await cluster.kubectl('exec', 'asker', '--', 'sh', '-c', script)).code === 0

  const ask = (host: string): string => `printf "GET / HTTP/1.0\\r\\n\\r\\n" | nc -w 1 ${host} 80 | grep -q web`

  /** Ways of a packet through the machine, each tried with a connection of its own. */
  const ways: Record<string, () => Promise<boolean>> = {
    'pod to pod': () => inPod(ask(podAddress)),
    'pod to service by name': () => inPod(ask('web.default.svc.cluster.local')),
    'pod to the API': () => inPod('nc -w 1 kubernetes.default.svc.cluster.local 443 </dev/null'),
    'machine to pod': async () => (await cluster.curl(`http://${podAddress}/`, '--max-time', '1')) === 'web\n',
    'machine to node port': async () =>
      (await cluster.curl(`http://127.0.0.1:${nodePort}/`, '--max-time', '1')) === 'web\n',
  }
  const fromOutside = async (): Promise<boolean> =>
    (
      await cluster.run('curl', ['--silent', '--max-time', '1', `http://192.0.2.1:${nodePort}/`], {
        namespace: neighbour!,
      })
    ).out === 'web\n'
  async function open(): Promise<string[]> {
    const tried = await Promise.all(Object.entries(ways).map(async ([name, way]) => ((await way()) ? [name] : [])))
    return tried.flat()
  }
  const allOpen = (): Promise<unknown> =>
    eventually('every way is open', async () => (await open()).length === Object.keys(ways).length, 30_000).catch(
      async () => expect(await open()).toEqual(Object.keys(ways)),
    )

  /** As Docker (FORWARD) and ufw (both) leave it. */
  async function deny(iptables: string): Promise<void> {
    await run(iptables, '-P', 'FORWARD', 'DROP')
    await run(iptables, '-P', 'INPUT', 'DROP')
    await run(iptables, '-A', 'INPUT', '-i', 'lo', '-j', 'ACCEPT')
  }

  beforeAll(async () => {
    if (reason !== undefined) return
    neighbour = cluster.namespace.neighbour()
    succeeded(await cluster.up())
    await cluster.pushBusybox()
    await eventually(
      'the service account',
      async () => (await cluster.kubectl('get', 'serviceaccount', 'default')).code === 0,
    )
    const pod = (name: string, script: string): object => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, labels: { app: name } },
      spec: {
        terminationGracePeriodSeconds: 0,
        containers: [
          {
            name: 'main',
            image: 'sampan.local/busybox:1',
            command: ['sh', '-c', script],
          },
        ],
      },
    })
    const service = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web' },
      spec: { type: 'NodePort', selector: { app: 'web' }, ports: [{ port: 80, nodePort }] },
    }
    const items = [
      pod('web', 'mkdir /www; echo web > /www/index.html; exec httpd -f -p 80 -h /www'),
      pod('asker', 'exec sleep 1000000'),
      service,
    ]
    succeeded(await cluster.kubectlWith({ apiVersion: 'v1', kind: 'List', items }, 'create'))
    await cluster.show('wait', '--for=condition=Ready', 'pod', '--all', '--timeout=30s')
    podAddress = await cluster.show('get', 'pod', 'web', '-o', 'jsonpath={.status.podIP}')
  })

  test('without another firewall every way is open, also from another machine', async () => {
    await allOpen()
    expect(await fromOutside()).toBe(true)
  })

  describe.each(['iptables-nft', 'iptables-legacy'])('%s', iptables => {
    test('that denies by policy while the cluster runs: pods are let through', async () => {
      await run(iptables, '-P', 'FORWARD', 'DROP')
      // The older one tells nobody of changes; the next start looks.
      if (iptables === 'iptables-legacy') succeeded(await cluster.restartServer())
      await allOpen()
      await eventually('another machine reaches a node port', fromOutside)
    })

    test('that denies what comes in too: `up` says that node ports stay closed to others, and how to open them', async () => {
      expect(await cluster.down()).toMatchObject({ code: 0 })
      expect(await run(iptables, '-S')).not.toContain('sampan')
      await deny(iptables)
      const before = await run(iptables, '-S')
      const { err } = succeeded(await cluster.up())
      expect(err).not.toContain('cut off')
      const command = new RegExp(
        `^warning: the firewall .* denies what comes in.*: (${iptables} -I FORWARD .*)$`,
        'm',
      ).exec(err)?.[1]
      await findPod()
      await allOpen()
      expect(await fromOutside()).toBe(false)
      await run('sh', '-c', command!)
      expect(await fromOutside()).toBe(true)
      // The older one tells nobody of changes, and is looked at only now and then.
      if (iptables === 'iptables-nft')
        await eventually(
          'nothing is said any more',
          async () => !(await cluster.sampan('status', '--name', cluster.name)).out.includes('warning'),
        )
      expect(await cluster.down()).toMatchObject({ code: 0 })
      await run('sh', '-c', command!.replace(' -I ', ' -D '))
      expect(await run(iptables, '-S')).toBe(before)
      for (const chain of ['FORWARD', 'INPUT']) await run(iptables, '-P', chain, 'ACCEPT')
      await run(iptables, '-F')
      succeeded(await cluster.up())
      await findPod()
    })
  })

  test('that is started anew and takes everything with it: service addresses come back', async () => {
    await allOpen()
    await nft('flush ruleset')
    await allOpen()
    await nft(
      'flush ruleset; table ip filter { chain FORWARD { type filter hook forward priority filter; policy drop; }; }',
    )
    await allOpen()
    await nft('delete table ip filter')
  })

  test('written in nftables: up says what is cut off, and the command that it names opens every way, for good', async () => {
    await nft(
      'table inet guard { chain forward { type filter hook forward priority 10; policy drop; }; chain input { type filter hook input priority 10; policy drop; iif lo accept; }; }',
    )
    await eventually('some ways are closed', async () => (await open()).length < Object.keys(ways).length)
    const { err } = succeeded(await cluster.restartServer())
    const said =
      /^warning: (the firewall rules in the nftables table "inet guard" cut off .*); let them through with: (nft '.*')/m.exec(
        err,
      )
    expect(said?.[1]).toContain('pods from each other')
    expect(said?.[1]).toContain('pods from names and the API')
    expect((await cluster.sampan('status', '--name', cluster.name)).out).toContain(`warning  ${said![1]}`)
    await run('sh', '-c', said![2]!)
    await allOpen()
    await eventually(
      'nothing is said any more',
      async () => !(await cluster.sampan('status', '--name', cluster.name)).out.includes('warning'),
    )
    await nft('delete table inet guard')
  })

  test('and down leaves nothing', async () => {
    expect(await cluster.down()).toMatchObject({ code: 0 })
    neighbour!.close()
    await eventually('the wire is gone', async () => !(await run('ip', '-brief', 'link')).includes('wire'))
    expect(await cluster.leftOvers()).toEqual([])
  })

  /** After `down` and `up` it has another address. */
  async function findPod(): Promise<void> {
    podAddress = await eventually(
      'the pods run again',
      async () => {
        const text = await cluster.show('get', 'pods', '-o', 'jsonpath={.items[*].status.containerStatuses[0].ready}')
        if (text !== 'true true') return undefined
        return cluster.show('get', 'pod', 'web', '-o', 'jsonpath={.status.podIP}')
      },
      30_000,
    )
  }
})
