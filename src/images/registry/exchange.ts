// A request with all that an endpoint needs to answer it.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Caller } from './access.ts'
import type { RegistryStore } from './registry-store.ts'

export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly path: string
  readonly query: URLSearchParams
  readonly caller: Caller
  readonly store: RegistryStore
}
