// What the gateway does with requests, as data: which names it answers to, which rule takes a request, and where that
// leads. Ingresses and routes become this; HAProxy's configuration is made of it. Nothing here knows either.

import type { Balancing } from './balancing.ts'
import type { Credentials, Policing } from './policing.ts'

export interface GatewayModel {
  readonly entrances: readonly Entrance[]
  /** By id: each that a rule leads to. */
  readonly backends: ReadonlyMap<string, Backend>
  /** Who shows what, by the names by which checks refer to it. */
  readonly credentials: ReadonlyMap<string, Credentials>
  /** By id: each that an entrance shows, or that a backend is shown. */
  readonly certificates: ReadonlyMap<string, Certificate>
  /** What plain requests are answered, by host and path, before any rule; undefined: nothing is, or will be soon. */
  readonly answers?: ReadonlyMap<string, string>
}

/** Where requests or connections come in: one port of one address. */
export interface Entrance {
  readonly address: string
  readonly port: number
  readonly carries?: CarriedConnections
  /** Networks (`10.0.0.0/8`) that may connect; undefined: all. */
  readonly sources?: readonly string[]
  /** undefined: requests come in plain text. */
  readonly tls?: Termination
  readonly hosts: readonly Host[]
}

/**
 * In place of requests of HTTP, connections that are handed on as they come: by the name that they ask for with TLS (SNI),
 * which their hosts are then, or all of them; or packets of UDP. Each rule of such hosts has the prefix `/`.
 */
export type CarriedConnections = 'names' | 'connections' | 'packets'

/** The end of TLS at an entrance. */
export interface Termination {
  /** The own authority of this machine vouches for hosts for which nothing is shown. */
  readonly isVouched?: boolean
  /** In the order in which they are looked through. */
  readonly certificates: readonly ShownCertificate[]
  /** undefined: no client is asked for a certificate. */
  readonly clients?: ClientCheck
}

/** What clients have to show. */
export interface ClientCheck {
  /** Certificates of the authorities that have to have signed it, in PEM. */
  readonly authorities: string
  /** Who shows none, or one that is not valid, comes in, too. */
  readonly isOptional: boolean
}

export interface ShownCertificate {
  /** undefined: to whoever asks for a name that stands in the certificate. */
  readonly to?: HostName
  /** Id of the certificate. */
  readonly id: string
}

export interface Certificate {
  /** Stays the same for the same Secret: `shop.web-tls`. */
  readonly id: string
  /** The certificate, those that signed it, and its key, in PEM. */
  readonly pem: string
}

/**
 * Rules for one name or one pattern of names. A request is taken by the most telling name that has a rule for it, among
 * those that have the listener of the most telling name of all.
 */
export interface Host {
  readonly name: HostName
  /** Names of different listeners share no requests. */
  readonly listener: string
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

/** A service as a rule leads to it: two that handle requests differently are two backends of one service. */
export interface Backend {
  /** Stays the same for the same service, port and handling. */
  readonly id: string
  /** undefined: it answers by itself. */
  readonly service?: ServicePort
  readonly handling: Handling
  readonly protocol: BackendProtocol
  /** The gateway's own, in place of a service. */
  readonly serves?: 'logins'
  /** Id of the certificate that it is shown where it is spoken to by TLS. */
  readonly clientCertificate?: string
  /** undefined: it is spoken to in plain text. */
  readonly tls?: BackendTls
  /** undefined: its servers take turns. */
  readonly balancing?: Balancing
  readonly servers: readonly Server[]
}

/** What a service has to show when it is spoken to by TLS. */
export interface BackendTls {
  /** That is asked for (SNI), and that its certificate has to be for. */
  readonly name: string
  /** Certificates of authorities, in PEM; undefined: those that the machine trusts. */
  readonly authorities?: string
}

export interface ServicePort {
  readonly namespace: string
  readonly name: string
  /** Its number, or what was asked for where there is no such port. */
  readonly port: number | string
}

/** `h2`: HTTP/2 from the first byte, without TLS, as gRPC wants it. `tcp`, `udp`: whatever comes. */
export type BackendProtocol = 'http' | 'h2' | 'tcp' | 'udp'

/** What is done with a request before its service gets it, and with the answer, in the order of these fields. */
export interface Handling {
  /** From the outer to the inner one; that browsers ask beforehand (CORS) is answered before anybody has to show who it is. */
  readonly policies?: readonly Policing[]
  /** Where browsers are allowed to ask from; answers their preflights. */
  readonly cors?: CrossOrigin
  /** Answers; no service is asked. */
  readonly redirect?: Redirect
  /** One after the other. */
  readonly requestHeaders?: readonly HeaderChanges[]
  readonly responseHeaders?: readonly HeaderChanges[]
  readonly rewrite?: Rewrite
  readonly mirrors?: readonly Mirror[]
  /** Within which the answer has to begin, and go on, or it is 504. */
  readonly timeoutMs?: number
  readonly retry?: Retry
}

export interface HeaderChanges {
  readonly set: readonly HeaderValue[]
  readonly add: readonly HeaderValue[]
  readonly remove: readonly string[]
}

export interface HeaderValue {
  readonly name: string
  readonly value: string
}

export interface Redirect {
  readonly status: 301 | 302 | 303 | 307 | 308
  readonly scheme: 'http' | 'https'
  /** undefined: the one that was asked for. */
  readonly host?: string
  /** Told unless it is the usual one of the scheme. */
  readonly port: number
  readonly path?: PathChange
}

export interface Rewrite {
  readonly host?: string
  readonly path?: PathChange
}

export type PathChange =
  | { readonly kind: 'whole'; readonly value: string }
  /** Of a prefix that is known to be there, by segments. */
  | { readonly kind: 'prefix'; readonly prefix: string; readonly value: string }

/** A copy of the request, whose answer nobody waits for. */
export interface Mirror {
  /** Id of a backend. */
  readonly backend: string
  /** Of how many requests, from 0 to 1. */
  readonly share: number
}

export interface CrossOrigin {
  /** `*`, `https://shop.example.com`, `https://*.example.com`. */
  readonly origins: readonly string[]
  readonly credentials: boolean
  readonly methods: readonly string[]
  readonly headers: readonly string[]
  readonly exposed: readonly string[]
  readonly maxAgeSeconds: number
}

export interface Retry {
  /** After the first attempt. */
  readonly attempts: number
  /** Of answers after which there is another attempt. */
  readonly codes: readonly number[]
  readonly backoffMs?: number
}

export interface Server {
  readonly address: string
  readonly port: number
  /** Takes what it has, and nothing new. */
  readonly draining: boolean
}
