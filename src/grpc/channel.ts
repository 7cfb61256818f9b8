// gRPC with messages from compact tables: unary calls and streams. What an error becomes is the caller's
// choice.
import {
  Client,
  Metadata,
  credentials,
  type ChannelCredentials,
  type ChannelOptions,
  type ClientReadableStream,
  type ClientDuplexStream,
  type ServiceError,
} from '@grpc/grpc-js'
import type { MessageCodec } from './protobuf-messages.ts'

export interface GrpcChannel {
  call(path: string, request: object, options?: CallOptions): Promise<Record<string, unknown>>
  /** Calls `onMessage` for each message; returns how to cancel. `onEnd` comes once, with the error if there was one. */
  receive(
    path: string,
    request: object,
    onMessage: (message: Record<string, unknown>) => void,
    onEnd: (error?: Error) => void,
  ): () => void
  /** Sends all requests, and resolves with the last answer. */
  send(path: string, requests: readonly object[], options?: CallOptions): Promise<Record<string, unknown>>
  /** A stream in both directions; `onEnd` comes once, unless the stream was cancelled. */
  converse(
    path: string,
    onMessage: (message: Record<string, unknown>) => void,
    onEnd: (error: Error) => void,
    options?: CallOptions,
  ): GrpcStream
  close(): void
}

export interface GrpcStream {
  send(request: object): void
  cancel(): void
}

export interface ChannelSettings {
  /** `unix:/path` or `host:port`. */
  readonly target: string
  /** Without encryption by default. */
  readonly credentials?: ChannelCredentials
  readonly options?: ChannelOptions
  /** Whether a call waits for the connection (the default) or fails when there is none. */
  readonly waitForReady?: boolean
  readonly codecOf: (name: string) => MessageCodec
  readonly typesOf: MethodTypes
  readonly toError: (error: ServiceError) => Error
}

export interface CallOptions {
  /** 0 waits without limit. */
  readonly timeoutMs?: number
  readonly metadata?: Readonly<Record<string, string>>
}

/** `/package.Service/Method` → the names of its request and response messages. */
export type MethodTypes = (path: string) => { readonly request: string; readonly response: string }

const defaultTimeoutMs = 120_000

export function grpcChannel({
  target,
  waitForReady = true,
  codecOf,
  typesOf,
  toError,
  ...settings
}: ChannelSettings): GrpcChannel {
  const client = new Client(target, settings.credentials ?? credentials.createInsecure(), {
    'grpc.max_receive_message_length': 64 << 20,
    'grpc.initial_reconnect_backoff_ms': 50,
    'grpc.max_reconnect_backoff_ms': 1_000,
    'grpc.enable_retries': 0,
    ...settings.options,
  })
  const coders = (path: string) => {
    const types = typesOf(path)
    const request = codecOf(types.request)
    const response = codecOf(types.response)
    return [
      (message: object) => request.encode(message as Record<string, unknown>),
      (bytes: Buffer) => response.decode(bytes),
    ] as const
  }
  const deadline = (options: CallOptions) =>
    options.timeoutMs === 0 ? {} : { deadline: Date.now() + (options.timeoutMs ?? defaultTimeoutMs) }
  const metadataOf = (options: CallOptions): Metadata => {
    const metadata = new Metadata({ waitForReady })
    for (const [key, value] of Object.entries(options.metadata ?? {})) metadata.set(key, value)
    return metadata
  }
  return {
    call(path, request, options = {}) {
      const { promise, resolve, reject } = Promise.withResolvers<Record<string, unknown>>()
      client.makeUnaryRequest(
        path,
        ...coders(path),
        request,
        metadataOf(options),
        deadline(options),
        (error, answer) => {
          if (error === null) resolve(answer!)
          else reject(toError(error))
        },
      )
      return promise
    },
    receive(path, request, onMessage, onEnd) {
      const stream: ClientReadableStream<Record<string, unknown>> = client.makeServerStreamRequest(
        path,
        ...coders(path),
        request,
        metadataOf({}),
        {},
      )
      let ended = false
      const end = (error?: Error): void => {
        if (ended) return
        ended = true
        onEnd(error)
      }
      stream.on('data', onMessage)
      stream.on('error', error => end(toError(error as ServiceError)))
      stream.on('end', () => end())
      return () => {
        ended = true
        stream.cancel()
      }
    },
    send(path, requests, options = {}) {
      const { promise, resolve, reject } = Promise.withResolvers<Record<string, unknown>>()
      const stream: ClientDuplexStream<object, Record<string, unknown>> = client.makeBidiStreamRequest(
        path,
        ...coders(path),
        metadataOf(options),
        deadline(options),
      )
      let last: Record<string, unknown> = {}
      stream.on('data', (message: Record<string, unknown>) => {
        last = message
      })
      stream.on('error', error => reject(toError(error as ServiceError)))
      stream.on('end', () => resolve(last))
      for (const request of requests) stream.write(request)
      stream.end()
      return promise
    },
    converse(path, onMessage, onEnd, options = {}) {
      const stream: ClientDuplexStream<object, Record<string, unknown>> = client.makeBidiStreamRequest(
        path,
        ...coders(path),
        metadataOf(options),
        {},
      )
      let ended = false
      const end = (error: Error): void => {
        if (ended) return
        ended = true
        onEnd(error)
      }
      stream.on('data', (message: Record<string, unknown>) => {
        if (!ended) onMessage(message)
      })
      stream.on('error', error => end(toError(error as ServiceError)))
      stream.on('end', () => end(new Error('the stream ended')))
      return {
        send: request => void stream.write(request),
        cancel: () => {
          ended = true
          stream.cancel()
        },
      }
    },
    close: () => client.close(),
  }
}
