// Reads a request's body within a size limit and decodes it: JSON, YAML or protobuf.
import type { IncomingMessage } from 'node:http'
import { badRequest, requestEntityTooLarge, unsupportedMediaType } from '../../api/api-error.ts'
import { parseJson } from '../../api/decode.ts'
import { parseYaml } from '../../api/parse-yaml.ts'
import { decodeProtobuf, decodeProtobufMessage } from '../../api/protobuf/envelope.ts'
import type { FieldValidation } from '../request.ts'
import { mediaTypes } from './negotiation.ts'

/** As etcd and kube-apiserver: 3 MiB. */
export const bodyLimitBytes = 3 * 1024 * 1024

export interface Body {
  readonly value: unknown
  /** `duplicate field "spec.x"`: reported together with unknown fields. */
  readonly problems: readonly string[]
}

const observers = new WeakMap<IncomingMessage, (bytes: Buffer) => void>()

/** Tells of the body once it is read. */
export const observeBody = (request: IncomingMessage, observer: (bytes: Buffer) => void): void => void observers.set(request, observer)

export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const bytes = await wholeBody(request)
  observers.get(request)?.(bytes)
  return bytes
}

function wholeBody(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= bodyLimitBytes) return void chunks.push(chunk)
      // The rest is read and dropped, so that the connection can be used again.
      chunks.length = 0
      reject(requestEntityTooLarge(bodyLimitBytes))
    })
    request.once('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)))
    request.once('error', reject)
    request.once('close', () => { if (!request.complete) reject(badRequest('the request ended before its body was complete')) })
  })
}

export const mediaTypeOf = (request: IncomingMessage): string => (request.headers['content-type'] ?? 'application/json').split(';', 1)[0]!.trim().toLowerCase()

/**
 * @param model of the expected object, needed to decode protobuf
 * @param expected is the kind that must be there; without it an empty body is none
 */
export function decodeBody(bytes: Buffer, mediaType: string, model: string, validation: FieldValidation, expected?: string): Body {
  if (bytes.length === 0 && expected === undefined) return { value: undefined, problems: [] }
  switch (mediaType) {
    case mediaTypes.json: return withProblems(parseJson(bytes.toString(), { duplicates: validation !== 'Ignore', ...(expected !== undefined && { expected }) }))
    case mediaTypes.yaml:
    case 'application/apply-patch+yaml': return withProblems(parseYaml(bytes.toString(), { duplicates: validation !== 'Ignore' }))
    case mediaTypes.protobuf: {
      const { apiVersion, kind, message } = decodeProtobuf(bytes)
      return { value: { apiVersion, kind, ...decodeProtobufMessage(model, message) }, problems: [] }
    }
    default: throw unsupportedMediaType(Object.values(mediaTypes))
  }
}

/** A JSON document that says how to change an object. @param prefix of what is said about one that is no JSON */
export const decodePatch = (bytes: Buffer, prefix: string, validation: FieldValidation): Body => withProblems(parseJson(bytes.toString(), { duplicates: validation !== 'Ignore', ofPatch: prefix }))

function withProblems({ value, duplicates }: { value: unknown; duplicates: readonly string[] }): Body {
  return { value, problems: duplicates.map(field => `duplicate field "${field}"`) }
}

/** `converting (v1.Pod) to (core.Namespace): unknown conversion`: the packages that Kubernetes keeps the two kinds in. */
function noConversion(from: { apiVersion: string; kind: string }, to: { apiVersion: string; kind: string }): string {
  const group = groupOf(to.apiVersion)
  const hub = group === '' || group === 'events.k8s.io' ? 'core' : group.split('.', 1)[0]!
  return `converting (${versionOf(from.apiVersion)}.${from.kind}) to (${hub}.${to.kind}): unknown conversion`
}

const groupOf = (apiVersion: string): string => apiVersion.slice(0, Math.max(0, apiVersion.indexOf('/')))
const versionOf = (apiVersion: string): string => apiVersion.slice(apiVersion.indexOf('/') + 1)

/** The body must be of the kind that the path names, or not say. */
export function checkTypeOf(value: unknown, expected: { apiVersion: string; kind: string }, isRegistered: (apiVersion: string, kind: string) => boolean = () => true): void {
  if (typeof value !== 'object' || value === null) return
  const { apiVersion, kind } = value as { apiVersion?: unknown; kind?: unknown }
  if (typeof kind === 'string' && kind !== '' && kind !== expected.kind) {
    const given = { apiVersion: typeof apiVersion === 'string' ? apiVersion : expected.apiVersion, kind }
    const problem = isRegistered(given.apiVersion, kind) ? noConversion(given, expected) : `no kind "${kind}" is registered for version "${given.apiVersion}" in scheme "pkg/api/legacyscheme/scheme.go:30"`
    throw badRequest(`${kind} in version "${versionOf(given.apiVersion)}" cannot be handled as a ${expected.kind}: ${problem}`)
  }
  if (typeof apiVersion === 'string' && apiVersion !== '' && apiVersion !== expected.apiVersion) {
    if (!isRegistered(apiVersion, expected.kind)) throw badRequest(`${expected.kind} in version "${apiVersion}" cannot be handled as a ${expected.kind}: no kind "${expected.kind}" is registered for version "${apiVersion}" in scheme "pkg/api/legacyscheme/scheme.go:30"`)
    throw badRequest(`the API version in the data (${apiVersion}) does not match the expected API version (${expected.apiVersion})`)
  }
}
