// Text and bytes where neither Node's nor the browser's types are known: the pure folders reach the
// runtime's encoders through here. All of it is synchronous and keeps no state.

interface Encoder {
  encode(text: string): Uint8Array<ArrayBuffer>
  encodeInto(text: string, target: Uint8Array): { read: number; written: number }
}
interface Decoder {
  decode(bytes: Uint8Array): string
}
interface NodeBytes extends Uint8Array {
  toString(encoding?: string): string
}
interface NodeBuffer {
  from(data: string | ArrayBufferLike, encodingOrOffset?: string | number, length?: number): NodeBytes
}
interface Runtime {
  TextEncoder: new () => Encoder
  TextDecoder: new (label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean }) => Decoder
  Buffer?: NodeBuffer
  atob(text: string): string
  btoa(text: string): string
}

const runtime = globalThis as unknown as Runtime
const encoder = new runtime.TextEncoder()
const decoder = new runtime.TextDecoder('utf-8', { ignoreBOM: true })

export const encodeUtf8 = (text: string): Uint8Array<ArrayBuffer> => encoder.encode(text)

/** Writes `text` at `offset` and returns the number of bytes; the target must have room for three bytes a character. */
export const encodeUtf8Into = (text: string, target: Uint8Array, offset: number): number =>
  encoder.encodeInto(text, target.subarray(offset)).written

export const decodeUtf8 = (bytes: Uint8Array): string => decoder.decode(bytes)

/** Standard alphabet, padded. */
export function encodeBase64(bytes: Uint8Array): string {
  if (runtime.Buffer !== undefined)
    return runtime.Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return runtime.btoa(binary)
}

/** Decodes what is known to be base64; what is not is decoded leniently. See `base64ErrorAt`. */
export function decodeBase64(text: string): Uint8Array {
  if (runtime.Buffer !== undefined) return runtime.Buffer.from(text, 'base64')
  return Uint8Array.from(runtime.atob(text), character => character.charCodeAt(0))
}

const wellFormed = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/** Where Go's decoder stops at text that is not padded standard base64; -1 when it is. Line breaks are allowed. */
export function base64ErrorAt(text: string): number {
  if (wellFormed.test(text)) return -1
  const bare = text.replaceAll('\n', '').replaceAll('\r', '')
  if (wellFormed.test(bare)) return -1
  const bad = /[^A-Za-z0-9+/\r\n]/.exec(text)
  return bad === null ? text.length - (bare.length % 4) : bad.index
}
