// `sampan up`: starts the server in the background, shows its steps as they are reached, and leaves a
// context for kubectl. A second `up` finds the running server and changes nothing.
import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { CommandFailure, Output } from '../../cli/output.ts'
import { ensureContext, kubeconfigPaths, readKubeconfig, writeContext } from '../../client/kubeconfig.ts'
import { missingPackages } from '../../host/cluster-programs.ts'
import { commandClock } from '../../host/machine-clock.ts'
import { ProcessPlace, serviceName } from '../../host/process-place.ts'
import type { AccessOptions } from '../access-settings.ts'
import type { AuditOptions } from '../audit-settings.ts'
import { adminAccess } from '../cluster-keys.ts'
import { connectControl } from '../control-socket.ts'
import { openDataDirectory, placesOf, type ClusterPlaces } from '../data-directory.ts'
import type { StoreSettings } from '../open-store.ts'
import type { ServerOptions, StartReport } from '../server-options.ts'
import { serverEnvironment, serverFlags } from '../server-runtime.ts'
import { isInstalled, startService } from '../system-service.ts'
import { startWords, withAbsolutePaths, type UpOptions } from '../up-options.ts'

const only = (options: UpOptions, prefix: string): Record<string, unknown> =>
  Object.fromEntries(Object.entries(options).filter(([name]) => name.startsWith(prefix)))

function accessOptions(options: UpOptions): AccessOptions {
  const { tokenAuthFile } = options
  return { ...only(options, 'oidc'), ...(tokenAuthFile !== undefined && { tokenAuthFile }) }
}

const auditOptions = (options: UpOptions): AuditOptions => only(options, 'audit')

const stepTexts: Record<Extract<StartReport, { step: string }>['step'], string> = {
  api: 'API server answers',
  runtime: 'container runtime runs',
  network: 'service rules are in the kernel',
  registry: 'image registry answers',
  node: 'node is Ready',
}

export async function up(given: UpOptions): Promise<void> {
  const options = withAbsolutePaths(given)
  const places = placesOf(options.name, options.dataDir)
  const output = new Output()
  assertPossible()
  const running = await connectControl(places.controlSocket)
  if (running !== undefined) {
    running.close()
    // The server may have renewed it since, and this may be another kubeconfig.
    const admin = adminAccess(places)
    if (admin !== undefined)
      ensureContext(kubeconfigPaths(process.env)[0]!, {
        name: options.name,
        server: running.facts.url,
        dataDirectory: places.data,
        ...admin,
      })
    if (options.output === 'json')
      console.log(JSON.stringify({ ...running.facts, context: options.name, changed: false }))
    else {
      for (const warning of running.facts.warnings) output.warn(warning)
      output.line(`cluster "${options.name}" is up already: ${running.facts.url} (context ${options.name})`)
    }
    const ignored = startWords(options)
    if (ignored.length > 0)
      output.line(
        `it was not started anew, so ${ignored.join(', ')} changed nothing; end it with "sampan down --name ${options.name}", then start it so`,
      )
    return
  }
  if (options.service !== true && isInstalled(options.name)) return upAsService(places, options, output)
  output.working('starting')
  const url = await startServer(places, options, output)
  if (options.output === 'json')
    console.log(JSON.stringify({ url, context: options.name, dataDirectory: places.data, changed: true }))
  else output.line(`cluster "${options.name}" is up: kubectl uses context ${options.name}; next: kubectl get nodes`)
}

/** So that it is the service that is up, and is stopped in order with the machine. */
async function upAsService(places: ClusterPlaces, options: UpOptions, output: Output): Promise<void> {
  if (startWords(options).length > 0)
    throw new CommandFailure(
      `the cluster "${options.name}" is a service of this machine, which starts it with its own options; give it others with: sampan install --name ${options.name}`,
    )
  output.working(`starting ${serviceName(options.name)}`)
  const { url, warnings } = await startService(places)
  output.quiet()
  for (const warning of warnings) output.warn(warning)
  if (options.output === 'json')
    console.log(JSON.stringify({ url, context: options.name, dataDirectory: places.data, changed: true }))
  else
    output.line(`cluster "${options.name}" is up as ${serviceName(options.name)}: kubectl uses context ${options.name}`)
}

/** Every missing program in one sentence with the command that installs them. */
export function assertPossible(): void {
  if (process.platform !== 'linux')
    throw new CommandFailure(
      'containers need Linux; on other systems run Sampan\'s own image with docker run --privileged (README, "In a container"), or deliver to an existing cluster',
    )
  if (process.getuid?.() !== 0) throw new CommandFailure('starting containers needs root; run the command with sudo')
  const packages = missingPackages()
  if (packages.length > 0)
    throw new CommandFailure(
      `missing on this machine: ${packages.join(', ')}; install with: apt-get install ${packages.join(' ')}`,
    )
}

function serverEntry(): string {
  const source = import.meta.url.endsWith('.ts')
  return fileURLToPath(new URL(source ? '../server-process.ts' : './server.js', import.meta.url))
}

/** Resolves with the API's URL when the node is Ready. @throws CommandFailure with the server's own words */
async function startServer(places: ClusterPlaces, options: UpOptions, output: Output): Promise<string> {
  await lookAtStore(places, options)
  openDataDirectory(places)
  // A kubeconfig that cannot be read would be found out about when everything runs.
  readKubeconfig(kubeconfigPaths(process.env)[0]!)
  const log = openSync(places.log, 'a', 0o600)
  const serverOptions: ServerOptions = {
    name: options.name,
    ...(options.dataDir !== undefined && { dataDirectory: options.dataDir }),
    ...(options.apiPort !== undefined && { apiPort: options.apiPort }),
    ...(options.advertiseAddress !== undefined && { advertiseAddress: options.advertiseAddress }),
    ...(options.nodePortAddresses !== undefined && { nodePortAddresses: options.nodePortAddresses }),
    ...(options.bindAddress !== undefined && { bindAddress: options.bindAddress }),
    ...(options.tlsSan !== undefined && { tlsSan: options.tlsSan }),
    ...(options.registryListen !== undefined && { registryListen: options.registryListen }),
    ...(options.acmeDnsCommand !== undefined && { acmeDnsCommand: options.acmeDnsCommand }),
    ...(options.service === true && { isService: true }),
    access: accessOptions(options),
    audit: auditOptions(options),
    ...(options.store !== undefined && { store: storeSettings(options.store, options) }),
  }
  const command = [...serverFlags, serverEntry(), JSON.stringify(serverOptions)]
  const [program, args] =
    options.service === true
      ? [process.execPath, command]
      : new ProcessPlace(options.name).command(process.execPath, command)
  const child = spawn(program, args, {
    detached: true,
    cwd: '/',
    env: { ...process.env, ...serverEnvironment },
    stdio: ['ignore', log, log, 'pipe'],
  })
  closeSync(log)
  const channel = child.stdio[3] as NodeJS.ReadableStream
  let url = ''
  let failure: string | undefined
  let ready = false
  for await (const line of createInterface({ input: channel })) {
    const message = JSON.parse(line) as StartReport
    if ('step' in message) {
      output.done(stepTexts[message.step], message.atMs)
      output.working('starting')
    } else if ('access' in message) {
      url = message.access.url
      const { authority, certificate, key } = message.access
      const entry = { name: options.name, server: url, dataDirectory: places.data, authority, certificate, key }
      // Nobody who just booted the machine has chosen this cluster to work with.
      writeContext(kubeconfigPaths(process.env)[0]!, entry, options.service === true ? 'keep' : 'choose')
    } else if ('warning' in message) output.warn(message.warning)
    else if ('failure' in message) failure = message.failure
    else ready = true
    if (ready || failure !== undefined) break
  }
  output.quiet()
  child.unref()
  if (!ready)
    throw new CommandFailure(
      failure ?? `the server ended while it started; the end of ${places.log}:\n${lastLines(places.log)}`,
    )
  return url
}

/** Only the first start on an etcd, and one with a token, have anything to settle before. */
export async function lookAtStore(places: ClusterPlaces, options: UpOptions): Promise<void> {
  const token = options.joinFile === undefined ? options.join : readToken(options.joinFile)
  // The server need not have it in its environment.
  delete process.env['SAMPAN_JOIN_TOKEN']
  if (options.store === undefined && token === undefined) return
  const { prepareFirstStart } = await import('../join-cluster.ts')
  await prepareFirstStart(
    places,
    options.store === undefined ? undefined : storeSettings(options.store, options),
    token,
    commandClock,
  )
}

function readToken(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new CommandFailure(`the token to join with cannot be read: ${(error as Error).message}`)
  }
}

const lastLines = (file: string): string => readFileSync(file, 'utf8').trimEnd().split('\n').slice(-3).join('\n')

function storeSettings(store: string, { storeCa, storeCert, storeKey }: UpOptions): StoreSettings {
  return {
    store,
    ...(storeCa !== undefined && { authority: storeCa }),
    ...(storeCert !== undefined && { certificate: storeCert }),
    ...(storeKey !== undefined && { key: storeKey }),
  }
}
