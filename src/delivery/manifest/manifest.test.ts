// What a person sees who mistypes something in an app.yml, and what comes out of a right one.
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
  test.each([
    ['a mistyped field', 'name: web\nreplica: 2', 'app.yml:2: unknown field "replica"; did you mean "replicas"?'],
    [
      'letters that changed places',
      'name: web\nprots:\n  http: 80',
      'app.yml:2: unknown field "prots"; did you mean "ports"?',
    ],
    [
      'a field like none',
      'name: web\nsomething: 2',
      /^app.yml:2: unknown field "something"; there is name, image, namespace, .*$/,
    ],
    [
      'a field named like a part of every object',
      'name: web\nconstructor: 2',
      /^app.yml:2: unknown field "constructor"; there is name, .*$/,
    ],
    [
      'a field inside another',
      'name: web\nports:\n  http:\n    prot: 80',
      'app.yml has 2 mistakes:\n  app.yml:4: ports.http: unknown field "prot"; did you mean "port"?\n  app.yml:4: ports.http: the field "port" is missing: port the service listens on',
    ],
    [
      'a field of an environment',
      'name: web\nenvironments:\n  test:\n    replcas: 1',
      'app.yml:4: environments.test: unknown field "replcas"; did you mean "replicas"?',
    ],
    ['no name', 'replicas: 1', 'app.yml:1: the field "name" is missing: name of the service'],
    [
      'a name with capitals',
      'name: Web',
      'app.yml:1: name: expected a name of lower-case letters, digits and dashes that starts with a letter, found "Web"',
    ],
    ['a name that is no text', 'name: [web]', /^app.yml:1: name: expected a name .*, found a list$/],
    [
      'a number in words',
      'name: web\nreplicas: two',
      'app.yml:2: replicas: expected a number of instances, found "two"',
    ],
    ['half an instance', 'name: web\nreplicas: 1.5', 'app.yml:2: replicas: expected a number of instances, found 1.5'],
    ['a negative number', 'name: web\nreplicas: -1', 'app.yml:2: replicas: expected a number of instances, found -1'],
    [
      'a port that is none',
      'name: web\nports:\n  http: 70000',
      'app.yml:3: ports.http: expected a port from 1 to 65535, found 70000',
    ],
    [
      'a node port out of range',
      'name: web\nports:\n  http: { port: 80, nodePort: 80 }',
      'app.yml:3: ports.http.nodePort: expected a port from 30000 to 32767, found 80',
    ],
    [
      'a protocol in lower case',
      'name: web\nports:\n  http: { port: 80, protocol: tcp }',
      'app.yml:3: ports.http.protocol: expected TCP or UDP, found "tcp"; did you mean TCP?',
    ],
    [
      'ports as a list',
      'name: web\nports: [80]',
      'app.yml:2: ports: expected port names with their values, found a list',
    ],
    [
      'a port name with capitals',
      'name: web\nports:\n  HTTP: 80',
      /^app.yml:3: ports: "HTTP" is no port name; expected at most 15 lower-case letters, .*$/,
    ],
    [
      'a port name that is too long',
      'name: web\nports:\n  sixteen-letters-: 80',
      /^app.yml:3: ports: .* is no port name; .*$/,
    ],
    [
      'a port that is there twice',
      'name: web\nports:\n  http: 80\n  metrics: 80',
      'app.yml:4: ports.metrics.port: expected a port of its own, found 80, which "http" has',
    ],
    [
      'a node port that an environment takes for a second time',
      'name: web\nports:\n  a: { port: 80, nodePort: 30001 }\n  b: 81\nenvironments:\n  test:\n    ports:\n      b: { nodePort: 30001 }',
      'app.yml:8: ports.b.nodePort: expected a nodePort of its own, found 30001, which "a" has',
    ],
    [
      'an image with a tag',
      'name: web\nimage: web:1.0',
      'app.yml:2: image: expected the name of an image without tag, found "web:1.0"',
    ],
    ['an image with capitals', 'name: web\nimage: Me/web:1', /^app.yml:2: image: .*$/],
    ['thousandths of a byte', 'name: web\nresources: { memory: 10m }', /^app.yml:2: resources.memory: expected .*$/],
    ['a processor of bytes', 'name: web\nresources: { cpu: 1Ki }', /^app.yml:2: resources.cpu: expected .*$/],
    [
      'a variable from two places',
      'name: web\nenv:\n  A: { secret: s, configMap: c, key: k }',
      'app.yml:3: env.A: expected one of secret and configMap, found both',
    ],
    [
      'the variable that is set already',
      'name: web\nenv:\n  SERVICE_VERSION: 1',
      'app.yml:3: env.SERVICE_VERSION: expected another name: Sampan sets this one to the version that is delivered',
    ],
    [
      'a strategy that does not exist',
      'name: web\nstrategy: roling',
      'app.yml:2: strategy: expected rolling or recreate, found "roling"; did you mean rolling?',
    ],
    ['a command as text', 'name: web\ncommand: run it', 'app.yml:2: command: expected a list, found "run it"'],
    [
      'an amount of nothing',
      'name: web\nresources:\n  memory: much',
      'app.yml:3: resources.memory: expected an amount such as 64Mi, found "much"',
    ],
    [
      'a variable without a value',
      'name: web\nenv:\n  A:',
      'app.yml:3: env.A: expected text or a number, found nothing',
    ],
    [
      'a secret without a key',
      'name: web\nenv:\n  A: { secret: s }',
      'app.yml:3: env.A: the field "key" is missing: which of its keys',
    ],
    [
      'a key of nothing',
      'name: web\nenv:\n  A: { key: k }',
      'app.yml:3: env.A: expected a value, or the name of a secret or configMap beside its key',
    ],
    [
      'a health check without ports',
      'name: web\nhealth: { http: / }',
      'app.yml:2: health: expected the name of a port of this service, found no ports at all',
    ],
    [
      'a health check of another port',
      'name: web\nports: { http: 80 }\nhealth: { http: /, port: grpc }',
      'app.yml:3: health: expected the name of a port of this service, found "grpc"; there is http',
    ],
    [
      'a health check of two kinds',
      'name: web\nports: { http: 80 }\nhealth: { http: /, tcp: true }',
      'app.yml:3: health: expected one of http, grpc and tcp, found http and tcp',
    ],
    [
      'a health check of no kind',
      'name: web\nports: { http: 80 }\nhealth: {}',
      'app.yml:3: health: expected one of http, grpc and tcp, found none of them',
    ],
    [
      'a path without a slash',
      'name: web\nports: { http: 80 }\nhealth: { http: healthz }',
      'app.yml:3: health.http: expected a path such as /healthz, found "healthz"',
    ],
    ['a field that stands twice', 'name: web\nname: web', 'app.yml:2: this key stands here for the second time'],
    ['YAML that is none', 'name: "web', /^app.yml:1: Missing closing "quote.*$/],
    [
      'a health check of an environment',
      'name: web\nports: { http: 80 }\nenvironments:\n  test:\n    health: {}',
      'app.yml:5: health: expected one of http, grpc and tcp, found none of them',
    ],
    [
      'a new port of an environment without its number',
      'name: web\nports: { http: 80 }\nenvironments:\n  test:\n    ports:\n      admin: { nodePort: 30001 }',
      'app.yml:6: ports.admin: the field "port" is missing: port the service listens on',
    ],
    ['a text that is never closed', 'name: web\nimage: "x\nreplicas: 2\n', 'app.yml:2: Missing closing "quote'],
    [
      'a list that is never closed',
      'name: web\ncommand: [node, x\nenv: { A: 1 \n',
      'app.yml:2: Flow sequence in block collection must be sufficiently indented and end with a ]',
    ],
    [
      'a line that is indented too far',
      'name: web\n  replicas: 2\nports: { http: 80 }\n',
      'app.yml:2: this line is indented further than fits, or has a ":" too many',
    ],
    [
      'a colon too many',
      'name: web\nenv:\n  A: it: is\n',
      'app.yml:3: a ":" too many; a text with a colon and a space in it needs quotes',
    ],
    ['a tab', 'name: web\nports:\n\thttp: 80\nenv:\n\tA: b', 'app.yml:3: expected spaces, found a tab'],
    ['a second document', 'name: web\n---\nname: api', 'app.yml:2: expected one document, found a second one'],
    ['an anchor that is nowhere', 'name: web\nenv: *all', 'app.yml:2: there is no anchor &all'],
    ['a tag', 'name: !mine web', 'app.yml:1: Unresolved tag: !mine'],
    ['nothing at all', '', /^app.yml:1: the manifest: expected the fields name, .*, found nothing$/],
  ])('%s is named with its line', (_what, text, message) => {
    const found = messageOf(text)
    expect(found).toBe(typeof message === 'string' ? message : message.exec(found)?.[0])
  })

  test('every one is told at once', () => {
    expect(messageOf('name: Web\nreplica: 1\nstopSeconds: long').split('\n')).toHaveLength(4)
  })

  test.each([
    ['tset', 'app.yml:2: there is no environment "tset"; did you mean "test"?'],
    ['somewhere', 'app.yml:2: there is no environment "somewhere"; there is test, production'],
  ])('the unknown environment %s is one', (environment, message) => {
    expect(messageOf('name: web\nenvironments: { test: {}, production: {} }', environment)).toBe(message)
  })

  test('whatever stands in the file, the message names a line of it', () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.oneof(fc.constantFrom(...Object.keys(manifestFields.fields)), fc.string()),
          fc.jsonValue({ maxDepth: 2 }),
        ),
        value => {
          const message = messageOf(JSON.stringify(value, undefined, 1))
          expect(message).toMatch(/^(no mistake found|app\.yml(:\d+: | has \d+ mistakes:\n))/)
        },
      ),
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
      resources: {},
      strategy: 'rolling',
      stopSeconds: 30,
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
resources: { cpu: 0.5, memory: 64Mi }
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
      resources: { cpu: '0.5', memory: '64Mi' },
      strategy: 'recreate',
      stopSeconds: 5,
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
