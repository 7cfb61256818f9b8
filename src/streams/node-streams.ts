// What the API server asks of the node agent for logs, exec, attach and port-forward. In one process the
// agent's own object is called; the server speaks WebSocket or SPDY to the client and pumps between.
import type { Duplex, Readable, Writable } from 'node:stream'
import type { Status } from '../api/api-error.ts'

export interface ContainerTarget {
  readonly namespace: string
  readonly pod: string
  readonly podUid: string
  readonly container: string
}

export interface StreamOptions {
  readonly stdin: boolean
  readonly stdout: boolean
  readonly stderr: boolean
  readonly tty: boolean
}

/** A running exec or attach. Streams that were not asked for are absent. Ending `stdin` closes the process's standard input. */
export interface RemoteSession {
  readonly stdin?: Writable
  readonly stdout?: Readable
  readonly stderr?: Readable
  resize(columns: number, rows: number): void
  /**
   * Resolves after the last output with what Kubernetes sends on the error channel: status Success, or
   * Failure with reason NonZeroExitCode and a cause `{reason: 'ExitCode', message: '3'}`, or InternalError.
   */
  readonly done: Promise<Status>
  /** The client is gone: let go of everything. */
  abort(): void
}

export interface LogOptions {
  readonly follow?: boolean
  readonly previous?: boolean
  readonly sinceSeconds?: number
  readonly sinceTime?: string
  readonly timestamps?: boolean
  readonly tailLines?: number
  readonly limitBytes?: number
  readonly stream?: 'All' | 'Stdout' | 'Stderr'
}

/** What a node says about itself. */
export interface NodeAnswer {
  readonly status: number
  readonly contentType: string
  readonly body: string | Readable
}

/** Every method throws ApiError (BadRequest, NotFound) with the wording of the kubelet when it cannot serve. */
export interface NodeStreams {
  logs(target: ContainerTarget, options: LogOptions): Promise<Readable>
  exec(target: ContainerTarget, command: readonly string[], options: StreamOptions): Promise<RemoteSession>
  attach(target: ContainerTarget, options: StreamOptions): Promise<RemoteSession>
  /** One connection to a port inside the pod's network namespace. */
  portForward(target: Omit<ContainerTarget, 'container'>, port: number): Promise<Duplex>
  /** What a kubelet serves at its port: `/pods`, `/healthz`, `/metrics`, `/stats/summary`, `/configz`, `/logs/`, ... */
  endpoint(path: string, query: URLSearchParams): Promise<NodeAnswer>
}
