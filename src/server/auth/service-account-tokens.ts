// Issues and checks service account tokens: signed JWTs bound to an account and, usually, to a pod.
// Claims as in pkg/serviceaccount/claims.go. Tokens of the older sort, without an end, stand in Secrets and
// are good as long as the Secret holds them (pkg/serviceaccount/legacy.go).
import { createHash, createPrivateKey, createPublicKey, timingSafeEqual, type KeyObject } from 'node:crypto'
import { errors, jwtVerify, SignJWT, type JWTPayload } from 'jose'
import { invalidSinceLabel, isGeneratedFor } from '../../api/legacy-token.ts'
import type { Secret, ServiceAccount } from '../../api/generated/models.ts'
import { nodes, pods, secrets, serviceAccounts } from '../../api/resources.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Random } from '../../lib/random.ts'
import type { UserInfo } from '../request.ts'
import type { ObjectStorage } from '../storage/object-storage.ts'
import { issuerOf, RefusedToken, type TokenNotes, type VerifiedToken } from './verified-token.ts'

const algorithm = 'ES256'

export interface TokenRequestFacts {
  readonly namespace: string
  readonly account: { readonly name: string; readonly uid: string }
  /** Empty: the API server's own. */
  readonly audiences: readonly string[]
  readonly expirationSeconds: number
  readonly bound?: { readonly kind: string; readonly name: string; readonly uid: string }
  /** Where the pod it is bound to runs. */
  readonly node?: { readonly name: string; readonly uid?: string }
}

interface KubernetesClaims {
  namespace: string
  serviceaccount: { name: string; uid: string }
  pod?: { name: string; uid: string }
  secret?: { name: string; uid: string }
  /** Of a pod's token; or, alone, what the token is bound to. */
  node?: { name: string; uid?: string }
}

/** How a token of the older sort came to be, or that it is no longer good. */
export type LegacyUse = 'generated' | 'manual' | 'invalidated'

const legacyIssuer = 'kubernetes/serviceaccount'
const legacyPrefix = 'kubernetes.io/serviceaccount/'

export class TokenIssuer {
  readonly audiences: readonly string[]
  readonly issuer: string
  /** Tells keys apart: the hash of the public one. */
  private readonly keyId: string
  private readonly signingKey: KeyObject
  private readonly verificationKey: KeyObject
  private readonly clock: Clock
  private readonly random: Random
  private readonly onLegacyUse: (secret: Secret, use: LegacyUse) => void

  /** @param keyPem is the private key (P-256) in PEM. @param onLegacyUse is told of each token of the older sort that is checked */
  constructor(options: {
    keyPem: string
    issuer: string
    audiences: readonly string[]
    clock: Clock
    random: Random
    onLegacyUse?: (secret: Secret, use: LegacyUse) => void
  }) {
    this.onLegacyUse = options.onLegacyUse ?? (() => {})
    this.signingKey = createPrivateKey(options.keyPem)
    this.verificationKey = createPublicKey(this.signingKey)
    this.keyId = createHash('sha256')
      .update(this.verificationKey.export({ type: 'spki', format: 'der' }))
      .digest('base64url')
    this.issuer = options.issuer
    this.audiences = options.audiences
    this.clock = options.clock
    this.random = options.random
  }

  issue({ namespace, account, audiences, expirationSeconds, bound, node }: TokenRequestFacts): Promise<string> {
    const seconds = Math.floor(this.clock.now() / 1000)
    const claims: KubernetesClaims = { namespace, serviceaccount: account }
    if (bound?.kind === 'Pod') claims.pod = { name: bound.name, uid: bound.uid }
    if (node !== undefined) claims.node = node
    if (bound?.kind === 'Node') claims.node = { name: bound.name, uid: bound.uid }
    if (bound?.kind === 'Secret') claims.secret = { name: bound.name, uid: bound.uid }
    return new SignJWT({ 'kubernetes.io': claims })
      .setProtectedHeader({ alg: algorithm, kid: this.keyId })
      .setIssuer(this.issuer)
      .setSubject(`system:serviceaccount:${namespace}:${account.name}`)
      .setAudience([...(audiences.length > 0 ? audiences : this.audiences)])
      .setIssuedAt(seconds)
      .setNotBefore(seconds)
      .setExpirationTime(seconds + expirationSeconds)
      .setJti(this.random.uuid())
      .sign(this.signingKey)
  }

  /** A token of the older sort, for the Secret that is to hold it. */
  issueLegacy({
    namespace,
    account,
    secretName,
  }: {
    namespace: string
    account: { name: string; uid: string }
    secretName: string
  }): Promise<string> {
    const claims = {
      namespace,
      'secret.name': secretName,
      'service-account.name': account.name,
      'service-account.uid': account.uid,
    }
    return new SignJWT(Object.fromEntries(Object.entries(claims).map(([name, value]) => [legacyPrefix + name, value])))
      .setProtectedHeader({ alg: algorithm, kid: this.keyId })
      .setIssuer(legacyIssuer)
      .setSubject(`system:serviceaccount:${namespace}:${account.name}`)
      .sign(this.signingKey)
  }

  /** The public keys that others check tokens with. */
  publicKeys(): object {
    return {
      keys: [{ use: 'sig', ...this.verificationKey.export({ format: 'jwk' }), kid: this.keyId, alg: algorithm }],
    }
  }

  /** Who the token speaks for; undefined when it is not one of ours or no longer good. @throws RefusedToken */
  async verify(
    token: string,
    storage: ObjectStorage,
    audiences: readonly string[] = this.audiences,
  ): Promise<VerifiedToken | undefined> {
    const issuer = issuerOf(token)
    if (issuer === legacyIssuer)
      return audiences.some(audience => this.audiences.includes(audience))
        ? this.verifyLegacy(token, storage)
        : undefined
    if (issuer !== this.issuer) return undefined
    let payload: JWTPayload
    try {
      ;({ payload } = await jwtVerify(token, this.verificationKey, {
        algorithms: [algorithm],
        issuer: this.issuer,
        audience: [...audiences],
        currentDate: new Date(this.clock.now()),
      }))
    } catch (error) {
      if (error instanceof errors.JOSEError) return undefined
      throw error
    }
    const claims = payload['kubernetes.io'] as KubernetesClaims | undefined
    if (claims === undefined || !stillBound(claims, storage)) return undefined
    const issuedFor = new Set([payload.aud ?? []].flat())
    return {
      user: userOf(claims, payload.jti),
      expiresMs: (payload.exp ?? 0) * 1000,
      audiences: audiences.filter(audience => issuedFor.has(audience)),
    }
  }

  private async verifyLegacy(token: string, storage: ObjectStorage): Promise<VerifiedToken | undefined> {
    const payload = await jwtVerify(token, this.verificationKey, {
      algorithms: [algorithm],
      issuer: legacyIssuer,
    }).then(
      verified => verified.payload,
      () => undefined,
    )
    const claim = (name: string): string => (payload?.[legacyPrefix + name] as string | undefined) ?? ''
    const namespace = claim('namespace')
    const serviceaccount = { name: claim('service-account.name'), uid: claim('service-account.uid') }
    if (payload === undefined || !stillBound({ namespace, serviceaccount }, storage)) return undefined
    const secret = storage.get(secrets, `${namespace}/${claim('secret.name')}`)?.object as Secret | undefined
    const held = Buffer.from(secret?.data?.['token'] ?? '', 'base64')
    const given = Buffer.from(token)
    if (
      secret === undefined ||
      secret.metadata.deletionTimestamp !== undefined ||
      held.length !== given.length ||
      !timingSafeEqual(held, given)
    )
      return undefined
    const account = storage.get(serviceAccounts, `${namespace}/${serviceaccount.name}`)?.object as ServiceAccount
    const use = useOf(secret, account)
    this.onLegacyUse(secret, use)
    if (use === 'invalidated') throw new RefusedToken(invalidated(secret, account), notesOf(secret, use))
    return { user: userOf({ namespace, serviceaccount }, undefined), notes: notesOf(secret, use) }
  }
}

function useOf(secret: Secret, account: ServiceAccount): LegacyUse {
  if (secret.metadata.labels?.[invalidSinceLabel]) return 'invalidated'
  return isGeneratedFor(account, secret) ? 'generated' : 'manual'
}

function notesOf({ metadata: { name, namespace } }: Secret, use: LegacyUse): TokenNotes {
  const prefix = 'authentication.k8s.io/legacy-token'
  switch (use) {
    case 'invalidated':
      return { warnings: [], annotations: [[`${prefix}-invalidated`, `${name}/${namespace}`]] }
    case 'manual':
      return { warnings: [], annotations: [[`${prefix}-manual-secret`, name]] }
    case 'generated':
      return {
        warnings: [
          'Use tokens from the TokenRequest API or manually created secret-based tokens instead of auto-generated secret-based tokens.',
        ],
        annotations: [[`${prefix}-autogenerated-secret`, name]],
      }
  }
}

const invalidated = ({ metadata: { name, namespace } }: Secret, account: ServiceAccount): string =>
  `the token in secret ${namespace}/${name} for service account ${namespace}/${account.metadata.name} has been marked invalid. Use tokens from the TokenRequest API or manually created secret-based tokens, or remove the '${invalidSinceLabel}' label from the secret to temporarily allow use of this token`

/** The account, and the pod or secret the token is bound to, must still be the same objects. */
export function stillBound(
  { namespace, serviceaccount, pod, secret, node }: KubernetesClaims,
  storage: ObjectStorage,
): boolean {
  const same = (
    resource: typeof serviceAccounts | typeof pods | typeof secrets,
    reference: { name: string; uid: string },
  ): boolean => storage.get(resource, `${namespace}/${reference.name}`)?.object.metadata.uid === reference.uid
  return (
    same(serviceAccounts, serviceaccount) &&
    (pod === undefined || same(pods, pod)) &&
    (secret === undefined || same(secrets, secret)) &&
    (node?.uid === undefined || pod !== undefined || storage.get(nodes, node.name)?.object.metadata.uid === node.uid)
  )
}

function userOf(
  { namespace, serviceaccount, pod, node }: KubernetesClaims,
  credentialId: string | undefined,
): UserInfo {
  const extra = {
    ...(credentialId !== undefined && { 'authentication.kubernetes.io/credential-id': [`JTI=${credentialId}`] }),
    ...(pod !== undefined && {
      'authentication.kubernetes.io/pod-name': [pod.name],
      'authentication.kubernetes.io/pod-uid': [pod.uid],
    }),
    ...(node !== undefined && {
      'authentication.kubernetes.io/node-name': [node.name],
      ...(node.uid !== undefined && { 'authentication.kubernetes.io/node-uid': [node.uid] }),
    }),
  }
  return {
    username: `system:serviceaccount:${namespace}:${serviceaccount.name}`,
    uid: serviceaccount.uid,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
    ...(Object.keys(extra).length > 0 && { extra }),
  }
}
