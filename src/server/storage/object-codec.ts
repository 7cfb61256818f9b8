// The stored form of an object: JSON that starts with kind, apiVersion and metadata, without a
// resourceVersion, since the store assigns that only at the commit. The served form has it spliced in at
// a known place, so nothing is parsed or encoded a second time.
import type { KubeObject } from '../../api/object.ts'

const metadataOpening = '"metadata":{'

/** @param object is a draft; its resourceVersion is left out of the result */
export function encodeForStore(object: KubeObject): Buffer {
  const { kind, apiVersion, metadata, ...rest } = object
  const { resourceVersion: _assigned, ...meta } = metadata
  return Buffer.from(JSON.stringify({ kind, apiVersion, metadata: meta, ...rest }))
}

/** The bytes clients get: the stored ones with `resourceVersion` as first field of the metadata. */
export function withRevision(stored: Uint8Array, revision: number): Buffer {
  const source = Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength)
  const at = source.indexOf(metadataOpening) + metadataOpening.length
  return Buffer.concat([source.subarray(0, at), Buffer.from(`"resourceVersion":"${revision}",`), source.subarray(at)])
}
