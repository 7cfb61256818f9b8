// /openapi/v2 in the binary form that kubectl asks for before it sends a `kind: List`. It would check the
// items against the definitions in there; with none it leaves that to the server, which checks every
// object strictly as it arrives. So the document is valid and empty.
// Source: OpenAPIv2.proto of gnostic (Document: swagger = 1, info = 2, paths = 8; Info: title = 1, version = 2).

/** Clients ask for `...spec.v2@v1.0+protobuf`, which no answer may be called: "@" is not allowed in a media type. */
export const openApiV2BinaryAccepted = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf'
export const openApiV2BinaryType = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf'

const delimited = 2
const field = (number: number, content: readonly number[]): number[] => [(number << 3) | delimited, content.length, ...content]
const ascii = (number: number, text: string): number[] => field(number, Array.from(text, character => character.charCodeAt(0)))

export const openApiV2Binary = (): Uint8Array =>
  Uint8Array.from([...ascii(1, '2.0'), ...field(2, [...ascii(1, 'Kubernetes'), ...ascii(2, 'unversioned')]), ...field(8, [])])
