// How an aggregated API server knows that a request comes from this one, and on whose behalf: a client
// certificate of an authority of its own, and X-Remote-* headers. The authority is published in a ConfigMap
// of kube-system, where such servers look for it. Source: kube-aggregator; apiserver pkg/authentication/request/headerrequest.
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http'
import { X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import { configMaps, roleBindings, roles } from '../../api/resources.ts'
import type { KeyPairPem } from '../auth/certificate-authority.ts'
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
    'X-Remote-User': username,
    ...(uid !== undefined && { 'X-Remote-Uid': uid }),
    'X-Remote-Group': [...groups],
    ...Object.fromEntries(Object.entries(extra).map(([key, values]) => [`X-Remote-Extra-${encodeURIComponent(key)}`, [...values]])),
  }
}

/** @param authority PEM */
export function isIssuedBy(socket: TLSSocket, authority: string): boolean {
  const certificate = socket.getPeerX509Certificate()
  const issuer = new X509Certificate(authority)
  return certificate !== undefined && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)
}

/** undefined: the headers name nobody. */
export function remoteUser(headers: IncomingHttpHeaders): UserInfo | undefined {
  const username = headers['x-remote-user']
  if (typeof username !== 'string' || username === '') return undefined
  const uid = headers['x-remote-uid']
  const extra = Object.entries(headers).filter(([name]) => name.startsWith(extraPrefix))
  const groups = listOf(headers['x-remote-group'])
  return {
    username,
    ...(typeof uid === 'string' && { uid }),
    groups: groups.includes('system:authenticated') || username === 'system:anonymous' ? groups : [...groups, 'system:authenticated'],
    ...(extra.length > 0 && { extra: Object.fromEntries(extra.map(([name, values]) => [decoded(name.slice(extraPrefix.length)), listOf(values)])) }),
  }
}

const listOf = (value: string | string[] | undefined): string[] => (value === undefined ? [] : [value].flat().flatMap(text => text.split(',')).map(text => text.trim()).filter(text => text !== ''))

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

const name = 'extension-apiserver-authentication'
const readerName = 'extension-apiserver-authentication-reader'
const namespace = 'kube-system'

/** Writes what is missing or has changed since the last start. */
export async function publishFrontProxy(context: ServerContext, { authority, clientAuthority }: FrontProxy): Promise<void> {
  await Promise.all([
    publishObject(context, configMaps, { metadata: { namespace, name }, data: {
      'client-ca-file': clientAuthority,
      'requestheader-allowed-names': JSON.stringify([frontProxyName]),
      'requestheader-client-ca-file': authority,
      'requestheader-extra-headers-prefix': '["X-Remote-Extra-"]',
      'requestheader-group-headers': '["X-Remote-Group"]',
      'requestheader-uid-headers': '["X-Remote-Uid"]',
      'requestheader-username-headers': '["X-Remote-User"]',
    } }, 'data'),
    publishObject(context, roles, { metadata: rbacMetadata(readerName), rules: [{ verbs: ['get', 'list', 'watch'], apiGroups: [''], resources: ['configmaps'], resourceNames: [name] }] }),
    publishObject(context, roleBindings, {
      metadata: rbacMetadata(`system::${readerName}`),
      subjects: ['system:kube-controller-manager', 'system:kube-scheduler'].map(user => ({ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: user })),
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: readerName },
    }),
  ])
}

const rbacMetadata = (objectName: string): object => ({ namespace, name: objectName, annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'true' }, labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' } })
