// `sampan install`: the cluster becomes a service of the machine, with the options of `up`. A cluster that runs
// already is taken over with its containers running on; installing again with other options changes them so.
// `sampan uninstall` stops the cluster and takes the service away; its data stays.
import { resolve } from 'node:path'
import { CommandFailure, Output } from '../../cli/output.ts'
import { kubeconfigPaths } from '../../client/kubeconfig.ts'
import { endProcess } from '../../host/daemon.ts'
import { hasSystemd, serviceName } from '../../host/process-place.ts'
import { connectControl } from '../control-socket.ts'
import { openDataDirectory, placesOf, type ClusterPlaces } from '../data-directory.ts'
import { ownProgram } from '../own-package.ts'
import { withName } from '../roots-cluster.ts'
import { serviceUnitText } from '../service-unit.ts'
import { installedUnit, installUnit, isActive, isInstalled, removeUnit, startService } from '../system-service.ts'
import { upArguments, withAbsolutePaths, type UpOptions } from '../up-options.ts'
import { assertPossible, lookAtStore } from './up.ts'

export interface InstallOptions extends UpOptions {
  readonly stopTimeout: number
}

const serverStopMs = 15_000

export async function install(given: InstallOptions): Promise<void> {
  const { stopTimeout, ...options } = withAbsolutePaths(given)
  const { name } = options
  assertPossible()
  assertSystemd(withName('sampan up', name))
  const places = placesOf(name, options.dataDir)
  const output = new Output()
  const before = installedUnit(name)
  const text = serviceUnitText({
    cluster: name,
    program: lastingProgram(),
    upArguments: upArguments({ ...options, dataDir: places.data }),
    dataDirectory: places.data,
    pidFile: places.pidFile,
    stopSeconds: stopTimeout,
    needsNetwork: options.store !== undefined || options.advertiseAddress !== undefined,
    environment: { KUBECONFIG: resolve(kubeconfigPaths(process.env)[0]!), ...proxySettings(process.env) },
  })
  openDataDirectory(places)
  // The token of another server is good for one start, and nothing to write into a file that all can read.
  await lookAtStore(places, options)
  output.working(`starting ${serviceName(name)}`)
  await installUnit(name, text)
  // Whoever started it: its containers run on, and the service's server takes them over.
  if (text !== before || !(await isActive(name))) await endServer(places)
  const { url, warnings } = await startService(places).catch(async (error: unknown) => {
    await takeBack(places, before)
    throw error
  })
  output.quiet()
  for (const warning of warnings) output.warn(warning)
  if (options.output === 'json')
    console.log(JSON.stringify({ url, context: name, unit: serviceName(name), changed: text !== before }))
  else output.line(`cluster "${name}" is up and starts at boot as ${serviceName(name)}: kubectl uses context ${name}`)
}

/** Containers stay. */
async function endServer({ controlSocket }: ClusterPlaces): Promise<void> {
  const running = await connectControl(controlSocket)
  if (running === undefined) return
  running.close()
  await endProcess(running.facts.pid, serverStopMs)
}

/** A service that does not start would be tried for ever; the one before goes on. */
async function takeBack(places: ClusterPlaces, before: string | undefined): Promise<void> {
  await removeUnit(places.name)
  if (before === undefined) return
  await installUnit(places.name, before)
  await startService(places).catch(() => {}) // The first failure is the one to tell.
}

export interface UninstallOptions {
  readonly name: string
}

export async function uninstall({ name }: UninstallOptions): Promise<void> {
  const places = placesOf(name, undefined)
  const output = new Output()
  if (process.getuid?.() !== 0) throw new CommandFailure("services are root's; run the command with sudo")
  assertSystemd(withName('sampan down', name))
  if (!isInstalled(name)) {
    output.line(`cluster "${name}" is no service of this machine; nothing to do`)
    return
  }
  output.working(`stopping ${serviceName(name)}`)
  await removeUnit(name)
  output.quiet()
  output.line(`cluster "${name}" is down and does not start at boot any more; its data stays in ${places.data}`)
}

function assertSystemd(instead: string): void {
  if (!hasSystemd())
    throw new CommandFailure(`services of the machine need systemd, which does not run here; use: ${instead}`)
}

/** The command as systemd can start it at any time. @throws CommandFailure when it may be gone tomorrow */
function lastingProgram(): string {
  if (ownProgram.includes('/_npx/'))
    throw new CommandFailure(
      `${ownProgram} is npx's and may be deleted at any time; install Sampan before: npm install --global sampan`,
    )
  return ownProgram
}

/** Images are pulled through the proxy that whoever installs uses. */
function proxySettings(environment: NodeJS.ProcessEnv): Record<string, string> {
  const names = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'].flatMap(name => [name, name.toLowerCase()])
  return Object.fromEntries(names.flatMap(name => (environment[name] ? [[name, environment[name]]] : [])))
}
