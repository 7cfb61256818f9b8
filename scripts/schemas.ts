// The JSON Schemas of `app.yml` and `sampan.yml`, as the package has them in `schema/`.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { manifestFields } from '../src/delivery/manifest/fields.ts'
import { jsonSchema, type JsonSchema } from '../src/delivery/manifest/json-schema.ts'
import { schemaAddress } from '../src/delivery/manifest/schema-address.ts'
import { teamFields } from '../src/delivery/team/team-fields.ts'

/** By the name of the file. */
export const schemas = (): Readonly<Record<'app' | 'sampan', JsonSchema>> => ({
  app: jsonSchema(manifestFields, schemaAddress('app'), 'The manifest of a service for Sampan'),
  sampan: jsonSchema(teamFields, schemaAddress('sampan'), 'Environments and services of a team for Sampan'),
})

export function writeSchemas(directory: string): void {
  mkdirSync(directory, { recursive: true })
  for (const [name, schema] of Object.entries(schemas()))
    writeFileSync(join(directory, `${name}.schema.json`), `${JSON.stringify(schema, undefined, 2)}\n`)
}
