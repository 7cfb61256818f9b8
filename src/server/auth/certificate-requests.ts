// Reads requests for certificates (PKCS #10) and signs them with the cluster's authority, with the usages
// that were asked for and the names the request carries. Source: pkg/controller/certificates/authority.
import { webcrypto } from 'node:crypto'
import 'reflect-metadata'
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  Pkcs10CertificateRequest,
  SubjectAlternativeNameExtension,
  X509Certificate,
  X509CertificateGenerator,
  cryptoProvider,
  type Extension,
} from '@peculiar/x509'
import type { CertificateSigner, RequestedCertificate } from '../../api/certificate-request.ts'
import type { KeyPairPem } from './certificate-authority.ts'

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const backdatedMs = 5 * 60_000
/** Shorter ones end when they were asked to; longer ones lose what they are backdated by. */
const shortMs = 8 * 3_600_000

cryptoProvider.set(webcrypto as unknown as Parameters<typeof cryptoProvider.set>[0])

const keyUsages: Readonly<Record<string, KeyUsageFlags>> = {
  signing: KeyUsageFlags.digitalSignature,
  'digital signature': KeyUsageFlags.digitalSignature,
  'content commitment': KeyUsageFlags.nonRepudiation,
  'key encipherment': KeyUsageFlags.keyEncipherment,
  'key agreement': KeyUsageFlags.keyAgreement,
  'data encipherment': KeyUsageFlags.dataEncipherment,
  'cert sign': KeyUsageFlags.keyCertSign,
  'crl sign': KeyUsageFlags.cRLSign,
  'encipher only': KeyUsageFlags.encipherOnly,
  'decipher only': KeyUsageFlags.decipherOnly,
}
const extendedUsages: Readonly<Record<string, string>> = {
  any: '2.5.29.37.0',
  'server auth': ExtendedKeyUsage.serverAuth,
  'client auth': ExtendedKeyUsage.clientAuth,
  'code signing': ExtendedKeyUsage.codeSigning,
  'email protection': ExtendedKeyUsage.emailProtection,
  's/mime': ExtendedKeyUsage.emailProtection,
  timestamping: ExtendedKeyUsage.timeStamping,
  'ocsp signing': ExtendedKeyUsage.ocspSigning,
  'ipsec end system': '1.3.6.1.5.5.7.3.5',
  'ipsec tunnel': '1.3.6.1.5.5.7.3.6',
  'ipsec user': '1.3.6.1.5.5.7.3.7',
  'microsoft sgc': '1.3.6.1.4.1.311.10.3.3',
  'netscape sgc': '2.16.840.1.113730.4.1',
}

/** @throws Error when the text is not such a request */
export function readCertificateRequest(pem: string): RequestedCertificate {
  const request = parse(pem)
  const names = alternativeNames(request)?.names.items ?? []
  const ofType = (type: string): string[] => names.filter(name => name.type === type).map(name => name.value)
  return {
    commonName: request.subjectName.getField('CN')[0] ?? '',
    organizations: request.subjectName.getField('O'),
    dnsNames: ofType('dns'),
    addresses: ofType('ip'),
    emails: ofType('email'),
    uris: ofType('url'),
  }
}

export function clusterSigner(authority: KeyPairPem, now: () => number): CertificateSigner {
  return {
    read: async pem => readCertificateRequest(pem),
    async sign(pem, { usages, seconds }) {
      const request = parse(pem)
      if (!(await request.verify())) throw new Error('unable to verify certificate request signature')
      const issuer = new X509Certificate(authority.certificate)
      const signingKey = await webcrypto.subtle.importKey(
        'pkcs8',
        PemConverter.decodeFirst(authority.key),
        algorithm,
        false,
        ['sign'],
      )
      const nowMs = now()
      const endMs = nowMs + seconds * 1000 - (seconds * 1000 < shortMs ? 0 : backdatedMs)
      const certificate = await X509CertificateGenerator.create({
        serialNumber: Buffer.from(webcrypto.getRandomValues(new Uint8Array(16)))
          .toString('hex')
          .replace(/^[89a-f]/, '1'),
        subject: request.subjectName,
        issuer: issuer.subject,
        publicKey: request.publicKey,
        signingKey,
        signingAlgorithm: algorithm,
        notBefore: new Date(nowMs - backdatedMs),
        notAfter: new Date(Math.min(endMs, issuer.notAfter.getTime())),
        extensions: extensionsFor(request, usages),
      })
      return `${certificate.toString('pem')}\n`
    },
  }
}

function parse(pem: string): Pkcs10CertificateRequest {
  if (!pem.includes('-----BEGIN CERTIFICATE REQUEST-----'))
    throw new Error('PEM block type must be CERTIFICATE REQUEST')
  return new Pkcs10CertificateRequest(pem)
}

const alternativeNames = (request: Pkcs10CertificateRequest): SubjectAlternativeNameExtension | undefined =>
  request.extensions.find(extension => extension instanceof SubjectAlternativeNameExtension)

function extensionsFor(request: Pkcs10CertificateRequest, usages: readonly string[]): Extension[] {
  const flags = usages.reduce<number>((sum, usage) => sum | (keyUsages[usage] ?? 0), 0)
  const extended = usages.flatMap(usage => extendedUsages[usage] ?? [])
  const names = alternativeNames(request)
  return [
    // oxlint-disable-next-line typescript/no-unsafe-enum-assignment -- several flags together are none of the enum
    ...(flags === 0 ? [] : [new KeyUsagesExtension(flags as KeyUsageFlags, true)]),
    ...(extended.length === 0 ? [] : [new ExtendedKeyUsageExtension(extended)]),
    new BasicConstraintsExtension(false, undefined, true),
    ...(names === undefined ? [] : [names]),
  ]
}
