// What the gateway does with requests, as data: which names it answers to, which rule takes a request, and where that
// leads. Ingresses and routes become this; HAProxy's configuration is made of it. Nothing here knows either.

export interface GatewayModel {
  readonly ports: readonly ListeningPort[]
  /** By id: each that a rule leads to. */
  readonly backends: ReadonlyMap<string, Backend>
}

/** One port of the machine. */
export interface ListeningPort {
  readonly port: number
  readonly hosts: readonly Host[]
}

/** Rules for one name or one pattern of names; a request is taken by the most telling name that has a rule for it. */
export interface Host {
  readonly name: HostName
  /** In the order in which they are tried. */
  readonly rules: readonly Rule[]
}

export type HostName =
  /** `geo.localhost` */
  | { readonly kind: 'exact'; readonly name: string }
  /** `*.example.com` as an Ingress means it: one label in place of the star. */
  | { readonly kind: 'one-label'; readonly below: string }
  /** `*.example.com` as a Gateway means it: one label or more. */
  | { readonly kind: 'below'; readonly below: string }
  | { readonly kind: 'any' }

export interface Rule {
  /** Whose it is, for people and for names that stay: `Ingress shop/web 0`. */
  readonly source: string
  readonly match: RequestMatch
  readonly action: Action
}

export interface RequestMatch {
  readonly path: PathMatch
  readonly method?: string
  readonly headers: readonly ValueMatch[]
  readonly query: readonly ValueMatch[]
}

/** A prefix ends at a `/` or at the end of the path: `/foo` takes `/foo/bar` and leaves `/foobar`. */
export interface PathMatch {
  readonly kind: 'exact' | 'prefix' | 'pattern'
  readonly value: string
}

export interface ValueMatch {
  readonly name: string
  readonly kind: 'exact' | 'pattern'
  readonly value: string
}

/** Shares are by weight; with none that has any, the answer is 500. */
export interface Action {
  readonly shares: readonly Share[]
}

export interface Share {
  /** undefined: it leads nowhere, and answers 500. */
  readonly backend: string | undefined
  readonly weight: number
}

export interface Backend {
  /** Stays the same for the same service and port. */
  readonly id: string
  readonly servers: readonly Server[]
}

export interface Server {
  readonly address: string
  readonly port: number
  /** Takes what it has, and nothing new. */
  readonly draining: boolean
}
