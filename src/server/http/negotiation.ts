// What form of answer a client accepts: JSON, YAML or protobuf, and as what (Table, PartialObjectMetadata).
import { notAcceptable } from '../../api/api-error.ts'

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

const formats: Readonly<Record<string, Format>> = {
  '*/*': 'json', 'application/*': 'json', 'application/json': 'json', 'application/yaml': 'yaml', 'application/vnd.kubernetes.protobuf': 'protobuf',
}

const plainJson: Accepted = { format: 'json' }
const remembered = new Map<string, Accepted>()

/** @throws ApiError NotAcceptable when nothing the client accepts can be given */
export function negotiate(accept: string | undefined): Accepted {
  if (accept === undefined || accept === '' || accept === '*/*') return plainJson
  const known = remembered.get(accept)
  if (known !== undefined) return known
  const choice = choose(accept)
  if (choice === undefined) throw notAcceptable(Object.values(mediaTypes))
  if (remembered.size < 1000) remembered.set(accept, choice)
  return choice
}

function choose(accept: string): Accepted | undefined {
  for (const part of accept.split(',')) {
    const [type = '', ...parameters] = part.split(';').map(text => text.trim())
    const format = formats[type]
    if (format === undefined) continue
    const values = new Map(parameters.map(parameter => parameter.split('=', 2) as [string, string]))
    const as = values.get('as')
    if (as === undefined || as === '') return { format }
    if (values.get('g') !== 'meta.k8s.io' || !['v1', 'v1beta1'].includes(values.get('v') ?? '')) continue
    if (as === 'Table' || as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList') return { format, as }
  }
  return undefined
}
