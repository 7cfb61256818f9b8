// A Secret with a certificate for names, signed by an authority, as cert-manager and `kubectl create secret tls` make them.
import { signCertificate, type KeyPairPem } from '../server/auth/certificate-authority.ts'

export interface TlsSecret {
  readonly apiVersion: 'v1'
  readonly kind: 'Secret'
  readonly type: string
  readonly metadata: { readonly name: string; readonly namespace: string }
  readonly data: { readonly 'tls.crt': string; readonly 'tls.key': string }
}

export async function tlsSecret(
  authority: KeyPairPem,
  name: string,
  dnsNames: readonly string[],
  { namespace = 'default', nowMs = Date.now(), days = 30 } = {},
): Promise<TlsSecret> {
  const pair = await signCertificate(authority, { commonName: 'a server', usage: 'server', days, dnsNames }, nowMs)
  return secretWith(pair, name, namespace)
}

export const secretWith = ({ certificate, key }: KeyPairPem, name: string, namespace = 'default'): TlsSecret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  type: 'kubernetes.io/tls',
  metadata: { name, namespace },
  data: { 'tls.crt': base64(certificate), 'tls.key': base64(key) },
})

export const base64 = (text: string): string => Buffer.from(text).toString('base64')
