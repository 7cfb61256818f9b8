// What Sampan needs of a Debian machine, and how it gets there: root installs it, everybody else is told
// the command.
import { spawnSync } from 'node:child_process'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { findProgram, missingGateway, missingPackages } from '../src/host/cluster-programs.ts'
import { missingServers } from '../src/testing/service-servers.ts'

const isInstalled = (program: string): boolean => findProgram(program) !== undefined

/** Packages without which no cluster starts, and what the end-to-end tests use beside. */
export function testPackages(): string[] {
  const needed: [string, boolean][] = [
    ['busybox-static', existsSync('/bin/busybox')],
    ['kubernetes-client', isInstalled('kubectl')],
    ['etcd-server', isInstalled('etcd')],
    ['iptables', isInstalled('iptables-nft')],
    ['unzip', isInstalled('unzip')],
    ['openssl', isInstalled('openssl')],
    ['ca-certificates', isInstalled('update-ca-certificates')],
    ['libnss3-tools', isInstalled('certutil')],
    ['skopeo', isInstalled('skopeo')],
    ['buildah', isInstalled('buildah')],
    // Docker's own packages would have to go for Debian's.
    ['docker.io', isInstalled('dockerd')],
    ['pebble', isInstalled('pebble')],
    ['g++', isInstalled('g++')],
    ['make', isInstalled('make')],
    ['zsh', isInstalled('zsh')],
    ['fish', isInstalled('fish')],
    ['golang-go', isInstalled('go')],
    ['php-cli', isInstalled('php')],
    ['python3-pip', isInstalled('pip3')],
    ['cargo', isInstalled('cargo')],
    ['default-jdk-headless', isInstalled('javac') && isInstalled('jar')],
  ]
  return [
    ...missingPackages(),
    ...missingGateway(),
    ...needed.filter(([, present]) => !present).map(([name]) => name),
    ...missingServers(),
  ]
}

/** What the boot test needs to make and run a machine. */
export function bootPackages(): string[] {
  const needed: [string, string][] = [
    ['debootstrap', 'debootstrap'],
    ['e2fsprogs', 'mke2fs'],
    ['qemu-system-x86', 'qemu-system-x86_64'],
  ]
  return needed.filter(([, program]) => !isInstalled(program)).map(([name]) => name)
}

export const installCommand = (packages: readonly string[]): string =>
  `apt-get update && apt-get install -y --no-install-recommends ${packages.join(' ')}`

/** What Debian asks before it starts a service. */
const usualPolicy = '/usr/sbin/policy-rc.d'

/** @returns what is still missing, and why, as one sentence; undefined when everything is there */
export function ensurePackages(missing: () => readonly string[], policy = usualPolicy): string | undefined {
  const wanted = missing()
  if (wanted.length === 0) return undefined
  if (process.getuid?.() !== 0)
    return `missing on this machine: ${wanted.join(', ')}; install with: sudo sh -c '${installCommand(wanted)}'`
  if (!isInstalled('apt-get'))
    return `missing on this machine: ${wanted.join(', ')}; they are installed by themselves on Debian only`
  console.log(`installing ${wanted.join(', ')}`)
  const { status, stderr, error } = withoutServices(policy, () =>
    spawnSync('sh', ['-c', installCommand(wanted)], {
      encoding: 'utf8',
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    }),
  )
  const left = missing()
  if (left.length === 0) return undefined
  return `${left.join(', ')} could not be installed: ${error?.message ?? stderr.trim().split('\n').at(-1) ?? `apt-get ended with ${status}`}`
}

/** Tests start the servers that they need; none is to run on the machine because it was installed. */
function withoutServices<T>(policy: string, install: () => T): T {
  if (existsSync(policy)) return install()
  writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    return install()
  } finally {
    rmSync(policy)
  }
}
