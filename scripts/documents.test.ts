import { expect, test } from 'vitest'
import { parts, readDocument, withPart } from './documents.ts'

test.each(parts().map(part => [part.name, part.file, part] as const))(
  'the table of %s in %s is up to date (npm run documents)',
  (_name, file, part) => {
    expect(withPart(readDocument(file), part)).toBe(readDocument(file))
  },
)
