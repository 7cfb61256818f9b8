// Who is told when a secret changes.
import { expect, test } from 'vitest'
import { readTeam } from '../delivery/team/read-team.ts'
import { servicesThatUse } from './secret-project.ts'

test('services that use a secret have it themselves, or let people log in by it', () => {
  const text =
    'oidc: { issuer: https://login.example.com, clientId: a, clientSecret: LOGIN }\nenvironments: { test: {} }'
  const service = (name: string, lines: string) => ({
    name,
    file: `${name}/app.yml`,
    text: `name: ${name}\nports: { http: 80 }\n${lines}`,
  })
  const project = {
    root: '/',
    team: readTeam('sampan.yml', text),
    environments: [],
    services: [
      service('own', 'secrets: [LOGIN]'),
      service('login', 'routes: [{ host: a, auth: oidc }]'),
      service('open', 'routes: [{ host: b }]'),
    ],
  }
  expect(servicesThatUse(project, 'test', 'LOGIN')).toEqual(['own', 'login'])
})
