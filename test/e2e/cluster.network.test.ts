// What reaches pods, and goes on reaching them: services, node ports and host ports, over UDP while pods are
// replaced, from the machine, from pods and from another machine.
import type { ChildProcess } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { PodSpec } from '../../src/api/generated/models.ts'
import {
  ClusterFixture,
  reasonToSkipCluster,
  succeeded,
  type NetworkNamespace,
} from '../../src/testing/cluster-fixture.ts'
import { eventually } from '../../src/testing/eventually.ts'

const reason = reasonToSkipCluster()
const machine = '192.0.2.1'
const ports = { service: 5300, node: 30_053, host: 5301, container: 5353 }

/** Answers each datagram, and each connection, with a name. */
const server = (name: string): string => `
  require('dgram').createSocket('udp4')
    .on('message', function (_, from) { this.send('${name}', from.port, from.address) }).bind(${ports.container})
  require('net').createServer(socket => socket.end('${name}')).listen(${ports.container})`

/** Sends without a pause from one port, and prints the answers, a line each. */
const sender = (address: string, port: number, from: number): string => `
  const socket = require('dgram').createSocket('udp4').on('message', text => console.log(String(text))).bind(${from})
  setInterval(() => socket.send('x', ${port}, '${address}', () => {}), 50)`

/** The machine's Node.js, since the image has none. */
const podWith = (
  name: string,
  script: string,
  labels: object,
  spec: Partial<PodSpec> = {},
  port: object = {},
): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels },
  spec: {
    terminationGracePeriodSeconds: 0,
    volumes: [{ name: 'machine', hostPath: { path: '/' } }],
    containers: [
      {
        name: 'main',
        image: 'sampan.local/busybox:1',
        command: ['chroot', '/machine', process.execPath, '-e', script],
        volumeMounts: [{ name: 'machine', mountPath: '/machine', readOnly: true }],
        ports: [{ containerPort: ports.container, protocol: 'UDP', ...port }],
      },
    ],
    ...spec,
  },
})

describe.skipIf(reason !== undefined)(`the network${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let cluster: ClusterFixture
  let neighbour: NetworkNamespace
  /** Of the cluster's range, whichever it took. */
  let clusterIP: string
  let podPrefix: string
  beforeAll(async () => {
    cluster = await ClusterFixture.up('network')
    neighbour = cluster.namespace.neighbour()
    await cluster.pushBusybox()
    const first = await cluster.show('get', 'service', 'kubernetes', '-o', 'jsonpath={.spec.clusterIP}')
    clusterIP = first.replace(/\d+\.\d+$/, '77.77')
    podPrefix = (await nodeAddress()).replace(/\d+\.\d+$/, '')
    await eventually(
      'the service account',
      async () => (await cluster.kubectl('get', 'serviceaccount', 'default')).code === 0,
    )
  })
  afterAll(async () => {
    neighbour?.close()
    await cluster?.close()
  })

  const create = async (...items: object[]): Promise<void> => {
    succeeded(await cluster.kubectlWith({ apiVersion: 'v1', kind: 'List', items }, 'create'))
  }
  const ready = (name: string): Promise<string> =>
    cluster.show('wait', '--for=condition=Ready', `pod/${name}`, '--timeout=30s')
  const nodeAddress = (): Promise<string> =>
    cluster.show('get', 'nodes', '-o', 'jsonpath={.items[0].status.addresses[0].address}')

  /** The last answer that each sender got, by its name. */
  type LastAnswers = () => Promise<Record<string, string>>

  function sendFrom(namespace: NetworkNamespace, script: string): { child: ChildProcess; last: () => string } {
    const child = cluster.spawn(process.execPath, ['-e', script], { namespace })
    let last = ''
    child.stdout!.on('data', (chunk: Buffer) => {
      last = chunk.toString().trimEnd().split('\n').at(-1)!
    })
    return { child, last: () => last }
  }

  describe('over UDP, senders that never pause', () => {
    const stops: (() => void)[] = []
    let viaService: LastAnswers
    let viaHostPort: LastAnswers
    afterAll(() => stops.forEach(stop => stop()))

    const all = (answers: LastAnswers, name: string): Promise<unknown> =>
      eventually(`every sender answered by ${name}`, async () =>
        Object.values(await answers()).every(answer => answer === name),
      ).catch(async (error: unknown) => {
        throw new Error(`${String(error)}: ${JSON.stringify(await answers())}`)
      })

    async function senders(places: Record<string, [NetworkNamespace | 'pod', string, number]>): Promise<LastAnswers> {
      const asked = Object.entries(places).map(([name, [from, address, port]], index) => {
        const script = sender(address, port, 4000 + port + index)
        if (from === 'pod')
          return {
            name,
            pod: podWith(name, script, { app: name }),
            // What is written meanwhile is read as well.
            last: async () => (await cluster.kubectl('logs', name, '--tail=1')).out.trim().split('\n').at(-1)!,
          }
        const { child, last } = sendFrom(from, script)
        stops.push(() => child.kill('SIGKILL'))
        return { name, last: async () => last() }
      })
      await create(...asked.flatMap(({ pod }) => pod ?? []))
      for (const { name, pod } of asked) if (pod !== undefined) await ready(name)
      return async () =>
        Object.fromEntries(await Promise.all(asked.map(async ({ name, last }) => [name, await last()] as const)))
    }

    test('reach the first pod, although they began before it and before its service', async () => {
      const node = await nodeAddress()
      viaService = await senders({
        'machine-service': [cluster.namespace, clusterIP, ports.service],
        'machine-node-port': [cluster.namespace, '127.0.0.1', ports.node],
        'machine-own-address': [cluster.namespace, machine, ports.node],
        'pod-service': ['pod', clusterIP, ports.service],
        'pod-node-port': ['pod', node, ports.node],
        'pod-own-address': ['pod', machine, ports.node],
        'beside-node-port': [neighbour, machine, ports.node],
      })
      viaHostPort = await senders({
        'machine-host-port': [cluster.namespace, '127.0.0.1', ports.host],
        'pod-host-port': ['pod', node, ports.host],
        'beside-host-port': [neighbour, machine, ports.host],
      })
      // Their connections are remembered, as leading nowhere.
      await eventually('the kernel remembers', async () => {
        const known = (await cluster.run('conntrack', ['-L', '-p', 'udp'])).out
        return [ports.service, ports.node, ports.host].every(port => known.includes(`dport=${port} `))
      })
      await create({
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'names' },
        spec: {
          type: 'NodePort',
          clusterIP,
          selector: { app: 'names' },
          ports: [{ protocol: 'UDP', port: ports.service, targetPort: ports.container, nodePort: ports.node }],
        },
      })
      await create(podWith('one', server('one'), { app: 'names' }, {}, { hostPort: ports.host }))
      await all(viaService, 'one')
      await all(viaHostPort, 'one')
    })

    test('reach another pod of the service when theirs is gone', async () => {
      await create(podWith('two', server('two'), { app: 'names' }))
      await ready('two')
      expect(Object.values(await viaService())).toEqual(Object.values(await viaService()).map(() => 'one'))
      await cluster.show('delete', 'pod', 'one', '--now')
      await all(viaService, 'two')
    })

    test('reach the next pod of the service and of the host port after there was none', async () => {
      await cluster.show('delete', 'pod', 'two', '--now')
      await create(podWith('three', server('three'), { app: 'names' }, {}, { hostPort: ports.host }))
      await all(viaService, 'three')
      await all(viaHostPort, 'three')
    })

    test('are not led to pods any more once the cluster is down', async () => {
      expect(await cluster.down()).toMatchObject({ code: 0 })
      const known = (await cluster.run('conntrack', ['-L', '-p', 'udp'])).out
      expect(known.split('\n').filter(line => line.includes(` src=${podPrefix}`))).toEqual([])
      expect(await cluster.up()).toMatchObject({ code: 0 })
    })
  })

  describe('a node port', () => {
    const port = 30_088
    const places = (): Record<string, [NetworkNamespace, string]> => ({
      loopback: [cluster.namespace, '127.0.0.1'],
      'own address': [cluster.namespace, machine],
      'another machine': [neighbour, machine],
    })
    const reachedFrom = async (): Promise<string[]> => {
      const tried = Object.entries(places()).map(async ([name, [namespace, address]]) => {
        const script = `cat </dev/tcp/${address}/${port}`
        return (await cluster.run('timeout', ['2', 'bash', '-c', script], { namespace })).out === 'front' ? [name] : []
      })
      return (await Promise.all(tried)).flat()
    }

    test('answers on every address of the machine', async () => {
      await create(podWith('front', server('front'), { app: 'front' }), {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'front' },
        spec: {
          type: 'NodePort',
          selector: { app: 'front' },
          ports: [{ port: 80, targetPort: ports.container, nodePort: port }],
        },
      })
      await eventually('it answers', async () => (await reachedFrom()).length === Object.keys(places()).length)
      expect((await cluster.sampan('status', '--name', cluster.name)).out).toMatch(/^ports .* every address/m)
    })

    test('answers where it was asked to, until something else is asked for', async () => {
      const restart = async (...args: string[]): Promise<string[]> => {
        succeeded(await cluster.restartServer(...args))
        return reachedFrom()
      }
      expect(await restart('--node-port-addresses', '127.0.0.0/8')).toEqual(['loopback'])
      expect(await restart()).toEqual(['loopback'])
      expect((await cluster.sampan('status', '--name', cluster.name)).out).toMatch(/^ports .* in 127\.0\.0\.0\/8$/m)
      expect(await restart('--node-port-addresses', '192.0.2.0/24')).toEqual(['own address', 'another machine'])
      expect(await restart('--node-port-addresses', '0.0.0.0/0')).toEqual(Object.keys(places()))
      expect(await cluster.restartServer('--node-port-addresses', 'eth0')).toMatchObject({
        code: 1,
        err: expect.stringContaining('expected --node-port-addresses with IPv4 ranges') as string,
      })
    })
  })
})
