// What comes out of a sampan.yml. Mistakes and their messages are in src/delivery/manifest/goldens.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkTeam, readTeam } from './read-team.ts'
import { teamFields } from './team-fields.ts'

const key = `age1${'q'.repeat(58)}`
const read = (text: string) => readTeam('sampan.yml', text)

test('an environment alone has usual values', () => {
  expect(read('environments: { test: }')).toEqual({
    environments: {
      test: {
        name: 'test',
        extends: [],
        engine: 'kubernetes',
        domain: 'localhost',
        namespace: 'environment',
        readers: [],
        servers: {},
      },
    },
    services: {},
    people: {},
    hooks: {},
  })
})

test('it says everything it can say', () => {
  const team = read(`
context: shared
registry: registry.example.com/shop
domain: example.com
people: { anna: ${key}, ci: ${key} }
readers: [anna]
hooks:
  team-hook: https://chat.example.com/hook
  audit: { secret: AUDIT_HOOK, optional: true }
services:
  customers:
  orders: ./services/orders
  web: { path: web, needs: [customers, orders] }
environments:
  test: { readers: [anna, ci] }
  production:
    context: production
    domain: shop.example.com
    namespace: { name: shop }
    prometheus: https://prometheus.example.com
    gateway: gateways/public
    servers:
      postgres: { host: db.example.com, port: 5433, user: admin, password: DB_PASSWORD, authority: ./ca.pem }
`)
  expect(team.environments).toEqual({
    test: {
      name: 'test',
      extends: [],
      context: 'shared',
      engine: 'kubernetes',
      domain: 'test.example.com',
      registry: 'registry.example.com/shop',
      namespace: 'environment',
      readers: ['anna', 'ci'],
      servers: {},
    },
    production: {
      name: 'production',
      extends: [],
      context: 'production',
      engine: 'kubernetes',
      domain: 'shop.example.com',
      registry: 'registry.example.com/shop',
      namespace: { name: 'shop' },
      readers: ['anna'],
      servers: {
        postgres: {
          host: 'db.example.com',
          port: 5433,
          user: 'admin',
          password: 'DB_PASSWORD',
          authority: './ca.pem',
        },
      },
      prometheus: 'https://prometheus.example.com',
      gateway: { namespace: 'gateways', name: 'public' },
    },
  })
  expect(team.services).toEqual({
    customers: { path: 'customers', needs: [] },
    orders: { path: './services/orders', needs: [] },
    web: { path: 'web', needs: ['customers', 'orders'] },
  })
  expect(Object.keys(team.services)).toEqual(['customers', 'orders', 'web'])
  expect(team.people).toEqual({ anna: key, ci: key })
  expect(team.hooks).toEqual({
    'team-hook': { url: { value: 'https://chat.example.com/hook' }, optional: false },
    audit: { url: { secret: 'AUDIT_HOOK' }, optional: true },
  })
})

test('an environment has what it extends, and a domain of its own below', () => {
  const { environments } = read(`
environments:
  test8: { extends: test7, servers: { redis: { host: other } } }
  test7: { extends: test, namespace: service }
  test:
    domain: test.example.com
    namespace: environment
    servers: { redis: { host: redis.example.com, user: default, password: REDIS }, mysql: { host: m, user: u, password: M } }
  none: { extends: test, servers: ~ }
`)
  expect(environments['test8']).toMatchObject({
    extends: ['test7', 'test'],
    domain: 'test8.test.example.com',
    namespace: 'service',
    servers: { redis: { host: 'other', user: 'default', password: 'REDIS' }, mysql: { host: 'm' } },
  })
  expect(environments['none']?.servers).toEqual({})
})

test('whatever stands in the file, mistakes are told by their lines, and what is right can be read', () => {
  const anything = fc.dictionary(
    fc.oneof(fc.constantFrom(...Object.keys(teamFields.fields), 'test', 'extends'), fc.string()),
    fc.jsonValue({ maxDepth: 3 }),
  )
  fc.assert(
    fc.property(anything, fc.dictionary(fc.constantFrom('test', 'test7', 'A'), anything), (fields, environments) => {
      const text = JSON.stringify({ ...fields, environments }, undefined, 1)
      const { findings, team } = checkTeam(text)
      const lines = text.split('\n').length
      for (const { line } of findings) expect(line).toBeLessThanOrEqual(lines)
      for (const environment of Object.values(team.environments)) expect(environment.name).not.toBe('')
    }),
  )
})
