// The cluster's keys and certificates: made at its first start, read afterwards, renewed when less than a
// third of their life is left. Files are 0600. The module that makes certificates is loaded only then.
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { nthAddress } from '../lib/ipv4.ts'
import { frontProxyName, type FrontProxy } from '../server/aggregation/front-proxy.ts'
import type { CertificateRequest, KeyPairPem } from '../server/auth/certificate-authority.ts'
import type { ApiEndpoint } from './api-endpoint.ts'
import { SetupError, type ClusterFacts, type ClusterPlaces } from './data-directory.ts'

export interface ClusterKeys {
  readonly authority: KeyPairPem
  readonly serving: KeyPairPem
  readonly admin: KeyPairPem
  /** Of the registry, where others reach it. */
  readonly registry?: KeyPairPem
  /** Vouches for requests that are handed on to aggregated API servers. */
  readonly frontProxy: FrontProxy
  /** Signs service account tokens. */
  readonly tokenKey: string
}

const authorityDays = 3650
const certificateDays = 365

/**
 * @param endpoint where the server is reached, beside its service and its node's name
 * @param ofRegistry where the registry is reached by others
 */
export async function clusterKeys(
  places: ClusterPlaces,
  facts: ClusterFacts,
  nowMs: number,
  endpoint: Pick<ApiEndpoint, 'addresses' | 'names'>,
  ofRegistry?: Pick<ApiEndpoint, 'addresses' | 'names'>,
): Promise<ClusterKeys> {
  mkdirSync(places.keys, { recursive: true, mode: 0o700 })
  const making = (): Promise<typeof import('../server/auth/certificate-authority.ts')> =>
    import('../server/auth/certificate-authority.ts')
  const authority =
    readPair(places, 'ca') ??
    save(places, 'ca', await (await making()).createAuthority(`sampan-${facts.name}`, authorityDays, nowMs))
  const frontAuthority =
    readPair(places, 'front-proxy-ca') ??
    save(places, 'front-proxy-ca', await (await making()).createAuthority('front-proxy-ca', authorityDays, nowMs))
  const signed = async (name: string, request: CertificateRequest, signer = authority): Promise<KeyPairPem> => {
    const present = readPair(places, name)
    if (present !== undefined && fresh(present, signer, nowMs) && covers(present, request)) return present
    return save(places, name, await (await making()).signCertificate(signer, request, nowMs))
  }
  const { network } = facts
  const [serving, admin, frontClient] = await Promise.all([
    signed('serving', {
      commonName: 'kube-apiserver',
      usage: 'server',
      days: certificateDays,
      dnsNames: [
        ...new Set([
          'localhost',
          'kubernetes',
          'kubernetes.default',
          'kubernetes.default.svc',
          `kubernetes.default.svc.${network.domain}`,
          hostname(),
          facts.nodeName,
          ...endpoint.names,
        ]),
      ],
      addresses: ['::1', nthAddress(network.serviceCidr, 1), ...endpoint.addresses],
    }),
    signed('admin', {
      commonName: 'kubernetes-admin',
      organizations: ['system:masters'],
      usage: 'client',
      days: certificateDays,
    }),
    signed(
      'front-proxy-client',
      { commonName: frontProxyName, usage: 'client', days: certificateDays },
      frontAuthority,
    ),
  ])
  const registry =
    ofRegistry &&
    (await signed('registry', {
      commonName: 'sampan-registry',
      usage: 'server',
      days: certificateDays,
      dnsNames: [...new Set(['localhost', hostname(), facts.nodeName, ...ofRegistry.names])],
      addresses: ofRegistry.addresses,
    }))
  const tokenKey =
    read(places, 'tokens.key') ?? write(places, 'tokens.key', await (await making()).generateSigningKey())
  checkKey(places, 'tokens.key', tokenKey)
  return {
    authority,
    serving,
    admin,
    ...(registry && { registry }),
    frontProxy: { authority: frontAuthority.certificate, client: frontClient, clientAuthority: authority.certificate },
    tokenKey,
  }
}

function fresh({ certificate }: KeyPairPem, authority: KeyPairPem, nowMs: number): boolean {
  const parsed = new X509Certificate(certificate)
  return nowMs < renewalMs(parsed) && parsed.verify(new X509Certificate(authority.certificate).publicKey)
}

function covers({ certificate }: KeyPairPem, { addresses = [], dnsNames = [] }: CertificateRequest): boolean {
  const parsed = new X509Certificate(certificate)
  const names = new Set(parsed.subjectAltName?.split(', '))
  return (
    addresses.every(address => parsed.checkIP(address) !== undefined) &&
    dnsNames.every(name => names.has(`DNS:${name}`))
  )
}

/** When it is renewed, in epoch milliseconds: when a third of its life is left. */
export function renewalMs({ validFrom, validTo }: X509Certificate): number {
  const endMs = Date.parse(validTo)
  return endMs - (endMs - Date.parse(validFrom)) / 3
}

/** What the administrator shows, as it is on disk now; undefined: there is none, or it cannot be read. */
export function adminAccess(
  places: ClusterPlaces,
): { authority: string; certificate: string; key: string } | undefined {
  try {
    const [authority, certificate, key] = [read(places, 'ca.crt'), read(places, 'admin.crt'), read(places, 'admin.key')]
    return authority === undefined || certificate === undefined || key === undefined
      ? undefined
      : { authority, certificate, key }
  } catch (error) {
    if (error instanceof SetupError) return undefined
    throw error
  }
}

function readPair(places: ClusterPlaces, name: string): KeyPairPem | undefined {
  const certificate = read(places, `${name}.crt`)
  const key = read(places, `${name}.key`)
  // The key is written first, so a certificate without one has lost it.
  if (certificate !== undefined && key === undefined)
    throw new SetupError(
      `${join(places.keys, `${name}.key`)} is missing; restore the data directory from a backup, or move it away to start empty`,
    )
  if (certificate === undefined || key === undefined) return undefined
  try {
    void new X509Certificate(certificate)
  } catch {
    throw damaged(places, `${name}.crt`, 'a certificate')
  }
  checkKey(places, `${name}.key`, key)
  return { certificate, key }
}

function checkKey(places: ClusterPlaces, name: string, key: string): void {
  try {
    createPrivateKey(key)
  } catch {
    throw damaged(places, name, 'a private key')
  }
}

const damaged = (places: ClusterPlaces, name: string, expected: string): SetupError =>
  new SetupError(
    `${join(places.keys, name)} is damaged: expected ${expected} in PEM; restore the data directory from a backup, or move it away to start empty`,
  )

function save(places: ClusterPlaces, name: string, pair: KeyPairPem): KeyPairPem {
  write(places, `${name}.key`, pair.key)
  write(places, `${name}.crt`, pair.certificate)
  return pair
}

function read(places: ClusterPlaces, name: string): string | undefined {
  try {
    return readFileSync(join(places.keys, name), 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new SetupError(`${join(places.keys, name)} cannot be read: ${(error as Error).message}`)
  }
}

function write(places: ClusterPlaces, name: string, text: string): string {
  const file = join(places.keys, name)
  writeFileSync(`${file}.new`, text, { mode: 0o600 })
  renameSync(`${file}.new`, file)
  return text
}
