// npm: package-lock.json and npm-shrinkwrap.json, which say where each package goes, members of the workspace included.
import type { Lock, PackageManager } from './package-manager.ts'

/** What a package-lock.json says of one package. */
interface LockedPackage {
  readonly link?: boolean
  readonly resolved?: string
  readonly version?: string
  readonly integrity?: string
  readonly optional?: boolean
}

type LockedPackages = Readonly<Record<string, LockedPackage>>

export const npmRegistry = 'https://registry.npmjs.org'

export const npm: PackageManager = {
  name: 'npm',
  makesLock: 'npm install --package-lock-only',
  readLock: text => lockOf(packagesIn(text)),
  settings: ['.npmrc'],
  comparesDevelopment: true,
  wantsAllMembers: true,
  installProduction: needed => ({
    args: [
      'ci',
      '--loglevel=error',
      '--omit=dev',
      '--no-audit',
      '--no-fund',
      '--prefer-offline',
      ...(needed.includes('') ? [] : needed.map(path => `--workspace=${path}`)),
    ],
  }),
  installAll: { args: ['ci', '--loglevel=error', '--include=dev', '--no-audit', '--no-fund', '--prefer-offline'] },
  registry: npmRegistry,
  offline: { args: [], environment: { npm_config_offline: 'true' } },
  buildScript: ['run', '--silent', 'build'],
  marks: ['node_modules/.package-lock.json'],
  fits: (lock, mark) => {
    const wanted = packagesIn(lock)
    const there = packagesIn(mark)
    return (
      Object.keys(there).every(path => wanted[path] !== undefined) &&
      Object.entries(wanted).every(([path, each]) => path === '' || isSame(each, there[path]))
    )
  },
}

const packagesIn = (text: string): LockedPackages => (JSON.parse(text) as { packages?: LockedPackages }).packages ?? {}

/** An optional package may be of another machine. Where one came from, a lock file may leave out. */
function isSame(wanted: LockedPackage, there: LockedPackage | undefined): boolean {
  if (there === undefined) return wanted.optional === true
  if (wanted.link === true) return wanted.resolved === there.resolved
  return wanted.version === there.version && wanted.integrity === there.integrity
}

function lockOf(packages: LockedPackages): Lock {
  return {
    members: Object.keys(packages).filter(path => path !== '' && !path.split('/').includes('node_modules')),
    linkOf: (member, name) => {
      const found = packages[`${member}/node_modules/${name}`] ?? packages[`node_modules/${name}`]
      return found?.link === true ? found.resolved : undefined
    },
  }
}
