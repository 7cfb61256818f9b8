import { createPrivateKey, generateKeyPairSync, webcrypto, X509Certificate } from 'node:crypto'
import 'reflect-metadata'
import { PemConverter, X509CertificateGenerator } from '@peculiar/x509'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Secret } from '../../api/generated/models.ts'
import { createAuthority, type KeyPairPem } from '../../server/auth/certificate-authority.ts'
import { base64, secretWith, tlsSecret, type TlsSecret } from '../../testing/tls-secret.ts'
import { certificateOf, type FoundCertificate } from './certificate-of.ts'

const dayMs = 86_400_000
const nowMs = Date.UTC(2026, 5, 1)
let authority: KeyPairPem
let good: TlsSecret
let other: TlsSecret
beforeAll(async () => {
  authority = await createAuthority('test', 100, nowMs)
  good = await tlsSecret(authority, 'web-tls', ['shop.test', '*.shop.test'], { namespace: 'shop', nowMs })
  other = await tlsSecret(authority, 'other', ['shop.test'], { nowMs })
})

const of = (secret: object, atMs = nowMs): FoundCertificate =>
  certificateOf({ namespace: 'shop', name: 'web-tls' }, secret as Secret, atMs)
const withData = (data: Record<string, string>): object => ({ ...good, data: { ...good.data, ...data } })
const text = (name: 'tls.crt' | 'tls.key'): string => Buffer.from(good.data[name], 'base64').toString()

test('is that of the Secret, with its names and its end', () => {
  expect(of(good)).toMatchObject({
    certificate: { id: 'shop.web-tls' },
    names: ['shop.test', '*.shop.test'],
    expiresAtMs: nowMs + 30 * dayMs,
  })
})

test('has its chain and its key, without empty lines and other text, however they are written', () => {
  const chain = `a leaf:\n${text('tls.crt').replaceAll('\n', '\r\n')}\n\n\nan authority:\n${authority.certificate}`
  const found = of(withData({ 'tls.crt': base64(chain), 'tls.key': base64(`\n${text('tls.key')}\n`) }))
  const { pem } = (found as { certificate: { pem: string } }).certificate
  expect(pem.match(/-----BEGIN .*-----/g)).toEqual([
    '-----BEGIN CERTIFICATE-----',
    '-----BEGIN CERTIFICATE-----',
    '-----BEGIN PRIVATE KEY-----',
  ])
  expect(pem).toMatch(/^(\S.*\n)+$/)
})

test('a key may be written as older tools do it', () => {
  const older = createPrivateKey(text('tls.key')).export({ type: 'sec1', format: 'pem' }) as string
  expect(of(withData({ 'tls.key': base64(older) }))).toEqual(of(good))
})

test('is missed where there is no Secret', () => {
  expect(certificateOf({ namespace: 'shop', name: 'none' }, undefined, nowMs)).toEqual({
    problem: 'there is no Secret "none" in the namespace shop',
  })
})

describe('a Secret', () => {
  const encrypted = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' },
  }).privateKey
  test.each([
    ['without a certificate', () => ({ ...good, data: { 'tls.key': good.data['tls.key'] } }), 'has no tls.crt'],
    ['without a key', () => ({ ...good, data: { 'tls.crt': good.data['tls.crt'] } }), 'has no tls.key'],
    ['with nothing', () => ({ metadata: good.metadata }), 'has no tls.crt'],
    ['with an empty certificate', () => withData({ 'tls.crt': '' }), 'has no tls.crt'],
    ['with no PEM', () => withData({ 'tls.crt': base64('hello') }), 'has a tls.crt that is no certificate in PEM'],
    [
      'with a broken certificate',
      () => withData({ 'tls.crt': base64(text('tls.crt').replace(/^MII/m, 'AAA')) }),
      'has a tls.crt that is no certificate in PEM',
    ],
    [
      'with a broken key',
      () => withData({ 'tls.key': base64('-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n') }),
      'has a tls.key that is no private key in PEM, or one with a password',
    ],
    [
      'with a password',
      () => withData({ 'tls.key': base64(encrypted) }),
      'has a tls.key that is no private key in PEM, or one with a password',
    ],
    [
      "with another one's key",
      () => withData({ 'tls.key': other.data['tls.key'] }),
      'has a tls.key that is not the one of its tls.crt',
    ],
  ])('%s is refused', (_what, secret, problem) => {
    expect(of(secret())).toEqual({ problem: `the Secret "web-tls" ${problem}` })
  })

  test('that has expired is refused from then on', () => {
    expect(of(good, nowMs + 29 * dayMs)).not.toHaveProperty('problem')
    expect(of(good, nowMs + 30 * dayMs)).toEqual({
      problem: 'the Secret "web-tls" holds a certificate that expired on 2026-07-01',
    })
  })

  test('with a key that is too short, which HAProxy would refuse with all else, is refused', async () => {
    const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength: 1024 }
    const keys = (await webcrypto.subtle.generateKey(
      { ...algorithm, publicExponent: new Uint8Array([1, 0, 1]) },
      true,
      ['sign', 'verify'],
    )) as webcrypto.CryptoKeyPair
    const made = await X509CertificateGenerator.createSelfSigned({
      name: 'CN=short',
      keys,
      signingAlgorithm: algorithm,
    })
    const key = PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY')
    expect(of(secretWith({ certificate: made.toString('pem'), key }, 'short'))).toEqual({
      problem: expect.stringMatching(/holds a certificate that is not sound: .*key too small/) as string,
    })
  })
})

test('a certificate that names nothing else is for its subject', async () => {
  const { certificate, key } = authority
  expect(of(secretWith({ certificate, key }, 'self'))).toMatchObject({ names: ['test'] })
  expect(new X509Certificate(certificate).subjectAltName).toBeUndefined()
})
