import { expect, test } from 'vitest'
import { debianPackages } from './native-libraries.ts'

test.each([
  ['libpq.so.5', 'libpq5'],
  ['libssl.so.1.1', 'libssl1.1'],
  ['libpng16.so.16', 'libpng16-16'],
  ['libX11.so.6', 'libx11-6'],
  ['libgdk_pixbuf-2.0.so.0', 'libgdk-pixbuf-2.0-0'],
  ['libicui18n.so.72', 'libicu72'],
  ['libglib-2.0.so.0', 'libglib2.0-0'],
  ['libstdc++.so.6', 'libstdc++6'],
])('%s is in the Debian package %s, or in that of the 64-bit time', (library, name) => {
  expect(debianPackages(library)).toEqual([name, `${name}t64`])
})
