// The stored form of an object: JSON that starts with kind, apiVersion and metadata, without a
// resourceVersion, since the store assigns that only at the commit. The served form has it spliced in at
// a known place, so nothing is parsed or encoded a second time.
import type { KubeObject } from '../../api/object.ts'

const opening = '{"kind":'
const metadataOpening = '"metadata":{'

/** @param object is a draft; its resourceVersion is left out of the result */
export function encodeForStore(object: KubeObject): Buffer {
  const { kind, apiVersion, metadata, ...rest } = object
  const { resourceVersion: _assigned, ...meta } = metadata
  const text = JSON.stringify({ kind, apiVersion, metadata: meta, ...rest })
  return Buffer.from(text.startsWith(opening) ? text : withLeading({ kind, apiVersion, metadata: meta }, rest))
}

/** JavaScript puts fields whose names are numbers before all others; custom resources may have such fields. */
function withLeading(first: object, rest: object): string {
  const others = JSON.stringify(rest)
  return `${JSON.stringify(first).slice(0, -1)}${others === '{}' ? '' : ','}${others.slice(1)}`
}

/** The bytes clients get: the stored ones with `resourceVersion` as first field of the metadata. */
export function withRevision(stored: Uint8Array, revision: number): Buffer {
  const source = Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength)
  const at = source.indexOf(metadataOpening) + metadataOpening.length
  return replaced(source, at, at, `"resourceVersion":"${revision}",`)
}

/** The same served bytes under another revision. */
export function withOtherRevision(served: Buffer, revision: number, other: number): Buffer {
  const old = `"resourceVersion":"${revision}"`
  const at = served.indexOf(old)
  return replaced(served, at, at + old.length, `"resourceVersion":"${other}"`)
}

/**
 * A copy with other ASCII text from `start` to `end`. It has memory of its own: these bytes are kept for
 * long, and would keep the pool of short-lived buffers from which Node.js takes small ones.
 */
function replaced(source: Buffer, start: number, end: number, text: string): Buffer {
  const target = Buffer.allocUnsafeSlow(source.length - (end - start) + text.length)
  source.copy(target, 0, 0, start)
  target.write(text, start, 'latin1')
  source.copy(target, start + text.length, end)
  return target
}
