// A SPDY/3.1 session over any Duplex, as client or server. Streams are Duplexes with half close.
// Flow control is the transport's own: the peers Kubernetes has (moby/spdystream) neither send window
// updates nor honour them, so waiting for one would stop every transfer at 64 KiB.
import { Duplex } from 'node:stream'
import { FrameReader, controlFrame, dataHead, flagFin, frameTypes, numbers, type Frame } from './frames.ts'
import { HeaderCompressor, HeaderDecompressor, type SpdyHeaders } from './header-block.ts'

export interface SpdySessionOptions {
  readonly role: 'client' | 'server'
  /** A stream that the other side opened. */
  readonly onStream?: (stream: SpdyStream) => void
  /** Once, when the transport is gone. */
  readonly onClose?: (error?: Error) => void
}

/** When a stream holds this much that nobody read, nothing more is taken from the transport. */
const unreadLimitBytes = 1 << 20
const writeChunkBytes = 32_768
const statusCancel = 5

export class SpdySession {
  private readonly transport: Duplex
  private readonly options: SpdySessionOptions
  private readonly compressor = new HeaderCompressor()
  private readonly decompressor = new HeaderDecompressor()
  private readonly reader = new FrameReader()
  private readonly streams = new Map<number, SpdyStream>()
  private nextStreamId: number
  private lastPeerStreamId = 0
  private closed = false
  /** Nothing that still comes matters; it is read for the end behind it. */
  private deaf = false

  constructor(transport: Duplex, options: SpdySessionOptions) {
    this.transport = transport
    this.options = options
    this.nextStreamId = options.role === 'client' ? 1 : 2
    transport.on('data', (chunk: Buffer) => this.receive(chunk))
    transport.on('error', error => this.onTransportClosed(error))
    transport.on('end', () => this.onTransportClosed())
    transport.on('close', () => this.onTransportClosed())
  }

  openStream(headers: SpdyHeaders, fin = false): SpdyStream {
    const id = this.nextStreamId
    this.nextStreamId += 2
    const stream = new SpdyStream(this, id, headers)
    this.streams.set(id, stream)
    this.sendControl(
      frameTypes.synStream,
      fin ? flagFin : 0,
      numbers(id, 0),
      Buffer.alloc(2),
      this.compressor.compress(headers),
    )
    if (fin) stream.end()
    return stream
  }

  /**
   * Says that no further streams are taken, then ends the transport when everything is written. A server's clients may
   * go on sending for a while: it drops that, while a client still gets what the server said before.
   */
  close(): void {
    if (this.closed) return
    this.sendControl(frameTypes.goAway, 0, numbers(this.lastPeerStreamId, 0))
    this.transport.end()
    this.deaf = this.options.role === 'server'
    if (this.deaf) this.transport.resume()
  }

  destroy(): void {
    this.transport.destroy()
    this.onTransportClosed()
  }

  /** @internal */
  sendReply(id: number, headers: SpdyHeaders): void {
    this.sendControl(frameTypes.synReply, 0, numbers(id), this.compressor.compress(headers))
  }

  /** @internal Calls back when the transport took the bytes. */
  sendData(id: number, data: Buffer, fin: boolean, callback: (error?: Error | null) => void): void {
    if (this.closed) return callback(new Error('the connection is closed'))
    this.transport.cork()
    let offset = 0
    do {
      const chunk = data.subarray(offset, offset + writeChunkBytes)
      offset += chunk.length
      const last = offset >= data.length
      this.transport.write(dataHead(id, chunk.length, fin && last))
      if (last) this.transport.write(chunk, callback)
      else this.transport.write(chunk)
    } while (offset < data.length)
    this.transport.uncork()
  }

  /** @internal */
  sendReset(id: number): void {
    this.sendControl(frameTypes.rstStream, 0, numbers(id, statusCancel))
  }

  /** @internal */
  forget(id: number): void {
    this.streams.delete(id)
    this.resume()
  }

  /** @internal Somebody read: go on when no stream is over its limit. */
  resume(): void {
    if (!this.transport.isPaused()) return
    for (const stream of this.streams.values()) if (stream.readableLength > unreadLimitBytes) return
    this.transport.resume()
  }

  private sendControl(type: number, flags: number, ...parts: readonly Buffer[]): void {
    if (!this.closed && this.transport.writable) this.transport.write(controlFrame(type, flags, ...parts))
  }

  private receive(chunk: Buffer): void {
    try {
      for (const frame of this.reader.push(chunk)) this.dispatch(frame)
    } catch (error) {
      this.transport.destroy(error as Error)
    }
  }

  private dispatch(frame: Frame): void {
    if (frame.kind === 'data') return this.onData(frame.streamId, frame.body, (frame.flags & flagFin) !== 0)
    const { type, flags, body } = frame
    switch (type) {
      case frameTypes.synStream:
        return this.onSynStream(body, (flags & flagFin) !== 0)
      case frameTypes.synReply:
        return this.onSynReply(body, (flags & flagFin) !== 0)
      case frameTypes.headers:
        // The block must be read even if nobody wants it: later blocks refer back to it.
        this.decompressor.decompress(body.subarray(4))
        if ((flags & flagFin) !== 0) this.streams.get(streamIdOf(body))?.receiveEnd()
        return
      case frameTypes.rstStream:
        return this.streams.get(streamIdOf(body))?.receiveReset(body.readUInt32BE(4))
      case frameTypes.ping:
        // Odd ids are the client's: only the other side's pings are answered.
        if ((body.readUInt32BE(0) % 2 === 0) === (this.options.role === 'client'))
          this.sendControl(frameTypes.ping, 0, body)
        return
      default:
        return
    }
  }

  private onSynStream(body: Buffer, fin: boolean): void {
    const id = streamIdOf(body)
    const headers = this.decompressor.decompress(body.subarray(10))
    this.lastPeerStreamId = id
    const stream = new SpdyStream(this, id, headers)
    this.streams.set(id, stream)
    if (fin) stream.receiveEnd()
    if (this.options.onStream === undefined) stream.destroy()
    else this.options.onStream(stream)
  }

  private onSynReply(body: Buffer, fin: boolean): void {
    const headers = this.decompressor.decompress(body.subarray(4))
    const stream = this.streams.get(streamIdOf(body))
    stream?.receiveReply(headers)
    if (fin) stream?.receiveEnd()
  }

  private onData(id: number, body: Buffer, fin: boolean): void {
    const stream = this.streams.get(id)
    if (stream === undefined || this.deaf) return
    if (body.length > 0) stream.receiveData(body)
    if (fin) stream.receiveEnd()
    if (stream.readableLength > unreadLimitBytes) this.transport.pause()
  }

  private onTransportClosed(error?: Error): void {
    if (this.closed) return
    this.closed = true
    for (const stream of this.streams.values()) stream.transportClosed(error)
    this.streams.clear()
    if (!this.transport.destroyed) this.transport.end()
    this.options.onClose?.(error)
  }
}

const streamIdOf = (body: Buffer): number => body.readUInt32BE(0) & 0x7f_ff_ff_ff

export class SpdyStream extends Duplex {
  readonly id: number
  /** What the side that opened the stream said about it. */
  readonly headers: SpdyHeaders
  /** Resolves when the other side accepts the stream. */
  readonly accepted: Promise<SpdyHeaders>
  private readonly session: SpdySession
  private readonly acceptance = Promise.withResolvers<SpdyHeaders>()
  private ended = false
  /** The other side takes nothing more. */
  private reset = false

  constructor(session: SpdySession, id: number, headers: SpdyHeaders) {
    super({ allowHalfOpen: true, autoDestroy: true })
    this.session = session
    this.id = id
    this.headers = headers
    this.accepted = this.acceptance.promise
    // Not everybody waits for it; a refusal must not be an unhandled rejection then.
    this.accepted.catch(() => {})
  }

  /** For the side that did not open the stream. */
  reply(headers: SpdyHeaders = {}): void {
    this.session.sendReply(this.id, headers)
  }

  receiveReply(headers: SpdyHeaders): void {
    this.acceptance.resolve(headers)
  }

  receiveData(data: Buffer): void {
    if (!this.ended && !this.destroyed) this.push(data)
  }

  receiveEnd(): void {
    if (this.ended || this.destroyed) return
    this.ended = true
    this.push(null)
  }

  receiveReset(status: number): void {
    this.acceptance.reject(new Error(`the stream was refused or reset (status ${status})`))
    // Servers reset every stream once all is said: what arrived before is still to be read.
    this.reset = true
    this.receiveEnd()
    this.end()
  }

  transportClosed(error?: Error): void {
    this.acceptance.reject(error ?? new Error('the connection was closed'))
    if (this.ended) return
    // What arrived before is still to be read; then the end.
    this.ended = true
    if (error === undefined) this.push(null)
    else this.destroy(error)
  }

  override _read(): void {
    this.session.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    if (this.reset) callback()
    else this.session.sendData(this.id, chunk, false, callback)
  }

  override _final(callback: (error?: Error | null) => void): void {
    if (this.reset) callback()
    else this.session.sendData(this.id, Buffer.alloc(0), true, () => callback())
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (!this.reset && !(this.writableFinished && this.ended)) this.session.sendReset(this.id)
    this.session.forget(this.id)
    this.acceptance.reject(error ?? new Error('the stream was closed'))
    callback(error)
  }
}
