// The unit of a cluster on this machine: its file, and what systemd is asked to do with it.
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CommandFailure } from '../cli/output.ts'
import { kubeconfigPaths, writeContext } from '../client/kubeconfig.ts'
import { CommandError, run } from '../host/command.ts'
import { serviceName } from '../host/process-place.ts'
import { adminAccess } from './cluster-keys.ts'
import { connectControl, type ServerFacts } from './control-socket.ts'
import type { ClusterPlaces } from './data-directory.ts'

const unitFile = (cluster: string): string => join('/etc/systemd/system', serviceName(cluster))

export const isInstalled = (cluster: string): boolean => existsSync(unitFile(cluster))

/** undefined: there is none. */
export const installedUnit = (cluster: string): string | undefined =>
  isInstalled(cluster) ? readFileSync(unitFile(cluster), 'utf8') : undefined

/** Whether the service has started and runs. */
export const isActive = async (cluster: string): Promise<boolean> =>
  (await systemctl('show', '--property=ActiveState', '--value', serviceName(cluster))) === 'active'

/** Puts the unit in place so that it starts at boot; it does not start now. */
export async function installUnit(cluster: string, text: string): Promise<void> {
  const file = unitFile(cluster)
  writeFileSync(`${file}.new`, text)
  renameSync(`${file}.new`, file)
  await systemctl('daemon-reload')
  await systemctl('enable', '--quiet', serviceName(cluster))
}

/** Stops it, pods included, and takes it away. */
export async function removeUnit(cluster: string): Promise<void> {
  await systemctl('disable', '--quiet', '--now', serviceName(cluster))
  rmSync(unitFile(cluster), { force: true })
  await systemctl('daemon-reload')
  // One that failed is remembered otherwise; one that did not is not known any more.
  await systemctl('reset-failed', serviceName(cluster)).catch(() => {})
}

/** Resolves with what the server says of itself when the node is Ready and kubectl knows the way. @throws CommandFailure */
export async function startService(places: ClusterPlaces): Promise<ServerFacts> {
  const unit = serviceName(places.name)
  try {
    await systemctl('start', unit)
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    throw new CommandFailure(`${unit} does not start: ${await lastWords(unit)}\nsee also: journalctl --unit ${unit}`)
  }
  const running = await connectControl(places.controlSocket)
  const admin = adminAccess(places)
  if (running === undefined || admin === undefined)
    throw new CommandFailure(`${unit} has started and ended again; see: journalctl --unit ${unit}`)
  running.close()
  writeContext(kubeconfigPaths(process.env)[0]!, {
    name: places.name,
    server: running.facts.url,
    dataDirectory: places.data,
    ...admin,
  })
  return running.facts
}

async function lastWords(unit: string): Promise<string> {
  const { stdout } = await run('journalctl', [
    `--unit=${unit}`,
    '--output=cat',
    '--lines=20',
    '--quiet',
    '_SYSTEMD_INVOCATION_ID=' + (await systemctl('show', '--property=InvocationID', '--value', unit)),
  ]).catch(() => ({ stdout: '' }))
  const lines = stdout.trimEnd().split('\n')
  const first = lines.findLastIndex(line => line.startsWith('error: '))
  return first === -1 ? 'it says nothing about why' : lines.slice(first).join('\n').slice('error: '.length)
}

const systemctlMs = 600_000

async function systemctl(...args: string[]): Promise<string> {
  return (await run('systemctl', args, { timeoutMs: systemctlMs })).stdout.trim()
}
