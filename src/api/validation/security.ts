// What the security contexts of pods and containers have in common, and what only pods have.
import type { Int64 } from '../../lib/int64.ts'
import type { FieldError } from '../field-error.ts'
import { invalidValue, joinErrors, required } from '../field-error.ts'
import type { PodSecurityContext, SeccompProfile, SecurityContext } from '../generated/models.ts'
import { each, optionalOneOf, validateOneOf, validateUnique } from './scalars.ts'

const maximumId = 2_147_483_647

const validateId = (id: Int64 | undefined, field: string): FieldError[] =>
  id === undefined || (id >= 0 && id <= maximumId)
    ? []
    : [invalidValue(field, id, `must be between 0 and ${maximumId}, inclusive`)]

export function validateSecurityIds(
  security: Pick<SecurityContext, 'runAsUser' | 'runAsGroup' | 'seccompProfile'>,
  field: string,
): FieldError[] {
  return joinErrors(
    validateId(security.runAsUser, `${field}.runAsUser`),
    validateId(security.runAsGroup, `${field}.runAsGroup`),
    security.seccompProfile ? validateSeccomp(security.seccompProfile, `${field}.seccompProfile`) : [],
  )
}

function validateSeccomp({ type, localhostProfile }: SeccompProfile, field: string): FieldError[] {
  const local = type === 'Localhost'
  return joinErrors(
    validateOneOf(type, ['Localhost', 'RuntimeDefault', 'Unconfined'], `${field}.type`, true),
    local && !localhostProfile
      ? [required(`${field}.localhostProfile`, 'must be set when seccomp type is Localhost')]
      : [],
    !local && localhostProfile !== undefined
      ? [invalidValue(`${field}.localhostProfile`, localhostProfile, 'can only be set when seccomp type is Localhost')]
      : [],
  )
}

const sysctlFormat = '^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$'
const sysctlPattern = new RegExp(sysctlFormat)
const sysctlLimit = 253

export function validatePodSecurity(security: PodSecurityContext | undefined, field: string): FieldError[] {
  if (security === undefined) return []
  return joinErrors(
    validateId(security.fsGroup, `${field}.fsGroup`),
    each(security.supplementalGroups, `${field}.supplementalGroups`, validateId),
    validateSecurityIds(security, field),
    each(security.sysctls, `${field}.sysctls`, ({ name }, path) => {
      if (name === '') return [required(`${path}.name`)]
      return name.length <= sysctlLimit && sysctlPattern.test(name)
        ? []
        : [
            invalidValue(
              `${path}.name`,
              name,
              `must have at most ${sysctlLimit} characters and match regex ${sysctlFormat}`,
            ),
          ]
    }),
    validateUnique(security.sysctls, `${field}.sysctls`, sysctl => sysctl.name.replaceAll('/', '.'), 'name'),
    optionalOneOf(security.fsGroupChangePolicy, ['Always', 'OnRootMismatch'], `${field}.fsGroupChangePolicy`),
  )
}
