// A key, and the request for a certificate of it (PKCS 10).
import { createPublicKey, generateKeyPairSync, webcrypto } from 'node:crypto'
import 'reflect-metadata'
import {
  Pkcs10CertificateRequestGenerator,
  PemConverter,
  SubjectAlternativeNameExtension,
  cryptoProvider,
} from '@peculiar/x509'

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

/** In PEM. */
export const newKey = (): string =>
  generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string

/** @param keyPem as `newKey` makes it @returns DER */
export async function certificateRequest(keyPem: string, domain: string): Promise<Buffer> {
  cryptoProvider.set(webcrypto as unknown as Parameters<typeof cryptoProvider.set>[0])
  const [privateKey, publicKey] = await Promise.all([
    webcrypto.subtle.importKey('pkcs8', PemConverter.decodeFirst(keyPem), algorithm, false, ['sign']),
    webcrypto.subtle.importKey(
      'spki',
      createPublicKey(keyPem).export({ type: 'spki', format: 'der' }),
      algorithm,
      true,
      ['verify'],
    ),
  ])
  const request = await Pkcs10CertificateRequestGenerator.create({
    // Names that are longer than a subject may be stand in the extension alone.
    keys: { privateKey, publicKey },
    signingAlgorithm: algorithm,
    extensions: [new SubjectAlternativeNameExtension([{ type: 'dns', value: domain }])],
  })
  return Buffer.from(request.rawData)
}
