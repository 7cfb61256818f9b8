// Where the keys are by which a provider signs its tokens, and what was found there.
export interface KeySource {
  /** Its configuration says where they are, unless `uri` does. */
  readonly issuer: string
  readonly uri?: string
  /** In PEM; the machine's by default. */
  readonly authority?: string
}

export interface FetchedKeys {
  /** A set of keys in JSON (RFC 7517), as it was found last. */
  readonly text?: string
  /** Why there is no newer one. */
  readonly problem?: string
}
