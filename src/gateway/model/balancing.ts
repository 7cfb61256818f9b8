// How the instances of a service share its requests, as data: part of each backend of the service.

/** Each request chooses, also one of many within a connection. */
export interface Balancing {
  /** Whose it is: `BalancingPolicy shop/carts`. */
  readonly source: string
  readonly choice: 'roundRobin' | 'leastConnections' | HashedBy
  readonly affinity?: Affinity
  readonly ejection?: Ejection
  /** In which an instance that comes gets more and more, up to what the others have. */
  readonly slowStartMs?: number
  readonly concurrency?: Concurrency
}

/** Equal values are led to one instance; requests without one to any. */
export type HashedBy =
  | { readonly by: 'address' }
  | { readonly by: 'header' | 'cookie' | 'query'; readonly name: string }

/** Who came to an instance stays with it as long as it takes requests. */
export interface Affinity {
  /** The name of the cookie by which that is known. */
  readonly cookie: string
  /** Without it nobody can tell the instance from the cookie. */
  readonly key: string
  /** undefined: as long as the browser is open. */
  readonly maxAgeSeconds?: number
}

/** An instance that fails gets nothing for a while, unless all of them do. */
export interface Ejection {
  /** Without one that went well between them. */
  readonly errors: number
  readonly periodMs: number
}

/** Requests beyond it wait. */
export interface Concurrency {
  readonly perInstance: number
  /** That wait for a backend at most; undefined: as many as come. */
  readonly mostWaiting?: number
  readonly waitMs: number
}

/** What has no meaning for connections that are handed on, of which nothing is known but the address; in the words of a policy. */
export const onlyForRequests = ({ choice, affinity }: Balancing): readonly string[] => [
  ...(typeof choice === 'object' && choice.by !== 'address' ? [`hash by ${choice.name}`] : []),
  ...(affinity === undefined ? [] : ['affinity']),
]

/** What has no meaning for packets, which nobody counts; in the words of a policy. */
export const onlyForConnections = ({ choice, ejection, slowStartMs, concurrency }: Balancing): readonly string[] => [
  ...(choice === 'leastConnections' ? ['LeastConnections'] : []),
  ...(ejection === undefined ? [] : ['ejection']),
  ...(slowStartMs === undefined ? [] : ['slowStart']),
  ...(concurrency === undefined ? [] : ['concurrency']),
]
