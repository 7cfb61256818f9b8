// A wheel as an index of packages has it, made by hand: no index can be reached from tests.
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { zipSync } from 'fflate'

export interface Wheel {
  readonly file: string
  /** `sha256:...` */
  readonly hash: string
}

/** @param files path -> content, beside what every wheel has */
export function writeWheel(
  directory: string,
  name: string,
  version: string,
  files: Readonly<Record<string, string>>,
  needs: readonly string[] = [],
): Wheel {
  const folder = `${name.replaceAll('-', '_')}-${version}.dist-info`
  const all: Record<string, string> = {
    ...files,
    [`${folder}/METADATA`]: [
      'Metadata-Version: 2.1',
      `Name: ${name}`,
      `Version: ${version}`,
      'License-Expression: MIT',
      ...needs.map(need => `Requires-Dist: ${need}`),
      '',
      'What it does.',
      '',
    ].join('\n'),
    [`${folder}/WHEEL`]: 'Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
  }
  const record = [...Object.keys(all), `${folder}/RECORD`].map(path => `${path},,\n`).join('')
  const bytes = zipSync(
    Object.fromEntries(
      Object.entries({ ...all, [`${folder}/RECORD`]: record }).map(([path, content]) => [path, Buffer.from(content)]),
    ),
    { mtime: '1980-01-02' },
  )
  const file = join(directory, `${name.replaceAll('-', '_')}-${version}-py3-none-any.whl`)
  writeFileSync(file, bytes)
  return { file, hash: `sha256:${createHash('sha256').update(bytes).digest('hex')}` }
}
