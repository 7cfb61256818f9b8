// One HTTP request with what was found out about it, handed from step to step.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Caller } from '../request.ts'

export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly path: string
  readonly query: URLSearchParams
  readonly caller: Caller
}
