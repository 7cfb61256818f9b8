// SPDY/3.1 frames on the wire. `FrameReader` cuts a byte stream into frames; `dataFrame` and
// `controlFrame` write them. Header blocks stay compressed here.

export const frameTypes = {
  synStream: 1,
  synReply: 2,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  headers: 8,
  windowUpdate: 9,
} as const

export const flagFin = 1

export type Frame =
  | { readonly kind: 'data'; readonly streamId: number; readonly flags: number; readonly body: Buffer }
  | { readonly kind: 'control'; readonly type: number; readonly flags: number; readonly body: Buffer }

const headBytes = 8
const protocolVersion = 3

export function dataHead(streamId: number, length: number, fin: boolean): Buffer {
  const head = Buffer.alloc(headBytes)
  head.writeUInt32BE(streamId, 0)
  head.writeUInt32BE((fin ? flagFin : 0) * 2 ** 24 + length, 4)
  return head
}

export function controlFrame(type: number, flags: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  const head = Buffer.alloc(headBytes)
  head.writeUInt16BE(0x80_00 | protocolVersion, 0)
  head.writeUInt16BE(type, 2)
  head.writeUInt32BE(flags * 2 ** 24 + body.length, 4)
  return Buffer.concat([head, body])
}

export function numbers(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4)
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, index * 4)
  return bytes
}

/** Push bytes in, get complete frames out. */
export class FrameReader {
  private pending: Buffer[] = []
  private pendingBytes = 0
  private neededBytes = headBytes

  push(chunk: Buffer): Frame[] {
    const frames: Frame[] = []
    this.pending.push(chunk)
    this.pendingBytes += chunk.length
    while (this.pendingBytes >= this.neededBytes) {
      const bytes = this.pending.length === 1 ? this.pending[0]! : Buffer.concat(this.pending)
      const length = bytes.readUInt32BE(4) % 2 ** 24
      const total = headBytes + length
      this.neededBytes = bytes.length < total ? total : headBytes
      this.pending = bytes.length < total ? [bytes] : [bytes.subarray(total)]
      this.pendingBytes = bytes.length < total ? bytes.length : bytes.length - total
      if (bytes.length >= total) frames.push(frameOf(bytes.subarray(0, headBytes), bytes.subarray(headBytes, total)))
    }
    return frames
  }
}

function frameOf(head: Buffer, body: Buffer): Frame {
  const flags = head[4]!
  if ((head[0]! & 0x80) === 0) return { kind: 'data', streamId: head.readUInt32BE(0), flags, body }
  return { kind: 'control', type: head.readUInt16BE(2), flags, body }
}
