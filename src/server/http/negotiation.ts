// What form of answer a client accepts: JSON, YAML or protobuf, and as what (Table, PartialObjectMetadata).
import { notAcceptable } from '../../api/api-error.ts'
import type { KindDefinition } from '../../api/kind.ts'

export type Format = 'json' | 'yaml' | 'protobuf'
export type Transformation = 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList'

export interface Accepted {
  readonly format: Format
  readonly as?: Transformation
}

export const mediaTypes: Readonly<Record<Format, string>> = {
  json: 'application/json',
  yaml: 'application/yaml',
  protobuf: 'application/vnd.kubernetes.protobuf',
}

/** What custom resources are read and written as. */
export const textualTypes = [mediaTypes.json, mediaTypes.yaml]

const formats: Readonly<Record<string, Format>> = {
  '*/*': 'json',
  'application/*': 'json',
  'application/json': 'json',
  'application/yaml': 'yaml',
  'application/vnd.kubernetes.protobuf': 'protobuf',
}

/** What can be given beside JSON and YAML. */
interface Offer {
  readonly name: string
  readonly protobuf: boolean
  /** As a Table or as PartialObjectMetadata. */
  readonly transformed: boolean
}

const ofObjects: Offer = { name: '', protobuf: true, transformed: true }
const ofCustomObjects: Offer = { name: 'custom ', protobuf: false, transformed: true }
const ofAnswers: Offer = { name: 'answer ', protobuf: true, transformed: false }

const plainJson: Accepted = { format: 'json' }
const remembered = new Map<string, Accepted>()

/** @throws ApiError NotAcceptable when nothing the client accepts can be given */
export function negotiate(accept: string | undefined): Accepted {
  return choiceFor(accept, ofObjects)
}

/** The same for an object of a kind: custom resources have no protobuf form. */
export function negotiateFor({ custom }: KindDefinition, accept: string | undefined): Accepted {
  return choiceFor(accept, custom === undefined ? ofObjects : ofCustomObjects)
}

/** The same for what has neither columns nor metadata of its own: reviews and documents of discovery. */
export function negotiatePlain(accept: string | undefined): Accepted {
  return choiceFor(accept, ofAnswers)
}

/** Whether the client would rather have all groups, versions and resources in one document (of the only version there is). */
export function prefersAggregatedDiscovery(accept: string): boolean {
  for (const part of accept.split(',')) {
    const { type, parameters } = mediaType(part)
    if (formats[type] === undefined) continue
    if (!parameters.has('as')) return false
    if (
      formats[type] === 'json' &&
      parameters.get('as') === 'APIGroupDiscoveryList' &&
      parameters.get('g') === 'apidiscovery.k8s.io' &&
      parameters.get('v') === 'v2'
    )
      return true
  }
  return false
}

/** Which of the media types a client likes best, where only its wish counts and no parameter; undefined: none of them. */
export function preferredType(accept: string | undefined, offers: readonly string[]): string | undefined {
  const wishes = (accept || '*/*')
    .split(',')
    .map(mediaType)
    .map(({ type, parameters }) => ({ type, quality: Number(parameters.get('q') ?? 1) }))
  for (const { type } of wishes.toSorted((a, b) => b.quality - a.quality || wildcards(a.type) - wildcards(b.type))) {
    const found = offers.find(offer => type === offer || type === '*/*' || type === `${offer.split('/', 1)[0]}/*`)
    if (found !== undefined) return found
  }
  return undefined
}

const wildcards = (type: string): number => type.split('*').length

function choiceFor(accept: string | undefined, offer: Offer): Accepted {
  if (accept === undefined || accept === '' || accept === '*/*') return plainJson
  const known = remembered.get(offer.name + accept)
  if (known !== undefined) return known
  const choice = choose(accept, offer)
  if (choice === undefined) throw notAcceptable(offer.protobuf ? Object.values(mediaTypes) : textualTypes)
  if (remembered.size < 1000) remembered.set(offer.name + accept, choice)
  return choice
}

function mediaType(part: string): { type: string; parameters: ReadonlyMap<string, string> } {
  const [type = '', ...parameters] = part.split(';').map(text => text.trim())
  return { type, parameters: new Map(parameters.map(parameter => parameter.split('=', 2) as [string, string])) }
}

function choose(accept: string, offer: Offer): Accepted | undefined {
  for (const part of accept.split(',')) {
    const { type, parameters } = mediaType(part)
    const format = formats[type]
    if (format === undefined) continue
    const as = parameters.get('as')
    if (as === undefined || as === '') {
      if (format === 'protobuf' && !offer.protobuf) continue
      return { format }
    }
    if (
      !offer.transformed ||
      parameters.get('g') !== 'meta.k8s.io' ||
      !['v1', 'v1beta1'].includes(parameters.get('v') ?? '')
    )
      continue
    if (as === 'Table' || as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList') return { format, as }
  }
  return undefined
}
