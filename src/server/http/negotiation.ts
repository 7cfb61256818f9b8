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
  '*/*': 'json', 'application/*': 'json', 'application/json': 'json', 'application/yaml': 'yaml', 'application/vnd.kubernetes.protobuf': 'protobuf',
}

const plainJson: Accepted = { format: 'json' }
const remembered = new Map<string, Accepted>()

/** @throws ApiError NotAcceptable when nothing the client accepts can be given */
export function negotiate(accept: string | undefined): Accepted {
  return choiceFor(accept, accept ?? '', true)
}

/** The same for an object of a kind: custom resources have no protobuf form. */
export function negotiateFor({ custom }: KindDefinition, accept: string | undefined): Accepted {
  return custom === undefined ? negotiate(accept) : choiceFor(accept, `custom ${accept}`, false)
}

function choiceFor(accept: string | undefined, name: string, protobuf: boolean): Accepted {
  if (accept === undefined || accept === '' || accept === '*/*') return plainJson
  const known = remembered.get(name)
  if (known !== undefined) return known
  const choice = choose(accept, protobuf)
  if (choice === undefined) throw notAcceptable(protobuf ? Object.values(mediaTypes) : textualTypes)
  if (remembered.size < 1000) remembered.set(name, choice)
  return choice
}

function choose(accept: string, protobuf: boolean): Accepted | undefined {
  for (const part of accept.split(',')) {
    const [type = '', ...parameters] = part.split(';').map(text => text.trim())
    const format = formats[type]
    if (format === undefined) continue
    const values = new Map(parameters.map(parameter => parameter.split('=', 2) as [string, string]))
    const as = values.get('as')
    if (as === undefined || as === '') {
      if (format === 'protobuf' && !protobuf) continue
      return { format }
    }
    if (values.get('g') !== 'meta.k8s.io' || !['v1', 'v1beta1'].includes(values.get('v') ?? '')) continue
    if (as === 'Table' || as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList') return { format, as }
  }
  return undefined
}
