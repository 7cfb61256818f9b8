// One kind of backing service: a small folder with this one interface. A server either exists already (`external`), or
// is delivered beside the service (`managed`); what a service needs on it is the same. What Sampan did not make it
// never changes and never drops. The protocol is the business of the field's own client library, which is loaded when
// it is needed.
import type { Readable, Writable } from 'node:stream'
import type { Port, Process, HealthCheck } from '../engine/parts.ts'
import type { BackingServiceType } from '../manifest/manifest.ts'

export interface BackingService {
  readonly type: BackingServiceType
  /** As people call it: `PostgreSQL`. */
  readonly title: string
  /** Where instances reach it; its name is the type. */
  readonly port: Port
  /** Where `ensure` and the others reach it, if that is another port: RabbitMQ's management. */
  readonly administration?: Port
  /** `administrator`: the server makes no users, so services get the administrator's credentials. */
  readonly credentials: 'own' | 'administrator'
  /** User name that the administrator of a managed server has. */
  readonly administrator: string
  /** A server of one's own: what a workload of one instance needs. Its data is in `storage`. */
  managed(wish: { readonly image?: string; readonly administrator: Credentials }): ManagedServer
  /** What the service finds in its variables, as `DATABASE_URL`; the first is the one that people know. */
  variables(found: Granted): Readonly<Record<string, string>>
  /**
   * Makes what is missing: user, database, grants, virtual host, bucket. Again and again without harm.
   * @param tell gets what is there already, was not made by Sampan and is used as it is
   * @returns what was made, in words, such as `database hcn`; empty: all was there
   * @throws ServiceFailure with what was expected, what was found and what to do
   */
  ensure(server: Reached, wanted: Wanted, tell?: (text: string) => void): Promise<readonly string[]>
  /** Whether the database (virtual host, bucket; where there is no such thing, the user) is there. */
  exists(server: Reached, wanted: Wanted): Promise<boolean>
  /** Takes away what `ensure` made for this owner, and nothing else: of the same names, what others made stays. */
  drop(server: Reached, wanted: Wanted): Promise<readonly string[]>
  /** Its backups are made by programs; beside a managed server, these are run in its own instance. */
  readonly usesTools?: boolean
  /**
   * Writes everything of the database to the stream, and ends it.
   * @param runTool runs the field's own programs, on this machine by default; `server` is as they reach it
   */
  backup(server: Reached, wanted: Wanted, to: Writable, runTool?: RunTool): Promise<void>
  /** Replaces everything of the database by what a backup holds. */
  restore(server: Reached, wanted: Wanted, from: Readable, runTool?: RunTool): Promise<void>
}

/** A program that comes with the server, such as `pg_dump`. */
export interface Tool {
  /** The first of these that is there. */
  readonly programs: readonly string[]
  readonly arguments: readonly string[]
  /** Passwords among them: they stand in no list of processes. */
  readonly variables: Readonly<Record<string, string>>
  /** All that it needs: what has one goes on, when nobody is there any more, until it has read that. */
  readonly input?: Readable
  readonly output?: Writable
  /** Debian package that brings it. */
  readonly package: string
}

/** @throws ServiceFailure with the program's last words */
export type RunTool = (tool: Tool) => Promise<void>

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
  /** For whom its certificate is made, where it is reached as somebody else: through a forwarded port. */
  readonly certificateName?: string
  /** Time that a server gets which has just been started; by default it has to answer at once. */
  readonly waitSeconds?: number
}

export interface Wanted {
  /** Of the database, virtual host or bucket. */
  readonly database: string
  readonly credentials: Credentials
  /** For whom it is made, as `test/hcn`: written beside what is made, so that it is known again. */
  readonly owner: string
  /** The server is there for this service alone: nothing has to be kept apart. */
  readonly exclusive?: boolean
}

/** As the service's instances reach it. */
export interface Granted {
  readonly host: string
  readonly port: number
  readonly database: string
  readonly credentials: Credentials
  /** It speaks TLS. */
  readonly secure?: boolean
  /** As in `Wanted`. */
  readonly exclusive?: boolean
}

export class ServiceFailure extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'ServiceFailure'
  }
}
