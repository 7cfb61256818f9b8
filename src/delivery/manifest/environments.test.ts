// What holds in an environment: what stands in it, over what it extends, over the rest of the file.
import { describe, expect, test } from 'vitest'
import { readTeam } from '../team/read-team.ts'
import type { Manifest } from './manifest.ts'
import { environmentsOf, openManifest, readManifest } from './read-manifest.ts'

const read = (text: string, environment: string, team?: string): Manifest =>
  readManifest('app.yml', text, environment, team === undefined ? undefined : readTeam('sampan.yml', team))

/** What one field becomes when an environment changes it. */
const changed = (base: string, change: string): Manifest =>
  read(`name: web\n${base}\nenvironments: { test: { ${change} } }`, 'test')

describe('over the rest of the file', () => {
  test('maps are merged at every depth', () => {
    const base = `
strategy: { kind: canary, analysis: { maxRestarts: 1, queries: { errors: { query: up, maximum: 1 } } } }
schedules: { sync: { every: PT30M, run: node sync.js, retries: 2 } }
migrate: { up: node m.js up, down: node m.js down }
postgres: { size: 1Gi }`
    const { strategy, schedules, migrate, services } = changed(
      base,
      'strategy: { analysis: { queries: { errors: { maximum: 2 } } } }, schedules: { sync: { every: PT1H } }, migrate: { irreversible: true }, postgres: { database: other }',
    )
    expect(strategy).toMatchObject({
      kind: 'canary',
      analysis: { maxRestarts: 1, queries: [{ name: 'errors', query: 'up', maximum: 2 }] },
    })
    expect(schedules).toMatchObject([{ timing: { everyMinutes: 60 }, retries: 2, command: ['node', 'sync.js'] }])
    expect(migrate).toMatchObject({ up: ['node', 'm.js', 'up'], down: ['node', 'm.js', 'down'], irreversible: true })
    expect(services).toEqual([{ type: 'postgres', size: '1Gi', database: 'other' }])
  })

  test('lists and commands are replaced', () => {
    const { routes, secrets, command } = changed(
      'ports: { http: 80 }\nroutes: [{ host: a }, { host: b }]\nsecrets: [A, B]\ncommand: node a.js b',
      'routes: [{ host: c }], secrets: [], command: node d.js',
    )
    expect(routes.map(({ host }) => host)).toEqual(['c.localhost'])
    expect(secrets).toEqual([])
    expect(command).toEqual(['node', 'd.js'])
  })

  test('nothing behind a key takes away, and the rest stays', () => {
    const { environment, ports, health, schedules, routes, namespace } = changed(
      `env: { A: a, B: b }
ports: { http: { port: 80, nodePort: 30080 }, admin: 81 }
health: { http: / }
schedules: { sync: { every: PT30M, run: node sync.js } }
routes: [{ host: web }]
namespace: shop`,
      'env: { A: ~ }, ports: { http: { nodePort: null }, admin: ~ }, health: ~, schedules: { sync: }, routes: ~, namespace: ~',
    )
    expect(environment).toEqual({ B: { value: 'b' } })
    expect(ports).toEqual([{ name: 'http', port: 80, protocol: 'TCP' }])
    expect([health, schedules, routes, namespace]).toEqual([undefined, [], [], 'test'])
  })

  test('one of several takes the place of another', () => {
    const base = 'ports: { http: 80 }\nhealth: { http: / }\nenv: { A: { secret: s, key: k } }'
    expect(changed(base, 'health: { tcp: true }').health).toEqual({ kind: 'tcp', port: 'http' })
    expect(changed(base, 'env: { A: { configMap: c } }').environment).toEqual({ A: { configMap: 'c', key: 'k' } })
    expect(changed(base, 'env: { A: text }').environment).toEqual({ A: { value: 'text' } })
    expect(changed('env: { A: text }', 'env: { A: { secret: s, key: k } }').environment).toEqual({
      A: { secret: 's', key: 'k' },
    })
    const scheduled = 'schedules: { sync: { every: PT30M, run: node sync.js } }'
    expect(changed(scheduled, 'schedules: { sync: { cron: "0 1 * * *" } }').schedules[0]?.timing).toEqual({
      cron: '0 1 * * *',
    })
  })

  test('another strategy leaves nothing of the one before', () => {
    const base = 'strategy: { kind: canary, steps: [{ percent: 5, seconds: 1 }] }'
    expect(changed(base, 'strategy: recreate').strategy).toEqual({ kind: 'recreate' })
    expect(changed(base, 'strategy: canary').strategy).toMatchObject({ steps: [{ percent: 5, seconds: 1 }] })
  })

  test('a backing service is taken back, and given', () => {
    expect(changed('postgres: { size: 1Gi }', 'postgres: false').services).toEqual([])
    expect(changed('replicas: 1', 'postgres: true, redis: false').services).toEqual([{ type: 'postgres' }])
    const text =
      'name: web\npostgres: true\nenvironments: { a: { postgres: false }, b: { extends: a, postgres: true } }'
    expect(read(text, 'b').services).toEqual([{ type: 'postgres' }])
  })

  test('a variable may be called like a part of every object', () => {
    expect(changed('env: { A: a }', 'env: { __proto__: b, constructor: c }').environment).toEqual(
      Object.fromEntries([
        ['A', { value: 'a' }],
        ['__proto__', { value: 'b' }],
        ['constructor', { value: 'c' }],
      ]),
    )
  })
})

describe('over another environment', () => {
  const text = `
name: web
env: { A: base, B: base, C: base }
environments:
  test7: { extends: test, env: { C: test7 }, replicas: 3 }
  test: { extends: common, env: { B: test } }
  common: { env: { A: common, B: common }, replicas: 2 }
`
  test('everything that it extends is there, the nearest on top', () => {
    expect(read(text, 'test7')).toMatchObject({
      namespace: 'test7',
      replicas: 3,
      environment: { A: { value: 'common' }, B: { value: 'test' }, C: { value: 'test7' } },
    })
  })

  test('an environment of the team alone has what the ones below it have here', () => {
    const team = 'environments: { test8: { extends: test7 }, test7: , other: }'
    expect(read(text, 'test8', team)).toMatchObject({ namespace: 'test8', replicas: 3, disruptionBudget: true })
    expect(read(text, 'other', team)).toMatchObject({ namespace: 'other', replicas: 1 })
  })

  test('what the manifest says of a chain goes before what the team says', () => {
    const team = 'environments: { test: { extends: production }, production: }'
    const own = 'name: web\nenvironments: { test: { extends: common }, common: { replicas: 5 } }'
    expect(read(own, 'test', team).replicas).toBe(5)
  })

  test('an environment that neither of them names is one that was mistyped', () => {
    expect(() => read(text, 'test9', 'environments: { test8: }')).toThrow(
      'app.yml:4: there is no environment "test9"; did you mean "test7"?',
    )
  })
})

describe('with the file of the team', () => {
  const team = `
registry: registry.example.com/shop
environments:
  test: { domain: test.example.com }
  own: { namespace: service, registry: ~ }
  shared: { namespace: { name: shop } }
`
  test('hosts of one label get its domain, others stay', () => {
    const text = 'name: web\nports: { http: 80 }\nroutes: [{ host: web }, { host: web.example.com }, { host: "*.web" }]'
    const hosts = (environment: string) => read(text, environment, team).routes.map(({ host }) => host)
    expect(hosts('test')).toEqual(['web.test.example.com', 'web.example.com', '*.web.test.example.com'])
    expect(hosts('own')).toEqual(['web.localhost', 'web.example.com', '*.web.localhost'])
  })

  test('routes that ask for tokens take those of the environment, unless they have their own', () => {
    const text = `
name: web
ports: { http: 80 }
routes:
  - { host: web, auth: jwt }
  - { host: own, auth: { jwt: { issuer: me, keys: mine } } }`
    const tokens = `
jwt: { issuer: https://login.example.com, audiences: [web], keys: login }
environments:
  test: { jwt: { audiences: [test], claims: { role: [admin] } } }
  production:`
    const asked = (environment: string) => read(text, environment, tokens).routes.map(({ access }) => access)
    const login = { kind: 'token', issuer: 'https://login.example.com', keys: 'login' }
    const own = { authentication: { kind: 'token', issuer: 'me', keys: 'mine' } }
    expect(asked('test')).toEqual([
      { authentication: { ...login, audiences: ['test'], claims: { role: ['admin'] } } },
      own,
    ])
    expect(asked('production')).toEqual([{ authentication: { ...login, audiences: ['web'] } }, own])
  })

  test('tokens are signed by keys of a Secret, of an address, or of where the issuer says', () => {
    const text = 'name: web\nports: { http: 80 }\nroutes: [{ host: web, auth: jwt }]'
    const tokens = `
jwt: { issuer: https://login.example.com }
environments:
  test:
  own: { jwt: { keys: login } }
  other: { extends: own, jwt: { jwksUri: https://keys.example.com/all } }`
    const asked = (environment: string) => read(text, environment, tokens).routes[0]?.access?.authentication
    const login = { kind: 'token', issuer: 'https://login.example.com' }
    expect(['test', 'own', 'other'].map(asked)).toEqual([
      login,
      { ...login, keys: 'login' },
      { ...login, jwksUri: 'https://keys.example.com/all' },
    ])
  })

  test('people log in where the environment says, unless a route says it, and its groups are theirs', () => {
    const text = `
name: web
ports: { http: 80 }
routes:
  - { host: web, auth: oidc, groups: [staff] }
  - { host: own, auth: { oidc: { issuer: https://me.example.com, clientId: me } } }`
    const logins = `
oidc: { issuer: https://login.example.com, clientId: shop, clientSecret: LOGIN, scopes: [roles] }
environments:
  test: { oidc: { groupsClaim: roles, claims: { tenant: [a] } } }
  production:`
    const asked = (environment: string) =>
      read(text, environment, logins).routes.map(({ access, loginSecret }) => ({ ...access, loginSecret }))
    const login = { kind: 'login', issuer: 'https://login.example.com', clientId: 'shop', scopes: ['roles'] }
    const own = { authentication: { kind: 'login', issuer: 'https://me.example.com', clientId: 'me' } }
    expect(asked('test')).toEqual([
      { authentication: { ...login, claims: { tenant: ['a'], roles: ['staff'] } }, loginSecret: 'LOGIN' },
      own,
    ])
    expect(asked('production')).toEqual([
      { authentication: { ...login, claims: { groups: ['staff'] } }, loginSecret: 'LOGIN' },
      own,
    ])
  })

  test('images without a registry get its one', () => {
    expect(read('name: web', 'test', team).image).toBe('registry.example.com/shop/web')
    expect(read('name: web\nimage: acme/web', 'test', team).image).toBe('registry.example.com/shop/acme/web')
    expect(read('name: web\nimage: ghcr.io/acme/web', 'test', team).image).toBe('ghcr.io/acme/web')
    expect(read('name: web', 'own', team).image).toBe('sampan.local/web')
    expect(read('name: web\npostgres: { image: "postgres:16" }', 'test', team).services[0]?.image).toBe(
      'registry.example.com/shop/postgres:16',
    )
  })

  test('the namespace is the one of the manifest, else as it says', () => {
    expect(read('name: web', 'test', team).namespace).toBe('test')
    expect(read('name: web', 'own', team).namespace).toBe('own-web')
    expect(read('name: web', 'shared', team).namespace).toBe('shop')
    expect(read('name: web\nnamespace: mine', 'shared', team).namespace).toBe('mine')
  })
})

describe('names that are made of several', () => {
  const long = 'a'.repeat(50)

  test('of a server that exists already nothing is made', () => {
    const server = '{ host: db.example.com, user: me, password: DB }'
    const external = `environments: { test: { servers: { postgres: ${server} } } }`
    expect(read(`name: ${long}\npostgres: true`, 'test', external).services).toHaveLength(1)
    expect(() => read(`name: ${long}\npostgres: true`, 'test', 'environments: { test: {} }')).toThrow(
      `the postgres server ${long}-postgres has 59 characters, at most 52 are possible; shorten the name of the service`,
    )
  })

  test('a host and its domain fit together', () => {
    const domain = Array.from({ length: 4 }, () => 'd'.repeat(59)).join('.')
    const team = `environments: { test: { domain: ${domain} } }`
    const routes = (host: string): string => `name: web\nports: { http: 80 }\nroutes: [{ host: ${host} }]`
    expect(read(routes('a'.repeat(13)), 'test', team).routes).toHaveLength(1)
    expect(() => read(routes('a'.repeat(14)), 'test', team)).toThrow(
      'has 254 characters, at most 253 are possible; shorten it or the domain',
    )
  })
})

test('the environments of a manifest are those that it names', () => {
  expect(
    environmentsOf(openManifest('app.yml', 'name: web\nenvironments: { test: { extends: common }, common: }')),
  ).toEqual(['test', 'common'])
  expect(() => environmentsOf(openManifest('app.yml', 'replicas: 1'))).toThrow('app.yml:1: the field "name" is missing')
})
