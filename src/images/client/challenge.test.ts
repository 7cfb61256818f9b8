import { expect, test } from 'vitest'
import { challengeIn } from './challenge.ts'

test.each<[string | undefined, ReturnType<typeof challengeIn>]>([
  [undefined, undefined],
  ['Negotiate', undefined],
  ['Basic realm="Registry, of the team"', { scheme: 'basic', parameters: { realm: 'Registry, of the team' } }],
  ['basic', { scheme: 'basic', parameters: {} }],
  [
    'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/debian:pull,push"',
    {
      scheme: 'bearer',
      parameters: {
        realm: 'https://auth.docker.io/token',
        service: 'registry.docker.io',
        scope: 'repository:library/debian:pull,push',
      },
    },
  ],
  [
    String.raw`Basic realm="a", Bearer realm=b, service="say \"hi\""`,
    { scheme: 'bearer', parameters: { realm: 'b', service: 'say "hi"' } },
  ],
])('%s', (header, challenge) => {
  expect(challengeIn(header)).toEqual(challenge)
})
