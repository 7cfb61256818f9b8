// What editors say with the schemas is what `sampan check` says, as far as a schema can say it.
import { globSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv, type ValidateFunction } from 'ajv'
import { describe, expect, test } from 'vitest'
import { parse, parseDocument } from 'yaml'
import { checkFile } from '../src/delivery/manifest/check.ts'
import type { Fields } from '../src/delivery/manifest/field.ts'
import { manifestFields } from '../src/delivery/manifest/fields.ts'
import { checkManifest } from '../src/delivery/manifest/read-manifest.ts'
import { checkTeam } from '../src/delivery/team/read-team.ts'
import { teamFields } from '../src/delivery/team/team-fields.ts'
import { schemas } from './schemas.ts'

const root = join(import.meta.dirname, '..')
const ajv = new Ajv({ allErrors: true, allowUnionTypes: true })
const validators: Readonly<Record<'app' | 'sampan', ValidateFunction>> = {
  app: ajv.compile(schemas().app),
  sampan: ajv.compile(schemas().sampan),
}

interface Example {
  readonly where: string
  readonly file: 'app' | 'sampan'
  readonly text: string
}

const fileExamples = (): Example[] =>
  globSync('examples/**/{app,sampan}.yml', { cwd: root, exclude: path => path.includes('node_modules') }).map(path => ({
    where: path,
    file: path.endsWith('app.yml') ? 'app' : 'sampan',
    text: readFileSync(join(root, path), 'utf8'),
  }))

/** Blocks that begin with the name of a service, or with a comment that names the file. */
const documentExamples = (): Example[] =>
  ['README.md', ...globSync('docs/*.md', { cwd: root })].flatMap(path =>
    [
      ...readFileSync(join(root, path), 'utf8').matchAll(/^```yaml\n(name: |# app\.yml|# sampan\.yml)(.*?)^```$/gms),
    ].map(([, start = '', rest = ''], index) => ({
      where: `${path}, manifest ${index + 1}`,
      file: start === '# sampan.yml' ? ('sampan' as const) : ('app' as const),
      text: `${start}${rest}`,
    })),
  )

describe('an example', () => {
  test.each([...fileExamples(), ...documentExamples()])('$where is right', ({ file, text }) => {
    const validate = validators[file]
    validate(parse(text))
    expect(validate.errors ?? []).toEqual([])
    if (file === 'app') checkManifest('app.yml', text)
    else expect(checkTeam(text).findings).toEqual([])
  })
})

/** No schema splits commands, knows what is below, or tells what no text may hold. */
const beyondSchemas = /needs a shell|is not closed|the character NUL|^expected a value, or/

describe.each<['app' | 'sampan', Fields]>([
  ['app', manifestFields],
  ['sampan', teamFields],
])('a mistake in %s.yml', (file, fields) => {
  const folder = join(root, 'src/delivery/manifest/goldens', file)
  const names = readdirSync(folder).filter(name => name.endsWith('.yml'))
  const texts = names.map(name => [name, readFileSync(join(folder, name), 'utf8')] as const)

  test.each(texts.filter(([, text]) => parseDocument(text).errors.length === 0 && !/[*!](?:all|mine)/.test(text)))(
    '%s',
    (_name, text) => {
      const { findings } = checkFile(text, fields, 'it')
      const isWrong = findings.some(({ message }) => !beyondSchemas.test(message))
      expect(validators[file](parse(text, { logLevel: 'error' }))).toBe(!isWrong)
    },
  )
})
