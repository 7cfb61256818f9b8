// Questions over real sockets on loopback, with a resolver of the machine played by the test.
import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { connect, createServer, type Server } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { decode, encode, streamEncode, streamDecode, TRUNCATED_RESPONSE, type Packet } from 'dns-packet'
import { silentLogger } from '../lib/logger.ts'
import type { ClusterNames, DnsRecord, Resolution } from './cluster-names.ts'
import { startDnsServer, type DnsServer } from './dns-server.ts'

const known: Readonly<Record<string, readonly DnsRecord[]>> = {
  'web.cluster.local': [{ type: 'A', name: 'web.cluster.local', address: '10.43.0.20' }],
  '_http._tcp.web.cluster.local': [{ type: 'SRV', name: '', target: 'web.cluster.local', port: 80 }],
  'outside.cluster.local': [{ type: 'CNAME', name: '', target: 'far.example.com' }],
  'inside.cluster.local': [{ type: 'CNAME', name: '', target: 'web.cluster.local' }],
  'many.cluster.local': Array.from({ length: 60 }, (_unused, index): DnsRecord => ({
    type: 'A',
    name: '',
    address: `10.42.0.${index}`,
  })),
}

function resolve(name: string, type: string): Resolution {
  if (!name.endsWith('cluster.local')) return { kind: 'foreign' }
  const records = known[name]
  if (records === undefined) return { kind: 'absent', nameExists: name === 'empty.cluster.local' }
  return records[0]!.type === type || records[0]!.type === 'CNAME'
    ? { kind: 'found', records }
    : { kind: 'absent', nameExists: true }
}

let upstreamUdp: UdpSocket
let upstreamTcp: Server
let server: DnsServer
/** Names that the played resolver was asked for. */
const asked: string[] = []

function playedAnswer(message: Buffer): Packet {
  const query = decode(message)
  const [question] = query.questions!
  asked.push(question!.name)
  return {
    type: 'response',
    id: query.id!,
    flags: 0,
    questions: [question!],
    answers: [{ type: 'A', name: question!.name, ttl: 60, data: '192.0.2.7' }],
  }
}

beforeAll(async () => {
  upstreamUdp = createSocket('udp4')
  upstreamUdp.on('message', (message, from) => {
    if (decode(message).questions![0]!.name === 'silent.example.com') return
    // Something that answers another question comes first and must be ignored.
    upstreamUdp.send(
      encode({ type: 'response', id: (message.readUInt16BE(0) + 1) % 65_536, questions: [] }),
      from.port,
      from.address,
    )
    upstreamUdp.send(encode(playedAnswer(message)), from.port, from.address)
  })
  await new Promise<void>(done => {
    upstreamUdp.bind(0, '127.0.0.1', done)
  })
  const { port } = upstreamUdp.address()
  upstreamTcp = createServer(socket => {
    socket.on('data', data => {
      socket.end(streamEncode(playedAnswer(data.subarray(2))))
    })
  })
  await new Promise<void>(done => {
    upstreamTcp.listen(port, '127.0.0.1', done)
  })
  server = await listenOnOnePort([`127.0.0.1:${port}`])
})
afterAll(async () => {
  await server.close()
  upstreamUdp.close()
  upstreamTcp.close()
})

/** UDP and TCP share the port, so a free one is sought for both. */
async function listenOnOnePort(upstream: readonly string[]): Promise<DnsServer> {
  for (let attempt = 0; ; attempt++) {
    const probe = createServer()
    await new Promise<void>(done => {
      probe.listen(0, '127.0.0.1', done)
    })
    const { port } = probe.address() as { port: number }
    await new Promise<void>(done => {
      probe.close(() => done())
    })
    try {
      return await startDnsServer({
        names: { resolve } as unknown as ClusterNames,
        domain: 'cluster.local',
        address: '127.0.0.1',
        port,
        upstream: () => upstream,
        logger: silentLogger,
      })
    } catch (error) {
      if (attempt === 5) throw error
    }
  }
}

const question = (name: string, type: 'A' | 'AAAA' | 'SRV' | 'CNAME', more: Partial<Packet> = {}): Packet => ({
  type: 'query',
  id: 4711,
  flags: 0x01_00,
  questions: [{ type, name }],
  ...more,
})

function overUdp(packet: Packet | Buffer, port = server.port): Promise<Packet> {
  return new Promise((done, failed) => {
    const socket = createSocket('udp4')
    socket.once('message', message => {
      socket.close()
      done(decode(message))
    })
    socket.once('error', failed)
    socket.send(Buffer.isBuffer(packet) ? packet : encode(packet), port, '127.0.0.1')
  })
}

function overTcp(packets: readonly Packet[]): Promise<Packet[]> {
  return new Promise((done, failed) => {
    const answers: Packet[] = []
    let pending = Buffer.alloc(0)
    const socket = connect(server.port, '127.0.0.1', () => {
      // In pieces that do not end where a question ends.
      const bytes = Buffer.concat(packets.map(packet => streamEncode(packet)))
      socket.write(bytes.subarray(0, 5))
      setImmediate(() => socket.write(bytes.subarray(5)))
    })
    socket.once('error', failed)
    socket.on('data', chunk => {
      pending = Buffer.concat([pending, chunk])
      while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
        const end = 2 + pending.readUInt16BE(0)
        answers.push(streamDecode(pending.subarray(0, end)))
        pending = pending.subarray(end)
      }
      if (answers.length < packets.length) return
      socket.destroy()
      done(answers)
    })
  })
}

const dataOf = (packet: Packet): unknown[] =>
  packet.answers!.map(answer => ('data' in answer ? answer.data : undefined))
const codeOf = (packet: Packet): string => (packet as Packet & { rcode: string }).rcode

describe('a name of the cluster', () => {
  test('is answered with the number and the spelling of the question', async () => {
    const answer = await overUdp(question('WEB.cluster.local', 'A'))
    expect(answer).toMatchObject({ type: 'response', id: 4711, flag_aa: true, flag_ra: true, flag_rd: true })
    expect(answer.answers).toMatchObject([{ name: 'WEB.cluster.local', type: 'A', data: '10.43.0.20', ttl: 5 }])
  })

  test('may be a service record', async () => {
    expect(dataOf(await overUdp(question('_http._tcp.web.cluster.local', 'SRV')))).toEqual([
      { target: 'web.cluster.local', port: 80, priority: 0, weight: 100 },
    ])
  })

  test.each([
    ['that does not exist', 'nothing.cluster.local', 'NXDOMAIN'],
    ['that has no such record', 'empty.cluster.local', 'NOERROR'],
  ])('%s says so, and who says it', async (_what, name, code) => {
    const answer = await overUdp(question(name, 'A'))
    expect([codeOf(answer), answer.answers, answer.authorities?.[0]?.type]).toEqual([code, [], 'SOA'])
  })

  test('with many addresses is cut short over UDP, and whole over TCP', async () => {
    const short = await overUdp(question('many.cluster.local', 'A'))
    expect(short.flags! & TRUNCATED_RESPONSE).toBe(TRUNCATED_RESPONSE)
    expect(short.answers).toEqual([])
    const [whole] = await overTcp([question('many.cluster.local', 'A')])
    expect(whole!.answers).toHaveLength(60)
  })

  test('with many addresses is whole over UDP for whom takes large answers', async () => {
    const option: NonNullable<Packet['additionals']>[number] = {
      type: 'OPT',
      name: '.',
      udpPayloadSize: 4096,
      flags: 0,
      options: [],
      extendedRcode: 0,
      ednsVersion: 0,
      flag_do: false,
    }
    expect((await overUdp(question('many.cluster.local', 'A', { additionals: [option] }))).answers).toHaveLength(60)
  })

  test('that stands for a foreign one comes with its address', async () => {
    expect(dataOf(await overUdp(question('outside.cluster.local', 'A')))).toEqual(['far.example.com', '192.0.2.7'])
    expect(dataOf(await overUdp(question('outside.cluster.local', 'CNAME')))).toEqual(['far.example.com'])
  })

  test('that stands for one of the cluster comes with its address', async () => {
    expect(dataOf(await overUdp(question('inside.cluster.local', 'A')))).toEqual(['web.cluster.local', '10.43.0.20'])
  })
})

describe('a foreign name', () => {
  test('is passed on over UDP and TCP', async () => {
    expect(dataOf(await overUdp(question('example.com', 'A')))).toEqual(['192.0.2.7'])
    const [answer] = await overTcp([question('example.org', 'A')])
    expect(dataOf(answer!)).toEqual(['192.0.2.7'])
    expect(asked).toEqual(expect.arrayContaining(['example.com', 'example.org']))
  })

  test('for which no resolver answers is a failure of the server', async () => {
    expect(codeOf(await overUdp(question('silent.example.com', 'A')))).toBe('SERVFAIL')
  })

  test('on a machine without resolvers is a failure of the server', async () => {
    const lonely = await listenOnOnePort([])
    expect(codeOf(await overUdp(question('example.com', 'A'), lonely.port))).toBe('SERVFAIL')
    await lonely.close()
  })
})

test('several questions of one connection are answered', async () => {
  const answers = await overTcp([
    question('web.cluster.local', 'A', { id: 1 }),
    question('nothing.cluster.local', 'A', { id: 2 }),
  ])
  expect(answers.map(answer => [answer.id, codeOf(answer)])).toEqual([
    [1, 'NOERROR'],
    [2, 'NXDOMAIN'],
  ])
})

test('what is no question is ignored', async () => {
  const socket = createSocket('udp4')
  for (const bytes of [Buffer.alloc(0), Buffer.from('nonsense'), Buffer.alloc(12), encode({ type: 'response', id: 1 })])
    socket.send(bytes, server.port, '127.0.0.1')
  expect(codeOf(await overUdp(question('web.cluster.local', 'A')))).toBe('NOERROR')
  socket.close()
})

test('a server closes although a client keeps its connection', async () => {
  const other = await listenOnOnePort([])
  const socket = connect(other.port, '127.0.0.1')
  await new Promise<void>(done => {
    socket.once('connect', done)
  })
  await other.close()
  await new Promise<void>(done => {
    socket.once('close', () => done())
  })
  expect(socket.destroyed).toBe(true)
})
