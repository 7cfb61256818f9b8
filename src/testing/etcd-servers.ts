// Real etcd members on free ports of 127.0.0.1 with data in a temporary directory.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from './eventually.ts'
import { freePorts } from './free-ports.ts'

interface Member {
  readonly name: string
  readonly url: string
  readonly peerUrl: string
  process: ChildProcess | undefined
}

/** PEM: who signs clients, and what the server shows. */
interface ClientTls {
  readonly authority: string
  readonly certificate: string
  readonly key: string
}

export class EtcdServers {
  private readonly directory = mkdtempSync(join(tmpdir(), 'sampan-etcd-'))
  private readonly members: readonly Member[]

  private readonly tls: ClientTls | undefined

  private constructor(members: readonly Member[], tls: ClientTls | undefined) {
    this.members = members
    this.tls = tls
  }

  static async start(count: number): Promise<EtcdServers> {
    const servers = await EtcdServers.startAll(count, undefined)
    await eventually('that etcd has a leader', async () => (await servers.leader()) !== undefined)
    return servers
  }

  /** One member that wants a client certificate; it may not answer yet. */
  static startWithTls(tls: ClientTls): Promise<EtcdServers> {
    return EtcdServers.startAll(1, tls)
  }

  private static async startAll(count: number, tls: ClientTls | undefined): Promise<EtcdServers> {
    const ports = await freePorts(2 * count)
    const scheme = tls === undefined ? 'http' : 'https'
    const servers = new EtcdServers(
      Array.from({ length: count }, (_unused, index) => ({
        name: `m${index}`,
        url: `${scheme}://127.0.0.1:${ports[2 * index]}`,
        peerUrl: `http://127.0.0.1:${ports[2 * index + 1]}`,
        process: undefined,
      })),
      tls,
    )
    for (const index of servers.members.keys()) servers.startMember(index)
    return servers
  }

  get endpoints(): string[] {
    return this.members.map(({ url }) => url)
  }

  startMember(index: number): void {
    const member = this.members[index]!
    member.process = spawn(
      'etcd',
      [
        '--name',
        member.name,
        '--data-dir',
        join(this.directory, member.name),
        '--log-level',
        'error',
        '--listen-client-urls',
        member.url,
        '--advertise-client-urls',
        member.url,
        '--listen-peer-urls',
        member.peerUrl,
        '--initial-advertise-peer-urls',
        member.peerUrl,
        '--initial-cluster',
        this.members.map(({ name, peerUrl }) => `${name}=${peerUrl}`).join(','),
        '--initial-cluster-state',
        'new',
        ...this.tlsArguments(),
        '--heartbeat-interval',
        '50',
        '--election-timeout',
        '500',
      ],
      { stdio: 'ignore', env: { ...process.env, ETCD_UNSUPPORTED_ARCH: process.arch } },
    )
  }

  private tlsArguments(): string[] {
    if (this.tls === undefined) return []
    const files = Object.entries(this.tls).map(([name, pem]) => {
      const file = join(this.directory, `${name}.pem`)
      writeFileSync(file, pem)
      return [name, file] as const
    })
    const { authority, certificate, key } = Object.fromEntries(files)
    return ['--client-cert-auth', '--trusted-ca-file', authority!, '--cert-file', certificate!, '--key-file', key!]
  }

  /** With SIGKILL. */
  async kill(index: number): Promise<void> {
    const running = this.members[index]!.process
    if (running === undefined) return
    this.members[index]!.process = undefined
    const gone = once(running, 'exit')
    running.kill('SIGKILL')
    await gone
  }

  /** Which member the others follow; undefined while there is none. */
  async leader(): Promise<number | undefined> {
    const states = await Promise.all(this.members.map(({ url }) => statusOf(url)))
    const index = states.findIndex(state => state !== undefined && state.leader === state.header.member_id)
    return index < 0 ? undefined : index
  }

  async stop(): Promise<void> {
    await Promise.all(this.members.keys().map(index => this.kill(index)))
    rmSync(this.directory, { recursive: true, force: true })
  }
}

interface Status {
  readonly header: { readonly member_id: string }
  readonly leader?: string
}

async function statusOf(url: string): Promise<Status | undefined> {
  try {
    const response = await fetch(`${url}/v3/maintenance/status`, {
      method: 'POST',
      body: '{}',
      signal: AbortSignal.timeout(1000),
    })
    return response.ok ? ((await response.json()) as Status) : undefined
  } catch {
    return undefined
  }
}
