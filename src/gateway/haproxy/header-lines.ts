// Changes of headers as lines of a backend. Pure.
import type { HeaderChanges } from '../model/model.ts'
import { quoted, quotedFormat } from './quoted.ts'

export const headerLines = (
  rules: 'http-request' | 'http-after-response',
  all: readonly HeaderChanges[] = [],
): readonly string[] =>
  all.flatMap(({ set, add, remove }) => [
    ...set.map(({ name, value }) => `${rules} set-header ${quoted(name)} ${quotedFormat(value)}`),
    ...add.map(({ name, value }) => `${rules} add-header ${quoted(name)} ${quotedFormat(value)}`),
    ...remove.map(name => `${rules} del-header ${quoted(name)}`),
  ])
