// Real servers of Debian's packages on free ports, with data in a temporary directory, as nobody where the test is
// root. None of the machine's own services is used or touched. Inside a network namespace they listen on all of its
// addresses, so that a cluster's pods reach them.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Reached } from '../delivery/services/backing-service.ts'
import { findProgram } from '../host/cluster-programs.ts'
import type { NetworkNamespace } from './cluster-fixture.ts'
import { eventually } from './eventually.ts'
import { freePorts } from './free-ports.ts'

export interface ServiceServer extends Reached {
  close(): Promise<void>
}

export interface ServerOptions {
  readonly namespace?: NetworkNamespace
  /** PEM; the server speaks TLS and nothing else. */
  readonly tls?: { readonly certificate: string; readonly key: string; readonly authority: string }
}

const nobody = 65_534
const waitMs = 90_000
/** Odd on purpose. */
const password = `ad'm"in \\ pass%`

/** The newest that is installed; undefined: none. */
function findPostgresPrograms(): string | undefined {
  const root = '/usr/lib/postgresql'
  const versions = existsSync(root) ? readdirSync(root).map(Number) : []
  return versions.length === 0 ? undefined : join(root, String(Math.max(...versions)), 'bin')
}

const rabbitmqPrograms = '/usr/lib/rabbitmq/bin'

/** Debian packages of the servers that this machine has not. */
export function missingServers(): string[] {
  const needed: [string, string | undefined][] = [
    ['postgresql', findPostgresPrograms()],
    ['mariadb-server', findProgram('mariadbd')],
    ['redis-server', findProgram('redis-server')],
    ['rabbitmq-server', existsSync(rabbitmqPrograms) ? rabbitmqPrograms : undefined],
    ['nats-server', findProgram('nats-server')],
  ]
  return needed.filter(([, place]) => place === undefined).map(([name]) => name)
}

/** One server: its directory, its processes, and what they said. */
class Place {
  readonly directory: string
  readonly host: string
  private readonly namespace: NetworkNamespace | undefined
  private readonly children: { process: ChildProcess; said: string }[] = []

  constructor(kind: string, { namespace }: ServerOptions) {
    this.directory = mkdtempSync(join(tmpdir(), `sampan-${kind}-`))
    this.give(this.directory)
    this.namespace = namespace
    this.host = namespace === undefined ? '127.0.0.1' : '0.0.0.0'
  }

  file(name: string, content: string, mode = 0o600): string {
    const path = join(this.directory, name)
    writeFileSync(path, content)
    chmodSync(path, mode)
    this.give(path)
    return path
  }

  folder(name: string): string {
    const path = join(this.directory, name)
    mkdirSync(path)
    this.give(path)
    return path
  }

  private give(path: string): void {
    if (process.getuid?.() === 0) chownSync(path, nobody, nobody)
  }

  private command(program: string, args: readonly string[]): [string, string[]] {
    const asNobody =
      process.getuid?.() === 0
        ? ['setpriv', `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups', program, ...args]
        : [program, ...args]
    if (this.namespace === undefined) return [asNobody[0]!, asNobody.slice(1)]
    return this.namespace.command(asNobody[0]!, asNobody.slice(1))
  }

  private environment(more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
    return { PATH: `${process.env['PATH']}:/usr/sbin:/sbin`, HOME: this.directory, LC_ALL: 'C', ...more }
  }

  run(program: string, ...args: string[]): void {
    const [command, all] = this.command(program, args)
    const result = spawnSync(command, all, { encoding: 'utf8', cwd: this.directory, env: this.environment() })
    if (result.status !== 0) throw new Error(`${program}: ${result.error?.message ?? result.stderr}${result.stdout}`)
  }

  /** Until it says that it is ready. */
  async start(ready: string, program: string, args: readonly string[], environment?: NodeJS.ProcessEnv): Promise<void> {
    const [command, all] = this.command(program, args)
    const child = spawn(command, all, {
      cwd: this.directory,
      env: this.environment(environment),
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    const entry = { process: child, said: '' }
    this.children.push(entry)
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        entry.said += String(chunk)
      })
    await eventually(
      `that ${program} says ${JSON.stringify(ready)}`,
      () => {
        if (child.exitCode !== null) throw new Error(`${program} ended with ${child.exitCode}: ${entry.said}`)
        return entry.said.includes(ready)
      },
      waitMs,
    )
  }

  /** Of what was started last. */
  get pid(): number {
    return this.children.at(-1)!.process.pid!
  }

  /** With all that they have started: the script around a server is not the server. */
  async close(): Promise<void> {
    for (const { process: child } of this.children.toReversed()) {
      const group = -child.pid!
      await eventually(`that the processes of ${child.spawnfile} have ended`, () => !killed(group))
    }
    // Processes that have left the group end as soon as they see that nobody is there.
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 })
  }

  /** Closes when what makes it fails. */
  static async with(
    kind: string,
    options: ServerOptions,
    make: (place: Place) => Promise<Omit<ServiceServer, 'close' | 'host' | 'authority'>>,
  ): Promise<ServiceServer> {
    const place = new Place(kind, options)
    try {
      const made = await make(place)
      return { ...made, host: '127.0.0.1', authority: options.tls?.authority, close: () => place.close() }
    } catch (error) {
      await place.close()
      throw error
    }
  }
}

/** @returns whether there was anything */
function killed(group: number): boolean {
  try {
    return process.kill(group, 'SIGKILL')
  } catch {
    return false
  }
}

const administratorOf = (user: string): { user: string; password: string } => ({ user, password })

export interface PostgresServer extends ServiceServer {
  /** Of its first process. */
  pid(): number
  /** After that one was killed. */
  startAgain(): Promise<void>
}

export async function startPostgres(options: ServerOptions = {}): Promise<PostgresServer> {
  let more: Pick<PostgresServer, 'pid' | 'startAgain'> | undefined
  const server = await Place.with('postgres', options, async place => {
    const [port] = await freePorts(1)
    const programs = findPostgresPrograms()!
    const data = join(place.directory, 'data')
    const administrator = administratorOf('postgres')
    place.run(
      join(programs, 'initdb'),
      '-D',
      data,
      '-U',
      administrator.user,
      '-E',
      'UTF8',
      '--no-sync',
      '--auth=scram-sha-256',
      `--pwfile=${place.file('password', administrator.password)}`,
    )
    place.file('data/pg_hba.conf', 'host all all all scram-sha-256\n')
    const { tls } = options
    const all = [
      '-D',
      data,
      '-p',
      String(port),
      '-h',
      place.host,
      '-k',
      place.directory,
      '-F',
      ...(tls === undefined
        ? []
        : [
            '--ssl=on',
            `--ssl_cert_file=${place.file('cert.pem', tls.certificate)}`,
            `--ssl_key_file=${place.file('key.pem', tls.key)}`,
          ]),
    ]
    const start = (): Promise<void> =>
      place.start('database system is ready to accept connections', join(programs, 'postgres'), all)
    await start()
    more = { pid: () => place.pid, startAgain: start }
    return { port: port!, administrator }
  })
  return { ...server, ...more! }
}

export function startMariadb(options: ServerOptions = {}): Promise<ServiceServer> {
  return Place.with('mariadb', options, async place => {
    const [port] = await freePorts(1)
    const data = join(place.directory, 'data')
    const administrator = administratorOf('root')
    place.run(
      'mariadb-install-db',
      '--no-defaults',
      `--datadir=${data}`,
      '--auth-root-authentication-method=normal',
      '--skip-test-db',
    )
    const sha1 = (content: string | Buffer): Buffer => createHash('sha1').update(content).digest()
    const hash = `*${sha1(sha1(administrator.password)).toString('hex').toUpperCase()}`
    const initial = place.file(
      'init.sql',
      ['localhost', '127.0.0.1', '::1', '%']
        .map(
          host =>
            `CREATE OR REPLACE USER root@'${host}' IDENTIFIED BY PASSWORD '${hash}';\nGRANT ALL ON *.* TO root@'${host}' WITH GRANT OPTION;\n`,
        )
        .join(''),
    )
    const { tls } = options
    await place.start('ready for connections', findProgram('mariadbd')!, [
      '--no-defaults',
      `--datadir=${data}`,
      `--init-file=${initial}`,
      `--bind-address=${place.host}`,
      `--port=${port}`,
      `--socket=${join(place.directory, 'socket')}`,
      '--innodb-flush-log-at-trx-commit=0',
      '--skip-name-resolve',
      ...(tls === undefined
        ? []
        : [
            `--ssl-cert=${place.file('cert.pem', tls.certificate)}`,
            `--ssl-key=${place.file('key.pem', tls.key)}`,
            '--require-secure-transport=ON',
          ]),
    ])
    return { port: port!, administrator }
  })
}

export function startRedis(options: ServerOptions = {}): Promise<ServiceServer> {
  return Place.with('redis', options, async place => {
    const [port] = await freePorts(1)
    const administrator = administratorOf('default')
    const hash = createHash('sha256').update(administrator.password).digest('hex')
    const { tls } = options
    const configuration = place.file(
      'redis.conf',
      [
        `bind ${place.host}`,
        ...(tls === undefined
          ? [`port ${port}`]
          : [
              'port 0',
              `tls-port ${port}`,
              `tls-cert-file ${place.file('cert.pem', tls.certificate)}`,
              `tls-key-file ${place.file('key.pem', tls.key)}`,
              `tls-ca-cert-file ${place.file('ca.pem', tls.authority)}`,
              'tls-auth-clients no',
            ]),
        `dir ${place.directory}`,
        'save ""',
        `aclfile ${place.file('users.acl', `user default on #${hash} ~* &* +@all\n`)}`,
      ].join('\n'),
    )
    await place.start('Ready to accept connections', findProgram('redis-server')!, [configuration])
    return { port: port!, administrator }
  })
}

export interface RabbitmqServer extends ServiceServer {
  /** Where instances reach it; `port` is that of its management. */
  readonly messagePort: number
}

/** Its own epmd runs beside it, so that none stays behind. */
export async function startRabbitmq(options: ServerOptions = {}): Promise<RabbitmqServer> {
  const [port, messagePort, epmdPort, distributionPort] = await freePorts(4)
  const server = await Place.with('rabbitmq', options, async place => {
    const administrator = administratorOf('admin')
    const { tls } = options
    const erlang = (text: string): string => JSON.stringify(text)
    const files =
      tls === undefined
        ? ''
        : `, {ssl, true}, {ssl_opts, [{certfile, ${erlang(place.file('cert.pem', tls.certificate))}}, {keyfile, ${erlang(place.file('key.pem', tls.key))}}]}`
    place.file(
      'advanced.config',
      `[{rabbit, [{tcp_listeners, [{${erlang(place.host)}, ${messagePort}}]}, {loopback_users, []},
  {default_user, <<${erlang(administrator.user)}>>}, {default_pass, <<${erlang(administrator.password)}>>}]},
 {rabbitmq_management, [{listener, [{port, ${port}}, {ip, ${erlang(place.host)}}${files}]}]}].\n`,
    )
    const environment = { ERL_EPMD_PORT: String(epmdPort), ERL_EPMD_ADDRESS: '127.0.0.1' }
    await place.start('epmd running', findProgram('epmd')!, ['-d', '-port', String(epmdPort)], environment)
    await place.start('completed with', join(rabbitmqPrograms, 'rabbitmq-server'), [], {
      ...environment,
      RABBITMQ_NODENAME: `sampan-${port}@localhost`,
      RABBITMQ_MNESIA_BASE: place.folder('mnesia'),
      RABBITMQ_LOG_BASE: place.folder('log'),
      RABBITMQ_CONFIG_FILE: join(place.directory, 'none'),
      RABBITMQ_ADVANCED_CONFIG_FILE: join(place.directory, 'advanced.config'),
      RABBITMQ_ENABLED_PLUGINS_FILE: place.file('enabled_plugins', '[rabbitmq_management].\n'),
      RABBITMQ_DIST_PORT: String(distributionPort),
      RABBITMQ_CONF_ENV_FILE: join(place.directory, 'none'),
      RABBITMQ_PID_FILE: join(place.directory, 'pid'),
    })
    return { port: port!, administrator }
  })
  return { ...server, messagePort: messagePort! }
}

export function startNats(options: ServerOptions = {}): Promise<ServiceServer> {
  return Place.with('nats', options, async place => {
    const [port] = await freePorts(1)
    const administrator = administratorOf('sampan')
    const { tls } = options
    const configuration = place.file(
      'nats.conf',
      [
        `host: ${place.host}`,
        `port: ${port}`,
        `jetstream { store_dir: ${JSON.stringify(place.directory)} }`,
        `authorization { user: sampan, password: ${JSON.stringify(administrator.password)} }`,
        ...(tls === undefined
          ? []
          : [
              `tls { cert_file: ${JSON.stringify(place.file('cert.pem', tls.certificate))}, key_file: ${JSON.stringify(place.file('key.pem', tls.key))} }`,
            ]),
      ].join('\n'),
    )
    await place.start('Server is ready', findProgram('nats-server')!, ['-c', configuration])
    return { port: port!, administrator }
  })
}
