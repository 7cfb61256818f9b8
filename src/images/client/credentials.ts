// Who one is at a registry: from the files in which docker, podman, buildah and skopeo keep logins, and from the helper
// programs that these files name. Source: containers-auth.json(5); Docker's documentation of `docker login`.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../../host/command.ts'
import { BuildError } from '../build/build-error.ts'

export type Credentials =
  | { readonly username: string; readonly password: string }
  /** Exchanged for a token of the registry's token service. */
  | { readonly refreshToken: string }

interface Login {
  readonly auth?: string
  readonly username?: string
  readonly password?: string
  readonly identitytoken?: string
}

interface LoginFile {
  readonly auths?: Readonly<Record<string, Login>>
  readonly credHelpers?: Readonly<Record<string, string>>
  readonly credsStore?: string
}

const hubKeys = ['https://index.docker.io/v1/', 'index.docker.io', 'docker.io', 'registry-1.docker.io']

/** In the order in which they are asked. */
export function loginFiles(environment: NodeJS.ProcessEnv, home: string): string[] {
  const {
    REGISTRY_AUTH_FILE: named,
    XDG_RUNTIME_DIR: runtime,
    XDG_CONFIG_HOME: config,
    DOCKER_CONFIG: docker,
  } = environment
  return [
    ...(named === undefined ? [] : [named]),
    ...(runtime === undefined ? [] : [join(runtime, 'containers/auth.json')]),
    join(config ?? join(home, '.config'), 'containers/auth.json'),
    join(docker ?? join(home, '.docker'), 'config.json'),
  ]
}

/**
 * @param registry host, with port where it has one
 * @returns undefined: there is no login
 * @throws BuildError when a file, or a helper that it names, cannot be read
 */
export async function findCredentials(
  files: readonly string[],
  registry: string,
  repository: string,
): Promise<Credentials | undefined> {
  for (const file of files) {
    if (!existsSync(file)) continue
    const found = await credentialsIn(file, registry, repository)
    if (found !== undefined) return found
  }
  return undefined
}

async function credentialsIn(file: string, registry: string, repository: string): Promise<Credentials | undefined> {
  const { auths = {}, credHelpers = {}, credsStore } = readLogins(file)
  const hosts = registry === 'docker.io' ? hubKeys : [registry]
  const helper = hosts.map(host => credHelpers[host]).find(name => name !== undefined)
  if (helper !== undefined) return fromHelper(helper, hosts[0]!, file)
  const login = keysFor(hosts, repository)
    .map(key => auths[key])
    .find(entry => entry !== undefined && Object.keys(entry).length > 0)
  if (login !== undefined) return fromLogin(login, file, registry)
  return credsStore === undefined || credsStore === '' ? undefined : fromHelper(credsStore, hosts[0]!, file)
}

function readLogins(file: string): LoginFile {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as LoginFile
  } catch (error) {
    throw new BuildError(`the logins to registries in ${file} cannot be read: ${(error as Error).message}`)
  }
}

/** The narrowest first: `ghcr.io/team/web`, `ghcr.io/team`, `ghcr.io`, and as docker writes hosts. */
function keysFor(hosts: readonly string[], repository: string): string[] {
  const parts = repository.split('/')
  const paths = parts.map((_part, index) => parts.slice(0, parts.length - index).join('/'))
  return hosts.flatMap(host => [
    ...paths.map(path => `${host}/${path}`),
    host,
    `https://${host}`,
    `http://${host}`,
    `https://${host}/v1/`,
    `https://${host}/v2/`,
  ])
}

function fromLogin(
  { auth, username, password, identitytoken: token }: Login,
  file: string,
  registry: string,
): Credentials {
  if (token !== undefined && token !== '') return { refreshToken: token }
  if (username !== undefined && password !== undefined) return { username, password }
  const [, name, word] = /^([^:]*):(.*)$/s.exec(Buffer.from(auth ?? '', 'base64').toString()) ?? []
  if (name === undefined || word === undefined)
    throw new BuildError(`the login to ${registry} in ${file} is neither a name and password nor a token; log in again`)
  return { username: name, password: word.replace(/\0+$/, '') }
}

/** As the helper knows the user `<token>`, the secret is a refresh token. */
async function fromHelper(helper: string, host: string, file: string): Promise<Credentials | undefined> {
  const program = `docker-credential-${helper}`
  try {
    const { stdout } = await run(program, ['get'], { input: host, timeoutMs: 30_000 })
    const { Username: username = '', Secret: secret = '' } = JSON.parse(stdout) as {
      Username?: string
      Secret?: string
    }
    return username === '<token>' ? { refreshToken: secret } : { username, password: secret }
  } catch (error) {
    const { message } = error as Error
    if (/credentials not found/i.test(message)) return undefined
    throw new BuildError(`${program}, which ${file} names for ${host}, gives no login: ${message.split('\n', 1)[0]}`)
  }
}
