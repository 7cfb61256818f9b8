// Reads protobuf fields one after the other. Malformed input ends in a bad request, never in anything
// else: the bytes come from clients.
import { badRequest, type ApiError } from '../api-error.ts'
import { exactInteger, type Int64 } from '../../lib/int64.ts'
import { decodeUtf8 } from '../../lib/text.ts'

const malformed = (): ApiError => badRequest('proto: illegal wireType or unexpected EOF')

export class Reader {
  private readonly bytes: Uint8Array
  private at: number
  private readonly end: number

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.bytes = bytes
    this.at = start
    this.end = end
  }

  get done(): boolean {
    return this.at >= this.end
  }

  private byte(): number {
    if (this.at >= this.end) throw malformed()
    return this.bytes[this.at++]!
  }

  uint32(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte()
      value |= (byte & 127) << shift
      if (byte < 128) return value >>> 0
    }
    throw malformed()
  }

  /** A signed integer of up to 64 bits. */
  integer(): Int64 {
    const start = this.at
    let value = 0
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.byte()
      value |= (byte & 127) << shift
      if (byte < 128) return value
    }
    this.at = start
    let long = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.byte()
      long |= BigInt(byte & 127) << shift
      if (byte < 128) return exactInteger(BigInt.asIntN(64, long))
    }
    throw malformed()
  }

  double(): number {
    if (this.at + 8 > this.end) throw malformed()
    const value = new DataView(this.bytes.buffer, this.bytes.byteOffset + this.at, 8).getFloat64(0, true)
    this.at += 8
    return value
  }

  private length(): number {
    const length = this.uint32()
    if (this.at + length > this.end) throw malformed()
    return length
  }

  blob(): Uint8Array {
    const length = this.length()
    const blob = this.bytes.subarray(this.at, this.at + length)
    this.at += length
    return blob
  }

  string(): string {
    const length = this.length()
    const start = this.at
    this.at += length
    if (length > 48) return decodeUtf8(this.bytes.subarray(start, this.at))
    let text = ''
    for (let index = start; index < this.at; index++) {
      const code = this.bytes[index]!
      if (code > 127) return decodeUtf8(this.bytes.subarray(start, this.at))
      text += String.fromCharCode(code)
    }
    return text
  }

  /** A reader for the nested message that comes next. */
  nested(): Reader {
    const length = this.length()
    const start = this.at
    this.at += length
    return new Reader(this.bytes, start, this.at)
  }

  skip(wireType: number): void {
    if (wireType === 0) this.integer()
    else if (wireType === 1) this.double()
    else if (wireType === 2) this.blob()
    else if (wireType === 5) {
      if (this.at + 4 > this.end) throw malformed()
      this.at += 4
    } else throw malformed()
  }
}
