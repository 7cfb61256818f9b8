// `sampan up`: starts the server in the background, shows its steps as they are reached, and leaves a
// context for kubectl. A second `up` finds the running server and changes nothing.
import { spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { CommandFailure, Output } from '../../cli/output.ts'
import { kubeconfigPaths, readKubeconfig, renewCredentials, writeContext } from '../../client/kubeconfig.ts'
import { programPath } from '../../host/command.ts'
import { machineClock } from '../../host/machine-clock.ts'
import type { AccessOptions } from '../access-settings.ts'
import type { AuditOptions } from '../audit-settings.ts'
import { adminAccess } from '../cluster-keys.ts'
import { connectControl } from '../control-socket.ts'
import { openDataDirectory, placesOf, type ClusterPlaces } from '../data-directory.ts'
import type { StoreSettings } from '../open-store.ts'
import type { ServerOptions, StartReport } from '../server-options.ts'
import { serverEnvironment, serverFlags } from '../server-runtime.ts'

export interface UpOptions extends AccessOptions, AuditOptions {
  readonly name: string
  readonly dataDir?: string
  readonly apiPort?: number
  readonly advertiseAddress?: string
  readonly nodePortAddresses?: string
  readonly output?: 'json'
  readonly store?: string
  readonly storeCa?: string
  readonly storeCert?: string
  readonly storeKey?: string
  /** A token, also from SAMPAN_JOIN_TOKEN. */
  readonly join?: string
  readonly joinFile?: string
}

/** Paths are made absolute here, since the server works in another directory. */
function accessOptions(options: UpOptions): AccessOptions {
  const { tokenAuthFile, oidcCaFile } = options
  const given = Object.fromEntries(Object.entries(options).filter(([name]) => name.startsWith('oidc')))
  return {
    ...given,
    ...(tokenAuthFile !== undefined && { tokenAuthFile: resolve(tokenAuthFile) }),
    ...(oidcCaFile !== undefined && { oidcCaFile: resolve(oidcCaFile) }),
  }
}

function auditOptions(options: UpOptions): AuditOptions {
  const { auditPolicyFile, auditLogPath } = options
  const given = Object.fromEntries(Object.entries(options).filter(([name]) => name.startsWith('audit')))
  return {
    ...given,
    ...(auditPolicyFile !== undefined && { auditPolicyFile: resolve(auditPolicyFile) }),
    ...(auditLogPath !== undefined && { auditLogPath: resolve(auditLogPath) }),
  }
}

const stepTexts: Record<Extract<StartReport, { step: string }>['step'], string> = {
  api: 'API server answers',
  runtime: 'container runtime runs',
  network: 'service rules are in the kernel',
  registry: 'image registry answers',
  node: 'node is Ready',
}

export async function up(options: UpOptions): Promise<void> {
  const places = placesOf(options.name, options.dataDir)
  const output = new Output()
  assertPossible()
  const running = await connectControl(places.controlSocket)
  if (running !== undefined) {
    running.close()
    // The server may have renewed it since.
    const admin = adminAccess(places)
    if (admin !== undefined) renewCredentials(kubeconfigPaths(process.env)[0]!, options.name, admin)
    if (options.output === 'json')
      console.log(JSON.stringify({ ...running.facts, context: options.name, changed: false }))
    else {
      for (const warning of running.facts.warnings) output.warn(warning)
      output.line(`cluster "${options.name}" is up already: ${running.facts.url} (context ${options.name})`)
    }
    return
  }
  output.working('starting')
  const url = await startServer(places, options, output)
  if (options.output === 'json')
    console.log(JSON.stringify({ url, context: options.name, dataDirectory: places.data, changed: true }))
  else output.line(`cluster "${options.name}" is up: kubectl uses context ${options.name}; next: kubectl get nodes`)
}

/** Every missing program in one sentence with the command that installs them. */
export function assertPossible(): void {
  if (process.platform !== 'linux')
    throw new CommandFailure(
      'containers need Linux; on other systems run Sampan in a virtual machine, or deliver to an existing cluster',
    )
  if (process.getuid?.() !== 0) throw new CommandFailure('starting containers needs root; run the command with sudo')
  const packages = missingPackages()
  if (packages.length > 0)
    throw new CommandFailure(
      `missing on this machine: ${packages.join(', ')}; install with: apt-get install ${packages.join(' ')}`,
    )
}

/** Debian packages that `sampan up` needs and cannot find. */
export function missingPackages(): string[] {
  const directories = programPath().split(':')
  const has = (program: string): boolean => directories.some(directory => existsSync(join(directory, program)))
  const needed: [string, boolean][] = [
    ['containerd', has('containerd')],
    ['runc', has('runc') || has('crun')],
    ['containernetworking-plugins', ['/usr/lib/cni/ptp', '/opt/cni/bin/ptp'].some(file => existsSync(file))],
    ['nftables', has('nft')],
    ['conntrack', has('conntrack')],
    ['iproute2', has('ip')],
  ]
  return needed.filter(([, present]) => !present).map(([name]) => name)
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
    access: accessOptions(options),
    audit: auditOptions(options),
    ...(options.store !== undefined && { store: storeSettings(options.store, options) }),
  }
  const child = spawn(process.execPath, [...serverFlags, serverEntry(), JSON.stringify(serverOptions)], {
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
      writeContext(kubeconfigPaths(process.env)[0]!, {
        name: options.name,
        server: url,
        authority: message.access.authority,
        certificate: message.access.certificate,
        key: message.access.key,
      })
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
async function lookAtStore(places: ClusterPlaces, options: UpOptions): Promise<void> {
  const token = options.joinFile === undefined ? options.join : readToken(options.joinFile)
  // The server need not have it in its environment.
  delete process.env['SAMPAN_JOIN_TOKEN']
  if (options.store === undefined && token === undefined) return
  const { prepareFirstStart } = await import('../join-cluster.ts')
  await prepareFirstStart(
    places,
    options.store === undefined ? undefined : storeSettings(options.store, options),
    token,
    machineClock,
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

/** Paths are made absolute here, since the server works in another directory. */
function storeSettings(store: string, { storeCa, storeCert, storeKey }: UpOptions): StoreSettings {
  return {
    store,
    ...(storeCa !== undefined && { authority: resolve(storeCa) }),
    ...(storeCert !== undefined && { certificate: resolve(storeCert) }),
    ...(storeKey !== undefined && { key: resolve(storeKey) }),
  }
}
