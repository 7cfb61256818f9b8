// Packets of UDP that the gateway leads, as senders meet them: who began with an instance stays with it, whatever becomes of
// the server and of other instances, and nobody is led where nobody is.
import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { reasonToSkipCluster } from '../../src/testing/cluster-fixture.ts'
import { eventually } from '../../src/testing/eventually.ts'
import { GatewayFixture } from '../../src/testing/gateway-fixture.ts'
import {
  backend,
  gateway,
  home,
  listener,
  rule,
  service,
  tcpRoute,
  udpRoute,
  type TestObject,
} from '../../src/testing/gateway-manifests.ts'

const reason = reasonToSkipCluster()

/** Says its name to whoever sends something. */
const echo = (name: string): string => `
  const socket = require('node:dgram').createSocket('udp4')
  socket.on('message', (text, from) => socket.send('${name} ' + text, from.port, from.address)).bind(7777)
  require('node:net').createServer(socket => socket.on('error', () => {}).end('tcp ${name}')).listen(7777)
  process.on('SIGTERM', () => process.exit())`

const instance = (name: string, app: string): TestObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: home, labels: { app } },
  spec: {
    terminationGracePeriodSeconds: 1,
    volumes: [{ name: 'machine', hostPath: { path: '/' } }],
    containers: [
      {
        name: 'main',
        image: 'sampan.local/busybox:1',
        command: ['chroot', '/machine', process.execPath, '-e', echo(name)],
        volumeMounts: [{ name: 'machine', mountPath: '/machine', readOnly: true }],
        readinessProbe: { tcpSocket: { port: 7777 }, periodSeconds: 1 },
      },
    ],
  },
})

const both = [
  { name: 'packets', port: 7777, protocol: 'UDP' },
  { name: 'connections', port: 7777, protocol: 'TCP' },
]
const udp = (name: string, port: number): object => listener(name, { protocol: 'UDP', port })

/** One socket; each line that is written is sent, and what comes is a line: an answer, an error, or `nothing`. */
const sender = `
  const socket = require('node:dgram').createSocket('udp4')
  let waiting
  const say = text => { if (waiting !== undefined) { clearTimeout(waiting); waiting = undefined; console.log(text) } }
  socket.on('message', text => say(String(text))).on('error', error => say(error.code))
  socket.connect(Number(process.argv[2]), process.argv[1], () => {
    require('node:readline').createInterface({ input: process.stdin }).on('line', line => {
      waiting = setTimeout(() => say('nothing'), 1000)
      socket.send(line)
    }).on('close', () => process.exit())
  })`

class Sender {
  private readonly child: ChildProcess
  private readonly lines: AsyncIterator<string>

  constructor(fixture: GatewayFixture, address: string, port: number) {
    this.child = fixture.cluster.spawn(process.execPath, ['-e', sender, address, String(port)])
    this.lines = createInterface({ input: this.child.stdout! })[Symbol.asyncIterator]()
  }

  /** Who answers. */
  async send(): Promise<string> {
    this.child.stdin!.write('hello\n')
    const { value } = (await this.lines.next()) as { value: string }
    return value.replace(' hello', '')
  }

  end(): void {
    this.child.stdin!.end()
  }
}

describe.skipIf(reason !== undefined)(`packets${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let fixture: GatewayFixture
  let senders: Sender[] = []
  beforeAll(async () => {
    fixture = await GatewayFixture.up('packets')
    await fixture.apply(service('echo', { selector: { app: 'echo' }, ports: both }))
  })
  afterEach(async () => {
    for (const each of senders) each.end()
    senders = []
    await fixture?.unmake()
  })
  afterAll(() => fixture?.close())

  const senderTo = (address: string, port: number): Sender => {
    const made = new Sender(fixture, address, port)
    senders.push(made)
    return made
  }
  const run = async (...names: string[]): Promise<void> => {
    await fixture.make(...names.map(name => instance(name, 'echo')))
    for (const name of names)
      await fixture.cluster.show('wait', `pod/${name}`, '-n', home, '--for=condition=Ready', '--timeout=60s')
  }
  const gone = (name: string): Promise<string> =>
    fixture.cluster.show('delete', 'pod', name, '-n', home, '--now', '--wait=true')
  const oneOf = (address: string, port: number, ...names: string[]): Promise<unknown> =>
    eventually(`${names.join(' or ')} answers`, async () => names.includes(await senderTo(address, port).send()))

  test('of one sender go to one instance, until it is gone, and are refused where there is none', async () => {
    await run('one', 'two')
    await fixture.make(
      gateway('staying', [udp('udp', 7777), listener('tcp', { protocol: 'TCP', port: 7777 })]),
      udpRoute('staying', 'staying/udp', [rule(backend('echo', { port: 7777 }))]),
      tcpRoute('staying', 'staying/tcp', [rule(backend('echo', { port: 7777 }))]),
    )
    await fixture.accepted('udproute', 'staying')
    const { address } = await fixture.place('staying', 7777)
    await oneOf(address, 7777, 'one', 'two')
    const many = Array.from({ length: 12 }, () => senderTo(address, 7777))
    const first = await Promise.all(many.map(each => each.send()))
    expect(new Set(first)).toEqual(new Set(['one', 'two']))
    for (let turn = 0; turn < 3; turn++) expect(await Promise.all(many.map(each => each.send()))).toEqual(first)
    // Connections to the same number are led, too.
    const { body } = await fixture.asker.ask({ type: 'connection', address, port: 7777, message: '' })
    expect(body).toMatch(/^tcp (one|two)$/)
    // Also at the address of the front.
    await oneOf('127.0.0.1', 7777, 'one', 'two')

    await gone('one')
    await eventually('all are answered by the other', async () =>
      (await Promise.all(many.map(each => each.send()))).every(name => name === 'two'),
    )
    await gone('two')
    await eventually('all are refused', async () =>
      (await Promise.all(many.map(each => each.send()))).every(name => name === 'ECONNREFUSED'),
    )
    await run('three')
    await eventually('all are answered by the new one', async () =>
      (await Promise.all(many.map(each => each.send()))).every(name => name === 'three'),
    )
  })

  test('go on while the server is down and after it has come again', async () => {
    await run('four', 'five')
    await fixture.make(
      gateway('restarted', [udp('udp', 7778)]),
      udpRoute('restarted', 'restarted', [rule(backend('echo', { port: 7777 }))]),
    )
    await fixture.accepted('udproute', 'restarted')
    const { address } = await fixture.place('restarted', 7778)
    await oneOf(address, 7778, 'four', 'five')
    const many = Array.from({ length: 6 }, () => senderTo(address, 7778))
    const first = await Promise.all(many.map(each => each.send()))
    let isOver = false
    const restarted = fixture.cluster.restartServer().finally(() => (isOver = true))
    while (!isOver) {
      expect(await Promise.all(many.map(each => each.send()))).toEqual(first)
      expect(['four', 'five']).toContain(await senderTo(address, 7778).send())
      await new Promise(resolve => setTimeout(resolve, 100))
    }
    expect((await restarted).code).toBe(0)
    for (let turn = 0; turn < 20; turn++) {
      expect(await Promise.all(many.map(each => each.send()))).toEqual(first)
      await new Promise(resolve => setTimeout(resolve, 100))
    }
  })

  test('reach a Service of the type LoadBalancer, from the networks that it names', async () => {
    await run('balanced')
    const balanced = (loadBalancerSourceRanges: readonly string[]): TestObject =>
      service('balanced', {
        type: 'LoadBalancer',
        selector: { app: 'echo' },
        ports: [{ port: 7780, targetPort: 7777, protocol: 'UDP' }],
        loadBalancerSourceRanges,
      })
    await fixture.make(balanced(['127.0.0.0/8', '127.0.0.0/16', '10.0.0.0/8']))
    const [ingress] = await eventually('an address', async () => {
      const { status } = await fixture.get<{
        status: { loadBalancer?: { ingress?: { ip: string; ports: object[] }[] } }
      }>('service', 'balanced')
      return status.loadBalancer?.ingress
    })
    expect(ingress!.ports).toEqual([{ port: 7780, protocol: 'UDP' }])
    await oneOf(ingress!.ip, 7780, 'balanced')
    await oneOf('127.0.0.1', 7780, 'balanced')
    await fixture.apply(balanced(['192.0.2.0/24']))
    await oneOf(ingress!.ip, 7780, 'ECONNREFUSED')
    await oneOf('127.0.0.1', 7780, 'ECONNREFUSED')
  })

  test('are refused where a policy lets nobody in, and of the share of what is not there', async () => {
    await run('policed')
    const policy = (spec: object): TestObject => ({
      apiVersion: 'gateway.sampan.dev/v1alpha1',
      kind: 'AccessPolicy',
      metadata: { name: 'packets', namespace: home },
      spec: { targetRefs: [{ group: '', kind: 'Service', name: 'echo' }], ...spec },
    })
    await fixture.make(
      gateway('policed', [udp('udp', 7781), udp('half', 7782)]),
      udpRoute('policed', 'policed/udp', [rule(backend('echo', { port: 7777 }))]),
      udpRoute('half', 'policed/half', [
        rule([backend('echo', { port: 7777, weight: 1 }), backend('nothing', { port: 7777, weight: 1 })]),
      ]),
    )
    const { address } = await fixture.place('policed', 7781)
    await oneOf(address, 7781, 'policed')
    const answers = await Promise.all(Array.from({ length: 40 }, () => senderTo(address, 7782).send()))
    expect(new Set(answers)).toEqual(new Set(['policed', 'ECONNREFUSED']))
    await fixture.make(policy({ addresses: { deny: ['127.0.0.0/8'] } }))
    await oneOf(address, 7781, 'ECONNREFUSED')
    await fixture.apply(policy({ addresses: { allow: ['127.0.0.0/8'] } }))
    await oneOf(address, 7781, 'policed')
    await fixture.apply(policy({ authentication: { keys: { header: 'X-API-Key' } } }))
    await oneOf(address, 7781, 'ECONNREFUSED')
  })

  test('of a port that another program has go on to that one, which is told', async () => {
    await run('ours')
    const holder = fixture.cluster.spawn(process.execPath, [
      '-e',
      `const socket = require('node:dgram').createSocket('udp4')
       socket.on('message', (text, from) => socket.send('theirs ' + text, from.port, from.address)).bind(7783, () => console.log('bound'))`,
    ])
    await new Promise(resolve => holder.stdout!.once('data', resolve))
    await fixture.make(
      gateway('taken', [udp('udp', 7783)]),
      udpRoute('taken', 'taken', [rule(backend('echo', { port: 7777 }))]),
    )
    await fixture.listeners('taken', { udp: { conditions: { Programmed: 'False PortUnavailable' } } })
    expect(await senderTo('127.0.0.1', 7783).send()).toBe('theirs')
    holder.kill('SIGKILL')
    await fixture.listeners('taken', { udp: { conditions: { Programmed: 'True Programmed' } } })
    await oneOf('127.0.0.1', 7783, 'ours')
  })
})
