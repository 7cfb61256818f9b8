// Encoders and decoders for messages written down in compact tables: `{Name: 'field=1 string, ...'}`.
// Decoded messages have every field (default values included); 64-bit numbers become JavaScript numbers,
// precise to 2^53: nanoseconds since the epoch lose less than a microsecond.
import protobuf from 'protobufjs'

type Json = Record<string, unknown>

export interface MessageCodec {
  encode(message: Json): Buffer
  decode(bytes: Uint8Array): Json
}

/** Returns the codec of a message by name. */
export function messageCodecs(tables: Readonly<Record<string, string>>): (name: string) => MessageCodec {
  const root = protobuf.Root.fromJSON({
    nested: Object.fromEntries(Object.entries(tables).map(([name, fields]) => [name, messageJson(fields)])),
  })
  const codecs = new Map<string, MessageCodec>()
  return name => {
    const known = codecs.get(name)
    if (known !== undefined) return known
    const type = root.lookupType(name)
    const codec: MessageCodec = {
      encode: message => Buffer.from(type.encode(type.fromObject(message)).finish()),
      decode: bytes =>
        type.toObject(type.decode(bytes), { longs: Number, defaults: true, arrays: true, objects: true }),
    }
    codecs.set(name, codec)
    return codec
  }
}

function messageJson(fields: string): protobuf.IType {
  const entries = fields
    .split(', ')
    .filter(field => field !== '')
    .map(field => {
      const [, name, id, declared] = /^(\w+)=(\d+) (.+)$/.exec(field)!
      return [name!, fieldJson(Number(id), declared!)] as const
    })
  return { fields: Object.fromEntries(entries) }
}

function fieldJson(id: number, declared: string): protobuf.IField {
  if (declared.startsWith('map:'))
    return { id, type: declared.slice('map:'.length), keyType: 'string' } as protobuf.IMapField
  if (declared.endsWith('[]')) return { id, type: declared.slice(0, -2), rule: 'repeated', options: { packed: true } }
  return { id, type: declared }
}
