// Tables in the documents that are derived from the code, so that they stay true. `npm run documents`
// writes them; a test fails when one is out of date.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Fields, FieldType } from '../src/delivery/manifest/field.ts'
import { manifestFields } from '../src/delivery/manifest/fields.ts'
import { backingServiceTypes } from '../src/delivery/manifest/manifest.ts'
import { backingService } from '../src/delivery/services/backing-services.ts'
import { teamFields } from '../src/delivery/team/team-fields.ts'

const root = join(import.meta.dirname, '..')

interface Part {
  readonly file: string
  /** Stands between `<!-- NAME -->` and `<!-- /NAME -->`. */
  readonly name: string
  readonly text: string
}

export function parts(): Part[] {
  return [
    { file: 'README.md', name: 'manifest fields', text: fieldTable(manifestFields) },
    { file: 'README.md', name: 'team fields', text: fieldTable(teamFields) },
    { file: 'ARCHITECTURE.md', name: 'layers', text: layerTable() },
    { file: 'docs/backing-services.md', name: 'variables', text: variableTable },
  ]
}

export const readDocument = (file: string): string => readFileSync(join(root, file), 'utf8')

/** The document with the part as it should be. */
export function withPart(document: string, { name, text }: Part): string {
  const [start, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
  const from = document.indexOf(start)
  const to = document.indexOf(end)
  if (from < 0 || to < from) throw new Error(`expected ${start} and ${end} in the document`)
  return `${document.slice(0, from + start.length)}\n${text}\n${document.slice(to)}`
}

/** One row for each field of a file. */
const fieldTable = (fields: Fields): string =>
  ['| field | holds | what it means |', '|---|---|---|', ...rows(fields, '')].join('\n')

function rows(type: FieldType, path: string): string[] {
  switch (type.type) {
    case 'object':
      return Object.entries(type.fields).flatMap(([name, field]) => {
        const here = path === '' ? name : `${path}.${name}`
        return [
          `| \`${here}\`${field.required ? ' (required)' : ''} | ${holds(field.is)} | ${field.about} |`,
          ...(isShownAlready(here) ? [] : rows(field.is, here)),
        ]
      })
    case 'map':
      return rows(type.values, `${path}.NAME`)
    case 'list':
      return rows(type.items, `${path}[]`)
    default:
      return []
  }
}

/** An environment holds the fields of the file again, backing services are alike, and sidecars start as services do. */
const isShownAlready = (path: string): boolean =>
  path === 'environments' ||
  /^sidecars\.NAME\.(env|health|resources|security)$/.test(path) ||
  backingServiceTypes.slice(1).some(type => path === type || path === `servers.${type}`)

function holds(type: FieldType): string {
  switch (type.type) {
    case 'text':
    case 'number':
      return type.expected
    case 'flag':
      return type.only ? '`true`' : '`true` or `false`'
    case 'choice':
      return type.values.map(value => `\`${value}\``).join(' or ')
    case 'command':
      return 'a command'
    case 'list':
      return `a list, each ${holds(type.items)}`
    case 'map':
      return type.values.type === 'object' && type.values.patch === true
        ? `${type.keyName}s, each with fields from above, and \`extends: NAME\``
        : `${type.keyName}s, each with ${holds(type.values)}`
    case 'object':
      if (type.switchable === true) return '`true`, `false` or fields'
      return type.short === undefined ? 'fields' : `${holds(type.short.is)}, or fields`
  }
}

const contents: Readonly<Record<string, string>> = {
  lib: 'pure primitives: clock, time zones and cron, logger interface, back-off, IPv4 arithmetic, text and bytes',
  api: 'what objects are: kinds and their registry, schema, defaults, validation, selectors, quantities, patches, server-side apply, protobuf, OpenAPI, `ApiError`',
  store: 'where objects live: revisions and watch; contract suite, `sqlite`, `etcd`, `memory`, encryption at rest',
  grpc: 'gRPC channels and protobuf messages from compact tables',
  streams:
    'exec, attach and port-forward on the wire: WebSocket and SPDY/3.1, both sides; logs and watches over WebSocket',
  server:
    'the Kubernetes HTTP API: routes, authentication, admission, allocation, storage with its cache, watches, discovery, tables',
  client: 'typed client, HTTPS transport, informers, kubeconfig',
  control: 'controller runner, work queue, ownership, leases, events',
  controllers: 'one folder for each control loop',
  scheduler: 'which node a pod goes to',
  host: 'effects on the operating system: processes, mounts, links, cgroups, sysctl',
  cri: 'the container runtime interface: contract suite, containerd over gRPC, simulated; the private containerd',
  node: 'the node agent: pod lifecycle, volumes, probes, logs, streams, status',
  network: 'service rules (computed purely, applied with nftables), ways through other firewalls, and DNS',
  gateway:
    'requests from outside: what there is to a model (pure), the model to HAProxy (differences); the kinds of the Gateway API',
  images: 'source to OCI image; the registry of the machine, with a cache of others; archives of images',
  delivery:
    '`app.yml`, plans of releases and what carries them out; secrets of the repository, the notation of schedules; the door to engines (`engine`) and behind it Kubernetes, which alone knows `api`, `client`, `control` and `streams`',
  develop: 'the edit loop: what a change needs (pure), the agent in the container, ways to it',
  observe: 'logs, metrics, alerts',
  dashboard: 'the browser application',
  cli: 'commands that need only the API, or only the repository: build, dev, deploy, rollback, secret, and those of every day (ps, logs, exec, run, delete, env ...), which speak to the engine alone',
}

/** What a service finds in its environment, with values as an example. */
const variableTable = [
  '| in `app.yml` | server, image by default | variables | the first of them |',
  '|---|---|---|---|',
  ...(await Promise.all(
    backingServiceTypes.map(async type => {
      const service = await backingService(type)
      const { title, port } = service
      const credentials = { user: 'USER', password: 'PASSWORD' }
      const found = service.variables({ host: 'HOST', port: port.port, database: 'DATABASE', credentials })
      const { image } = service.managed({ administrator: credentials }).process
      const names = Object.keys(found).map(name => `\`${name}\``)
      return `| \`${type}: true\` | ${title}, \`${image}\` | ${names.join(', ')} | \`${Object.values(found)[0]}\` |`
    }),
  )),
].join('\n')

/** From the rules that scripts/check-layers.ts enforces; folders that do not exist yet are left out. */
function layerTable(): string {
  const { forbidden } = createRequire(import.meta.url)('../.dependency-cruiser.cjs') as {
    forbidden: { name: string; comment?: string }[]
  }
  const layers = forbidden.flatMap(({ name, comment = '' }) => {
    const folder = /^layer-(.*)$/.exec(name)?.[1]
    return folder === undefined || !existsSync(join(root, 'src', folder))
      ? []
      : [{ folder, allowed: comment.replace(/^.* may import /, '') }]
  })
  const unknown = layers.find(({ folder }) => contents[folder] === undefined)
  if (unknown !== undefined) throw new Error(`scripts/documents.ts does not say what src/${unknown.folder} contains`)
  return [
    '| `src/` | what lives there | may import |',
    '|---|---|---|',
    ...layers.map(
      ({ folder, allowed }) => `| \`${folder}\` | ${contents[folder]} | ${allowed === 'nothing' ? '–' : allowed} |`,
    ),
    '| `main` | composition roots: the command, the server process, the client within one process | everything but testing |',
    "| `testing` | fakes, builders, the server in the test's own process | everything; imported by tests only |",
  ].join('\n')
}

if (import.meta.main) {
  for (const part of parts()) writeFileSync(join(root, part.file), withPart(readDocument(part.file), part))
}
