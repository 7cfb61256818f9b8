// Access modes and modes of volumes, which claims, volumes and claim templates share.
import type { FieldError } from '../field-error.ts'
import { forbiddenField, joinErrors, notSupported, required } from '../field-error.ts'

const accessModes = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod']
const volumeModes = ['Block', 'Filesystem']
const shortModes: Record<string, string> = {
  ReadWriteOnce: 'RWO',
  ReadOnlyMany: 'ROX',
  ReadWriteMany: 'RWX',
  ReadWriteOncePod: 'RWOP',
}

export function validateAccessModes(modes: readonly string[] | undefined, field: string): FieldError[] {
  if (modes === undefined || modes.length === 0) return [required(field, 'at least 1 access mode is required')]
  const single = modes.includes('ReadWriteOncePod')
  return joinErrors(
    modes.filter(mode => !accessModes.includes(mode)).map(mode => notSupported(field, mode, accessModes)),
    single && modes.length > 1 ? [forbiddenField(field, 'may not use ReadWriteOncePod with other access modes')] : [],
  )
}

export const validateVolumeMode = (mode: string | undefined, field: string): FieldError[] =>
  mode === undefined || volumeModes.includes(mode) ? [] : [notSupported(field, mode, volumeModes)]

/** `RWO,ROX` */
export const formatAccessModes = (modes: readonly string[] | undefined): string =>
  [...new Set(modes ?? [])]
    .map(mode => shortModes[mode] ?? '')
    .filter(short => short !== '')
    .join(',')
