// Registries elsewhere, as the cache asks them.
import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'

export interface UpstreamRequest {
  /** As it stands before names of images: `docker.io`, `ghcr.io`. */
  readonly registry: string
  readonly repository: string
  /** Below the repository: `manifests/1.0`. */
  readonly path: string
  readonly method: 'GET' | 'HEAD'
  /** What the caller showed, as `Authorization`; undefined: asked as anybody. */
  readonly credentials: string | undefined
  readonly headers?: Readonly<Record<string, string>>
}

export interface UpstreamAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** Has to be read or destroyed. */
  readonly body: Readable
}

export interface Upstream {
  /** @throws UpstreamAway */
  ask(request: UpstreamRequest): Promise<UpstreamAnswer>
}

/** It cannot be reached, is out of order, or wants to be left in peace for a while. */
export class UpstreamAway extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'UpstreamAway'
  }
}
