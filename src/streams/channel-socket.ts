// A WebSocket whose messages each begin with the channel they are for: a byte, or (base64) the character as many
// places after "0". What is sent and received waits when the other side is slow.
import type { Readable, Writable } from 'node:stream'
import type { RawData, WebSocket } from 'ws'

export interface ChannelMessage {
  readonly channel: number
  readonly body: Buffer
}

const sendLimitBytes = 1 << 20
const base64Offset = 0x30
/** Of a message without a channel. */
const noChannel = 255

export class ChannelSocket {
  private readonly client: WebSocket
  private readonly base64: boolean
  private lastSent: Promise<void> = Promise.resolve()
  private closing = false

  constructor(client: WebSocket) {
    this.client = client
    this.base64 = client.protocol.includes('base64')
  }

  /** Pauses `source` while too much waits to be sent; calls back when it is on its way. */
  send(channel: number, body: Buffer, source?: Readable, sent?: () => void): void {
    if (this.client.readyState !== this.client.OPEN) return sent?.()
    const message = this.base64
      ? `${String.fromCharCode(base64Offset + channel)}${body.toString('base64')}`
      : Buffer.concat([Buffer.from([channel]), body])
    this.lastSent = new Promise(resolve => {
      this.client.send(message, () => {
        if (source?.isPaused() === true && this.client.bufferedAmount <= sendLimitBytes) source.resume()
        sent?.()
        resolve()
      })
    })
    if (this.client.bufferedAmount > sendLimitBytes) source?.pause()
  }

  decode(data: RawData, isBinary: boolean): ChannelMessage {
    const bytes = Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as Buffer)
    if (!this.base64 || isBinary) return { channel: bytes[0] ?? noChannel, body: bytes.subarray(1) }
    return { channel: (bytes[0] ?? 0) - base64Offset, body: Buffer.from(bytes.toString('latin1', 1), 'base64') }
  }

  /** Hands it on, and takes no more from the client than `target` takes. What it does not take at all is dropped. */
  deliver(body: Buffer, target: Writable | undefined): void {
    if (this.closing || target?.writable !== true || target.write(body) || this.client.isPaused) return
    this.client.pause()
    const resume = (): void => {
      target.off('drain', resume).off('close', resume)
      this.client.resume()
    }
    target.on('drain', resume).on('close', resume)
  }

  /**
   * Once all is said. The client has a limited time to close, too: a slow one gets everything before that begins. What
   * it still sends is dropped.
   */
  async close(): Promise<void> {
    await this.lastSent
    this.closing = true
    this.client.resume()
    this.client.close(1000)
  }
}
