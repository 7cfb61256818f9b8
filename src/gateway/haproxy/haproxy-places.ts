// Where the HAProxy of a cluster keeps its things, and how it is ended: by whoever takes the cluster down, without all that
// starting one takes.
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { endProcess, stopDaemon } from '../../host/daemon.ts'
import { listProcesses } from '../../host/processes.ts'

export interface HaproxyDirectories {
  /** Of configuration, maps and certificates. */
  readonly dataDirectory: string
  /** Of sockets; short. */
  readonly stateDirectory: string
}

export interface HaproxyPlaces {
  readonly directory: string
  readonly configFile: string
  readonly logFile: string
  readonly pidFile: string
  readonly masterSocket: string
  readonly workerSocket: string
  /** To which it sends copies of requests. */
  readonly mirrorSocket: string
  /** To which it sends lines of the log of requests. */
  readonly logSocket: string
  /** At which the gateway itself answers those who log in. */
  readonly loginSocket: string
  /** Of sockets at which a process is handed what the one before still gets. */
  readonly successorDirectory: string
}

export const program = 'haproxy'
const stopMs = 5_000

export function haproxyPlaces({ dataDirectory, stateDirectory }: HaproxyDirectories): HaproxyPlaces {
  const directory = join(dataDirectory, 'gateway')
  return {
    directory,
    configFile: join(directory, 'haproxy.cfg'),
    logFile: join(directory, 'haproxy.log'),
    pidFile: join(stateDirectory, 'haproxy.pid'),
    masterSocket: join(stateDirectory, 'haproxy-master.sock'),
    workerSocket: join(stateDirectory, 'haproxy.sock'),
    mirrorSocket: join(stateDirectory, 'haproxy-mirror.sock'),
    logSocket: join(stateDirectory, 'gateway-log.sock'),
    loginSocket: join(stateDirectory, 'gateway-logins.sock'),
    successorDirectory: join(stateDirectory, 'haproxy-next'),
  }
}

/** Also of workers whose master is gone. */
export const processesOf = (configFile: string): readonly number[] =>
  listProcesses()
    .filter(({ commandLine }) => commandLine[0]?.endsWith(program) === true && commandLine.includes(configFile))
    .map(({ pid }) => pid)

/** With all its connections. */
export async function stopHaproxy(directories: HaproxyDirectories): Promise<void> {
  const { configFile, pidFile, masterSocket, workerSocket, mirrorSocket, logSocket, loginSocket, successorDirectory } =
    haproxyPlaces(directories)
  await stopDaemon(pidFile, program, stopMs)
  await Promise.all(processesOf(configFile).map(pid => endProcess(pid, stopMs)))
  await Promise.all(
    [masterSocket, workerSocket, mirrorSocket, logSocket, loginSocket, successorDirectory].map(place =>
      rm(place, { force: true, recursive: true }),
    ),
  )
}
