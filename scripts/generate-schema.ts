// Writes src/api/generated/structure.json (for each model its fields, in the notation that
// src/api/schema/schema.ts reads) and docs.json (descriptions, for OpenAPI only). Names, types and
// documentation come from @kubernetes/client-node; what the client lacks (wire numbers, merge keys, list
// types, special types, whether a scalar is optional in Go) from src/api/schema/facts.json.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const modelsDirectory = join(root, 'node_modules/@kubernetes/client-node/dist/gen/models')
const outputDirectory = join(root, 'src/api/generated')
const facts = JSON.parse(readFileSync(join(root, 'src/api/schema/facts.json'), 'utf8')) as Record<
  string,
  Record<string, string>
>

interface ClientField {
  property: string
  name: string
  type: string
  format: string
}
interface ClientModel {
  fields: Map<string, ClientField>
  required: Set<string>
  text: string
  texts: Record<string, string>
}

const baseTypes: Record<string, string> = {
  string: 's',
  boolean: 'b',
  number: 'd',
  Date: 't',
  V1MicroTime: 'u',
  IntOrString: 'x',
  any: 'a',
}
const numberTypes: Record<string, string> = { int32: 'i', int64: 'l', double: 'd' }

/** The client's type and format in the schema's notation: `Array<V1Container>` → `[]=V1Container`. */
function typeCode(type: string, format: string): string {
  const list = /^Array<(.*)>$/.exec(type)
  if (list) return `[]${typeCode(list[1]!, format)}`
  const map = /^\{ \[key: string\]: (.*); \}$/.exec(type)
  if (map) return `{}${typeCode(map[1]!, format)}`
  if (type === 'number') return numberTypes[format] ?? 'd'
  if (type === 'string' && format === 'byte') return 'y'
  return baseTypes[type] ?? `=${type}`
}

const commentText = (comment: string): string =>
  comment
    .replace(/^\s*\/\*\*|\*\/\s*$/g, '')
    .replace(/^\s*\* ?/gm, '')
    .replace(/\\(["'])/g, '$1')
    .trim()

function readClientModel(name: string): ClientModel | undefined {
  const file = (extension: string): string => join(modelsDirectory, name + extension)
  if (!existsSync(file('.js'))) return undefined
  const program = readFileSync(file('.js'), 'utf8')
  const declaration = readFileSync(file('.d.ts'), 'utf8')
  const rows = [
    ...program.matchAll(/"name": "([^"]+)",\s*"baseName": "([^"]+)",\s*"type": "([^"]+)",\s*"format": "([^"]*)"/g),
  ]
  const fields = new Map(
    rows.map(row => [row[2]!, { property: row[1]!, name: row[2]!, type: row[3]!, format: row[4]! }]),
  )
  const wireName = new Map([...fields.values()].map(field => [field.property, field.name]))
  const classAt = declaration.indexOf('export declare class')
  const body = declaration.slice(classAt)
  const required = new Set<string>()
  const texts: Record<string, string> = {}
  for (const match of body.matchAll(/(\/\*\*(?:(?!\*\/)[\s\S])*\*\/)?\s*'([^']+)'(\??): /g)) {
    const field = wireName.get(match[2]!)
    if (field === undefined) continue
    if (match[3] === '') required.add(field)
    if (match[1] !== undefined) texts[field] = commentText(match[1])
  }
  const comments = [...declaration.slice(0, classAt).matchAll(/\/\*\*(?:(?!\*\/)[\s\S])*\*\//g)]
  const last = comments.at(-1)
  return { fields, required, texts, text: comments.length > 1 && last !== undefined ? commentText(last[0]) : '' }
}

/** `image=2*` → `image=2:s*`: the client's type goes in unless the facts name a special one. */
function fieldToken(token: string, client: ClientModel | undefined): string {
  const match = /^([^=:@~*]+)(=[\d.]+)?(:[^@~*]+)?(.*)$/.exec(token)!
  const [, name, wire = '', special, rest = ''] = match
  const field = client?.fields.get(name!)
  if (special === undefined && field === undefined)
    throw new Error(`the client has no field ${token} and the facts no type for it`)
  const mark = client?.required.has(name!) === true ? '!' : ''
  return `${name}${wire}${special ?? `:${typeCode(field!.type, field!.format)}`}${mark}${rest}`
}

const structure: Record<string, Record<string, string>> = {}
const docs: Record<string, [string, Record<string, string>]> = {}
let count = 0
for (const [group, models] of Object.entries(facts)) {
  structure[group] = {}
  for (const [name, line] of Object.entries(models)) {
    const client = readClientModel(name)
    const tokens = line.split(' ').filter(token => token !== '')
    structure[group][name] = tokens
      .map(token => (token.startsWith('#') || token.startsWith('@') ? token : fieldToken(token, client)))
      .join(' ')
    if (client !== undefined) docs[name] = [client.text, client.texts]
    count++
  }
}
mkdirSync(outputDirectory, { recursive: true })
writeFileSync(join(outputDirectory, 'structure.json'), JSON.stringify(structure))
writeFileSync(join(outputDirectory, 'docs.json'), JSON.stringify(docs))
console.log(`${count} schema models written`)
