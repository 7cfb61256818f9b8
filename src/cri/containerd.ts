// A containerd of our own: private root, state, socket and configuration, so that nothing on the machine
// can disturb it and nothing of ours is left behind. It outlives the Sampan process; the next one finds
// it by pid file and socket. The state directory must be short: unix sockets have paths of 107 bytes.
import { existsSync, statfsSync } from 'node:fs'
import { mkdir, readFile, readdir, rm, rmdir, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { MissingProgramError, run } from '../host/command.ts'
import { isAlive, runningDaemon, signal, startDaemon, stopDaemon } from '../host/daemon.ts'
import { unmountBelow } from '../host/mounts.ts'
import type { ProcessPlace } from '../host/process-place.ts'
import { supervise } from '../host/supervise.ts'
import { listProcesses, type RunningProcess } from '../host/processes.ts'
import {
  cacheHosts,
  cniConfiguration,
  containerdConfiguration,
  registryHosts,
  type Snapshotter,
} from './containerd-configuration.ts'
import { importOciImage } from './containerd-images.ts'
import type { OciImage } from './oci-image.ts'
import { grpcRuntime } from './grpc-runtime.ts'
import { pauseImage, pauseImageName } from './pause-image.ts'
import { criNamespace } from './containerd-wire.ts'
import type { Runtime } from './runtime.ts'

export interface ContainerdOptions {
  /** Images and configuration; kept over restarts. */
  readonly dataDirectory: string
  /** Sockets and running containers, e.g. `/run/sampan/default`; short. */
  readonly stateDirectory: string
  /** Where it runs, with the shims of its containers. */
  readonly place: ProcessPlace
  /** Range of pod addresses, `10.42.0.0/16`. */
  readonly podCidr: string
  /** Where the pods' traffic goes besides: routes into the pod network are not needed with ptp links. */
  readonly mtu?: number
  /** `/usr/lib/cni` on Debian. */
  readonly cniDirectory?: string
  /** Registries on this machine that speak plain HTTP: name → `host:port`, e.g. `{'sampan.local': '127.0.0.1:5000'}`. */
  readonly registries?: Readonly<Record<string, string>>
  readonly program?: string
}

export interface Containerd {
  readonly socketPath: string
  /** Milliseconds until containerd answered; 0 when it was already running. */
  readonly startedInMs: number
  /** The tar of an image as `docker save`, buildah or skopeo write it. Returns the names it brought. */
  importImage(tarFile: string): Promise<string[]>
  importOciImage(name: string, image: OciImage): Promise<void>
  /** @param cache `host:port` of what is asked first for images of all other registries */
  setRegistries(registries: Readonly<Record<string, string>>, cache?: string): Promise<void>
  /** Ends containerd and every container, and takes its mounts away. Images and what is known of containers stay. */
  stop(): Promise<void>
  /** Ends only containerd itself; containers run on. */
  stopDaemon(): Promise<void>
  /** Starts containerd again whenever it has died, until the returned function is called (do that before stopping it). */
  keepAlive(onRestart: (error?: Error) => void): () => void
}

const socketPathLimit = 107

/** The containerd that a start with the same directories made, running or not: to end it. */
export function containerdOf(
  options: Pick<ContainerdOptions, 'dataDirectory' | 'stateDirectory' | 'place' | 'program'>,
): Pick<Containerd, 'socketPath' | 'stop' | 'stopDaemon'> {
  const places = placesOf(options)
  const program = options.program ?? 'containerd'
  return {
    socketPath: places.socket,
    stopDaemon: () => stopDaemon(places.pidFile, program),
    stop: () => stopEverything(places, program, options.place, kill),
  }
}

export async function startContainerd(options: ContainerdOptions): Promise<Containerd> {
  const places = placesOf(options)
  const program = options.program ?? 'containerd'
  if (places.socket.length + '.ttrpc'.length > socketPathLimit) {
    throw new Error(
      `the state directory ${options.stateDirectory} is too long: with it the socket's path has more than ${socketPathLimit} bytes; choose a shorter one such as /run/sampan/NAME`,
    )
  }
  const controls = containerdOf(options)
  const startMs = performance.now()
  const running = runningDaemon(places.pidFile, program) !== undefined && (await answers(places.socket))
  await setRegistries(places.registryDirectory, options.registries ?? {})
  const launch = (): Promise<void> => launchDaemon(places, program, options.place)
  if (!running) {
    await writeConfiguration(options, places)
    await launch()
    // The image is there from the second start on.
    if (!existsSync(places.pauseMarker)) {
      await importOciImage(places.socket, pauseImageName, await pauseImage())
      await writeFile(places.pauseMarker, '')
    }
  }
  return {
    startedInMs: running ? 0 : performance.now() - startMs,
    importImage: tarFile => importImage(places.socket, tarFile),
    importOciImage: (name, image) => importOciImage(places.socket, name, image),
    setRegistries: (registries, cache) => setRegistries(places.registryDirectory, registries, cache),
    ...controls,
    keepAlive: onRestart =>
      supervise({
        // The ttrpc socket may be silent for ever, the gRPC socket only for two minutes.
        socket: `${places.socket}.ttrpc`,
        isAlive: () => runningDaemon(places.pidFile, program) !== undefined,
        launch,
        restarted: onRestart,
      }),
  }
}

/** Ends a containerd of an earlier process, with every container; nothing happens where none runs. */
export async function stopContainerd({
  endContainers,
  ...options
}: Pick<ContainerdOptions, 'dataDirectory' | 'stateDirectory' | 'place'> & {
  /** Ends what still runs in its own way; what is left then is killed. */
  readonly endContainers: EndContainers
}): Promise<void> {
  await stopEverything(placesOf(options), 'containerd', options.place, endContainers)
}

type EndContainers = (runtime: Runtime) => Promise<void>

async function kill(runtime: Runtime): Promise<void> {
  const containers = await runtime.listContainers()
  await Promise.allSettled(containers.map(container => runtime.stopContainer(container.id, 0)))
}

async function launchDaemon(places: Places, program: string, place: ProcessPlace): Promise<void> {
  await rm(places.socket, { force: true })
  const [command, args] = place.command(program, ['--config', places.configFile])
  const pid = await startDaemon({ program: command, args, pidFile: places.pidFile, logFile: places.logFile })
  await waitUntilAnswering(places, pid)
  place.settle(pid, 'runtime')
}

interface Places {
  readonly root: string
  readonly state: string
  readonly socket: string
  readonly configFile: string
  readonly pidFile: string
  readonly logFile: string
  readonly registryDirectory: string
  readonly cniDirectory: string
  readonly pauseMarker: string
}

function placesOf(options: Pick<ContainerdOptions, 'dataDirectory' | 'stateDirectory'>): Places {
  const base = join(options.dataDirectory, 'containerd')
  return {
    root: join(base, 'root'),
    state: options.stateDirectory,
    socket: join(options.stateDirectory, 'containerd.sock'),
    configFile: join(base, 'config.toml'),
    pidFile: join(options.stateDirectory, 'containerd.pid'),
    logFile: join(base, 'containerd.log'),
    registryDirectory: join(base, 'registries'),
    cniDirectory: join(base, 'cni'),
    pauseMarker: join(base, 'root', 'sampan-pause-1'),
  }
}

async function writeConfiguration(options: ContainerdOptions, places: Places): Promise<void> {
  const cniPrograms =
    options.cniDirectory ?? ['/usr/lib/cni', '/opt/cni/bin'].find(directory => existsSync(join(directory, 'ptp')))
  if (cniPrograms === undefined) throw new MissingProgramError('containernetworking-plugins')
  await Promise.all(
    [places.root, places.state, places.registryDirectory, places.cniDirectory].map(directory =>
      mkdir(directory, { recursive: true }),
    ),
  )
  await Promise.all([
    writeFile(
      places.configFile,
      containerdConfiguration({
        root: places.root,
        state: places.state,
        socket: places.socket,
        pauseImage: pauseImageName,
        cniConfiguration: places.cniDirectory,
        cniPrograms,
        registryDirectory: places.registryDirectory,
        snapshotter: snapshotterFor(places.root),
      }),
    ),
    writeFile(
      join(places.cniDirectory, '10-sampan.conflist'),
      cniConfiguration({
        podCidr: options.podCidr,
        leaseDirectory: join(places.state, 'addresses'),
        ...(options.mtu !== undefined && { mtu: options.mtu }),
      }),
    ),
  ])
}

/** The kernel lays no overlay upon an overlay, as the file system of a container is one. */
const snapshotterFor = (directory: string): Snapshotter =>
  statfsSync(directory).type === overlayMagic ? 'native' : 'overlayfs'

const overlayMagic = 0x79_4c_76_30

async function setRegistries(
  directory: string,
  registries: Readonly<Record<string, string>>,
  cache?: string,
): Promise<void> {
  const hosts = Object.entries(registries).map(([name, address]) => [name, registryHosts(address)] as const)
  await Promise.all(
    [...hosts, ...(cache === undefined ? [] : [['_default', cacheHosts(cache)] as const])].map(async ([name, text]) => {
      await mkdir(join(directory, name), { recursive: true })
      await writeFile(join(directory, name, 'hosts.toml'), text)
    }),
  )
}

function answers(socket: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const connection = connect(socket)
  connection.on('connect', () => {
    connection.destroy()
    resolve(true)
  })
  connection.on('error', () => resolve(false))
  return promise
}

async function waitUntilAnswering(places: Places, pid: number): Promise<void> {
  for (let waitedMs = 0; waitedMs < 30_000; waitedMs += 5) {
    if (await answers(places.socket)) return untilInitialized(places.socket)
    if (!isAlive(pid)) break
    await sleep(5)
  }
  const log = await readFile(places.logFile, 'utf8').catch(() => '')
  throw new Error(
    `containerd did not start; the end of ${places.logFile} says:\n${log.trimEnd().split('\n').slice(-5).join('\n')}`,
  )
}

/** The socket is there a moment before containerd has read what it knows; until then it refuses every call. */
async function untilInitialized(socketPath: string): Promise<void> {
  const runtime = grpcRuntime({ socketPath })
  try {
    for (let waitedMs = 0; ; waitedMs += 5) {
      try {
        await runtime.listPodSandboxes()
        return
      } catch (error) {
        if (waitedMs > 10_000 || !(error as Error).message.includes('not initialized')) throw error
        await sleep(5)
      }
    }
  } finally {
    runtime.close()
  }
}

async function importImage(socket: string, tarFile: string): Promise<string[]> {
  const { stdout } = await run(
    'ctr',
    ['--address', socket, '--namespace', criNamespace, 'images', 'import', '--no-unpack', tarFile],
    { timeoutMs: 600_000 },
  ).catch(async (error: unknown) => {
    // Older ctr lack the flag; unpacking at import is merely slower.
    if (!String(error).includes('flag provided but not defined')) throw error
    return await run('ctr', ['--address', socket, '--namespace', criNamespace, 'images', 'import', tarFile], {
      timeoutMs: 600_000,
    })
  })
  return [...stdout.matchAll(/^unpacking (\S+) |^(\S+)\s+saved/gm)].map(match => match[1] ?? match[2]!)
}

async function stopEverything(
  places: Places,
  program: string,
  place: ProcessPlace,
  endContainers: EndContainers,
): Promise<void> {
  // Containers outlive it; without it they could only be killed.
  if (shimsOf(places).length > 0 && !(await answers(places.socket)))
    await launchDaemon(places, program, place).catch(() => {})
  if (await answers(places.socket)) await stopSandboxes(places.socket, endContainers)
  await stopDaemon(places.pidFile, program)
  await killLeftOvers(places)
  await unmountBelow(places.state)
  await unmountBelow(places.root)
  // The directory may serve others too: only what is containerd's goes, and the directory when it is empty.
  const own = (await readdir(places.state).catch(() => [])).filter(name =>
    /^(io\.containerd\.|containerd\.|runc$|addresses$)/.test(name),
  )
  await Promise.all(own.map(name => rm(join(places.state, name), { recursive: true, force: true })))
  await rmdir(places.state).catch(() => {}) // Not empty, or gone already.
  await place.clear()
}

/** Through CRI, so that addresses are given back, and exit codes are known to the next start. */
async function stopSandboxes(socketPath: string, endContainers: EndContainers): Promise<void> {
  const runtime = grpcRuntime({ socketPath })
  try {
    await endContainers(runtime)
    const sandboxes = await runtime.listPodSandboxes()
    await Promise.allSettled(sandboxes.map(({ id }) => runtime.stopPodSandbox(id)))
  } catch {
    // What CRI could not end is killed below.
  } finally {
    runtime.close()
  }
}

const shimsOf = (places: Places): RunningProcess[] =>
  listProcesses().filter(
    ({ commandLine }) => commandLine.includes(places.socket) && commandLine[0]!.includes('containerd-shim'),
  )

async function killLeftOvers(places: Places): Promise<void> {
  const bundles = join(places.state, 'io.containerd.runtime.v2.task', criNamespace)
  const pids = await Promise.all(
    (await readdir(bundles).catch(() => [])).map(id => readFile(join(bundles, id, 'init.pid'), 'utf8').catch(() => '')),
  )
  for (const { pid } of shimsOf(places)) signal(pid, 'SIGKILL')
  for (const pid of pids) if (Number(pid) > 1) signal(Number(pid), 'SIGKILL')
}
