// Certificates of the machine's own authority, one for each name that the gateway serves and nobody brought one for. They
// are kept, so that a start makes none, and made anew when a third of their time is left.
import { X509Certificate } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../lib/clock.ts'
import type { KeyPairPem } from '../server/auth/certificate-authority.ts'
import { renewalMs } from './cluster-keys.ts'
import { isLocalName, localAuthority } from './local-authority.ts'

export interface OwnCertificatesOptions {
  /** Of this cluster. */
  readonly directory: string
  readonly authorityDirectory: string
  readonly clock: Pick<Clock, 'now'>
}

/** By name, in PEM with their keys. Names that somebody may have on the Internet get none. */
export type OwnCertificates = (names: readonly string[]) => Promise<ReadonlyMap<string, string>>

interface Kept {
  readonly pem: string
  readonly certificate: X509Certificate
}

const days = 90
/** Also by its address. */
const usualName = 'localhost'

export function ownCertificates({ directory, authorityDirectory, clock }: OwnCertificatesOptions): OwnCertificates {
  let kept: Map<string, Kept> | undefined
  let vouching: string | undefined
  const isFresh = (found: Kept | undefined): found is Kept =>
    found !== undefined && clock.now() < renewalMs(found.certificate)

  /** Also of an authority that was replaced. */
  async function makeMissing(names: readonly string[]): Promise<Map<string, Kept>> {
    const { pair } = await localAuthority(authorityDirectory, clock.now())
    let all = (kept ??= readKept(directory, clock.now()))
    if (pair.certificate !== vouching) {
      const { publicKey } = new X509Certificate(pair.certificate)
      all = new Map([...all].filter(([, { certificate }]) => certificate.verify(publicKey)))
    }
    for (const name of names) if (!isFresh(all.get(name))) all.set(name, await make(directory, name, pair, clock.now()))
    kept = all
    vouching = pair.certificate
    return all
  }

  return async names => {
    const own = names.filter(isLocalName)
    const known = kept
    const all = known !== undefined && own.every(name => isFresh(known.get(name))) ? known : await makeMissing(own)
    return new Map(own.map(name => [name, all.get(name)!.pem]))
  }
}

async function make(directory: string, name: string, authority: KeyPairPem, nowMs: number): Promise<Kept> {
  const { signCertificate } = await import('../server/auth/certificate-authority.ts')
  const { certificate, key } = await signCertificate(
    authority,
    {
      // Host names may be longer than this may be.
      commonName: 'Sampan',
      usage: 'server',
      days,
      dnsNames: [name],
      ...(name === usualName && { addresses: ['127.0.0.1'] }),
    },
    nowMs,
  )
  const pem = certificate + key
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const file = fileOf(directory, name)
  writeFileSync(`${file}.new`, pem, { mode: 0o600 })
  renameSync(`${file}.new`, file)
  return { pem, certificate: new X509Certificate(certificate) }
}

/** A star stays apart from names. */
const fileOf = (directory: string, name: string): string => join(directory, `${name.replace('*', '_')}.pem`)
const fileName = /^(.+)\.pem$/

/** What has expired, or is no certificate, goes. */
function readKept(directory: string, nowMs: number): Map<string, Kept> {
  const kept = new Map<string, Kept>()
  for (const file of namesIn(directory)) {
    const path = join(directory, file)
    const name = fileName.exec(file)?.[1]?.replace('_', '*')
    const certificate = name === undefined ? undefined : certificateIn(path)
    if (name !== undefined && certificate !== undefined && nowMs < renewalMs(certificate.certificate))
      kept.set(name, certificate)
    else rmSync(path, { force: true })
  }
  return kept
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}

function certificateIn(path: string): Kept | undefined {
  try {
    const pem = readFileSync(path, 'utf8')
    return { pem, certificate: new X509Certificate(pem) }
  } catch {
    return undefined
  }
}
