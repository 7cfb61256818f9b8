// How an aggregated API server knows that a request comes from this one, and on whose behalf: a client
// certificate of an authority of its own, and X-Remote-* headers. The authority is published in a ConfigMap
// of kube-system, where such servers look for it. Source: kube-aggregator; apiserver pkg/authentication/request/headerrequest.
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import { X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import { configMaps, roleBindings, roles } from '../../api/resources.ts'
import type { KeyPairPem } from '../auth/certificate-authority.ts'
import { percentDecoded } from '../../lib/percent-decoded.ts'
import { publishObject } from '../publish-object.ts'
import type { UserInfo } from '../request.ts'
import type { ServerContext } from '../server-context.ts'

export const frontProxyName = 'front-proxy-client'

export interface FrontProxy {
  /** PEM of the authority whose certificates may speak for others. */
  readonly authority: string
  /** What this server shows to aggregated ones; its name is `front-proxy-client`. */
  readonly client: KeyPairPem
  /** PEM of the authority of ordinary client certificates. */
  readonly clientAuthority: string
}

const extraPrefix = 'x-remote-extra-'

export function remoteUserHeaders({ username, uid, groups, extra = {} }: UserInfo): OutgoingHttpHeaders {
  return {
    'X-Remote-User': sent(username),
    ...(uid !== undefined && { 'X-Remote-Uid': sent(uid) }),
    'X-Remote-Group': groups.map(sent),
    ...Object.fromEntries(
      Object.entries(extra).map(([key, values]) => [`X-Remote-Extra-${encodeURIComponent(key)}`, values.map(sent)]),
    ),
  }
}

/** Headers are bytes, and Node.js wants each as a character. */
const sent = (text: string): string => Buffer.from(text).toString('latin1')
const received = (text: string): string => Buffer.from(text, 'latin1').toString()

/** @param authority PEM */
export function isIssuedBy(socket: TLSSocket, authority: string): boolean {
  const certificate = socket.getPeerX509Certificate()
  const issuer = new X509Certificate(authority)
  return certificate !== undefined && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)
}

/** undefined: the headers name nobody. A header stands once for each value, since groups may have commas in them. */
export function remoteUser({
  headersDistinct: headers,
}: Pick<IncomingMessage, 'headersDistinct'>): UserInfo | undefined {
  const valuesOf = (name: string): string[] => (headers[name] ?? []).map(received).filter(text => text !== '')
  const [username] = valuesOf('x-remote-user')
  if (username === undefined) return undefined
  const [uid] = valuesOf('x-remote-uid')
  const extra = Object.keys(headers).filter(name => name.startsWith(extraPrefix))
  const groups = valuesOf('x-remote-group')
  return {
    username,
    ...(uid !== undefined && { uid }),
    groups:
      groups.includes('system:authenticated') || username === 'system:anonymous'
        ? groups
        : [...groups, 'system:authenticated'],
    ...(extra.length > 0 && {
      extra: Object.fromEntries(extra.map(name => [percentDecoded(name.slice(extraPrefix.length)), valuesOf(name)])),
    }),
  }
}

const name = 'extension-apiserver-authentication'
const readerName = 'extension-apiserver-authentication-reader'
const namespace = 'kube-system'

/** Writes what is missing or has changed since the last start. */
export async function publishFrontProxy(
  context: ServerContext,
  { authority, clientAuthority }: FrontProxy,
): Promise<void> {
  await Promise.all([
    publishObject(
      context,
      configMaps,
      {
        metadata: { namespace, name },
        data: {
          'client-ca-file': clientAuthority,
          'requestheader-allowed-names': JSON.stringify([frontProxyName]),
          'requestheader-client-ca-file': authority,
          'requestheader-extra-headers-prefix': '["X-Remote-Extra-"]',
          'requestheader-group-headers': '["X-Remote-Group"]',
          'requestheader-uid-headers': '["X-Remote-Uid"]',
          'requestheader-username-headers': '["X-Remote-User"]',
        },
      },
      'data',
    ),
    publishObject(context, roles, {
      metadata: rbacMetadata(readerName),
      rules: [{ verbs: ['get', 'list', 'watch'], apiGroups: [''], resources: ['configmaps'], resourceNames: [name] }],
    }),
    publishObject(context, roleBindings, {
      metadata: rbacMetadata(`system::${readerName}`),
      subjects: ['system:kube-controller-manager', 'system:kube-scheduler'].map(user => ({
        kind: 'User',
        apiGroup: 'rbac.authorization.k8s.io',
        name: user,
      })),
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: readerName },
    }),
  ])
}

const rbacMetadata = (objectName: string): object => ({
  namespace,
  name: objectName,
  annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'true' },
  labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' },
})
