// The files beside it that an `app.yml` or a `sampan.yml` mentions, with the lines on which it does.
import { teamFields } from '../team/team-fields.ts'
import { checkFile, type CheckedFile } from './check.ts'
import { isRecord, pathText, type Path } from './field.ts'
import { manifestFields } from './fields.ts'

export interface MentionedFile {
  readonly line: number
  readonly field: string
  /** Relative to the folder of the file that mentions it. */
  readonly source: string
}

export interface MentionedService extends MentionedFile {
  readonly name: string
}

export function filesOfManifest(text: string): readonly MentionedFile[] {
  const file = checkFile(text, manifestFields, 'the manifest')
  return layersOf(file).flatMap(path =>
    Object.entries(at(file, [...path, 'files'])).flatMap(([inside, source]) =>
      mentioned(file, [...path, 'files', inside], source),
    ),
  )
}

export function authoritiesOfTeam(text: string): readonly MentionedFile[] {
  const file = checkFile(text, teamFields, 'sampan.yml')
  return layersOf(file).flatMap(path =>
    Object.keys(at(file, [...path, 'servers'])).flatMap(type => {
      const place = [...path, 'servers', type]
      return mentioned(file, [...place, 'authority'], at(file, place)['authority'])
    }),
  )
}

export function servicesOfTeam(text: string): readonly MentionedService[] {
  const file = checkFile(text, teamFields, 'sampan.yml')
  return Object.keys(at(file, ['services'])).flatMap(name => {
    const path = at(file, ['services', name])['path'] ?? name
    return mentioned(file, ['services', name], path).map(service => ({ ...service, name }))
  })
}

/** What all environments share, and what each has of its own. */
const layersOf = (file: CheckedFile): Path[] => [
  [],
  ...Object.keys(at(file, ['environments'])).map(name => ['environments', name]),
]

function at({ value }: CheckedFile, path: Path): Readonly<Record<string, unknown>> {
  let inside: unknown = value
  for (const part of path) inside = isRecord(inside) ? inside[part] : undefined
  return isRecord(inside) ? inside : {}
}

const mentioned = ({ lineAt }: CheckedFile, path: Path, source: unknown): MentionedFile[] =>
  typeof source === 'string' ? [{ line: lineAt(path), field: pathText(path), source }] : []
