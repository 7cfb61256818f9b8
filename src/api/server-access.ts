// Where an API server is and how to prove who one is, for connections of every kind.

export interface ServerAccess {
  /** `https://host:port`, perhaps with a path, without a slash at the end. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly tls: {
    readonly ca?: string
    readonly cert?: string
    readonly key?: string
    readonly rejectUnauthorized: boolean
  }
}
