// The query parameters that every write shares, checked as Kubernetes checks them.
import { invalid } from '../../api/api-error.ts'
import type { FieldError } from '../../api/field-error.ts'
import { invalidValue, joinErrors, notSupported, tooLong } from '../../api/field-error.ts'
import { utf8Length } from '../../api/validation/object-meta.ts'
import { isPrintable } from '../../lib/go-quote.ts'

const optionsKinds: Readonly<Record<string, string>> = {
  POST: 'CreateOptions',
  PUT: 'UpdateOptions',
  PATCH: 'PatchOptions',
  DELETE: 'DeleteOptions',
}

/** @throws ApiError Invalid */
export function checkWriteOptions(method: string | undefined, query: URLSearchParams): void {
  const kind = optionsKinds[method ?? '']
  if (kind === undefined) return
  const dryRun = query.getAll('dryRun')
  const validation = query.get('fieldValidation') ?? ''
  const problems: FieldError[] = joinErrors(
    dryRun.every(value => value === 'All' || value === '') ? [] : [notSupported('dryRun', dryRun, ['All'])],
    kind === 'DeleteOptions' ? [] : checkManager(query.get('fieldManager') ?? ''),
    ['', 'Ignore', 'Warn', 'Strict'].includes(validation) || kind === 'DeleteOptions'
      ? []
      : [notSupported('fieldValidation', validation, ['', 'Ignore', 'Strict', 'Warn'])],
  )
  if (problems.length > 0) throw invalid('meta.k8s.io', kind, '', problems)
}

const longestManagerBytes = 128

function checkManager(name: string): FieldError[] {
  if (name.length <= longestManagerBytes && /^[\x20-\x7E]*$/.test(name)) return joinErrors() // Nearly every one.
  return joinErrors(
    utf8Length(name) > longestManagerBytes ? [tooLong('fieldManager', longestManagerBytes)] : [],
    [...name.matchAll(/./gsu)]
      .filter(([character]) => !isPrintable(character))
      .map(({ 0: character, index }) =>
        invalidValue(
          'fieldManager',
          name,
          `invalid character U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')} (at position ${utf8Length(name.slice(0, index))})`,
        ),
      ),
  )
}
