// Which Debian packages, in which versions, an image gets for the names that were asked for: with all they depend on
// and without what the image has, as apt works it out for a system that has no more than that. Nothing is installed
// on this machine, and nothing is locked: it works for every user who may read apt's lists.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CommandError, MissingProgramError, run } from '../../../host/command.ts'
import { BuildError } from '../build-error.ts'
import type { DebianPackage } from '../layers/debian-owners.ts'

/** What packages depend on only to be installed and removed, which never happens in an image. */
const installationTools = ['dpkg', 'debconf', 'ucf', 'adduser', 'install-info', 'init-system-helpers']
const architectures: Readonly<Record<string, string>> = { x64: 'amd64' }
const timeoutMs = 300_000

/**
 * @param present what the image has already
 * @param making an empty folder
 * @throws BuildError
 */
export async function resolvePackages(
  names: readonly string[],
  present: readonly DebianPackage[],
  making: string,
): Promise<DebianPackage[]> {
  const status = join(making, 'status')
  const has = new Set([...present.map(({ name }) => name), ...names])
  const tools = installationTools.filter(name => !has.has(name))
  const architecture = architectures[process.arch] ?? process.arch
  await writeFile(
    status,
    [
      ...present.filter(({ name }) => !names.includes(name)),
      ...tools.map(name => ({ name, version: '9999', architecture })),
    ]
      .map(installed)
      .join('\n'),
  )
  const { stdout } = await apt(
    [
      '-o',
      `Dir::State::status=${status}`,
      // Keeps what is worked out for another system out of the machine's own files.
      '-o',
      'Dir::Cache::pkgcache=',
      '--no-install-recommends',
      '--simulate',
      '--yes',
      '--quiet=2',
      'install',
      ...names,
    ],
    names,
  )
  return stdout.split('\n').flatMap(packageOf)
}

const installed = ({ name, version, architecture }: DebianPackage): string =>
  [
    `Package: ${name}`,
    'Status: install ok installed',
    `Architecture: ${architecture}`,
    'Multi-Arch: foreign',
    `Version: ${version}`,
    'Maintainer: nobody <nobody@localhost>',
    'Description: in the image',
    ...(name === 'debconf' ? ['Provides: debconf-2.0'] : []),
    '',
  ].join('\n')

/** `Inst zlib1g (1:1.2.13.dfsg-1 Debian:12.11/stable [amd64])`; what apt has fetched before is among them. */
function packageOf(line: string): DebianPackage[] {
  const match = /^Inst ([^\s:]+)\S* (?:\[[^\]]*\] )?\((\S+) .*\[([^\]\s]+)\]\)/.exec(line)
  if (match === null) return []
  const [, name = '', version = '', architecture = ''] = match
  return [{ name, version, architecture }]
}

/** @throws BuildError */
export async function downloadPackages(packages: readonly DebianPackage[], directory: string): Promise<void> {
  if (packages.length === 0) return
  const wanted = packages.map(({ name, version, architecture }) =>
    architecture === 'all' ? `${name}=${version}` : `${name}:${architecture}=${version}`,
  )
  await apt(['-o', 'APT::Sandbox::User=root', '--quiet=2', 'download', ...wanted], wanted, directory)
}

async function apt(
  args: readonly string[],
  names: readonly string[],
  directory?: string,
): Promise<{ readonly stdout: string }> {
  try {
    return await run('apt-get', args, {
      timeoutMs,
      environment: { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' },
      ...(directory !== undefined && { directory }),
    })
  } catch (error) {
    if (error instanceof MissingProgramError)
      throw new BuildError(
        `"packages" takes files from Debian's packages with apt-get, which this machine has not; build on Debian or Ubuntu, or with a Dockerfile`,
      )
    if (!(error instanceof CommandError)) throw error
    const unknown = /Unable to locate package (\S+)|Package '?([^\s']+)'? has no installation candidate/.exec(
      error.stderr,
    )
    if (unknown !== null) throw new BuildError(await unknownPackage(unknown[1] ?? unknown[2]!))
    const said = error.stderr
      .split('\n')
      .filter(line => line.trim() !== '' && !line.startsWith('W:'))
      .slice(-8)
    throw new BuildError(`the Debian packages ${names.join(', ')} cannot be had:\n${said.join('\n')}`)
  }
}

async function unknownPackage(name: string): Promise<string> {
  const alike = await namesLike(name)
  return `packages: apt knows no package "${name}"; ${alike.length === 0 ? '' : `there is ${alike.join(', ')}; `}if the name is right, bring apt's lists up to date with: apt-get update`
}

/** Those that begin with as much of it as there is. */
async function namesLike(name: string): Promise<string[]> {
  for (let length = name.length - 1; length >= 4; length--) {
    const { stdout } = await run('apt-cache', ['pkgnames', name.slice(0, length)]).catch(() => ({ stdout: '' }))
    const found = stdout.split('\n').filter(candidate => candidate !== '' && !candidate.includes(':'))
    const nearest = found.toSorted(
      (left, right) =>
        Math.abs(left.length - name.length) - Math.abs(right.length - name.length) || (left < right ? -1 : 1),
    )
    if (nearest.length > 0) return nearest.slice(0, 5)
  }
  return []
}
