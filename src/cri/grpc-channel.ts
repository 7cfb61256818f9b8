// gRPC over a unix socket with messages from compact tables: unary calls and one-way streams. Errors
// become RuntimeError.
import { Client, Metadata, credentials, status, type ClientReadableStream, type ClientDuplexStream, type ServiceError } from '@grpc/grpc-js'
import { RuntimeError, type RuntimeErrorReason } from './runtime.ts'
import type { MessageCodec } from './protobuf-messages.ts'

export interface GrpcChannel {
  call(path: string, request: object, options?: CallOptions): Promise<Record<string, unknown>>
  /** Calls `onMessage` for each message; returns how to cancel. `onEnd` comes once, with the error if there was one. */
  receive(path: string, request: object, onMessage: (message: Record<string, unknown>) => void, onEnd: (error?: Error) => void): () => void
  /** Sends all requests, and resolves with the last answer. */
  send(path: string, requests: readonly object[], options?: CallOptions): Promise<Record<string, unknown>>
  close(): void
}

export interface CallOptions {
  /** 0 waits without limit. */
  readonly timeoutMs?: number
  readonly metadata?: Readonly<Record<string, string>>
}

/** `/package.Service/Method` → the names of its request and response messages. */
export type MethodTypes = (path: string) => { readonly request: string; readonly response: string }

const defaultTimeoutMs = 120_000

export function grpcChannel(socketPath: string, codecOf: (name: string) => MessageCodec, typesOf: MethodTypes): GrpcChannel {
  const client = new Client(`unix:${socketPath}`, credentials.createInsecure(), {
    'grpc.max_receive_message_length': 64 << 20, 'grpc.initial_reconnect_backoff_ms': 50, 'grpc.max_reconnect_backoff_ms': 1_000,
    'grpc.enable_retries': 0,
  })
  const coders = (path: string) => {
    const types = typesOf(path)
    const request = codecOf(types.request)
    const response = codecOf(types.response)
    return [(message: object) => request.encode(message as Record<string, unknown>), (bytes: Buffer) => response.decode(bytes)] as const
  }
  const deadline = (options: CallOptions) => (options.timeoutMs === 0 ? {} : { deadline: Date.now() + (options.timeoutMs ?? defaultTimeoutMs) })
  const metadataOf = (options: CallOptions): Metadata => {
    const metadata = new Metadata({ waitForReady: true })
    for (const [key, value] of Object.entries(options.metadata ?? {})) metadata.set(key, value)
    return metadata
  }
  return {
    call(path, request, options = {}) {
      const { promise, resolve, reject } = Promise.withResolvers<Record<string, unknown>>()
      client.makeUnaryRequest(path, ...coders(path), request, metadataOf(options), deadline(options), (error, answer) => {
        if (error === null) resolve(answer!)
        else reject(runtimeError(error))
      })
      return promise
    },
    receive(path, request, onMessage, onEnd) {
      const stream: ClientReadableStream<Record<string, unknown>> = client.makeServerStreamRequest(path, ...coders(path), request, metadataOf({}), {})
      let ended = false
      const end = (error?: Error): void => {
        if (ended) return
        ended = true
        onEnd(error)
      }
      stream.on('data', onMessage)
      stream.on('error', error => end(runtimeError(error as ServiceError)))
      stream.on('end', () => end())
      return () => {
        ended = true
        stream.cancel()
      }
    },
    send(path, requests, options = {}) {
      const { promise, resolve, reject } = Promise.withResolvers<Record<string, unknown>>()
      const stream: ClientDuplexStream<object, Record<string, unknown>> = client.makeBidiStreamRequest(path, ...coders(path), metadataOf(options), deadline(options))
      let last: Record<string, unknown> = {}
      stream.on('data', (message: Record<string, unknown>) => { last = message })
      stream.on('error', error => reject(runtimeError(error as ServiceError)))
      stream.on('end', () => resolve(last))
      for (const request of requests) stream.write(request)
      stream.end()
      return promise
    },
    close: () => client.close(),
  }
}

const reasons: Readonly<Partial<Record<number, RuntimeErrorReason>>> = {
  [status.NOT_FOUND]: 'NotFound', [status.DEADLINE_EXCEEDED]: 'Timeout', [status.UNAVAILABLE]: 'Unavailable',
}

/** Keeps grpc's words as Kubernetes shows them in events: `rpc error: code = NotFound desc = ...`. */
function runtimeError(error: ServiceError): RuntimeError {
  const code = status[error.code] ?? 'UNKNOWN'
  const goCode = code.split('_').map(word => word.charAt(0) + word.slice(1).toLowerCase()).join('')
  return new RuntimeError(reasons[error.code] ?? 'Other', `rpc error: code = ${goCode} desc = ${error.details}`)
}
