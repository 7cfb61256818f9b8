// What a watch is told, on its way out. A write to a socket costs more than an event, so what happens in one turn
// of the event loop goes out in one write, and while events keep coming, all watches are written to every few
// milliseconds; the first event after a pause goes out at once.
import type { Writable } from 'node:stream'

/** A client that reads this slowly is disconnected: it can resume. */
const backlogBytes = 16 * 1024 * 1024
const pauseMs = 10

export class EventStream {
  private pending: Uint8Array[] = []
  private readonly sink: Writable

  constructor(sink: Writable) {
    this.sink = sink
  }

  push(bytes: Uint8Array): void {
    if (this.pending.push(bytes) === 1) schedule(this)
  }

  end(): void {
    this.flush()
    this.sink.end()
  }

  flush(): void {
    const parts = this.pending
    this.pending = []
    if (this.sink.destroyed || this.sink.writableEnded || parts.length === 0) return
    this.sink.write(batchOf(parts))
    if (this.sink.writableLength > backlogBytes) this.sink.destroy()
  }
}

/** Streams with something to write. All are written in one go, since most were told the same. */
let waiting: EventStream[] = []
let writtenAtMs = 0

function schedule(stream: EventStream): void {
  if (waiting.push(stream) > 1) return
  const leftMs = writtenAtMs + pauseMs - performance.now()
  if (leftMs > 0) setTimeout(writeAll, leftMs)
  else setImmediate(writeAll)
}

function writeAll(): void {
  const streams = waiting
  waiting = []
  for (const stream of streams) stream.flush()
  writtenAtMs = performance.now()
}

/** The batch made last: watches that were told the same get the same bytes. */
let last: { readonly parts: readonly Uint8Array[]; readonly bytes: Uint8Array } = { parts: [], bytes: new Uint8Array() }

function batchOf(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]!
  if (parts.length !== last.parts.length || parts.some((part, index) => part !== last.parts[index]))
    last = { parts, bytes: Buffer.concat(parts) }
  return last.bytes
}
