// Volumes of a pod. One source each; the sources Sampan can mount are checked in depth, the others
// only for their presence.
import type { FieldError } from '../field-error.ts'
import { forbiddenField, invalidValue, joinErrors, required } from '../field-error.ts'
import type {
  DownwardAPIVolumeFile,
  KeyToPath,
  ServiceAccountTokenProjection,
  Volume,
  VolumeProjection,
} from '../generated/models.ts'
import { validateFieldRef, validateResourceFieldRef, volumeFields } from './field-sources.ts'
import { checkLabel } from './formats.ts'
import { validateNonNegativeQuantity } from './resources.ts'
import { each, requireText, validateOneOf, validateUnique } from './scalars.ts'

const sources = [
  'emptyDir',
  'hostPath',
  'gitRepo',
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'secret',
  'nfs',
  'iscsi',
  'glusterfs',
  'flocker',
  'persistentVolumeClaim',
  'rbd',
  'cinder',
  'cephfs',
  'quobyte',
  'downwardAPI',
  'fc',
  'flexVolume',
  'configMap',
  'azureFile',
  'vsphereVolume',
  'photonPersistentDisk',
  'projected',
  'portworxVolume',
  'azureDisk',
  'storageos',
  'scaleIO',
  'csi',
  'ephemeral',
  'image',
] as const
type Source = (typeof sources)[number]

export function validateVolumes(volumes: readonly Volume[] | undefined, field: string): FieldError[] {
  return joinErrors(
    each(volumes, field, (volume, path) =>
      joinErrors(validateVolume(volume, path), requireText(volume.name, `${path}.name`, checkLabel)),
    ),
    validateUnique(volumes, field, volume => volume.name, 'name'),
  )
}

function validateVolume(volume: Volume, field: string): FieldError[] {
  const [first, ...others] = sources.filter(source => volume[source] !== undefined)
  if (first === undefined) return [required(field, 'must specify a volume type')]
  return joinErrors(
    validators[first]?.(volume, `${field}.${first}`) ?? [],
    others.map(source => forbiddenField(`${field}.${source}`, 'may not specify more than 1 volume type')),
  )
}

const hostPathTypes = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
]

const validators: Partial<Record<Source, (volume: Volume, field: string) => FieldError[]>> = {
  emptyDir: ({ emptyDir }, field) =>
    emptyDir?.sizeLimit === undefined ? [] : validateNonNegativeQuantity(emptyDir.sizeLimit, `${field}.sizeLimit`),
  hostPath: ({ hostPath }, field) =>
    joinErrors(
      requireText(hostPath?.path, `${field}.path`),
      validateNoBackSteps(hostPath?.path ?? '', `${field}.path`),
      validateOneOf(hostPath?.type ?? '', hostPathTypes, `${field}.type`),
    ),
  secret: ({ secret }, field) =>
    joinErrors(
      requireText(secret?.secretName, `${field}.secretName`),
      validateMode(secret?.defaultMode, `${field}.defaultMode`),
      validateItems(secret?.items, `${field}.items`),
    ),
  configMap: ({ configMap }, field) =>
    joinErrors(
      requireText(configMap?.name, `${field}.name`),
      validateMode(configMap?.defaultMode, `${field}.defaultMode`),
      validateItems(configMap?.items, `${field}.items`),
    ),
  downwardAPI: ({ downwardAPI }, field) =>
    joinErrors(
      validateMode(downwardAPI?.defaultMode, `${field}.defaultMode`),
      each(downwardAPI?.items, field, validateDownwardFile),
    ),
  projected: ({ projected }, field) =>
    joinErrors(
      validateMode(projected?.defaultMode, `${field}.defaultMode`),
      each(projected?.sources, `${field}.sources`, validateProjection),
    ),
  persistentVolumeClaim: ({ persistentVolumeClaim }, field) =>
    requireText(persistentVolumeClaim?.claimName, `${field}.claimName`),
  nfs: ({ nfs }, field) =>
    joinErrors(requireText(nfs?.server, `${field}.server`), requireText(nfs?.path, `${field}.path`)),
  csi: ({ csi }, field) => requireText(csi?.driver, `${field}.driver`),
  ephemeral: ({ ephemeral }, field) =>
    ephemeral?.volumeClaimTemplate === undefined ? [required(`${field}.volumeClaimTemplate`)] : [],
}

function validateProjection(projection: VolumeProjection, field: string): FieldError[] {
  const { secret, configMap, downwardAPI, serviceAccountToken: token, clusterTrustBundle, podCertificate } = projection
  const given = [secret, configMap, downwardAPI, token, clusterTrustBundle, podCertificate].filter(
    source => source !== undefined,
  )
  if (given.length === 0)
    return [
      required(
        field,
        'must specify at least one of clusterTrustBundle, configMap, downwardAPI, podCertificate, secret, serviceAccountToken',
      ),
    ]
  return joinErrors(
    given.length > 1 ? [forbiddenField(field, 'may not specify more than 1 volume type')] : [],
    secret
      ? joinErrors(
          requireText(secret.name, `${field}.secret.name`),
          validateItems(secret.items, `${field}.secret.items`),
        )
      : [],
    configMap
      ? joinErrors(
          requireText(configMap.name, `${field}.configMap.name`),
          validateItems(configMap.items, `${field}.configMap.items`),
        )
      : [],
    downwardAPI ? each(downwardAPI.items, `${field}.downwardAPI`, validateDownwardFile) : [],
    token ? validateToken(token, `${field}.serviceAccountToken`) : [],
  )
}

function validateToken({ path, expirationSeconds = 3600 }: ServiceAccountTokenProjection, field: string): FieldError[] {
  return joinErrors(
    expirationSeconds < 600
      ? [
          invalidValue(
            `${field}.expirationSeconds`,
            expirationSeconds,
            'may not specify a duration less than 10 minutes',
          ),
        ]
      : [],
    expirationSeconds > 2 ** 32
      ? [
          invalidValue(
            `${field}.expirationSeconds`,
            expirationSeconds,
            'may not specify a duration larger than 2^32 seconds',
          ),
        ]
      : [],
    validateRelativePath(path, `${field}.path`),
  )
}

function validateDownwardFile(file: DownwardAPIVolumeFile, field: string): FieldError[] {
  return joinErrors(
    validateRelativePath(file.path, `${field}.path`),
    file.fieldRef ? validateFieldRef(file.fieldRef, volumeFields, `${field}.fieldRef`) : [],
    file.resourceFieldRef ? validateResourceFieldRef(file.resourceFieldRef, true, `${field}.resourceFieldRef`) : [],
    file.fieldRef || file.resourceFieldRef ? [] : [required(field, 'one of fieldRef and resourceFieldRef is required')],
    validateMode(file.mode, `${field}.mode`),
  )
}

const validateItems = (items: readonly KeyToPath[] | undefined, field: string): FieldError[] =>
  each(items, field, (item, path) =>
    joinErrors(
      requireText(item.key, `${path}.key`),
      validateRelativePath(item.path, `${path}.path`),
      validateMode(item.mode, `${path}.mode`),
    ),
  )

const validateMode = (mode: number | undefined, field: string): FieldError[] =>
  mode === undefined || (mode >= 0 && mode <= 0o777)
    ? []
    : [invalidValue(field, mode, 'must be a number between 0 and 0777 (octal), both inclusive')]

const validateNoBackSteps = (path: string, field: string): FieldError[] =>
  path.split('/').includes('..') ? [invalidValue(field, path, "must not contain '..'")] : []

function validateRelativePath(path: string | undefined, field: string): FieldError[] {
  if (path === undefined || path === '') return [required(field)]
  return joinErrors(
    path.startsWith('/') ? [invalidValue(field, path, 'must be a relative path')] : [],
    validateNoBackSteps(path, field),
    path.startsWith('..') && !path.startsWith('../') && path !== '..'
      ? [invalidValue(field, path, "must not start with '..'")]
      : [],
  )
}

/** A path below a volume that stays inside it. */
export const validateDescendingPath = (path: string | undefined, field: string): FieldError[] =>
  path === undefined || path === ''
    ? []
    : joinErrors(
        path.startsWith('/') ? [invalidValue(field, path, 'must be a relative path')] : [],
        validateNoBackSteps(path, field),
      )
