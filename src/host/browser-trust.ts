// The certificates that Firefox and Chromium trust beside their own: databases of NSS in the homes of people, which
// `certutil` changes.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { CommandError, run } from './command.ts'
import type { TrustState } from './system-trust.ts'

/** Where a browser has one database, and where it has one for each profile. */
const single = ['.pki/nssdb', 'snap/chromium/current/.pki/nssdb']
const profiles = [
  '.mozilla/firefox',
  'snap/firefox/common/.mozilla/firefox',
  '.var/app/org.mozilla.firefox/.mozilla/firefox',
]

export function browserDatabases(home: string): readonly string[] {
  const all = [
    ...single.map(place => join(home, place)),
    ...profiles.flatMap(place => foldersIn(join(home, place)).map(name => join(home, place, name))),
  ]
  return all.filter(folder => existsSync(join(folder, 'cert9.db')))
}

function foldersIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter(entry => entry.isDirectory())
      .map(({ name }) => name)
  } catch {
    return []
  }
}

/** @param name by which people see it there. @throws MissingProgramError, CommandError */
export async function trustInBrowser(database: string, name: string, certificate: string): Promise<TrustState> {
  const known = await knownIn(database, name)
  if (known === certificate.trim()) return 'present'
  if (known !== undefined) await certutil(database, '-D', '-n', name)
  await certutil(database, '-A', '-t', 'C,,', '-n', name, { input: certificate })
  return 'added'
}

/** @throws MissingProgramError, CommandError */
export async function distrustInBrowser(database: string, name: string): Promise<TrustState> {
  if ((await knownIn(database, name)) === undefined) return 'absent'
  await certutil(database, '-D', '-n', name)
  return 'removed'
}

/** In PEM. */
async function knownIn(database: string, name: string): Promise<string | undefined> {
  try {
    return (await certutil(database, '-L', '-n', name, '-a')).replaceAll('\r', '').trim()
  } catch (error) {
    if (error instanceof CommandError) return undefined
    throw error
  }
}

async function certutil(database: string, ...given: readonly (string | { readonly input: string })[]): Promise<string> {
  const args = given.filter(each => typeof each === 'string')
  const options = given.find(each => typeof each !== 'string')
  return (await run('certutil', [...args, '-d', `sql:${database}`], options)).stdout
}
