// What is guessed from folders as people have them; each guess is a manifest without mistakes.
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { checkManifest } from '../../delivery/manifest/read-manifest.ts'
import { firstManifest } from './first-manifest.ts'
import { readServiceFolder } from './service-folder.ts'

type Files = Readonly<Record<string, string | object>>

/** @returns the manifest without the lines that are always there, and what is to be seen to */
function guessed(files: Files, name = 'shop'): { lines: string[]; notes: readonly string[]; reasons: string[] } {
  const texts = Object.entries(files).map(
    ([path, content]) => [path, typeof content === 'string' ? content : JSON.stringify(content)] as const,
  )
  const found = firstManifest({ name, files: new Map(texts) }, { schema: './app.schema.json', environments: true })
  checkManifest('app.yml', found.text)
  const [schema, ...lines] = found.text.trim().split('\n')
  expect(schema).toBe('# yaml-language-server: $schema=./app.schema.json')
  expect(lines.slice(-3)).toEqual(['environments:', '  test: {}', '  production: { replicas: 2 }'])
  return { lines: lines.slice(0, -3), notes: found.notes, reasons: found.guesses.map(({ because }) => because) }
}

test('a service of Node.js with a database and migrations', () => {
  const { lines, notes, reasons } = guessed({
    'package.json': {
      name: '@acme/hcn',
      dependencies: { pg: '^8', ioredis: '^5', amqplib: '1', knex: '^3' },
      devDependencies: { mongodb: '^6' },
    },
    'src/main.ts':
      "const port = Number(process.env['PORT'] ?? 8080)\nif (url === '/healthz') ok()\nserver.listen(port)",
  })
  expect(lines).toEqual([
    'name: hcn',
    'ports: { http: 8080 }',
    'health: { http: /healthz }',
    'postgres: true',
    'redis: true',
    'rabbitmq: true',
    'migrate:',
    '  up: node node_modules/knex/bin/cli.js migrate:latest',
    '  down: node node_modules/knex/bin/cli.js migrate:rollback',
  ])
  expect(notes).toEqual([])
  expect(reasons).toEqual([
    'package.json',
    'src/main.ts',
    'src/main.ts',
    'pg in package.json',
    'ioredis in package.json',
    'amqplib in package.json',
    'knex in package.json',
  ])
})

test.each<[string, Files, string[]]>([
  ['a number that is listened on', { 'index.js': 'app.listen(3001, () => {})' }, ['ports: { http: 3001 }']],
  ['a port of an options object', { 'index.js': "app.listen({ port: 3002, host: '::' })" }, ['ports: { http: 3002 }']],
  ['a default in code', { 'index.js': "const p = process.env.PORT || '3003'" }, ['ports: { http: 3003 }']],
  [
    'a port that is only read',
    { 'index.js': 'app.listen(process.env.PORT)' },
    ['ports: { http: 3000 }', 'env: { PORT: 3000 }'],
  ],
  [
    'the Dockerfile before the code',
    { Dockerfile: 'FROM node\nEXPOSE 80/tcp\n', 'index.js': 'app.listen(3001)' },
    ['ports: { http: 80 }'],
  ],
  ['a Dockerfile that sets PORT', { Dockerfile: 'FROM node\nENV PORT=4000\n' }, ['ports: { http: 4000 }']],
  [
    'gRPC',
    {
      'package.json': { dependencies: { '@grpc/grpc-js': '1', 'grpc-health-check': '2' } },
      'main.js': 'const port = process.env.PORT ?? 50051',
    },
    ['ports: { grpc: 50051 }', 'health: { grpc: true }'],
  ],
])('the port is that of %s', (_what, files, lines) => {
  expect(guessed(files).lines).toEqual(['name: shop', ...lines])
})

test.each<[string, Files, string[]]>([
  [
    'Prisma',
    {
      'package.json': { dependencies: { prisma: '6' } },
      'prisma/schema.prisma': 'datasource db {\n  provider = "postgresql"\n}',
    },
    ['postgres: true', 'migrate:', '  up: node node_modules/prisma/build/index.js migrate deploy'],
  ],
  [
    'node-pg-migrate',
    { 'package.json': { dependencies: { 'node-pg-migrate': '8' } } },
    [
      'postgres: true',
      'migrate:',
      '  up: node node_modules/node-pg-migrate/bin/node-pg-migrate.js up',
      '  down: node node_modules/node-pg-migrate/bin/node-pg-migrate.js down',
    ],
  ],
  [
    'db-migrate',
    { 'package.json': { dependencies: { mysql2: '3', 'db-migrate': '1' } } },
    [
      'mysql: true',
      'migrate:',
      '  up: node node_modules/db-migrate/bin/db-migrate up',
      '  down: node node_modules/db-migrate/bin/db-migrate down',
    ],
  ],
  [
    'scripts of its own',
    {
      'package.json': {
        dependencies: { mongoose: '8' },
        scripts: { migrate: 'node migrate.js up', 'migrate:down': 'node migrate.js down' },
      },
    },
    ['mongo: true', 'migrate:', '  up: node migrate.js up', '  down: node migrate.js down'],
  ],
  ['scripts that need a shell', { 'package.json': { scripts: { migrate: 'npm run build && node m.js' } } }, []],
])('migrations with %s', (_what, files, lines) => {
  expect(guessed(files).lines).toEqual(['name: shop', ...lines])
})

test('Python and Go are read as well', () => {
  expect(
    guessed({
      'pyproject.toml': '[project]\nname = "Sales_Report"\ndependencies = ["psycopg[binary]>=3", "redis", "nats-py"]',
      'requirements.txt': 'alembic==1.13\nboto3\n',
      'main.py': 'uvicorn.run(app, host="0.0.0.0", port=8000)\n@app.get("/health")',
    }).lines,
  ).toEqual([
    'name: sales-report',
    'ports: { http: 8000 }',
    'health: { http: /health }',
    'postgres: true',
    'redis: true',
    'nats: true',
    's3: true',
    'migrate:',
    '  up: alembic upgrade head',
    '  down: alembic downgrade -1',
  ])
  expect(
    guessed({
      'go.mod':
        'module github.com/acme/stock/v2\n\nrequire (\n\tgithub.com/jackc/pgx/v5 v5.5.0\n\tgithub.com/rabbitmq/amqp091-go v1.9.0\n)\n',
      'main.go': 'http.HandleFunc("/readyz", ok)\nhttp.ListenAndServe(":8081", nil)',
    }).lines,
  ).toEqual(['name: stock', 'ports: { http: 8081 }', 'health: { http: /readyz }', 'postgres: true', 'rabbitmq: true'])
})

test('what was not found is said', () => {
  expect(guessed({}).notes).toEqual(['no port was found; if it listens on one, add: ports: { http: 3000 }'])
  expect(guessed({ 'a.js': 'x.listen(80)' }).notes).toEqual([
    'no path for its health was found; if it has one, add: health: { http: /healthz }',
  ])
  expect(guessed({ 'package.json': { devDependencies: { knex: '3' } } }).notes[0]).toBe(
    'knex is a devDependency, and those are not in the image: move it to dependencies',
  )
})

test.each([
  ['{ "name": "Shop', 'My Folder', 'my-folder'],
  ['{ "name": 7 }', '2024', 'service'],
])('a package.json of %s in a folder %s names the service %s', (text, folder, name) => {
  expect(guessed({ 'package.json': text }, folder).lines[0]).toBe(`name: ${name}`)
})

test.each([
  ['geo/backend', ['name: geo-backend', 'ports: { grpc: 50051 }', 'health: { grpc: true }']],
  ['geo/frontend', ['name: geo-frontend', 'ports: { http: 8080 }', 'health: { http: /healthz }']],
  ['shop/mail', ['name: mail', 'ports: { http: 3000 }', 'health: { http: /healthz }', 'rabbitmq: true']],
])('the example %s is guessed as it is', (path, lines) => {
  const folder = readServiceFolder(join(import.meta.dirname, '../../../examples', path))
  const { text } = firstManifest(folder, { schema: 'x', environments: false })
  expect(text.trim().split('\n').slice(1)).toEqual(lines)
})
