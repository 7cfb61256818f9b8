// The little of the protobuf wire format that Kubernetes uses: varints, lengths, strings, nested
// messages, doubles. A writer is reused: `finish` copies what was written. Not re-entrant across awaits,
// which is no concern: encoding is synchronous.
import type { Int64 } from '../../lib/int64.ts'
import { encodeUtf8Into } from '../../lib/text.ts'

const varint = 0
const fixed64 = 1
const delimited = 2

export class Writer {
  private buffer = new Uint8Array(1 << 14)
  private at = 0

  private reserve(size: number): void {
    if (this.at + size <= this.buffer.length) return
    const larger = new Uint8Array(Math.max(this.buffer.length * 2, this.at + size))
    larger.set(this.buffer.subarray(0, this.at))
    this.buffer = larger
  }

  private uint32(value: number): void {
    let rest = value >>> 0
    while (rest > 127) {
      this.buffer[this.at++] = (rest & 127) | 128
      rest >>>= 7
    }
    this.buffer[this.at++] = rest
  }

  /** Negative ones take ten bytes. */
  private integer(value: Int64): void {
    if (value >= 0 && value <= 0xffff_ffff) {
      this.uint32(Number(value))
      return
    }
    let rest = BigInt.asUintN(64, typeof value === 'bigint' ? value : BigInt(Math.trunc(value)))
    while (rest > 127n) {
      this.buffer[this.at++] = Number(rest & 127n) | 128
      rest >>= 7n
    }
    this.buffer[this.at++] = Number(rest)
  }

  integerField(number: number, value: Int64): void {
    this.reserve(16)
    this.uint32((number << 3) | varint)
    this.integer(value)
  }

  booleanField(number: number, value: boolean): void {
    this.reserve(8)
    this.uint32((number << 3) | varint)
    this.buffer[this.at++] = value ? 1 : 0
  }

  doubleField(number: number, value: number): void {
    this.reserve(16)
    this.uint32((number << 3) | fixed64)
    new DataView(this.buffer.buffer).setFloat64(this.at, value, true)
    this.at += 8
  }

  bytesField(number: number, bytes: Uint8Array): void {
    this.reserve(bytes.length + 16)
    this.uint32((number << 3) | delimited)
    this.uint32(bytes.length)
    this.buffer.set(bytes, this.at)
    this.at += bytes.length
  }

  stringField(number: number, text: string): void {
    this.reserve(text.length * 3 + 16)
    this.uint32((number << 3) | delimited)
    const { length } = text
    if (length < 64 && this.ascii(text, length)) return
    const start = this.at
    const guess = lengthSize(length)
    const written = encodeUtf8Into(text, this.buffer, start + guess)
    this.closeLength(start, guess, written)
  }

  /** Short ASCII text, as most of it is, needs no encoder. */
  private ascii(text: string, length: number): boolean {
    const start = this.at
    this.buffer[this.at++] = length
    for (let index = 0; index < length; index++) {
      const code = text.charCodeAt(index)
      if (code > 127) {
        this.at = start
        return false
      }
      this.buffer[this.at++] = code
    }
    return true
  }

  /** Writes `body` as a nested message; its length is put in front afterwards. */
  messageField(number: number, body: () => void): void {
    this.reserve(16)
    this.uint32((number << 3) | delimited)
    const start = this.at
    this.at++
    body()
    this.closeLength(start, 1, this.at - start - 1)
  }

  private closeLength(start: number, reserved: number, length: number): void {
    const needed = lengthSize(length)
    if (needed !== reserved) {
      this.at = start + reserved + length
      this.reserve(needed)
      this.buffer.copyWithin(start + needed, start + reserved, start + reserved + length)
    }
    this.at = start
    this.uint32(length)
    this.at = start + needed + length
  }

  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length)
    this.buffer.set(bytes, this.at)
    this.at += bytes.length
  }

  /** What was written, and a fresh start. */
  finish(): Uint8Array {
    const written = this.buffer.slice(0, this.at)
    this.at = 0
    if (this.buffer.length > 1 << 22) this.buffer = new Uint8Array(1 << 14)
    return written
  }

  reset(): void {
    this.at = 0
  }
}

function lengthSize(length: number): number {
  if (length < 1 << 7) return 1
  if (length < 1 << 14) return 2
  if (length < 1 << 21) return 3
  return length < 1 << 28 ? 4 : 5
}
