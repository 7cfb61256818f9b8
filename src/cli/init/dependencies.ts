// What a service depends on, whatever language says it, and which backing services and migrations that means.
import type { BackingServiceType } from '../../delivery/manifest/manifest.ts'
import type { ServiceFolder } from './service-folder.ts'

export interface Dependencies {
  /** Where they are written, by their names in lower case. */
  readonly from: ReadonlyMap<string, string>
  /** Of npm, for development alone: they are not in the image. */
  readonly development: ReadonlySet<string>
}

interface PackageJson {
  readonly name?: unknown
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly scripts?: Readonly<Record<string, string>>
}

/** Nothing where it is none. */
export function packageOf({ files }: ServiceFolder): PackageJson {
  try {
    return JSON.parse(files.get('package.json') ?? '{}') as PackageJson
  } catch {
    return {}
  }
}

export function dependenciesOf(folder: ServiceFolder): Dependencies {
  const { dependencies = {}, devDependencies = {} } = packageOf(folder)
  const from = new Map<string, string>()
  for (const name of Object.keys({ ...devDependencies, ...dependencies })) from.set(name.toLowerCase(), 'package.json')
  for (const [path, text] of folder.files) {
    if (/^requirements.*\.txt$/.test(path)) for (const name of requirements(text.split('\n'))) from.set(name, path)
    if (path === 'pyproject.toml') for (const name of requirements(quotedIn(text))) from.set(name, path)
    if (path === 'go.mod')
      for (const [, name = ''] of text.matchAll(/^\s*(?:require\s+)?([\w./-]+)\s+v\d/gm)) from.set(name, path)
  }
  const development = new Set(Object.keys(devDependencies).filter(name => !Object.hasOwn(dependencies, name)))
  return { from, development }
}

/** Names of Python's packages, which stand before their versions. */
const requirements = (lines: readonly string[]): string[] =>
  lines.flatMap(line => /^([A-Za-z0-9][\w.-]*)/.exec(line.trim())?.[1]?.toLowerCase().replaceAll('_', '-') ?? [])

/** As `dependencies = ["psycopg>=3"]` has them, and as the keys of Poetry's tables do. */
const quotedIn = (text: string): string[] => [
  ...[...text.matchAll(/["']([A-Za-z0-9][^"'\n]*)["']/g)].map(([, inside = '']) => inside),
  ...[...text.matchAll(/^([A-Za-z0-9][\w-]*)\s*=/gm)].map(([, key = '']) => key),
]

/** Names of the client libraries; of Go's modules what stands before their major version. */
const clients: Readonly<Record<BackingServiceType, string>> = {
  postgres:
    'pg postgres pg-promise slonik node-pg-migrate psycopg psycopg2 psycopg2-binary asyncpg github.com/lib/pq github.com/jackc/pgx',
  mysql: 'mysql mysql2 mariadb pymysql mysqlclient aiomysql github.com/go-sql-driver/mysql',
  mongo: 'mongodb mongoose pymongo motor go.mongodb.org/mongo-driver',
  redis: 'redis ioredis bull bullmq @redis/client github.com/redis/go-redis github.com/go-redis/redis',
  rabbitmq:
    'amqplib rabbitmq-client amqp-connection-manager pika aio-pika github.com/rabbitmq/amqp091-go github.com/streadway/amqp',
  nats: 'nats @nats-io/transport-node nats-py github.com/nats-io/nats.go',
  s3: '@aws-sdk/client-s3 minio boto3 aioboto3 github.com/aws/aws-sdk-go-v2/service/s3 github.com/minio/minio-go',
}

const prismaProviders: Readonly<Record<string, BackingServiceType>> = {
  postgresql: 'postgres',
  mysql: 'mysql',
  mongodb: 'mongo',
}

export interface NeededService {
  readonly type: BackingServiceType
  readonly because: string
}

export function neededServices(folder: ServiceFolder, { from, development }: Dependencies): NeededService[] {
  const found = Object.entries(clients).flatMap(([type, names]): NeededService[] => {
    const client = names
      .split(' ')
      .find(name => !development.has(name) && [...from.keys()].some(known => known.replace(/\/v\d+$/, '') === name))
    return client === undefined
      ? []
      : [{ type: type as BackingServiceType, because: `${client} in ${whereIs(client, from)}` }]
  })
  const [path, schema = ''] = [...folder.files].find(([name]) => name.endsWith('.prisma')) ?? []
  const provider = /datasource[^}]*provider\s*=\s*"(\w+)"/.exec(schema)?.[1] ?? ''
  const ofPrisma = Object.hasOwn(prismaProviders, provider) ? prismaProviders[provider] : undefined
  if (ofPrisma === undefined || found.some(({ type }) => type === ofPrisma)) return found
  return [{ type: ofPrisma, because: `the provider ${provider} in ${path}` }, ...found]
}

const whereIs = (client: string, from: Dependencies['from']): string =>
  [...from].find(([name]) => name.replace(/\/v\d+$/, '') === client)?.[1] ?? ''
