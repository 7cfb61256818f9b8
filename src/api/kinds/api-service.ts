// APIService: which server answers for a group and version.
import type { FieldError } from '../field-error.ts'
import { forbiddenField, invalidValue, joinErrors, required } from '../field-error.ts'
import type { APIService } from '../generated/models.ts'
import { defineKind } from '../kind.ts'
import { apiServices } from '../resources.ts'
import { checkLabel1035, checkSubdomain } from '../validation/formats.ts'
import { collect, partOf, requireText } from '../validation/scalars.ts'
import { age, columns } from './cells.ts'
import { clientMetadata, keepStatus, statusOnly } from './strategy.ts'

export const apiServiceKind = defineKind({
  resource: apiServices,
  model: 'V1APIService',
  singular: 'apiservice',
  categories: ['api-extensions'],
  nameRule: 'path-segment',
  defaults(draft) {
    draft.spec ??= {} as NonNullable<APIService['spec']>
    if (draft.spec.service !== undefined) draft.spec.service.port ??= 443
    draft.status ??= {}
  },
  prepareForCreate(draft) {
    draft.status = {}
  },
  prepareForUpdate: keepStatus,
  subresources: statusOnly(undefined, clientMetadata),
  validate,
  columns: columns('Name', 'Service', 'Available', 'Age'),
  row(service, nowMs) {
    const { spec, status } = service
    const available = status?.conditions?.find(condition => condition.type === 'Available')
    const cell =
      available === undefined
        ? 'Unknown'
        : available.status === 'True'
          ? 'True'
          : `${available.status} (${available.reason ?? ''})`
    return [
      service.metadata.name,
      spec?.service === undefined ? 'Local' : `${spec.service.namespace ?? ''}/${spec.service.name ?? ''}`,
      cell,
      age(service, nowMs),
    ]
  },
})

function validate({ metadata, spec }: APIService): FieldError[] {
  const {
    group = '',
    version = '',
    service,
    groupPriorityMinimum = 0,
    versionPriority = 0,
    insecureSkipTLSVerify: insecure = false,
    caBundle,
  } = partOf(spec)
  const expected = `${version}.${group}`
  return joinErrors(
    metadata.name === expected || (group === '' && metadata.name === `${version}.`)
      ? []
      : [invalidValue('metadata.name', metadata.name ?? '', '`spec.version+"."+spec.group`')],
    group === '' ? [] : collect(checkSubdomain, 'spec.group', group),
    requireText(version, 'spec.version', checkLabel1035),
    groupPriorityMinimum < 1 || groupPriorityMinimum > 20_000
      ? [invalidValue('spec.groupPriorityMinimum', groupPriorityMinimum, 'must be positive and less than 20000')]
      : [],
    versionPriority < 1 || versionPriority > 1000
      ? [invalidValue('spec.versionPriority', versionPriority, 'must be positive and less than 1000')]
      : [],
    service === undefined
      ? joinErrors(
          caBundle ? [forbiddenField('spec.caBundle', 'local APIServices may not have a caBundle')] : [],
          insecure
            ? [forbiddenField('spec.insecureSkipTLSVerify', 'local APIServices may not have insecureSkipTLSVerify')]
            : [],
        )
      : joinErrors(
          service.namespace ? [] : [required('spec.service.namespace')],
          service.name ? [] : [required('spec.service.name')],
          insecure && caBundle
            ? [invalidValue('spec.insecureSkipTLSVerify', insecure, 'may not be true if caBundle is present')]
            : [],
        ),
  )
}
