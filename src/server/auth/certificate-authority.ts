// The cluster's own certificate authority: made once, kept in the data directory, signs the server's
// certificate and those of clients. Keys are P-256.
import { webcrypto } from 'node:crypto'
import 'reflect-metadata'
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509Certificate,
  X509CertificateGenerator,
  cryptoProvider,
} from '@peculiar/x509'
import { nameConstraints, nameConstraintsId, type PermittedNames } from './name-constraints.ts'

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const dayMs = 86_400_000
/** Certificates begin a little in the past, for clocks that are behind. */
const backdatedMs = 5 * 60_000

export interface KeyPairPem {
  readonly certificate: string
  readonly key: string
}

export interface CertificateRequest {
  readonly commonName: string
  readonly organizations?: readonly string[]
  /** For server certificates. */
  readonly dnsNames?: readonly string[]
  readonly addresses?: readonly string[]
  readonly usage: 'server' | 'client'
  readonly days: number
}

type CryptoKeyPair = webcrypto.CryptoKeyPair

cryptoProvider.set(webcrypto as unknown as Parameters<typeof cryptoProvider.set>[0])

async function newKeys(): Promise<CryptoKeyPair> {
  return (await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as CryptoKeyPair
}

async function keyPem(key: webcrypto.CryptoKey): Promise<string> {
  return `${PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')}\n`
}

const serialNumber = (): string =>
  Buffer.from(webcrypto.getRandomValues(new Uint8Array(16)))
    .toString('hex')
    .replace(/^[89a-f]/, '1')

/** A private key in PEM, for signing tokens. */
export async function generateSigningKey(): Promise<string> {
  return keyPem((await newKeys()).privateKey)
}

/** @param permitted what it may vouch for, as a server; undefined: everything */
export async function createAuthority(
  commonName: string,
  days: number,
  nowMs: number,
  permitted?: PermittedNames,
): Promise<KeyPairPem> {
  const keys = await newKeys()
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: [{ CN: [commonName] }],
    notBefore: new Date(nowMs - backdatedMs),
    notAfter: new Date(nowMs + days * dayMs),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, permitted && 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign | KeyUsageFlags.digitalSignature, true),
      ...(permitted === undefined
        ? []
        : [
            new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
            new Extension(nameConstraintsId, true, nameConstraints(permitted)),
          ]),
    ],
  })
  return { certificate: `${certificate.toString('pem')}\n`, key: await keyPem(keys.privateKey) }
}

export async function signCertificate(
  authority: KeyPairPem,
  request: CertificateRequest,
  nowMs: number,
): Promise<KeyPairPem> {
  const keys = await newKeys()
  const signer = await webcrypto.subtle.importKey('pkcs8', PemConverter.decodeFirst(authority.key), algorithm, false, [
    'sign',
  ])
  const names = [
    ...(request.dnsNames ?? []).map(value => ({ type: 'dns' as const, value })),
    ...(request.addresses ?? []).map(value => ({ type: 'ip' as const, value })),
  ]
  const certificate = await X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: [...(request.organizations ?? []).map(name => ({ O: [name] })), { CN: [request.commonName] }],
    issuer: new X509Certificate(authority.certificate).subject,
    notBefore: new Date(nowMs - backdatedMs),
    notAfter: new Date(nowMs + request.days * dayMs),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey: signer,
    extensions: [
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature | KeyUsageFlags.keyEncipherment, true),
      new ExtendedKeyUsageExtension([
        request.usage === 'server' ? ExtendedKeyUsage.serverAuth : ExtendedKeyUsage.clientAuth,
      ]),
      ...(names.length > 0 ? [new SubjectAlternativeNameExtension(names)] : []),
    ],
  })
  return { certificate: `${certificate.toString('pem')}\n`, key: await keyPem(keys.privateKey) }
}
