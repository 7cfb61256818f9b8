// The programs of the machine that a cluster is made of or runs, and the Debian packages that bring them: one list
// for what `sampan up` asks for, what goes into Sampan's own image, and what the boot test installs.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { programPath } from './command.ts'

/** Any one of the programs is enough; the first that is there is taken. */
export const clusterPrograms: readonly (readonly [debianPackage: string, ...programs: string[]])[] = [
  ['containerd', 'containerd'],
  ['containerd', 'containerd-shim-runc-v2'],
  ['runc', 'runc', 'crun'],
  ['nftables', 'nft'],
  ['conntrack', 'conntrack'],
  ['iproute2', 'ip'],
  ['mount', 'mount'],
  ['mount', 'umount'],
  ['coreutils', 'mkfifo'],
]

export const networkPluginsPackage = 'containernetworking-plugins'
const networkPlugins = ['host-local', 'loopback', 'ptp']
const pluginPlaces = ['/usr/lib/cni', '/opt/cni/bin']

/** All of them, each once. */
export const clusterPackages: readonly string[] = [
  ...new Set([...clusterPrograms.map(([debianPackage]) => debianPackage), networkPluginsPackage]),
]

/** Path of the first of the programs that this machine has. */
export function findProgram(...names: string[]): string | undefined {
  const directories = programPath().split(':')
  return names.flatMap(name => directories.map(directory => join(directory, name))).find(existsSync)
}

/** Without it a cluster works, and has no gateway. */
export const missingGateway = (): string[] => (findProgram('haproxy') === undefined ? ['haproxy'] : [])

/** Paths of the CNI plug-ins; undefined where one is missing. */
export function findNetworkPlugins(): string[] | undefined {
  const found = networkPlugins.map(name => pluginPlaces.map(place => join(place, name)).find(existsSync))
  return found.includes(undefined) ? undefined : (found as string[])
}

/** Debian packages that a cluster needs and this machine has not. */
export function missingPackages(): string[] {
  const missing = clusterPrograms
    .filter(([, ...names]) => findProgram(...names) === undefined)
    .map(([debianPackage]) => debianPackage)
  return [...new Set([...missing, ...(findNetworkPlugins() === undefined ? [networkPluginsPackage] : [])])]
}
