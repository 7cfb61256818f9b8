// Certificates for the gateway's tests, as secrets hold them: of an authority of their own, for names and URIs.
import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import {
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509'
import { createAuthority, type KeyPairPem } from '../server/auth/certificate-authority.ts'

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const hourMs = 3_600_000

export type CertificateData = Readonly<Record<'tls.crt' | 'tls.key', string>>

export interface TestAuthority {
  /** In PEM. */
  readonly certificate: string
  /** Names with a scheme are URIs; the first of the others is the subject's. */
  server(...names: readonly string[]): Promise<CertificateData>
  client(name: string): Promise<CertificateData>
}

export async function testAuthority(name: string): Promise<TestAuthority> {
  const authority = await createAuthority(name, 1, Date.now())
  return {
    certificate: authority.certificate,
    server: (...names) => sign(authority, names, ExtendedKeyUsage.serverAuth),
    client: name => sign(authority, [name], ExtendedKeyUsage.clientAuth),
  }
}

async function sign(
  authority: KeyPairPem,
  names: readonly string[],
  usage: ExtendedKeyUsage,
): Promise<CertificateData> {
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair
  const signingKey = await webcrypto.subtle.importKey(
    'pkcs8',
    PemConverter.decodeFirst(authority.key),
    algorithm,
    false,
    ['sign'],
  )
  const certificate = await X509CertificateGenerator.create({
    serialNumber: '01',
    subject: [{ CN: [names.find(name => !isUri(name)) ?? ''] }],
    issuer: new X509Certificate(authority.certificate).subject,
    notBefore: new Date(Date.now() - hourMs),
    notAfter: new Date(Date.now() + 12 * hourMs),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey,
    extensions: [
      new ExtendedKeyUsageExtension([usage]),
      new SubjectAlternativeNameExtension(names.map(value => ({ type: isUri(value) ? 'url' : 'dns', value }))),
    ],
  })
  const key = PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY')
  return { 'tls.crt': `${certificate.toString('pem')}\n`, 'tls.key': `${key}\n` }
}

const isUri = (name: string): boolean => name.includes('://')
