import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, test } from 'vitest'
import { findCredentials, loginFiles } from './credentials.ts'

const directory = mkdtempSync(join(tmpdir(), 'sampan-logins-'))
const path = process.env['PATH']
afterEach(() => {
  process.env['PATH'] = path
})
afterAll(() => rmSync(directory, { recursive: true }))

function logins(content: object | string): string[] {
  const file = join(mkdtempSync(join(directory, 'l')), 'config.json')
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
  return [join(directory, 'nothing.json'), file]
}
const auth = (text: string): { auth: string } => ({ auth: Buffer.from(text).toString('base64') })

test('files are those of podman, then docker', () => {
  expect(loginFiles({}, '/home/me')).toEqual(['/home/me/.config/containers/auth.json', '/home/me/.docker/config.json'])
  expect(
    loginFiles({ REGISTRY_AUTH_FILE: '/a', XDG_RUNTIME_DIR: '/run', XDG_CONFIG_HOME: '/c', DOCKER_CONFIG: '/d' }, '/'),
  ).toEqual(['/a', '/run/containers/auth.json', '/c/containers/auth.json', '/d/config.json'])
})

test('the narrowest login fits', async () => {
  const files = logins({ auths: { 'ghcr.io': auth('all:1'), 'ghcr.io/team': auth('team:2:3') } })
  expect(await findCredentials(files, 'ghcr.io', 'team/web')).toEqual({ username: 'team', password: '2:3' })
  expect(await findCredentials(files, 'ghcr.io', 'other/web')).toEqual({ username: 'all', password: '1' })
  expect(await findCredentials(files, 'quay.io', 'team/web')).toBe(undefined)
})

test("docker's own names of hosts are known", async () => {
  const files = logins({
    auths: { 'https://index.docker.io/v1/': auth('me:1'), 'https://my.registry/v2/': auth('me:2') },
  })
  expect(await findCredentials(files, 'docker.io', 'library/debian')).toEqual({ username: 'me', password: '1' })
  expect(await findCredentials(files, 'my.registry', 'x')).toEqual({ username: 'me', password: '2' })
})

test('tokens and plain names are logins too', async () => {
  expect(await findCredentials(logins({ auths: { a: { identitytoken: 't' } } }), 'a', 'x')).toEqual({
    refreshToken: 't',
  })
  expect(await findCredentials(logins({ auths: { a: { username: 'u', password: 'p' } } }), 'a', 'x')).toEqual({
    username: 'u',
    password: 'p',
  })
})

test('a helper is asked, and one that knows nothing is no mistake', async () => {
  const programs = mkdtempSync(join(directory, 'bin'))
  mkdirSync(programs, { recursive: true })
  const helper = (name: string, script: string): void => {
    writeFileSync(join(programs, `docker-credential-${name}`), `#!/bin/sh\nread host\n${script}\n`)
    chmodSync(join(programs, `docker-credential-${name}`), 0o755)
  }
  helper('good', `echo "{\\"Username\\":\\"me\\",\\"Secret\\":\\"of $host\\"}"`)
  helper('token', `echo '{"Username":"<token>","Secret":"t"}'`)
  helper('empty', 'echo "credentials not found in native keychain"; exit 1')
  helper('broken', 'echo "no keychain" >&2; exit 3')
  process.env['PATH'] = `${programs}:${path}`
  const of = (content: object): Promise<unknown> => findCredentials(logins(content), 'ghcr.io', 'team/web')
  expect(await of({ credHelpers: { 'ghcr.io': 'good' } })).toEqual({ username: 'me', password: 'of ghcr.io' })
  expect(await of({ auths: { 'ghcr.io': {} }, credsStore: 'token' })).toEqual({ refreshToken: 't' })
  expect(await of({ credsStore: 'empty' })).toBe(undefined)
  await expect(of({ credsStore: 'broken' })).rejects.toThrow(/docker-credential-broken, which .* gives no login: .*/)
  await expect(of({ credsStore: 'absent' })).rejects.toThrow(/docker-credential-absent/)
})

test('a file that is broken is named', async () => {
  await expect(findCredentials(logins('{'), 'a', 'x')).rejects.toThrow(/config\.json cannot be read/)
  await expect(findCredentials(logins({ auths: { a: auth('no colon') } }), 'a', 'x')).rejects.toThrow(
    /the login to a in .*config\.json is neither/,
  )
})
