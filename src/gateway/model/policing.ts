// What policies do with requests, as data: part of how a backend handles what comes to it.

/** What one policy asks for. Of several, each is heeded. */
export interface Policing {
  /** Whose it is, for names that stay: `AccessPolicy shop/partners`. */
  readonly source: string
  /** It cannot be enforced, so that nobody is let in. */
  readonly isClosed?: boolean
  readonly addresses?: AllowedAddresses
  readonly identity?: Identity
  readonly limits?: readonly RateLimit[]
  readonly maxBodyBytes?: number
  /** Of all headers together. */
  readonly maxHeaderBytes?: number
  readonly cache?: AnswerCache
  /** Each request is logged, with these of its headers; their names are letters, digits and hyphens. */
  readonly log?: { readonly headers: readonly string[] }
  readonly maintenance?: Maintenance
  /** Types of content that are compressed. */
  readonly compressed?: readonly string[]
  /** The header in which each request has an id. */
  readonly requestId?: string
}

/** Networks (`10.0.0.0/8`). */
export interface AllowedAddresses {
  /** undefined: all but those of `deny`. */
  readonly allow?: readonly string[]
  readonly deny: readonly string[]
}

/** Ways to show who one is: one of them is enough. */
export interface Identity {
  readonly keys?: { readonly header?: string; readonly queryParameter?: string; readonly credentials: string }
  readonly basic?: { readonly realm: string; readonly credentials: string }
  readonly token?: TokenCheck
  readonly login?: LoginCheck
}

/** Somebody logged in before, which a token of the gateway's own in a cookie says. */
export interface LoginCheck {
  readonly session: TokenCheck
  readonly cookie: string
  /** Where people are sent who have none; where they wanted to go is put behind it. */
  readonly start: string
  /** That belong to the login on each host whose requests are checked so. */
  readonly redirectPath: string
  readonly logoutPath: string
}

/** How people log in. */
export interface Login {
  /** Names it in cookies and addresses. */
  readonly id: string
  readonly issuer: string
  readonly clientId: string
  /** undefined: the client is a public one. */
  readonly clientSecret?: string
  readonly scopes: readonly string[]
  readonly redirectPath: string
  readonly logoutPath: string
  readonly sessionMs: number
  /** Of the provider, in PEM; the machine's by default. */
  readonly authority?: string
  readonly claims: readonly AskedClaim[]
  readonly consumerClaim: string
}

export interface AskedClaim {
  readonly name: string
  /** One of which it has to have. */
  readonly values: readonly string[]
}

/**
 * Who shows what, by the digest of what is shown (SHA-256 in upper-case hexadecimal): of a key itself, or of the Base64 of
 * name and password.
 */
export type Credentials = ReadonlyMap<string, KnownConsumer>

export interface KnownConsumer {
  readonly name: string
  /** The policy lets others in. */
  readonly isRefused: boolean
}

/** A JSON Web Token, signed by one of the keys, that has not expired. */
export interface TokenCheck {
  readonly issuer: string
  /** One of them has to be in `aud`; none: it is not looked at. */
  readonly audiences: readonly string[]
  readonly keys: readonly SigningKey[]
  /** Each has to have one of its values. */
  readonly claims: readonly AskedClaim[]
  /** Whose value says who asks. */
  readonly consumerClaim: string
  /** Of who asks; undefined: whoever has a token. */
  readonly consumers?: readonly string[]
}

export interface SigningKey {
  /** That a token names, where it names one. */
  readonly id?: string
  readonly algorithm: string
  /** The public key, in PEM. */
  readonly pem: string
}

/** Answers that may be kept, in the words of HTTP (RFC 9111). */
export interface AnswerCache {
  readonly maxAgeSeconds: number
  readonly maxObjectBytes: number
  /** Of all that is kept. */
  readonly bytes: number
}

/** That can be counted for one request; with more of them, nobody is let in. */
export const mostLimits = 3

export interface RateLimit {
  /** Stays the same for the same limit, so that its counts stay. */
  readonly id: string
  readonly requests: number
  readonly periodMs: number
  /** Whose requests are counted together. */
  readonly by: 'address' | 'consumer' | 'everybody' | { readonly header: string }
}

/** All that a request meets. */
export const limitsOf = (policies: readonly Policing[]): readonly RateLimit[] =>
  policies.flatMap(({ limits = [] }) => limits)

export interface Maintenance {
  readonly message: string
  readonly retryAfterSeconds?: number
}
