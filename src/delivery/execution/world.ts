// All that steps can reach.
import type { Engine } from '../engine/engine.ts'
import type { Place } from '../engine/parts.ts'
import type { Clock } from '../../lib/clock.ts'
import type { BackingServiceType } from '../manifest/manifest.ts'
import type { BackingService } from '../services/backing-service.ts'

export interface World {
  readonly engine: Engine
  readonly place: Place
  readonly clock: Clock
  readonly report: Report
  /** What is delivered. */
  readonly release: { readonly version: string; readonly revision: number; readonly by: string }
  /** Loads what speaks to that kind of server. */
  readonly service: (type: BackingServiceType) => Promise<BackingService>
  /** @throws when the hook cannot be told, unless it is an optional one */
  readonly tell: (hook: string, news: News) => Promise<void>
  /** The value of a PromQL expression; undefined: it has none. Missing where no Prometheus answers. */
  readonly query?: (expression: string) => Promise<number | undefined>
}

export interface Report {
  step(text: string): void
  waiting(text: string): void
  note(text: string): void
  /** Something that does not work, and keeps nothing else from working. */
  warning(text: string): void
}

/** What hooks get as JSON. */
export interface News {
  readonly event: 'deployed' | 'failed' | 'undone'
  readonly service: string
  readonly environment: string
  readonly version: string
  readonly revision: number
  readonly by: string
  readonly reason?: string
}
