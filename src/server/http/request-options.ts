// The query parameters that every write shares, checked as Kubernetes checks them.
import { invalid } from '../../api/api-error.ts'
import type { FieldError } from '../../api/field-error.ts'
import { invalidValue, joinErrors, notSupported, tooLong } from '../../api/field-error.ts'
import { utf8Length } from '../../api/validation/object-meta.ts'

const optionsKinds: Readonly<Record<string, string>> = { POST: 'CreateOptions', PUT: 'UpdateOptions', PATCH: 'PatchOptions', DELETE: 'DeleteOptions' }

/** @throws ApiError Invalid */
export function checkWriteOptions(method: string | undefined, query: URLSearchParams): void {
  const kind = optionsKinds[method ?? '']
  if (kind === undefined) return
  const dryRun = query.getAll('dryRun')
  const validation = query.get('fieldValidation') ?? ''
  const problems: FieldError[] = joinErrors(
    dryRun.every(value => value === 'All' || value === '') ? [] : [notSupported('dryRun', dryRun, ['All'])],
    kind === 'DeleteOptions' ? [] : checkManager(query.get('fieldManager') ?? ''),
    ['', 'Ignore', 'Warn', 'Strict'].includes(validation) || kind === 'DeleteOptions' ? [] : [notSupported('fieldValidation', validation, ['', 'Ignore', 'Strict', 'Warn'])],
  )
  if (problems.length > 0) throw invalid('meta.k8s.io', kind, '', problems)
}

const longestManagerBytes = 128

function checkManager(name: string): FieldError[] {
  const unprintable = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.exec(name)
  return joinErrors(
    utf8Length(name) > longestManagerBytes ? [tooLong('fieldManager', longestManagerBytes)] : [],
    unprintable === null ? [] : [invalidValue('fieldManager', name, 'should only contain printable characters')],
  )
}
