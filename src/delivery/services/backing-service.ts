// One kind of backing service: a small folder with this one interface. A server either exists already (`external`), or
// is delivered beside the service (`managed`); what a service needs on it is the same. What Sampan did not make it
// never changes and never drops. The protocol is the business of the field's own client library, which is loaded when
// it is needed.
import type { Port, Process, HealthCheck } from '../engine/parts.ts'
import type { BackingServiceType } from '../manifest/manifest.ts'

export interface BackingService {
  readonly type: BackingServiceType
  readonly port: Port
  /** A server of one's own: what a workload of one instance needs. Its data is in `storage`. */
  managed(wish: { readonly image?: string; readonly administrator: Credentials }): ManagedServer
  /** What the service finds in its variables, as `DATABASE_URL`; the first is the one that people know. */
  variables(found: Granted): Readonly<Record<string, string>>
  /**
   * Makes what is missing: user, database, grants, virtual host, bucket. Again and again without harm.
   * @returns what was made, in words, such as `database hcn`; empty: all was there
   * @throws ServiceFailure with what was expected, what was found and what to do
   */
  ensure(server: Reached, wanted: Wanted): Promise<readonly string[]>
  /** Takes away what `ensure` made for this owner, and nothing else: of the same names, what others made stays. */
  drop(server: Reached, wanted: Wanted): Promise<readonly string[]>
  /** Writes everything of the database to the stream. */
  backup(server: Reached, wanted: Wanted, to: NodeJS.WritableStream): Promise<void>
  /** Replaces everything of the database by what a backup holds. */
  restore(server: Reached, wanted: Wanted, from: NodeJS.ReadableStream): Promise<void>
}

export interface ManagedServer {
  readonly process: Pick<Process, 'image' | 'command' | 'security'>
  /** Names of variables to entries of the administrator's credentials (`user`, `password`), or fixed values. */
  readonly variables: Readonly<Record<string, { readonly value: string } | { readonly credential: keyof Credentials }>>
  readonly storagePath: string
  readonly health: HealthCheck
  readonly stopSeconds: number
}

export interface Credentials {
  readonly user: string
  readonly password: string
}

/** A server as it is reached from this machine. */
export interface Reached {
  readonly host: string
  readonly port: number
  readonly administrator: Credentials
  /** Authority of its certificate (PEM); undefined: plain. */
  readonly authority?: string
}

export interface Wanted {
  /** Of the database, virtual host or bucket. */
  readonly database: string
  readonly credentials: Credentials
  /** For whom it is made, as `test/hcn`: written beside what is made, so that it is known again. */
  readonly owner: string
}

/** As the service's instances reach it. */
export interface Granted {
  readonly host: string
  readonly port: number
  readonly database: string
  readonly credentials: Credentials
}

export class ServiceFailure extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'ServiceFailure'
  }
}
