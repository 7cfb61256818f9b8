// Mistakes that people make, and what they are told: each `.yml` in goldens/ has its messages in the `.txt` beside it.
// `npx vitest run --project unit src/delivery/manifest/goldens.test.ts --update` writes them anew.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { checkTeam, readTeam } from '../team/read-team.ts'
import { teamFields } from '../team/team-fields.ts'
import type { Team } from '../team/team.ts'
import type { FieldType } from './field.ts'
import { manifestFields } from './fields.ts'
import { findingText, type ManifestError } from './manifest-error.ts'
import { checkManifest } from './read-manifest.ts'

const folder = join(import.meta.dirname, 'goldens')
const read = (...path: string[]): string => readFileSync(join(folder, ...path), 'utf8')
const namesIn = (kind: string, ending: string): string[] =>
  readdirSync(join(folder, kind))
    .filter(name => name.endsWith(ending))
    .map(name => name.slice(0, -ending.length))

const team = readTeam('sampan.yml', read('app-in-team.sampan.yml'))

function messagesOf(text: string, ofTeam?: Team): string {
  try {
    checkManifest('app.yml', text, ofTeam)
    return ''
  } catch (error) {
    return linesOf('app.yml', (error as ManifestError).findings)
  }
}

const linesOf = (file: string, findings: ManifestError['findings']): string =>
  findings.map(finding => `${file}:${findingText(finding)}\n`).join('')

const kinds: Readonly<Record<string, (text: string) => string>> = {
  app: text => messagesOf(text),
  'app-in-team': text => messagesOf(text, team),
  sampan: text => linesOf('sampan.yml', checkTeam(text).findings),
}

describe.each(Object.keys(kinds))('%s', kind => {
  test.each(namesIn(kind, '.yml'))('%s', async name => {
    const messages = kinds[kind]!(read(kind, `${name}.yml`))
    expect(messages).not.toBe('')
    await expect(messages).toMatchFileSnapshot(join(folder, kind, `${name}.txt`))
  })

  test('has messages for manifests alone', () => {
    expect(namesIn(kind, '.txt')).toEqual(namesIn(kind, '.yml'))
  })
})

test('there are many', () => {
  expect(namesIn('app', '.yml').length).toBeGreaterThanOrEqual(100)
})

/** As messages name them; what a map holds is below its names. */
function fieldsOf(type: FieldType, path: string): string[] {
  if (type.type === 'map') return fieldsOf(type.values, `${path}.*`)
  if (type.type === 'list') return fieldsOf(type.items, `${path}[*]`)
  if (type.type !== 'object' || type.patch === true) return []
  return Object.entries(type.fields).flatMap(([name, { is }]) => {
    const here = path === '' ? name : `${path}.${name}`
    return [here, ...fieldsOf(is, here)]
  })
}

/** Fields that are told by others: each takes what the same field of another one takes. */
const alike =
  /^sidecars\.\*\.(command|env|files|health|resources|secrets|security)\b|^(mysql|mongo|redis|rabbitmq|nats|s3|servers\.\w+)\.\w+$|^checks\.\w+\.run$|^strategy\.analysis\.run\./

test.each([
  ['app.yml', ['app', 'app-in-team'], manifestFields],
  ['sampan.yml', ['sampan'], teamFields],
] as const)('some mistake of every field of %s is there', (_file, from, fields) => {
  const told = from.flatMap(kind => namesIn(kind, '.txt').map(name => read(kind, `${name}.txt`))).join('')
  const missing = fieldsOf(fields, '').filter(field => {
    const [parent, own] = /^(?:(.*)\.)?([^.]+)$/.exec(field)!.slice(1)
    const pattern = (path: string): string => path.replaceAll(/[[\].]/g, '\\$&').replaceAll('*', '[^ :.]+')
    const places = [
      `: (?:environments\\.[^ :.]+\\.)?${pattern(field)}[.[:]`,
      `: ${parent === undefined ? '' : `${pattern(parent)}: `}the field "${own}" is missing`,
    ]
    return !alike.test(field) && !places.some(place => new RegExp(place).test(told))
  })
  expect(missing).toEqual([])
})
