// yarn: its classic version and what came after (2 to 4), which share no more than the name of the lock file. Neither
// can install for some members only, so what is installed is a folder that names nothing else. Later versions go
// into node_modules, also where a project uses Plug'n'Play: Node.js alone could not start what is in there.
import { parse } from 'yaml'
import type { Lock, PackageManager } from './package-manager.ts'

const yarnRegistry = 'https://registry.yarnpkg.com'
const quiet = ['--non-interactive', '--prefer-offline', '--no-progress']

export const yarnClassic: PackageManager = {
  name: 'yarn',
  makesLock: 'yarn install',
  readLock: (text, memberNames) => {
    const locked = classicEntries(text)
    const paths = new Map([...memberNames()].map(([path, name]) => [name, path]))
    return {
      members: [...paths.values()],
      linkOf: (_member, name, range) => (locked.has(`${name}@${range}`) ? undefined : paths.get(name)),
    }
  },
  settings: ['.npmrc', '.yarnrc'],
  comparesDevelopment: false,
  wantsAllMembers: false,
  installProduction: () => ({
    args: ['install', '--production', '--frozen-lockfile', '--ignore-engines', ...quiet],
  }),
  installAll: { args: ['install', '--frozen-lockfile', '--production=false', ...quiet] },
  registry: yarnRegistry,
  // It asks for what it has not kept in spite of it.
  offline: { args: ['--offline'], environment: { yarn_network_timeout: '1000' } },
  buildScript: ['--silent', 'run', 'build'],
  marks: ['node_modules/.yarn-integrity'],
  fits: (lock, mark) => {
    const wanted = classicEntries(lock)
    const { lockfileEntries = {}, flags = [] } = JSON.parse(mark) as ClassicMark
    const there = Object.entries(lockfileEntries)
    return (
      !flags.includes('production') &&
      there.length === wanted.size &&
      there.every(([name, resolved]) => wanted.get(name) === resolved)
    )
  },
  program: () => ({ name: 'yarn', version: '1.22.22' }),
}

interface ClassicMark {
  readonly flags?: readonly string[]
  readonly lockfileEntries?: Readonly<Record<string, string>>
}

/** `name@range` -> where it comes from. */
function classicEntries(text: string): Map<string, string> {
  if (!/^# yarn lockfile v1$/m.test(text)) throw new Error('it is no lock file of yarn')
  const entries = new Map<string, string>()
  for (const block of text.split(/\n(?=\S)/)) {
    const names = /^(?!#)(.*):$/m.exec(block)?.[1]
    if (names === undefined || block.startsWith('#')) continue
    const resolved = /^ {2}resolved "?([^"\n]*)"?$/m.exec(block)?.[1] ?? ''
    for (const name of names.split(', ')) entries.set(name.replaceAll('"', ''), resolved)
  }
  return entries
}

export const yarnBerry: PackageManager = {
  name: 'yarn',
  makesLock: 'yarn install --mode=update-lockfile',
  readLock: text => berryLock(text),
  settings: ['.npmrc', '.yarnrc.yml', '.yarn/plugins', '.yarn/patches'],
  comparesDevelopment: false,
  wantsAllMembers: false,
  installProduction: () => ({
    args: ['install'],
    environment: {
      // The lock file loses what only others need; what it gains is found afterwards.
      YARN_ENABLE_IMMUTABLE_INSTALLS: 'false',
      YARN_NODE_LINKER: 'node-modules',
      YARN_ENABLE_GLOBAL_CACHE: 'true',
      ...ofItsOwn,
    },
  }),
  installAll: { args: ['install', '--immutable'] },
  registry: yarnRegistry,
  offline: { args: [], environment: { YARN_ENABLE_NETWORK: 'false' } },
  buildScript: ['run', 'build'],
  marks: ['node_modules/.yarn-state.yml', '.pnp.cjs'],
  program: text => ({
    name: '@yarnpkg/cli-dist',
    version: berryVersion(Number(/^__metadata:\n(?: .*\n)*? {2}version: (\d+)/m.exec(text)?.[1])),
  }),
}

/** The version that is run was chosen already. */
const ofItsOwn = { YARN_IGNORE_PATH: '1', YARN_ENABLE_TELEMETRY: 'false' }

const berryVersion = (lock: number): string => (lock >= 10 ? '4.18.1' : lock >= 8 ? '4.9.2' : '3.8.7')

interface BerryEntry {
  readonly resolution?: string
}

function berryLock(text: string): Lock {
  if (!isBerry(text)) throw new Error('it is no lock file of yarn')
  // Only members are read: the packages are most of a file that takes long to read.
  const blocks = text.split(/\n{2,}/).filter(block => /^"?[^\n]*@workspace:/.test(block))
  const paths = new Map<string, string>()
  for (const [names, { resolution = '' }] of Object.entries((parse(blocks.join('\n\n')) ?? {}) as BerryEntries)) {
    const path = /@workspace:(.*)$/.exec(resolution)?.[1]
    if (path !== undefined) for (const name of names.split(', ')) paths.set(name, path === '.' ? '' : path)
  }
  return {
    members: [...new Set(paths.values())].filter(path => path !== ''),
    linkOf: (_member, name, range) => paths.get(`${name}@${range}`) ?? paths.get(`${name}@npm:${range}`),
  }
}

type BerryEntries = Readonly<Record<string, BerryEntry>>

export const isBerry = (text: string): boolean => /^__metadata:/m.test(text)

/** What a lock file names: `name@range` -> version. */
export function berryResolutions(text: string): Set<string> {
  return new Set([...text.matchAll(/^ {2}resolution: "(.*)"$/gm)].map(match => match[1]!))
}
