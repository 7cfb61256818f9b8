// Where values come from inside a pod: fields, resources, keys of ConfigMaps and Secrets.
import type { FieldError } from '../field-error.ts'
import { invalidValue, joinErrors, notSupported, required } from '../field-error.ts'
import type { ObjectFieldSelector, ResourceFieldSelector } from '../generated/models.ts'
import { checkConfigKey, checkQualifiedName } from './formats.ts'
import { collect, requireText } from './scalars.ts'

const plain = ['metadata.name', 'metadata.namespace', 'metadata.uid']
export const environmentFields: readonly string[] = [
  ...plain,
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
]
export const volumeFields: readonly string[] = [...plain, 'metadata.annotations', 'metadata.labels']
const known = new Set([
  ...environmentFields,
  ...volumeFields,
  'spec.restartPolicy',
  'spec.schedulerName',
  'status.phase',
])

export function validateFieldRef(
  reference: Partial<ObjectFieldSelector>,
  supported: readonly string[],
  field: string,
): FieldError[] {
  const { apiVersion = '', fieldPath = '' } = reference
  if (apiVersion === '') return [required(`${field}.apiVersion`)]
  if (fieldPath === '') return [required(`${field}.fieldPath`)]
  const subscript = /^(.*)\['(.*)'\]$/.exec(fieldPath)
  if (subscript !== null) return validateSubscript(subscript[1]!, subscript[2]!, fieldPath, field)
  if (!known.has(fieldPath))
    return [
      invalidValue(
        `${field}.fieldPath`,
        fieldPath,
        `error converting fieldPath: field label not supported: ${fieldPath}`,
      ),
    ]
  return supported.includes(fieldPath) ? [] : [notSupported(`${field}.fieldPath`, fieldPath, supported)]
}

function validateSubscript(path: string, key: string, fieldPath: string, field: string): FieldError[] {
  if (path === 'metadata.annotations') return collect(checkQualifiedName, field, key.toLowerCase())
  if (path === 'metadata.labels') return collect(checkQualifiedName, field, key)
  return [invalidValue(`${field}.fieldPath`, fieldPath, 'does not support subscript')]
}

const resources = [
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
]

export function validateResourceFieldRef(
  { resource, containerName = '' }: ResourceFieldSelector,
  needsContainer: boolean,
  field: string,
): FieldError[] {
  if (needsContainer && containerName === '') return [required(`${field}.containerName`)]
  if (resource === '') return [required(`${field}.resource`)]
  return resources.includes(resource) || /^(?:limits|requests)\.hugepages-/.test(resource)
    ? []
    : [notSupported(`${field}.resource`, resource, resources)]
}

export const validateKeyRef = ({ name, key }: { name?: string; key?: string }, field: string): FieldError[] =>
  joinErrors(requireText(name, `${field}.name`), requireText(key, `${field}.key`, checkConfigKey))
