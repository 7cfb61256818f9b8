// A first `app.yml` for a service: what its folder tells, and from where each of it is known. Pure.
import { meantName, isName } from '../../delivery/manifest/field-values.ts'
import { schemaLine } from '../../delivery/manifest/schema-address.ts'
import { dependenciesOf, neededServices, packageOf } from './dependencies.ts'
import { healthOf, portOf } from './listening.ts'
import { migrationOf } from './migration-tool.ts'
import type { ServiceFolder } from './service-folder.ts'

export interface FirstManifest {
  readonly name: string
  readonly text: string
  readonly guesses: readonly Guess[]
  /** What is to be seen to. */
  readonly notes: readonly string[]
}

export interface Guess {
  /** As it stands in the manifest: `ports: { http: 3000 }`. */
  readonly line: string
  readonly because: string
}

/** @param schema address of the manifest's JSON Schema; @param environments whether it is to name some of its own */
export function firstManifest(
  folder: ServiceFolder,
  { schema, environments }: { readonly schema: string; readonly environments: boolean },
): FirstManifest {
  const dependencies = dependenciesOf(folder)
  const { name, because } = nameOf(folder)
  const migration = migrationOf(folder, dependencies)
  const guesses: Guess[] = [
    { line: `name: ${name}`, because },
    ...listening(folder, dependencies),
    ...neededServices(folder, dependencies).map(needed => ({ line: `${needed.type}: true`, because: needed.because })),
    ...(migration === undefined ? [] : [{ line: migrationLine(migration), because: migration.because }]),
  ]
  const lines = [schemaLine(schema), ...guesses.map(({ line }) => line), ...(environments ? usualEnvironments : [])]
  const known = new Set(guesses.map(({ line }) => line.split(':')[0]))
  return {
    name,
    text: `${lines.join('\n')}\n`,
    guesses,
    notes: [
      ...(migration?.note === undefined ? [] : [migration.note]),
      ...(known.has('ports') ? [] : ['no port was found; if it listens on one, add: ports: { http: 3000 }']),
      ...(known.has('ports') && !known.has('health')
        ? ['no path for its health was found; if it has one, add: health: { http: /healthz }']
        : []),
    ],
  }
}

const usualEnvironments = ['environments:', '  test: {}', '  production: { replicas: 2 }']

function nameOf(folder: ServiceFolder): { name: string; because: string } {
  const project = /^name\s*=\s*["']([^"']+)["']/m.exec(folder.files.get('pyproject.toml') ?? '')?.[1]
  const module = /^module\s+(\S+)/m.exec(folder.files.get('go.mod') ?? '')?.[1]?.replace(/\/v\d+$/, '')
  const candidates = [
    { text: packageOf(folder).name, because: 'package.json' },
    { text: project, because: 'pyproject.toml' },
    { text: module, because: 'go.mod' },
    { text: folder.name, because: 'the name of the folder' },
  ]
  for (const { text, because } of candidates) {
    const last = typeof text === 'string' ? (text.split('/').at(-1) ?? '') : ''
    const name = isName(last) ? last : meantName(last)
    if (name !== undefined) return { name, because }
  }
  return { name: 'service', because: 'nothing; give it another one' }
}

function listening(folder: ServiceFolder, dependencies: ReturnType<typeof dependenciesOf>): Guess[] {
  if (folder.site !== undefined)
    return ['ports: { http: 8080 }', 'health: { http: / }'].map(line => ({
      line,
      because: `${folder.site}: a static site`,
    }))
  const port = portOf(folder, dependencies)
  if (port === undefined) return []
  const path = port.name === 'grpc' ? undefined : healthOf(folder)
  const asksGrpc = port.name === 'grpc' && dependencies.from.has('grpc-health-check')
  return [
    { line: `ports: { ${port.name}: ${port.port} }`, because: port.because },
    ...(port.isTold ? [{ line: `env: { PORT: ${port.port} }`, because: port.because }] : []),
    ...(path === undefined ? [] : [{ line: `health: { http: ${path.path} }`, because: path.because }]),
    ...(asksGrpc ? [{ line: 'health: { grpc: true }', because: 'grpc-health-check in package.json' }] : []),
  ]
}

const migrationLine = ({ up, down }: { readonly up: string; readonly down?: string }): string =>
  ['migrate:', `  up: ${yamlText(up)}`, ...(down === undefined ? [] : [`  down: ${yamlText(down)}`])].join('\n')

/** A text with a colon and a space, or a comment in it, is something else to YAML. */
const yamlText = (text: string): string => (/: |:$| #|^[^A-Za-z]/.test(text) ? JSON.stringify(text) : text)
