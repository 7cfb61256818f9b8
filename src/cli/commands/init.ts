// `sampan init [directory]`: writes a first app.yml from what it finds there, and says what it guessed.
import { existsSync, statSync, writeFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { schemaAddress } from '../../delivery/manifest/schema-address.ts'
import { manifestName } from '../find-manifest.ts'
import { findTeam } from '../find-team.ts'
import { firstManifest } from '../init/first-manifest.ts'
import { isInstalled, readServiceFolder } from '../init/service-folder.ts'
import { CommandFailure, Output } from '../output.ts'

interface InitOptions {
  readonly output?: 'json'
}

export function initCommand(directory: string, { output: format }: InitOptions): void {
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new CommandFailure(`expected a folder, found none: ${directory}`)
  const file = join(directory, manifestName)
  if (existsSync(file))
    throw new CommandFailure(`there is ${file} already, and it stays as it is; look at it with: sampan check`)
  const found = findTeam(directory)
  const hasEnvironments = Object.keys(found?.team.environments ?? {}).length > 0
  const schema = isInstalled(directory, 'sampan')
    ? './node_modules/sampan/schema/app.schema.json'
    : schemaAddress('app')
  const { name, text, guesses, notes } = firstManifest(readServiceFolder(directory), {
    schema,
    environments: !hasEnvironments,
  })
  const isKnown = found === undefined || Object.hasOwn(found.team.services, name)
  const all = isKnown
    ? notes
    : [...notes, `add it to the services of ${found.file}: ${name}: ./${relative(found.folder, resolve(directory))}`]
  writeFileSync(file, text, { flag: 'wx' })
  if (format === 'json') return console.log(JSON.stringify({ file, guesses, notes: all }))
  const output = new Output()
  output.line(`wrote ${file}`)
  for (const { line, because } of guesses) output.line(`  ${line.replaceAll('\n', '\n  ')}\n    from ${because}`)
  for (const note of all) output.line(`note: ${note}`)
  output.line('next: read it, then: sampan check')
}
