// Calls to an etcd cluster over whichever of its endpoints answers. Reads, and writes that surely never
// arrived, go on to the next endpoint; a write whose fate is unknown is reported as such, never repeated.
import { credentials, status, type ServiceError } from '@grpc/grpc-js'
import { grpcChannel, type GrpcChannel, type GrpcStream } from '../../grpc/channel.ts'
import { messageCodecs } from '../../grpc/protobuf-messages.ts'
import type { Clock } from '../../lib/clock.ts'
import { StoreFailure } from '../store.ts'
import { etcdMessages, etcdMethods, etcdTypes } from './etcd-messages.ts'

export interface EtcdOptions {
  /** `http://host:port` or `https://host:port`, all of one cluster. */
  readonly endpoints: readonly string[]
  /** PEM; for https, by default the authorities of the machine and no certificate of our own. */
  readonly tls?: { readonly authority?: Buffer; readonly certificate?: Buffer; readonly key?: Buffer }
  readonly clock: Clock
  /** How long a request looks for an endpoint that answers; 15 seconds by default. */
  readonly patienceMs?: number
}

/** gRPC's error with its status code and etcd's words. */
export class EtcdError extends Error {
  readonly code: status

  constructor({ code, details }: Pick<ServiceError, 'code' | 'details'>) {
    super(details)
    this.name = 'EtcdError'
    this.code = code
  }

  get isCompacted(): boolean {
    return this.code === status.OUT_OF_RANGE && this.message.includes('compacted')
  }

  /** Another endpoint, or a later time, may do better. */
  get isPassing(): boolean {
    return (
      this.code === status.UNAVAILABLE ||
      this.code === status.DEADLINE_EXCEEDED ||
      (this.code === status.UNKNOWN && /leader|timed out|stopped/.test(this.message))
    )
  }

  /** The request surely had no effect: it never left, or the member refused it unread for want of a leader. */
  get neverArrived(): boolean {
    return this.code === status.UNAVAILABLE && /^No connection established|no leader/.test(this.message)
  }
}

const callMs = 5000
const defaultPatienceMs = 15_000
const pauseMs = 50
/** Lets a member that lost its leader refuse at once instead of waiting for one. */
const metadata = { hasleader: 'true' }

export class EtcdClient {
  private readonly channels: readonly GrpcChannel[]
  private readonly options: EtcdOptions
  private current = 0
  private closed = false

  constructor(options: EtcdOptions) {
    this.options = options
    const codecOf = messageCodecs(etcdMessages)
    this.channels = options.endpoints.map(endpoint => {
      const { protocol, host } = endpointUrl(endpoint)
      const { authority = null, key = null, certificate = null } = options.tls ?? {}
      return grpcChannel({
        target: host,
        waitForReady: false,
        codecOf,
        typesOf: etcdTypes,
        toError: error => new EtcdError(error),
        ...(protocol === 'https:' && { credentials: credentials.createSsl(authority, key, certificate) }),
        // A member that vanished without a word is noticed within seconds.
        options: {
          'grpc.keepalive_time_ms': 3000,
          'grpc.keepalive_timeout_ms': 3000,
          'grpc.max_receive_message_length': 512 << 20,
          'grpc.max_send_message_length': 64 << 20,
        },
      })
    })
  }

  /** @throws EtcdError for a refusal, StoreFailure when no endpoint answers */
  read<T>(path: string, request: object): Promise<T> {
    return this.attempt<T>(path, request, error => error.isPassing)
  }

  /** @throws EtcdError for a refusal, StoreFailure when it is not known whether the write took effect */
  async write<T>(path: string, request: object): Promise<T> {
    try {
      return await this.attempt<T>(path, request, error => error.neverArrived)
    } catch (error) {
      if (error instanceof EtcdError && error.isPassing)
        throw new StoreFailure(
          `etcd did not confirm a write (${error.message}); it may or may not have been stored, so read before trying again`,
        )
      throw error
    }
  }

  /** A watch over the endpoint in use. `onEnd` comes once, unless it was cancelled. */
  watch(
    request: object,
    onMessage: (message: Record<string, unknown>) => void,
    onEnd: (error: Error) => void,
  ): GrpcStream {
    const index = this.current
    const stream = this.channels[index]!.converse(
      etcdMethods.watch,
      onMessage,
      error => {
        this.moveOn(index)
        onEnd(error)
      },
      { metadata },
    )
    stream.send({ create_request: request })
    return stream
  }

  pause(delayMs = pauseMs): Promise<void> {
    return new Promise(resolve => {
      this.options.clock.after(delayMs, resolve)
    })
  }

  close(): void {
    this.closed = true
    for (const channel of this.channels) channel.close()
  }

  private async attempt<T>(path: string, request: object, mayRepeat: (error: EtcdError) => boolean): Promise<T> {
    const { clock, endpoints, patienceMs = defaultPatienceMs } = this.options
    // Each endpoint gets its turn.
    const timeoutMs = Math.min(callMs, patienceMs / endpoints.length)
    const endMs = clock.now() + patienceMs
    for (;;) {
      const index = this.current
      try {
        return (await this.channels[index]!.call(path, request, { timeoutMs, metadata })) as T
      } catch (error) {
        if (!(error instanceof EtcdError)) throw error
        if (error.isPassing) this.moveOn(index)
        if (this.closed) throw new StoreFailure('the store is closed')
        if (!mayRepeat(error)) throw error
        if (clock.now() > endMs)
          throw new StoreFailure(
            `etcd at ${endpoints.join(', ')} does not answer (${error.message}); check that it runs and that the addresses are right`,
          )
        await this.pause()
      }
    }
  }

  private moveOn(from: number): void {
    if (this.current === from) this.current = (from + 1) % this.channels.length
  }
}

function endpointUrl(endpoint: string): URL {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.host === '' || url.pathname !== '/')
    throw new StoreFailure(`expected an etcd endpoint such as http://127.0.0.1:2379, found "${endpoint}"`)
  if (url.port === '') throw new StoreFailure(`expected a port in the etcd endpoint "${endpoint}", such as 2379`)
  return url
}
