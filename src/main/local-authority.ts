// The certificate authority of this machine, for what its clusters serve at names that are nobody's on the Internet. All
// clusters of a user have the same one, so that it is trusted once. It may vouch for such names alone: whoever got its key
// could pretend to be nothing that people go to.
import { X509Certificate } from 'node:crypto'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { homeFolder } from '../client/home-folder.ts'
import { usualDataDirectory } from '../client/start-command.ts'
import { whileLocked } from '../host/lock.ts'
import { makeFolder } from '../host/make-folder.ts'
import type { KeyPairPem } from '../server/auth/certificate-authority.ts'
import { SetupError } from './data-directory.ts'

/** Nobody has one on the Internet, nor on the network of an office or a home. Source: RFC 6761. */
const localNames = ['localhost', 'test', 'example']
const loopback = [127, 0, 0, 0, 255, 0, 0, 0]

export const isLocalName = (name: string): boolean =>
  localNames.some(local => name === local || name.endsWith(`.${local}`))

const authorityDays = 3650
/** With less than that left, what it vouches for would outlive it. */
const leastDays = 180
const dayMs = 86_400_000

export interface LocalAuthority {
  readonly pair: KeyPairPem
  readonly certificateFile: string
}

/** No cluster has such a name. */
export const authorityDirectory = (): string =>
  process.env['SAMPAN_AUTHORITY'] ??
  (process.getuid?.() === 0
    ? usualDataDirectory('local.authority')
    : join(homeFolder(), '.local/share/sampan/local.authority'))

/** Made when somebody asks for it first, and when its time is nearly over. @throws SetupError */
export function localAuthority(directory: string, nowMs: number): Promise<LocalAuthority> {
  return whileLocked(`sampan-authority ${directory}`, async () => {
    const pair = readAuthority(directory)
    const isFresh = pair !== undefined && isGoodFor(pair, nowMs)
    return {
      pair: isFresh ? pair : await makeAuthority(directory, nowMs),
      certificateFile: join(directory, certificateName),
    }
  })
}

const certificateName = 'ca.crt'
const keyName = 'ca.key'

/** @returns undefined where there is none. @throws SetupError */
export function readAuthority(directory: string): KeyPairPem | undefined {
  const [key, certificate] = [keyName, certificateName].map(name => read(join(directory, name)))
  if (certificate === undefined || key === undefined) return undefined
  try {
    void new X509Certificate(certificate)
  } catch {
    throw new SetupError(
      `${join(directory, certificateName)} is damaged: expected a certificate in PEM; remove ${directory}, and another authority is made, which has to be trusted anew: sampan trust`,
    )
  }
  return { certificate, key }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new SetupError(`${file} cannot be read: ${(error as Error).message}`)
  }
}

const isGoodFor = ({ certificate }: KeyPairPem, nowMs: number): boolean =>
  Date.parse(new X509Certificate(certificate).validTo) - nowMs > leastDays * dayMs

async function makeAuthority(directory: string, nowMs: number): Promise<KeyPairPem> {
  const { createAuthority } = await import('../server/auth/certificate-authority.ts')
  const pair = await createAuthority(authorityName, authorityDays, nowMs, { names: localNames, ranges: [loopback] })
  try {
    makeFolder(directory, 0o700)
    // The key is first, so that a certificate has one.
    for (const [name, text] of [
      [keyName, pair.key],
      [certificateName, pair.certificate],
    ] as const) {
      const file = join(directory, name)
      writeFileSync(`${file}.new`, text, { mode: 0o600 })
      renameSync(`${file}.new`, file)
    }
  } catch (error) {
    throw new SetupError(
      `the certificate authority of this machine cannot be kept in ${directory}: ${(error as Error).message}; make it writable, or name another folder with SAMPAN_AUTHORITY`,
    )
  }
  return pair
}

/** As people see it among those that a machine trusts. */
export const authorityName = 'Sampan, for local names of this machine'
