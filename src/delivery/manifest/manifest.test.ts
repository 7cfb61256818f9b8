// What comes out of an app.yml. Mistakes and their messages: goldens.test.ts.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { manifestFields } from './fields.ts'
import type { Manifest } from './manifest.ts'
import { editDistance, nearestName } from './nearest-name.ts'
import { readManifest } from './read-manifest.ts'

const read = (text: string, environment = 'test'): Manifest => readManifest('app.yml', text, environment)
const messageOf = (text: string, environment = 'test'): string => {
  try {
    read(text, environment)
  } catch (error) {
    return (error as Error).message
  }
  return 'no mistake found'
}

describe('a mistake', () => {
  test('every one is told at once', () => {
    expect(messageOf('name: Web\nreplica: 1\nstopSeconds: long').split('\n')).toHaveLength(4)
  })

  test.each([
    ['tset', 'app.yml:2: there is no environment "tset"; did you mean "test"?'],
    ['somewhere', 'app.yml:2: there is no environment "somewhere"; there is test, production'],
  ])('the unknown environment %s is one', (environment, message) => {
    expect(messageOf('name: web\nenvironments: { test: {}, production: {} }', environment)).toBe(message)
  })

  test('a variable that Linux would not take is one', () => {
    expect(messageOf(`name: web\nenv: { A: ${'x'.repeat(131_069)} }`)).toBe('no mistake found')
    expect(messageOf(`name: web\nenv: { A: ${'x'.repeat(131_070)} }`)).toMatch(
      /^app\.yml:2: env\.A: expected less than/,
    )
  })

  test('whatever stands in the file, the message names a line of it', () => {
    const anything = fc.dictionary(
      fc.oneof(fc.constantFrom(...Object.keys(manifestFields.fields), 'extends'), fc.string()),
      fc.jsonValue({ maxDepth: 3 }),
    )
    const environments = fc.dictionary(fc.constantFrom('test', 'test7', 'A'), anything)
    fc.assert(
      fc.property(anything, fc.option(environments), (fields, changes) => {
        const value = changes === null ? fields : { ...fields, name: 'web', environments: changes }
        const message = messageOf(JSON.stringify(value, undefined, 1))
        expect(message).toMatch(/^(no mistake found|app\.yml(:\d+: | has \d+ mistakes:\n))/)
      }),
    )
  })
})

describe('a manifest', () => {
  test('of a name alone has usual values', () => {
    expect(read('name: web')).toEqual({
      name: 'web',
      image: 'sampan.local/web',
      namespace: 'test',
      replicas: 1,
      command: [],
      ports: [],
      health: undefined,
      environment: {},
      sidecars: [],
      resources: {},
      security: { root: false, capabilities: [], readOnlyRoot: false },
      strategy: { kind: 'rolling' },
      stopSeconds: 30,
      spread: true,
      disruptionBudget: false,
      services: [],
      migrate: undefined,
      routes: [],
      schedules: [],
      checks: {},
      files: [],
      secrets: [],
      notify: [],
      build: { packages: [], shell: false, args: {}, secrets: {} },
      dev: { reload: 'restart' },
    })
  })

  test('says everything it can say', () => {
    expect(
      read(`
name: web
image: registry.example.com:5000/team/web
namespace: shop
replicas: 3
command: [node, main.js, 8]
security: { root: true, user: 1000, capabilities: [NET_BIND_SERVICE], readOnlyRoot: true }
spread: false
disruptionBudget: false
postgres: true
mysql: false
redis: { image: "redis:7", size: 2Gi, database: cache }
migrate:
  up: node migrate.js up
  down: [node, migrate.js, down]
  version: node migrate.js version
  irreversible: true
  timeLimit: PT1H
routes:
  - { host: web, path: /api }
  - { host: "*.example.com", port: admin }
  - { host: own, auth: keys, groups: [partners], rateLimit: 100/m, allow: [10.0.0.0/8, 192.0.2.1, "fd00::1"] }
  - { host: open, auth: basic, rateLimit: 20/10s }
  - { host: counted, rateLimit: 5000/2h, deny: [0.0.0.0/0] }
schedules:
  sync: { every: R/2026-01-01T00:00:00Z/PT7H, run: node sync.js }
  report:
    cron: "15 6 * * 1-5"
    timeZone: Europe/Kyiv
    run: [node, report.js]
    overlap: true
    retries: 2
    timeLimit: PT90S
checks:
  before: node smoke.js --say "it's fine"
  after: { run: node e2e.js, timeLimit: PT10M }
files: { /etc/web/rules.json: ./rules.json }
secrets: [PARTNER_TOKEN]
sidecars:
  proxy: envoy:1.30
  metrics:
    health: { http: /ready, port: admin }
    command: node metrics.js
    env: { LEVEL: info }
    files: { /etc/metrics.json: ./metrics.json }
    secrets: [METRICS_TOKEN]
    resources: { memory: 32Mi }
    security: { user: 2000 }
notify: [team-hook]
build:
  with: dockerfile
  base: debian:12-slim
  packages: [libvips42]
  shell: true
  run: make all
  output: dist
  start: ./server
  dockerfile: docker/Dockerfile
  target: run
  args: { VERSION: 1.0 }
  secrets: { npmrc: { file: .npmrc }, token: TOKEN }
dev: { run: node --watch main.js, reload: self, build: npm run build }
ports:
  http: 8080
  dns: { port: 8080, protocol: UDP }
  admin: { port: 9000, nodePort: 30090 }
health: { grpc: true, port: admin }
env:
  NUMBER: 1
  FLAG: true
  TEXT: some text
  PASSWORD: { secret: database, key: password }
  MODE: { configMap: settings, key: mode }
resources: { cpu: 0.5, cpuLimit: 2, memory: 64Mi }
strategy: recreate
stopSeconds: 5
`),
    ).toEqual({
      name: 'web',
      image: 'registry.example.com:5000/team/web',
      namespace: 'shop',
      replicas: 3,
      command: ['node', 'main.js', '8'],
      ports: [
        { name: 'http', port: 8080, protocol: 'TCP' },
        { name: 'dns', port: 8080, protocol: 'UDP' },
        { name: 'admin', port: 9000, protocol: 'TCP', nodePort: 30_090 },
      ],
      health: { kind: 'grpc', port: 'admin' },
      environment: {
        NUMBER: { value: '1' },
        FLAG: { value: 'true' },
        TEXT: { value: 'some text' },
        PASSWORD: { secret: 'database', key: 'password' },
        MODE: { configMap: 'settings', key: 'mode' },
      },
      sidecars: [
        {
          name: 'proxy',
          image: 'envoy:1.30',
          health: undefined,
          command: [],
          environment: {},
          files: [],
          secrets: [],
          resources: {},
          security: { root: false, capabilities: [], readOnlyRoot: false },
        },
        {
          name: 'metrics',
          health: { kind: 'http', path: '/ready', port: 'admin' },
          command: ['node', 'metrics.js'],
          environment: { LEVEL: { value: 'info' } },
          files: [{ path: '/etc/metrics.json', source: './metrics.json' }],
          secrets: ['METRICS_TOKEN'],
          resources: { memory: '32Mi' },
          security: { root: false, user: 2000, capabilities: [], readOnlyRoot: false },
        },
      ],
      resources: { cpu: '0.5', cpuLimit: '2', memory: '64Mi' },
      security: { root: true, user: 1000, capabilities: ['NET_BIND_SERVICE'], readOnlyRoot: true },
      strategy: { kind: 'recreate' },
      stopSeconds: 5,
      spread: false,
      disruptionBudget: false,
      services: [{ type: 'postgres' }, { type: 'redis', image: 'redis:7', size: '2Gi', database: 'cache' }],
      migrate: {
        up: ['node', 'migrate.js', 'up'],
        down: ['node', 'migrate.js', 'down'],
        version: ['node', 'migrate.js', 'version'],
        irreversible: true,
        timeLimitSeconds: 3600,
      },
      routes: [
        { host: 'web.localhost', path: '/api', port: 'http' },
        { host: '*.example.com', path: '/', port: 'admin' },
        {
          host: 'own.localhost',
          path: '/',
          port: 'http',
          access: {
            allow: ['10.0.0.0/8', '192.0.2.1/32', 'fd00::1/128'],
            authentication: { kind: 'keys', header: 'X-API-Key' },
            groups: ['partners'],
          },
          limit: { requests: 100, seconds: 60, by: 'consumer' },
        },
        {
          host: 'open.localhost',
          path: '/',
          port: 'http',
          access: { authentication: { kind: 'basic' } },
          limit: { requests: 20, seconds: 10, by: 'consumer' },
        },
        {
          host: 'counted.localhost',
          path: '/',
          port: 'http',
          access: { deny: ['0.0.0.0/0'] },
          limit: { requests: 5000, seconds: 7200, by: 'address' },
        },
      ],
      schedules: [
        {
          task: 'sync',
          timing: { start: '2026-01-01T00:00:00Z', everyMinutes: 420 },
          command: ['node', 'sync.js'],
          overlap: false,
          retries: 0,
        },
        {
          task: 'report',
          timing: { cron: '15 6 * * 1-5', timeZone: 'Europe/Kyiv' },
          command: ['node', 'report.js'],
          overlap: true,
          retries: 2,
          timeLimitSeconds: 90,
        },
      ],
      checks: {
        before: { command: ['node', 'smoke.js', '--say', "it's fine"], timeLimitSeconds: 300 },
        after: { command: ['node', 'e2e.js'], timeLimitSeconds: 600 },
      },
      files: [{ path: '/etc/web/rules.json', source: './rules.json' }],
      secrets: ['PARTNER_TOKEN'],
      notify: ['team-hook'],
      build: {
        with: 'dockerfile',
        base: 'debian:12-slim',
        packages: ['libvips42'],
        shell: true,
        run: ['make', 'all'],
        output: 'dist',
        start: ['./server'],
        dockerfile: 'docker/Dockerfile',
        target: 'run',
        args: { VERSION: '1.0' },
        secrets: { npmrc: { file: '.npmrc' }, token: { variable: 'TOKEN' } },
      },
      dev: { run: ['node', '--watch', 'main.js'], reload: 'self', build: ['npm', 'run', 'build'] },
    })
  })

  const twoEnvironments = `
name: web
replicas: 1
ports: { http: 80 }
env: { A: base, B: base }
resources: { cpu: 100m, memory: 64Mi }
environments:
  test:
  production:
    namespace: live
    replicas: 4
    ports: { http: { port: 80, nodePort: 30080 }, metrics: 9090 }
    env: { B: changed, C: added }
    resources: { memory: 1Gi }
`
  test('of an environment that changes nothing is the manifest itself', () => {
    expect(read(twoEnvironments, 'test')).toMatchObject({
      namespace: 'test',
      replicas: 1,
      environment: { A: { value: 'base' }, B: { value: 'base' } },
    })
  })

  test('of another one merges maps key by key and replaces the rest', () => {
    expect(read(twoEnvironments, 'production')).toMatchObject({
      namespace: 'live',
      replicas: 4,
      ports: [
        { name: 'http', port: 80, protocol: 'TCP', nodePort: 30_080 },
        { name: 'metrics', port: 9090, protocol: 'TCP' },
      ],
      environment: { A: { value: 'base' }, B: { value: 'changed' }, C: { value: 'added' } },
      resources: { cpu: '100m', memory: '1Gi' },
    })
  })

  test('of another one may change one field of a port, and leave the rest', () => {
    const text = (change: string): string =>
      `name: web\nports: { http: { port: 80, nodePort: 30080 }, admin: 81 }\nenvironments: { test: { ports: ${change} } }`
    expect(read(text('{ http: { nodePort: 30090 }, admin: { protocol: UDP } }')).ports).toEqual([
      { name: 'http', port: 80, protocol: 'TCP', nodePort: 30_090 },
      { name: 'admin', port: 81, protocol: 'UDP' },
    ])
    expect(read(text('{ http: 8080 }')).ports[0]).toEqual({
      name: 'http',
      port: 8080,
      protocol: 'TCP',
      nodePort: 30_080,
    })
  })

  test.each(['3.10', '1e3', '0x10', '007', 'True', '12345678901234567890', '1_000', '.5', '2026-11-29'])(
    'leaves %s in a text as it was written',
    text => {
      const manifest = read(`name: web\ncommand: [${text}]\nenv: { A: ${text}, B: "${text}" }`)
      expect(manifest.environment).toEqual({ A: { value: text }, B: { value: text } })
      expect(manifest.command).toEqual([text])
    },
  )

  test('reads a number that is named in two places in each as that place wants it', () => {
    expect(read('name: web\nreplicas: &n 3\nenv: { A: *n }')).toMatchObject({
      replicas: 3,
      environment: { A: { value: '3' } },
    })
  })

  test('says its strategy as a word or as fields', () => {
    const strategy = (text: string) => read(`name: web\nstrategy: ${text}`).strategy
    expect(strategy('blue-green')).toEqual({ kind: 'blue-green' })
    expect(strategy('{ kind: rolling }')).toEqual({ kind: 'rolling' })
    expect(strategy('canary')).toEqual({
      kind: 'canary',
      steps: [
        { percent: 10, seconds: 30 },
        { percent: 50, seconds: 30 },
      ],
      analysis: { maxRestarts: 0, queries: [] },
    })
    expect(
      strategy(
        '{ kind: canary, steps: [{ percent: 5, seconds: 60 }], analysis: { maxRestarts: 1, run: node ask.js, queries: { errors: { query: up, maximum: 0.5 } } } }',
      ),
    ).toEqual({
      kind: 'canary',
      steps: [{ percent: 5, seconds: 60 }],
      analysis: {
        maxRestarts: 1,
        run: { command: ['node', 'ask.js'], timeLimitSeconds: 300 },
        queries: [{ name: 'errors', query: 'up', maximum: 0.5 }],
      },
    })
  })

  test('tells its health by a command, which needs no port', () => {
    expect(read('name: web\nhealth: { command: node healthy.js }').health).toEqual({
      kind: 'command',
      command: ['node', 'healthy.js'],
    })
  })

  test('asks for health on a port that speaks TCP', () => {
    const text = 'name: dns\nports: { dns: { port: 53, protocol: UDP }, http: 80 }\nhealth: { http: / }'
    expect(read(text).health).toEqual({ kind: 'http', path: '/', port: 'http' })
  })

  test('keeps some instances during maintenance from two instances on', () => {
    expect(read('name: web\nreplicas: 2').disruptionBudget).toBe(true)
    expect(read('name: web\nreplicas: 2\ndisruptionBudget: false').disruptionBudget).toBe(false)
  })

  test('without environments goes to any', () => {
    expect(read('name: web', 'anything').namespace).toBe('anything')
  })

  test('may use anchors', () => {
    expect(read('name: web\nenv: &all { A: x }\nenvironments:\n  test: { env: *all }').environment).toEqual({
      A: { value: 'x' },
    })
  })
})

describe('the nearest name', () => {
  test.each([
    ['replica', 'replicas'],
    ['REPLICAS', 'replicas'],
    ['prots', 'ports'],
    ['helth', 'health'],
    ['xyz', undefined],
    ['', undefined],
  ])('to %j is %j', (typed, name) => {
    expect(nearestName(typed, ['replicas', 'ports', 'health', 'environments'])).toBe(name)
  })

  test('is measured symmetrically, and is nothing only between equals', () => {
    const word = fc.string({ maxLength: 8 })
    fc.assert(
      fc.property(word, word, (left, right) => {
        expect(editDistance(left, right)).toBe(editDistance(right, left))
        expect(editDistance(left, right) === 0).toBe(left === right)
        expect(editDistance(left, right)).toBeLessThanOrEqual(Math.max(left.length, right.length))
      }),
    )
  })
})
