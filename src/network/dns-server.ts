// The cluster's DNS: UDP and TCP on the node's own address. Names of the cluster are answered from live
// objects, everything else is passed to the machine's resolvers.
import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram'
import { createServer, type Server, type Socket } from 'node:net'
import {
  decode,
  encode,
  streamEncode,
  AUTHORITATIVE_ANSWER,
  RECURSION_AVAILABLE,
  RECURSION_DESIRED,
  TRUNCATED_RESPONSE,
  type Answer,
  type Packet,
  type Question,
} from 'dns-packet'
import type { Logger } from '../lib/logger.ts'
import type { ClusterNames, DnsRecord } from './cluster-names.ts'
import { forward } from './dns-forward.ts'

const timeToLiveSeconds = 5
const plainUdpBytes = 512
const nameError = 3
const serverFailure = 2

export interface DnsServerOptions {
  readonly names: ClusterNames
  readonly domain: string
  readonly address: string
  readonly port?: number
  /** Resolvers for foreign names as they are at the moment, `address` or `address:port`. */
  readonly upstream: () => readonly string[]
  readonly logger: Logger
}

export interface DnsServer {
  readonly port: number
  close(): Promise<void>
}

export async function startDnsServer(options: DnsServerOptions): Promise<DnsServer> {
  const { address, port = 53, logger } = options
  const udp = createSocket('udp4')
  udp.on('message', (message, from) => void answerDatagram(options, udp, message, from))
  udp.on('error', error => logger.warn('DNS socket failed', { error: error.message }))
  const open = new Set<Socket>()
  const tcp = createServer(socket => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
    serveStream(options, socket)
  })
  await Promise.all([bound(udp, address, port), listening(tcp, address, port)])
  return {
    port: udp.address().port,
    close: async () => {
      for (const socket of open) socket.destroy()
      await Promise.all([
        new Promise<void>(resolve => {
          udp.close(resolve)
        }),
        new Promise<void>(resolve => {
          tcp.close(() => resolve())
        }),
      ])
    },
  }
}

function bound(socket: UdpSocket, address: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.bind(port, address, () => {
      socket.off('error', reject)
      resolve()
    })
  })
}

function listening(server: Server, address: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, address, resolve)
  })
}

async function answerDatagram(
  options: DnsServerOptions,
  socket: UdpSocket,
  message: Buffer,
  from: RemoteInfo,
): Promise<void> {
  const response = await respond(options, message, 'udp')
  if (response === undefined) return
  try {
    socket.send(response, from.port, from.address, () => {})
  } catch {
    // The server was closed while the answer was being found.
  }
}

function serveStream(options: DnsServerOptions, socket: Socket): void {
  let pending: Buffer = Buffer.alloc(0)
  socket.on('error', () => socket.destroy())
  socket.setTimeout(10_000, () => socket.destroy())
  socket.on('data', chunk => {
    pending = Buffer.concat([pending, chunk])
    while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
      const end = 2 + pending.readUInt16BE(0)
      const message = pending.subarray(2, end)
      pending = pending.subarray(end)
      void answerOnStream(options, socket, message)
    }
  })
}

async function answerOnStream(options: DnsServerOptions, socket: Socket, message: Buffer): Promise<void> {
  const response = await respond(options, message, 'tcp')
  if (response === undefined) socket.destroy()
  else if (!socket.destroyed) socket.write(response)
}

/** undefined: not a question that can be answered. */
async function respond(
  options: DnsServerOptions,
  message: Buffer,
  transport: 'udp' | 'tcp',
): Promise<Buffer | undefined> {
  let query: Packet
  try {
    query = decode(message)
  } catch {
    return undefined
  }
  const question = query.questions?.[0]
  if (query.type !== 'query' || question === undefined) return undefined
  const resolved = resolveLocally(options, query, question)
  if (resolved === undefined) {
    const passed = await forward(options.upstream(), message, transport)
    return passed ?? pack(reply(query, serverFailure, []), transport, query)
  }
  return pack(await withTarget(options, resolved, question), transport, query)
}

/**
 * A resolver in a pod does not follow a CNAME by itself, so the answer carries what the name leads to:
 * from the cluster when it is there, else from the machine's resolvers.
 */
async function withTarget(options: DnsServerOptions, resolved: Packet, question: Question): Promise<Packet> {
  const alias = resolved.answers?.[0]
  if (alias?.type !== 'CNAME' || question.type === 'CNAME' || resolved.answers?.length !== 1) return resolved
  const target: Question = { type: question.type, class: 'IN', name: alias.data }
  const query: Packet = { type: 'query', id: resolved.id ?? 0, flags: RECURSION_DESIRED, questions: [target] }
  const local = resolveLocally(options, query, target)
  const answers = local?.answers ?? (await foreignAnswers(options, query))
  return { ...resolved, answers: [alias, ...answers] }
}

async function foreignAnswers({ upstream }: DnsServerOptions, query: Packet): Promise<Answer[]> {
  const passed = await forward(upstream(), encode(query), 'udp')
  if (passed === undefined) return []
  try {
    return decode(passed).answers ?? []
  } catch {
    return []
  }
}

function resolveLocally({ names, domain }: DnsServerOptions, query: Packet, question: Question): Packet | undefined {
  const name = question.name.toLowerCase().replace(/\.$/, '')
  const resolution = names.resolve(name, question.type)
  switch (resolution.kind) {
    case 'foreign':
      return undefined
    case 'found':
      return reply(
        query,
        0,
        resolution.records.map(record => toAnswer(record, question.name)),
      )
    case 'absent':
      return reply(query, resolution.nameExists ? 0 : nameError, [], [startOfAuthority(domain)])
  }
}

function reply(query: Packet, code: number, answers: Answer[], authorities: Answer[] = []): Packet {
  const desired = (query.flags ?? 0) & RECURSION_DESIRED
  return {
    type: 'response',
    id: query.id ?? 0,
    flags: AUTHORITATIVE_ANSWER | RECURSION_AVAILABLE | desired | code,
    questions: query.questions ?? [],
    answers,
    authorities,
  }
}

function toAnswer(record: DnsRecord, askedName: string): Answer {
  const common = { name: askedName, ttl: timeToLiveSeconds, class: 'IN' as const }
  switch (record.type) {
    case 'A':
      return { ...common, type: 'A', data: record.address }
    case 'CNAME':
      return { ...common, type: 'CNAME', data: record.target }
    case 'PTR':
      return { ...common, type: 'PTR', data: record.target }
    case 'TXT':
      return { ...common, type: 'TXT', data: record.text }
    case 'SRV':
      return { ...common, type: 'SRV', data: { target: record.target, port: record.port, priority: 0, weight: 100 } }
  }
}

function startOfAuthority(domain: string): Answer {
  return {
    type: 'SOA',
    name: domain,
    ttl: timeToLiveSeconds,
    class: 'IN',
    data: {
      mname: `ns.dns.${domain}`,
      rname: `hostmaster.${domain}`,
      serial: 1,
      refresh: 7200,
      retry: 1800,
      expire: 86_400,
      minimum: timeToLiveSeconds,
    },
  }
}

function pack(packet: Packet, transport: 'udp' | 'tcp', query: Packet): Buffer {
  if (transport === 'tcp') return streamEncode(packet)
  const bytes = encode(packet)
  const option = query.additionals?.find(additional => additional.type === 'OPT') as
    | { udpPayloadSize?: number }
    | undefined
  const limit = Math.max(plainUdpBytes, option?.udpPayloadSize ?? plainUdpBytes)
  if (bytes.length <= limit) return bytes
  return encode({ ...packet, flags: (packet.flags ?? 0) | TRUNCATED_RESPONSE, answers: [], authorities: [] })
}
