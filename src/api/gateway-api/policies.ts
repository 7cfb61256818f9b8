// The policies of this gateway as it reads them: who may ask, how much, and which instance answers. They attach to
// Gateways, routes, Ingresses and services. What a field may hold is said by the definitions (src/gateway/kinds/policies).
import type { Condition, ObjectMeta } from '../generated/models.ts'
import type { LocalReference, PolicyStatus } from './types.ts'

interface Metadata {
  apiVersion: string
  kind: string
  metadata: ObjectMeta
}

/** Of the same namespace. */
export interface PolicyTarget extends LocalReference {
  /** A listener of a Gateway, or a rule of a route. */
  sectionName?: string
}

/** Who may ask. Of several that are for a request, each has to agree. */
export interface AccessPolicy extends Metadata {
  spec: {
    targetRefs: PolicyTarget[]
    addresses?: { allow?: string[]; deny?: string[] }
    authentication?: Authentication
    /** Whom it lets in, of those that show who they are; without both: all. */
    consumers?: string[]
    groups?: string[]
  }
  status?: PolicyStatus
}

/** Each field is a way to show who one is, and one of them is enough. */
export interface Authentication {
  keys?: { header?: string; queryParameter?: string }
  basic?: { realm: string }
  jwt?: TokenRules
  oidc?: LoginRules
}

export interface TokenRules {
  issuer: string
  /** One of them has to be in `aud`. */
  audiences?: string[]
  /**
   * Of those who sign: a Secret or a ConfigMap with `jwks.json`, or with PEM in `key.pem`. Without it and `jwksUri`: where
   * the issuer says that they are.
   */
  keysRef?: { kind: 'Secret' | 'ConfigMap'; name: string }
  /** Where the keys are. */
  jwksUri?: string
  caRef?: AuthorityReference
  /** Name -> values, one of which has to be there. */
  claims?: Record<string, string[]>
  /** Whose value says who asks. */
  consumerClaim: string
}

/** A ConfigMap whose `ca.crt` vouches for a provider, in place of the machine's authorities. */
export interface AuthorityReference {
  name: string
}

/** People log in at a provider of OpenID Connect, and stay logged in by a session of the gateway. */
export interface LoginRules {
  issuer: string
  clientID: string
  /** A Secret with `client-secret`; without it the client is a public one. */
  clientSecretRef?: { name: string }
  /** Beyond `openid`. */
  scopes?: string[]
  /** To which the provider sends people back; what is below it belongs to the login, too. */
  redirectPath: string
  logoutPath: string
  /** A duration. */
  sessionDuration: string
  caRef?: AuthorityReference
  /** Name -> values, one of which has to be there. */
  claims?: Record<string, string[]>
  /** Whose value says who asks. */
  consumerClaim: string
}

/** Somebody who asks, and how one shows to be them. */
export interface Consumer extends Metadata {
  spec: {
    groups?: string[]
    credentials?: Credential[]
  }
  status?: { conditions?: Condition[] }
}

/** `Key`: a Secret with `key`. `Basic`: one with `username` and `password`. */
export interface Credential {
  type: 'Key' | 'Basic'
  secretRef: { name: string }
}

/** How much, and what else is done with requests. */
export interface TrafficPolicy extends Metadata {
  spec: {
    targetRefs: PolicyTarget[]
    rateLimits?: WrittenRateLimit[]
    /** A quantity: `10Mi`. */
    maxBodySize?: string
    /** A quantity. */
    maxHeaderSize?: string
    cache?: { maxAge: string; maxObjectSize: string; size: string }
    accessLog?: { headers?: string[] }
    maintenance?: { message: string; retryAfter?: string }
    compression?: { contentTypes: string[] }
    /** The name of the header. */
    requestId?: { header: string }
  }
  status?: PolicyStatus
}

export interface WrittenRateLimit {
  requests: number
  /** A duration. */
  per: string
  by: 'Address' | 'Consumer' | 'Header' | 'Everybody'
  header?: string
}

/** How the instances of services share their requests. */
export interface BalancingPolicy extends Metadata {
  spec: {
    targetRefs: PolicyTarget[]
    algorithm: 'RoundRobin' | 'LeastConnections' | 'ConsistentHash'
    hash?: { by: 'Header' | 'Cookie' | 'QueryParameter' | 'Address'; name?: string }
    affinity?: { cookie: { name?: string; maxAge?: string } }
    ejection?: { consecutiveErrors: number; duration: string }
    slowStart?: string
    concurrency?: { perInstance: number; queue: { length?: number; timeout: string } }
  }
  status?: PolicyStatus
}
