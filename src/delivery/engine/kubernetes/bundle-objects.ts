// Configuration as ConfigMaps and Secrets that nobody changes any more. Pure.
import { isUtf8 } from 'node:buffer'
import type { ConfigMap, ObjectMeta, Secret } from '../../../api/generated/models.ts'
import { configMaps, secrets } from '../../../api/resources.ts'
import type { Bundle } from '../parts.ts'
import { label, serviceLabels } from './labels.ts'
import { typed, type TypedObject } from './typed-object.ts'

export const bundleLabels = (service: string): Record<string, string> => ({
  ...serviceLabels(service),
  [label.bundle]: 'true',
})

export const isBundle = ({ labels }: ObjectMeta): boolean => labels?.[label.bundle] === 'true'

export function bundleObject(namespace: string, { name, service, secret, entries }: Bundle): TypedObject {
  const metadata = { name, namespace, labels: bundleLabels(service) }
  if (secret) return typed<Secret>(secrets, { metadata, immutable: true, type: 'Opaque', data: { ...entries } })
  const bytes = Object.entries(entries).map(([key, value]) => [key, Buffer.from(value, 'base64')] as const)
  const [texts, others] = [bytes.filter(([, value]) => isUtf8(value)), bytes.filter(([, value]) => !isUtf8(value))]
  return typed<ConfigMap>(configMaps, {
    metadata,
    immutable: true,
    data: Object.fromEntries(texts.map(([key, value]) => [key, value.toString()])),
    binaryData: Object.fromEntries(others.map(([key, value]) => [key, value.toString('base64')])),
  })
}

const serviceOf = ({ labels }: ObjectMeta): string => labels?.[label.service] ?? ''

export const bundleOfSecret = ({ metadata, data = {} }: Secret): Bundle => ({
  name: metadata.name,
  service: serviceOf(metadata),
  secret: true,
  entries: data,
})

export const bundleOfConfigMap = ({ metadata, data = {}, binaryData = {} }: ConfigMap): Bundle => ({
  name: metadata.name,
  service: serviceOf(metadata),
  secret: false,
  entries: {
    ...Object.fromEntries(Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString('base64')])),
    ...binaryData,
  },
})
