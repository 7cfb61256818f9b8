// Reads a request's body within a size limit and decodes it: JSON, YAML or protobuf.
import type { IncomingMessage } from 'node:http'
import { badRequest, requestEntityTooLarge, unsupportedMediaType } from '../../api/api-error.ts'
import { conversionProblem, versionOf, type IsRegistered } from '../../api/conversion-problem.ts'
import { wrongCustomKind } from '../../api/custom-resources/wrong-kind.ts'
import { parseJson } from '../../api/decode.ts'
import type { KindDefinition } from '../../api/kind.ts'
import { parseYaml } from '../../api/parse-yaml.ts'
import { operationProblems } from '../../api/patch/json-patch.ts'
import { isObject } from '../../api/patch/json-value.ts'
import { decodeProtobuf, decodeProtobufMessage } from '../../api/protobuf/envelope.ts'
import { apiVersionOf, typeMetaOf } from '../../api/resource.ts'
import type { PatchType } from '../operations/patch.ts'
import type { FieldValidation } from '../request.ts'
import { mediaTypes } from './negotiation.ts'

/** As etcd and kube-apiserver: 3 MiB. */
export const bodyLimitBytes = 3 * 1024 * 1024

export interface Body {
  readonly value: unknown
  /** `duplicate field "spec.x"`, or what YAML's parser says of it: reported together with unknown fields. */
  readonly problems: readonly string[]
}

const observers = new WeakMap<IncomingMessage, (bytes: Buffer) => void>()

/** Tells of the body once it is read. */
export const observeBody = (request: IncomingMessage, observer: (bytes: Buffer) => void): void =>
  void observers.set(request, observer)

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
      reject(requestEntityTooLarge(`limit is ${bodyLimitBytes}`))
    })
    request.once('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)))
    request.once('error', reject)
    request.once('close', () => {
      if (!request.complete) reject(badRequest('the request ended before its body was complete'))
    })
  })
}

export const mediaTypeOf = (request: IncomingMessage): string =>
  (request.headers['content-type'] ?? 'application/json').split(';', 1)[0]!.trim().toLowerCase()

/**
 * @param model of the expected object, needed to decode protobuf
 * @param expected is the kind that must be there; without it an empty body is none
 */
export function decodeBody(
  bytes: Buffer,
  mediaType: string,
  model: string,
  validation: FieldValidation,
  expected?: string,
): Body {
  if (bytes.length === 0 && expected === undefined) return { value: undefined, problems: [] }
  switch (mediaType) {
    case mediaTypes.json:
      return withProblems(
        parseJson(bytes.toString(), {
          duplicates: validation !== 'Ignore',
          ...(expected !== undefined && { expected }),
        }),
      )
    case mediaTypes.yaml:
    case 'application/apply-patch+yaml':
      return yamlBody(bytes, validation)
    case mediaTypes.protobuf: {
      const { apiVersion, kind, message } = decodeProtobuf(bytes)
      return { value: { apiVersion, kind, ...decodeProtobufMessage(model, message) }, problems: [] }
    }
    default:
      throw unsupportedMediaType(Object.values(mediaTypes))
  }
}

/** A JSON document that says how to change an object. */
export function decodePatch(bytes: Buffer, type: Exclude<PatchType, 'apply'>, validation: FieldValidation): Body {
  const parsed = parseJson(bytes.toString(), {
    duplicates: validation !== 'Ignore',
    ofPatch: type === 'strategic' ? '' : 'error decoding patch: ',
  })
  return type === 'json'
    ? { value: parsed.value, problems: operationProblems(parsed.value, parsed.duplicates) }
    : withProblems(parsed)
}

function withProblems({ value, duplicates }: { value: unknown; duplicates: readonly string[] }): Body {
  return { value, problems: duplicates.map(field => `duplicate field "${field}"`) }
}

/** Duplicates are warned of one by one, and refused together. */
export function yamlBody(bytes: Buffer, validation: FieldValidation): Body {
  const { value, duplicates } = parseYaml(bytes.toString(), { duplicates: validation !== 'Ignore' })
  return { value, problems: validation === 'Strict' ? unmarshalErrors(duplicates) : duplicates }
}

const unmarshalErrors = (lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : [`yaml: unmarshal errors:\n${lines.map(line => `  ${line}`).join('\n')}`]

/**
 * The body must be of the kind that the path names, or not say. A custom resource's own validation tells of a wrong kind.
 * @throws ApiError BadRequest
 */
export function checkTypeOf(
  value: unknown,
  { resource, custom }: Pick<KindDefinition, 'resource' | 'custom'>,
  isRegistered: IsRegistered = () => true,
): void {
  if (!isObject(value)) return
  const expected = typeMetaOf(resource)
  const given = { apiVersion: textOr(value.apiVersion, expected.apiVersion), kind: textOr(value.kind, expected.kind) }
  const problem = custom === undefined ? conversionProblem(given, expected, isRegistered) : undefined
  if (problem !== undefined)
    throw badRequest(
      `${given.kind} in version "${versionOf(given.apiVersion)}" cannot be handled as a ${expected.kind}: ${problem}`,
    )
  if (given.apiVersion !== expected.apiVersion)
    throw badRequest(
      `the API version in the data (${given.apiVersion}) does not match the expected API version (${expected.apiVersion})`,
    )
  if (given.kind !== expected.kind) throw wrongCustomKind(resource, value, given.kind)
}

/** @throws ApiError BadRequest */
export function checkVersionOfApplied(value: unknown, { resource }: Pick<KindDefinition, 'resource'>): void {
  const expected = apiVersionOf(resource)
  const given = isObject(value) ? (value.apiVersion ?? '') : expected
  if (given !== expected)
    throw badRequest(
      `Incorrect version specified in apply patch. Specified patch version: ${given as string}, expected: ${expected}`,
    )
}

const textOr = (value: unknown, other: string): string => (typeof value === 'string' && value !== '' ? value : other)
