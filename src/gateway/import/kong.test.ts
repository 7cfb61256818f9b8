// What is easily taken over wrongly: which of several plugins counts, who is let in, and what a service gets.
import { describe, expect, test } from 'vitest'
import type { KubeObject } from '../../api/object.ts'
import { importConfiguration } from './import-configuration.ts'
import { reportText } from './report.ts'

const parent = { group: 'gateway.networking.k8s.io', kind: 'Gateway', namespace: 'kube-system', name: 'sampan' }

type Made = KubeObject & {
  readonly spec: Record<string, unknown> & { readonly targetRefs: { readonly name: string }[] }
}

function imported(text: string): { readonly objects: readonly Made[]; readonly report: string } {
  const { objects, report } = importConfiguration([{ name: 'it', text }], { namespace: 'shop', parent })
  return { objects: objects as Made[], report: reportText(report) }
}

/** A service with routes `a` and `b` for all paths of hosts of these names. */
const service = (a: string, more = ''): string => `
_format_version: "3.0"
services:
  - name: s
    host: 10.0.0.1
    routes:
      - { name: a, hosts: [a.test], preserve_host: true, ${a} }
      - { name: b, hosts: [b.test], preserve_host: true }
${more}`

/** Names and what each policy is for. */
const policies = ({ objects }: { readonly objects: readonly Made[] }): readonly string[] =>
  objects
    .filter(({ kind }) => kind === 'AccessPolicy' || kind === 'TrafficPolicy')
    .map(
      ({ metadata, spec: { targetRefs, ...rest } }) =>
        `${metadata.name} for ${targetRefs.map(({ name }) => name).join(', ')}: ${JSON.stringify(rest)}`,
    )

const rules = ({ objects }: { readonly objects: readonly Made[] }, name: string): unknown =>
  objects.find(({ kind, metadata }) => kind === 'HTTPRoute' && metadata.name === name)?.spec['rules']

const limit = (minute: number): string => `{ name: rate-limiting, config: { minute: ${minute}, limit_by: ip } }`
const perMinute = (requests: number): string => `{"rateLimits":[{"requests":${requests},"per":"1m","by":"Address"}]}`

describe('of plugins of one name', () => {
  test('the one of the route counts, then the one of the service, then the one of all', () => {
    const made = imported(
      service(
        `plugins: [${limit(1)}]`,
        `    plugins: [${limit(2)}]
  - { name: t, host: 10.0.0.2, routes: [{ name: c, hosts: [c.test] }] }
plugins: [${limit(3)}]`,
      ),
    )
    expect(policies(made)).toEqual([
      `a-rate-limiting for a: ${perMinute(1)}`,
      `s-rate-limiting for b: ${perMinute(2)}`,
      `rate-limiting for c: ${perMinute(3)}`,
    ])
  })

  test('one that is off leaves its place to the next', () => {
    expect(
      policies(
        imported(
          service(
            `plugins: [{ name: rate-limiting, enabled: false, config: { minute: 1 } }]`,
            `plugins: [${limit(3)}]`,
          ),
        ),
      ),
    ).toEqual([`rate-limiting for a, b: ${perMinute(3)}`])
  })

  test('one for a Consumer is not one for everybody', () => {
    const made = imported(service('', `plugins: [{ name: rate-limiting, consumer: ann, config: { minute: 1 } }]`))
    expect(policies(made)).toEqual([])
    expect(made.report).toContain(
      'left out     plugins rate-limiting: a policy is for routes, and not for some Consumers (ann)',
    )
  })
})

const nobody = '{"addresses":{"deny":["0.0.0.0/0","::/0"]}}'

describe('nobody is let in', () => {
  test.each([
    [
      'by what is not known here',
      '{ name: openid-connect, config: { client_secret: [x] } }',
      'a-openid-connect-closed',
    ],
    ['where nobody says who he is', '{ name: acl, config: { allow: [g] } }', 'a-acl'],
    [
      'by networks that are none',
      '{ name: ip-restriction, config: { allow: ["${{ env \\"DECK_NET\\" }}"] } }',
      'a-ip-restriction-closed',
    ],
    ['by tokens that are signed with a secret', '{ name: jwt }', 'a-jwt-closed'],
    [
      'by a size that is none',
      '{ name: request-size-limiting, config: { allowed_payload_size: 0 } }',
      'a-request-size-limiting-closed',
    ],
  ])('%s', (_what, plugin, name) => {
    expect(policies(imported(service(`plugins: [${plugin}]`)))).toEqual([`${name} for a: ${nobody}`])
  })

  test('when all Consumers are in a group that is kept out', () => {
    const consumers = 'consumers: [{ username: ann, acls: [{ group: bad }] }]'
    const made = imported(service('plugins: [{ name: key-auth }, { name: acl, config: { deny: [bad] } }]', consumers))
    expect(policies(made)).toEqual([`a-key-auth for a: ${nobody}`])
  })
})

describe('people who log in, and tokens', () => {
  const issuer = 'https://login.test/realms/a'
  const login = (config: string, more = ''): string =>
    `plugins: [{ name: openid-connect, config: { issuer: "${issuer}", ${config} } }${more}]`
  const ways = (made: ReturnType<typeof imported>): unknown =>
    made.objects.find(({ kind }) => kind === 'AccessPolicy')?.spec['authentication']
  const closed = `a-openid-connect-closed for a: ${nobody}`

  test('are let in by what Kong let them in by, unless auth_methods says one of both', () => {
    const client = 'client_id: [shop], client_secret: [hush]'
    expect(ways(imported(service(login(client))))).toEqual({
      jwt: { issuer, consumerClaim: 'sub' },
      oidc: {
        issuer,
        clientID: 'shop',
        clientSecretRef: { name: 'a-openid-connect-login' },
        redirectPath: '/oauth2/callback',
        logoutPath: '/oauth2/logout',
        sessionDuration: '3600s',
        consumerClaim: 'sub',
      },
    })
    expect(ways(imported(service(login(`${client}, auth_methods: [bearer]`))))).not.toHaveProperty('oidc')
    expect(ways(imported(service(login(`${client}, auth_methods: [authorization_code]`))))).not.toHaveProperty('jwt')
  })

  test.each([
    ['of one host of the route', 'https://a.test/back', '', '/back'],
    ['of another host', 'https://b.test/back', '', '/oauth2/callback'],
    ['of a page', 'https://a.test/shop', 'paths: [/shop/cart], ', '/oauth2/callback'],
    ['below a page', 'https://a.test/shop/back', 'paths: [/shop], ', '/shop/back'],
    ['of everything', 'https://a.test/', '', '/oauth2/callback'],
  ])('come back to the path %s', (_what, uri, route, path) => {
    const made = imported(service(`${route}${login(`client_id: [shop], redirect_uri: ["${uri}"]`)}`))
    expect(ways(made)).toMatchObject({ oidc: { redirectPath: path } })
  })

  test.each([
    ['a claim within another one', 'roles_required: [admin], roles_claim: [realm_access, roles]'],
    ['two groups at once', 'groups_required: ["a b"]'],
    ['how long ago somebody logged in', 'max_age: 60'],
    ['claims that nobody may have', 'claims_forbidden: [guest]'],
    ['a way that is none', 'auth_methods: [password, introspection]'],
    ['consumers that are none', 'consumer_claim: [email]'],
    ['an issuer by HTTP', 'issuer: "http://login.test"'],
    ['a claim that cannot be read', 'groups_required: ["{vault://env/groups}"]'],
  ])('are not let in where Kong asked for %s', (_what, config) => {
    const text = config.startsWith('issuer')
      ? `plugins: [{ name: openid-connect, config: { client_id: [shop], ${config} } }]`
      : login(`client_id: [shop], ${config}`)
    expect(policies(imported(service(text)))).toEqual([closed])
  })

  test.each([
    ['scopes', 'scopes_required: [read]', { jwt: { claims: { scope: ['read'] } } }],
    ['an audience', 'audience_required: [api]', { jwt: { audiences: ['api'] } }],
  ])('of which tokens alone have %s', (_what, config, expected) => {
    const found = ways(imported(service(login(`client_id: [shop], ${config}`))))
    expect(found).toMatchObject(expected)
    expect(found).not.toHaveProperty('oidc')
  })

  test.each([
    ['is introspected', 'introspect_jwt_tokens: true'],
    ['is looked for in a cookie', 'bearer_token_param_type: [cookie]'],
  ])('no token is taken that %s', (_what, config) => {
    expect(ways(imported(service(login(`client_id: [shop], ${config}`))))).not.toHaveProperty('jwt')
  })

  test('nobody logs in where the secret of the client is not in the file', () => {
    const config = `client_id: [shop], client_secret: ['$\{{ env "DECK_SECRET" }}']`
    expect(ways(imported(service(login(config))))).not.toHaveProperty('oidc')
  })

  test('have the groups of acl in a claim', () => {
    const made = imported(
      service(
        login(
          'auth_methods: [bearer], authenticated_groups_claim: [groups]',
          ', { name: acl, config: { allow: [staff] } }',
        ),
      ),
    )
    expect(policies(made)).toEqual([
      `a-openid-connect for a: {"authentication":{"jwt":{"issuer":"${issuer}","consumerClaim":"sub","claims":{"groups":["staff"]}}}}`,
    ])
    const denied = login(
      'auth_methods: [bearer], authenticated_groups_claim: [groups]',
      ', { name: acl, config: { deny: [bad] } }',
    )
    expect(policies(imported(service(denied)))).toEqual([`a-openid-connect for a: ${nobody}`])
  })

  test('are Consumers, where Kong let in those alone', () => {
    const made = imported(
      service(login('auth_methods: [bearer], consumer_claim: [name]'), 'consumers: [{ username: ann }]'),
    )
    expect(policies(made)).toEqual([
      `a-openid-connect for a: {"authentication":{"jwt":{"issuer":"${issuer}","consumerClaim":"name"}},"consumers":["ann"]}`,
    ])
  })
})

test('of tokens of a plugin jwt, those of one issuer with public keys are taken', () => {
  const secrets = (some: string): string => `consumers: [{ username: ann, jwt_secrets: [${some}] }]`
  const open = '{ key: "https://i.test", algorithm: RS256, rsa_public_key: PEM }'
  const tokens = (some: string, config = ''): readonly string[] =>
    policies(imported(service(`plugins: [{ name: jwt, config: {${config}} }]`, secrets(some))))
  const taken = [
    'a-jwt for a: {"authentication":{"jwt":{"issuer":"https://i.test","keysRef":{"kind":"ConfigMap","name":"ann-signing-keys"},"consumerClaim":"sub"}}}',
  ]
  expect(tokens(open)).toEqual(taken)
  expect(tokens(`${open}, { key: other, algorithm: HS256, secret: hush }`)).toEqual(taken)
  expect(tokens(`${open}, { key: other, algorithm: ES256, rsa_public_key: PEM }`)).toEqual([
    `a-jwt-closed for a: ${nobody}`,
  ])
  expect(tokens(open, 'key_claim_name: kid')).toEqual([`a-jwt-closed for a: ${nobody}`])
})

describe('answers are kept', () => {
  const kept = (config: string): readonly string[] =>
    policies(imported(service(`plugins: [{ name: proxy-cache, config: { strategy: memory, ${config} } }]`)))
  const cacheOf = (maxAge: string): readonly string[] => [
    `a-proxy-cache for a: {"cache":{"maxAge":"${maxAge}","maxObjectSize":"64Ki","size":"8Mi"}}`,
  ]

  test.each([
    ['for as long as Kong kept them', 'cache_ttl: 30', cacheOf('30s')],
    ['for as long as their service says', 'cache_ttl: 30, cache_control: true', cacheOf('86400s')],
    ['when they vary by what they are compressed for', 'vary_headers: [accept-encoding]', cacheOf('300s')],
    ['by nobody when they vary by what is not told', 'vary_headers: [Accept-Language]', []],
  ])('%s', (_what, config, expected) => {
    expect(kept(config)).toEqual(expected)
  })
})

test('calls that another route takes now are told, with an example', () => {
  const { report } = imported(`
services:
  - name: s
    protocol: grpc
    host: 10.0.0.1
    routes:
      - { name: one, hosts: [a.test], paths: [/pkg.One/Say] }
      - { name: tenant, hosts: [a.test], paths: [/], headers: { x-tenant: [a] } }
      - { name: other, hosts: [b.test], paths: [/] }`)
  expect(report).toContain(
    'routes tenant: requests such as POST a.test/pkg.One/Say x-tenant: a are taken by services s / routes one now',
  )
  expect(report).not.toMatch(/requests such as (?!POST )|such as POST b\.test/)
})

test('who is kept out by a group is told by who is not in it', () => {
  const made = imported(
    service(
      'plugins: [{ name: key-auth }, { name: acl, config: { blacklist: [bad] } }]',
      'consumers: [{ username: ann, acls: [{ group: bad }] }, { username: bob }]',
    ),
  )
  expect(policies(made)).toEqual([
    'a-key-auth for a: {"authentication":{"keys":{"header":"apikey","queryParameter":"apikey"}},"consumers":["bob"]}',
  ])
})

test('a request never meets more limits than it may', () => {
  const made = imported(
    service(
      'plugins: [{ name: rate-limiting, config: { second: 1, minute: 2 } }, { name: rate-limiting-advanced, config: { limit: [5, 6], window_size: [60, 90] } }]',
    ),
  )
  expect(policies(made)).toHaveLength(1)
  expect(made.report).toContain('3 limits are the most for a request, and services s / routes a has others already')
})

describe('a service gets', () => {
  test.each([
    ['a path without its prefix', 'paths: [/v1]', { type: 'ReplacePrefixMatch', replacePrefixMatch: '/' }],
    [
      'nothing of an expression that fits to the end',
      String.raw`paths: ['~/v\d+$']`,
      { type: 'ReplaceFullPath', replaceFullPath: '/' },
    ],
    ['the path as it is', 'paths: [/v1], strip_path: false', undefined],
    ['the path as it is, where there is none to be cut off', 'methods: [GET]', undefined],
  ])('%s', (_what, route, path) => {
    const [rule] = rules(imported(service(route)), 'a') as { filters?: { urlRewrite: { path?: object } }[] }[]
    expect(rule?.filters?.[0]?.urlRewrite.path).toEqual(path)
  })

  test('its own name as Host, unless it is to be as it was asked for', () => {
    const made = imported(
      'services: [{ name: s, host: api.example.com, routes: [{ name: a, paths: [/] }, { name: b, hosts: [b.test], preserve_host: true }] }]',
    )
    expect([rules(made, 'a'), rules(made, 'b')]).toMatchObject([
      [{ filters: [{ type: 'URLRewrite', urlRewrite: { hostname: 'api.example.com' } }] }],
      [{ backendRefs: [{ name: 's', port: 80 }] }],
    ])
    expect(JSON.stringify(rules(made, 'b'))).not.toContain('filters')
  })

  test('nothing when it is off', () => {
    const { objects, report } = imported(
      'services: [{ name: s, host: api.example.com, enabled: false, routes: [{ name: a, paths: [/a] }] }]',
    )
    expect(objects).toEqual([])
    expect(report).toContain(
      'kept         services s / routes a: its service is off, and nothing was made of it (name, paths)',
    )
  })
})

test('a route is not made when it would take more than it did', () => {
  for (const route of [
    'hosts: ["shop.*"]',
    'sources: [{ ip: 10.0.0.1 }], paths: [/a]',
    'expression: "http.path == \\"/a\\""',
    'headers: { x: ["~*(?=a)"] }',
    'paths: ["{vault://env/path}"]',
    'methods: [BREW]',
  ]) {
    const { objects, report } = imported(
      `services: [{ name: s, host: api.example.com, routes: [{ name: a, ${route} }] }]`,
    )
    expect([route, objects.filter(({ kind }) => kind === 'HTTPRoute')]).toEqual([route, []])
    expect(report).toMatch(/left out {5}services s \/ routes a: /)
  }
})
