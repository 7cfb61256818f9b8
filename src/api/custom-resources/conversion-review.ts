// What is asked of a conversion webhook, and whether its answer is one: the same objects in another
// version, with nothing of their identity changed. Source: apiextensions-apiserver
// pkg/apiserver/conversion/webhook_converter.go.
import type { KubeObject } from '../object.ts'
import { isObject } from '../patch/json-value.ts'
import { sameJson } from '../validation/scalars.ts'

export const reviewVersions = ['v1', 'v1beta1'] as const
const group = 'apiextensions.k8s.io'

export function conversionReview(
  version: string,
  uid: string,
  desiredAPIVersion: string,
  objects: readonly KubeObject[],
): object {
  return { kind: 'ConversionReview', apiVersion: `${group}/${version}`, request: { uid, desiredAPIVersion, objects } }
}

export class ConversionFault extends Error {}

/** @throws ConversionFault that says what is wrong with the answer */
export function convertedObjects(
  answer: unknown,
  uid: string,
  desiredAPIVersion: string,
  objects: readonly KubeObject[],
): KubeObject[] {
  const response = isObject(answer) ? answer.response : undefined
  if (!isObject(response)) throw new ConversionFault('no response provided')
  if (response.uid !== uid)
    throw new ConversionFault(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response.uid ?? '')}`)
  const { status = '', message = '' } = (isObject(response.result) ? response.result : {}) as {
    status?: string
    message?: string
  }
  if (status !== 'Success')
    throw new ConversionFault(message || `response.result.status was '${status}', not 'Success'`)
  const converted: unknown[] = Array.isArray(response.convertedObjects) ? response.convertedObjects : []
  if (converted.length !== objects.length)
    throw new ConversionFault(`returned ${converted.length} objects, expected ${objects.length}`)
  return converted.map((object, index) => checked(object, objects[index]!, desiredAPIVersion, index))
}

function checked(value: unknown, before: KubeObject, desiredAPIVersion: string, index: number): KubeObject {
  const refuse = (problem: string): ConversionFault =>
    new ConversionFault(`returned invalid converted object at index ${index}: ${problem}`)
  if (!isObject(value) || !isObject(value.metadata)) throw refuse('it has no metadata')
  const object = value as unknown as KubeObject
  if (object.apiVersion !== desiredAPIVersion)
    throw refuse(`invalid groupVersion (expected ${desiredAPIVersion}, received ${object.apiVersion})`)
  if (object.kind !== before.kind) throw refuse(`invalid kind (expected ${before.kind}, received ${object.kind})`)
  for (const name of ['name', 'namespace', 'uid'] as const) {
    if ((object.metadata[name] ?? '') !== (before.metadata[name] ?? ''))
      throw refuse(`invalid metadata (expected ${name} ${before.metadata[name]}, received ${object.metadata[name]})`)
  }
  return { ...object, metadata: metadataAfter(object, before) }
}

/** A webhook may change labels and annotations; the rest of the metadata is not its business. */
function metadataAfter(
  { metadata: { labels, annotations } }: KubeObject,
  { metadata }: KubeObject,
): KubeObject['metadata'] {
  const { labels: oldLabels, annotations: oldAnnotations, ...kept } = metadata
  if (sameJson(labels ?? {}, oldLabels ?? {}) && sameJson(annotations ?? {}, oldAnnotations ?? {})) return metadata
  return { ...kept, ...(labels && { labels }), ...(annotations && { annotations }) }
}
