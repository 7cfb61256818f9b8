// A cluster for one test file, driven as people drive it: the built `sampan` and the real kubectl, in a
// network namespace of its own with data in a temporary directory. `close` takes everything away again,
// whatever state a failed test left it in.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { mountsBelow } from '../host/mounts.ts'
import { listProcesses } from '../host/processes.ts'
import { startRegistry } from '../images/registry/registry.ts'
import { eventually } from './eventually.ts'
import { reasonToSkip } from './private-containerd.ts'

export const repository = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')
export const geoDirectory = join(repository, 'examples/geo')
export const sampanProgram = join(repository, 'bin/sampan')

export function reasonToSkipCluster(): string | undefined {
  if (spawnSync('kubectl', ['version', '--client']).status !== 0)
    return 'kubectl is missing; apt-get install kubernetes-client'
  return reasonToSkip()
}

export interface Result {
  readonly out: string
  readonly err: string
  readonly code: number | null
}

/** The result of a command that must not fail; otherwise its own words are the error. */
export function succeeded(result: Result): Result {
  if (result.code !== 0) throw new Error(`exit code ${result.code}: ${result.err}${result.out}`)
  return result
}

export interface RunOptions {
  /** That of the cluster by default. */
  readonly namespace?: NetworkNamespace
  readonly input?: string | Buffer
  readonly environment?: NodeJS.ProcessEnv
  readonly directory?: string
  readonly timeoutMs?: number
}

/** A loopback and nothing else: ports are free, and what a cluster leaves behind is seen. */
export class NetworkNamespace {
  readonly name: string

  constructor(name: string) {
    this.name = name
    check('ip', ['netns', 'add', name])
    check('nsenter', [`--net=/var/run/netns/${name}`, 'ip', 'link', 'set', 'lo', 'up'])
  }

  /** `ip netns exec` would hide the control groups. */
  command(program: string, args: readonly string[]): [string, string[]] {
    return ['nsenter', [`--net=/var/run/netns/${this.name}`, program, ...args]]
  }

  /** Another machine on the network of this one: 192.0.2.1 here, 192.0.2.2 there. */
  neighbour(): NetworkNamespace {
    const other = new NetworkNamespace(`${this.name}-beside`)
    const path = (namespace: NetworkNamespace): string => `/var/run/netns/${namespace.name}`
    check('nsenter', [`--net=${path(this)}`, ...words(`ip link add wire type veth peer name wire netns ${other.name}`)])
    for (const [namespace, address] of [
      [this, '192.0.2.1/24'],
      [other, '192.0.2.2/24'],
    ] as const) {
      check('nsenter', [`--net=${path(namespace)}`, ...words(`ip address add ${address} dev wire`)])
      check('nsenter', [`--net=${path(namespace)}`, ...words('ip link set wire up')])
    }
    return other
  }

  close(): void {
    spawnSync('ip', ['netns', 'delete', this.name])
  }
}

const words = (text: string): string[] => text.split(' ')

function check(program: string, args: readonly string[]): void {
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`)
}

export class ClusterFixture {
  readonly name: string
  readonly directory: string
  readonly dataDirectory: string
  readonly kubeconfig: string
  /** Of images of other registries: that of the machine is left alone. May be that of another cluster. */
  imageCache: string
  /** Folder of the certificate authority: likewise. */
  authority: string
  readonly namespace: NetworkNamespace
  private readonly ownsNamespace: boolean
  private readonly program: string
  private readonly children = new Set<ChildProcess>()

  /**
   * @param shared the namespace of another cluster, to stand beside it
   * @param program another `sampan` than that of this repository
   */
  constructor(name: string, shared?: NetworkNamespace, program = sampanProgram) {
    this.name = `${name}-${process.pid}`
    this.directory = mkdtempSync(join(tmpdir(), `sampan-${name}-`))
    this.dataDirectory = join(this.directory, 'data')
    this.kubeconfig = join(this.directory, 'kube', 'config')
    this.imageCache = join(this.directory, 'image-cache')
    this.authority = join(this.directory, 'authority')
    this.ownsNamespace = shared === undefined
    this.program = program
    this.namespace = shared ?? new NetworkNamespace(this.name)
  }

  /** Starts it as a person would and fails with its words when that fails. */
  static async up(name: string): Promise<ClusterFixture> {
    const cluster = new ClusterFixture(name)
    const result = await cluster.up()
    if (result.code === 0) return cluster
    await cluster.close()
    throw new Error(`sampan up: ${result.err}`)
  }

  up(...args: string[]): Promise<Result> {
    return this.sampan('up', '--name', this.name, '--data-dir', this.dataDirectory, ...args)
  }

  down(...args: string[]): Promise<Result> {
    return this.sampan('down', '--name', this.name, '--data-dir', this.dataDirectory, ...args)
  }

  sampan(...args: string[]): Promise<Result> {
    return this.run(this.program, args)
  }

  kubectl(...args: string[]): Promise<Result> {
    return this.run('kubectl', args)
  }

  /** kubectl with a manifest on its standard input. */
  kubectlWith(input: string | object, ...args: string[]): Promise<Result> {
    return this.run('kubectl', [...args, '-f', '-'], {
      input: typeof input === 'string' ? input : JSON.stringify(input),
    })
  }

  /** Output of a kubectl that must not fail. */
  async show(...args: string[]): Promise<string> {
    const { out, err, code } = await this.kubectl(...args)
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: exit code ${code}: ${err}`)
    return out
  }

  async json<T>(...args: string[]): Promise<T> {
    return JSON.parse(await this.show(...args, '-o', 'json')) as T
  }

  async curl(path: string, ...args: string[]): Promise<string> {
    return (await this.run('curl', ['--silent', '--show-error', '--max-time', '10', ...args, path])).out
  }

  async run(program: string, args: readonly string[], options: RunOptions = {}): Promise<Result> {
    const child = this.spawn(program, args, options)
    const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? 60_000)
    const code = new Promise<number | null>((resolve, reject) => {
      child.on('close', resolve)
      child.on('error', reject)
    })
    child.stdin!.on('error', () => {})
    child.stdin!.end(options.input)
    const [out, err] = await Promise.all([text(child.stdout!), text(child.stderr!), code])
    clearTimeout(timer)
    return { out, err, code: await code }
  }

  /** In the namespace, ended by `close` at the latest. */
  spawn(
    program: string,
    args: readonly string[],
    { environment, directory, namespace = this.namespace }: RunOptions = {},
  ): ChildProcess {
    const [command, all] = namespace.command(program, args)
    const child = spawn(command, all, {
      cwd: directory ?? this.directory,
      env: { ...this.environment, ...environment },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    this.children.add(child)
    child.on('close', () => this.children.delete(child))
    return child
  }

  get environment(): NodeJS.ProcessEnv {
    return {
      ...process.env,
      // Programs start others with it, and bash reads what the user of this machine wrote for it.
      SHELL: '/bin/sh',
      KUBECONFIG: this.kubeconfig,
      SAMPAN_IMAGE_CACHE: this.imageCache,
      SAMPAN_AUTHORITY: this.authority,
    }
  }

  async serverPid(): Promise<number> {
    return (JSON.parse((await this.sampan('status', '--name', this.name, '-o', 'json')).out) as { pid: number }).pid
  }

  /** Ends the server alone, in order, and starts it again; pods run on. */
  async restartServer(...args: string[]): Promise<Result> {
    process.kill(await this.serverPid(), 'SIGTERM')
    await eventually('the server ended', async () => (await this.sampan('status', '--name', this.name)).code === 3)
    return this.up(...args)
  }

  async registry(): Promise<string> {
    return (JSON.parse((await this.sampan('status', '--name', this.name, '-o', 'json')).out) as { registry: string })
      .registry
  }

  /** Builds a service; its layers must be kept from before, because the namespace has no way out. */
  async build(directory: string, tag: string): Promise<void> {
    const result = await this.sampan('build', directory, '--name', this.name, '--tag', tag)
    if (result.code !== 0) throw new Error(`sampan build ${directory}: ${result.err}`)
  }

  /** Makes `sampan.local/busybox:1` known to the cluster, or other tags of it. */
  async pushBusybox(...tags: readonly string[]): Promise<void> {
    const { code, err } = await this.run(process.execPath, [
      join(repository, 'src/testing/push-busybox.ts'),
      await this.registry(),
      'busybox',
      ...(tags.length > 0 ? tags : ['1']),
    ])
    if (code !== 0) throw new Error(`the test image was not pushed: ${err}`)
  }

  async close(): Promise<void> {
    for (const child of this.children) child.kill('SIGKILL')
    await this.down('--purge', '--timeout', '0')
    if (this.ownsNamespace) this.namespace.close()
    rmSync(this.directory, { recursive: true, force: true })
  }

  /** What is still there of this cluster, one line each: nothing after `down`. */
  async leftOvers(): Promise<string[]> {
    const found: string[] = []
    for (const { pid, commandLine } of listProcesses()) {
      const line = commandLine.join(' ').trim()
      if (pid !== process.pid && (line.includes(this.dataDirectory) || line.includes(`/run/sampan/${this.name}/`)))
        found.push(`process ${pid}: ${line}`)
    }
    const links = (await this.run('ip', ['-brief', 'link'])).out
      .split('\n')
      .filter(line => line !== '' && !/^lo\s/.test(line))
    const tables = (await this.run('nft', ['list', 'tables'])).out.split('\n').filter(line => line !== '')
    const routes = (await this.run('ip', ['route'])).out.split('\n').filter(line => line !== '')
    found.push(
      ...links.map(line => `link: ${line}`),
      ...tables.map(line => `nftables: ${line}`),
      ...routes.map(line => `route: ${line}`),
    )
    for (const place of [this.dataDirectory, `/run/sampan/${this.name}`])
      found.push(...mountsBelow(place).map(point => `mount: ${point}`))
    found.push(...(await this.leftSandboxes()).map(name => `network namespace: ${name}`))
    if (existsSync(`/run/sampan/${this.name}`))
      found.push(`state directory: ${readdirSync(`/run/sampan/${this.name}`).join(' ')}`)
    return found
  }

  /** Those of other clusters have processes, or will have in a moment, or are going. */
  private async leftSandboxes(): Promise<readonly string[]> {
    const empty = (): readonly string[] => {
      const used = namespacesInUse()
      return sandboxNamespaces().filter(name => !this.foreignSandboxes.has(name) && !used.has(inodeOf(name)))
    }
    let left = empty()
    for (let tries = 0; left.length > 0 && tries < 20; tries++) {
      await sleep(250)
      const now = empty()
      left = left.filter(name => now.includes(name))
    }
    return left
  }

  /** Network namespaces of pods that were there before this cluster. */
  private readonly foreignSandboxes = new Set(sandboxNamespaces())
}

/** Inodes of the network namespaces that processes are in. */
function namespacesInUse(): ReadonlySet<string> {
  const inodes = new Set<string>()
  for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name)))
    try {
      inodes.add(/\d+/.exec(readlinkSync(`/proc/${pid}/ns/net`))?.[0] ?? '')
    } catch {
      // It has ended.
    }
  return inodes
}

function inodeOf(name: string): string {
  try {
    return String(statSync(`/run/netns/${name}`).ino)
  } catch {
    return ''
  }
}

function sandboxNamespaces(): string[] {
  try {
    return readdirSync('/run/netns').filter(name => name.startsWith('cni-'))
  } catch {
    return []
  }
}

/** Pod control groups, by pod uid, in every hierarchy. */
export function podControlGroups(uid: string): string[] {
  const root = '/sys/fs/cgroup'
  return readdirSync(root).flatMap(hierarchy => {
    try {
      return readdirSync(join(root, hierarchy, 'sampan'), { recursive: true })
        .map(String)
        .filter(path => path.includes(uid))
        .map(path => join(root, hierarchy, 'sampan', path))
    } catch {
      return []
    }
  })
}

/** Builds outside of any namespace, where npm reaches its registry, so that later builds find their layers kept. */
export async function warmLayers(...directories: string[]): Promise<void> {
  const place = mkdtempSync(join(tmpdir(), 'sampan-warm-'))
  const registry = await startRegistry({ directory: place, host: '127.0.0.1', port: 0 })
  try {
    for (const directory of directories) {
      const child = spawn(sampanProgram, ['build', directory, '--registry', `127.0.0.1:${registry.port}`], {
        stdio: ['ignore', 'ignore', 'pipe'],
      })
      const code = new Promise<number | null>(resolve => {
        child.on('close', resolve)
      })
      const words = await text(child.stderr)
      if ((await code) !== 0) throw new Error(`sampan build ${directory}: ${words}`)
    }
  } finally {
    await registry.close()
    rmSync(place, { recursive: true, force: true })
  }
}

/** A folder to write into, made on demand. */
export function folder(...parts: string[]): string {
  const path = join(...parts)
  mkdirSync(path, { recursive: true })
  return path
}

export const readText = (file: string): string => readFileSync(file, 'utf8')
