// What `sampan up` tells the server process it starts, and what that one reports back while it starts:
// one JSON document a line.
import type { AccessOptions } from './access-settings.ts'
import type { EndpointOptions } from './api-endpoint.ts'
import type { AuditOptions } from './audit-settings.ts'
import type { StoreSettings } from './open-store.ts'

export interface ServerOptions extends EndpointOptions {
  readonly name: string
  readonly dataDirectory?: string
  /** undefined: the one of last time, or 6443. 0: a free one. */
  readonly apiPort?: number
  /** undefined: the one of last time, or none. */
  readonly advertiseAddress?: string
  /** undefined: those of last time, or every address. */
  readonly nodePortAddresses?: string
  /** Where others reach the registry, `0.0.0.0:5000`; undefined: nowhere. */
  readonly registryListen?: string
  /** undefined: the one of last time, or SQLite. */
  readonly store?: StoreSettings
  /** A unit of systemd runs the server, and has a place for it. */
  readonly isService?: boolean
  readonly access?: AccessOptions
  readonly audit?: AuditOptions
  /** A program, as an absolute path, that makes records in DNS for authorities. */
  readonly acmeDnsCommand?: string
}

export type StartReport =
  | { readonly step: 'api' | 'runtime' | 'network' | 'registry' | 'node'; readonly atMs: number }
  /** The API answers: how to reach it. */
  | {
      readonly access: {
        readonly url: string
        readonly authority: string
        readonly certificate: string
        readonly key: string
      }
    }
  /** Works, but people have to do something so that all of it does. */
  | { readonly warning: string }
  | { readonly ready: true }
  | { readonly failure: string }

export const defaultApiPort = 6443
