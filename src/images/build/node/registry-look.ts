// Whether the registries that an installation needs answer at all. Package managers try a registry that does not for a
// minute and longer, again and again; where none answers they are told so, take what they have kept, and fail at once
// when that is not enough. What a person set about trying again holds.
import { existsSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'yaml'
import type { LockFile } from './lock-file.ts'

/** What a person says of registries, in files and in the environment. */
export interface RegistrySettings {
  /** Scope, or '' for packages of none -> URL. */
  readonly registries: Readonly<Record<string, string>>
  readonly proxies: readonly string[]
  /** Whether it is said how long to wait for them, or how often to try. */
  readonly saysPatience: boolean
}

const lookMs = 3_000
const patience =
  /^(?:fetch-?(?:retr|timeout)|network-(?:timeout|concurrency)$|offline$|http-?(?:retry|timeout)|enable-?network)/

/** @param root folder of the lock file */
export function registrySettings(
  root: string,
  usual: string,
  environment: NodeJS.ProcessEnv = process.env,
): RegistrySettings {
  const user = environment['npm_config_userconfig'] ?? environment['NPM_CONFIG_USERCONFIG'] ?? join(homedir(), '.npmrc')
  // What comes later counts.
  const said = [
    ...linesOf(user, environment),
    ...linesOf(join(homedir(), '.yarnrc'), environment),
    ...linesOf(join(root, '.npmrc'), environment),
    ...linesOf(join(root, '.yarnrc'), environment),
    ...['pnpm-workspace.yaml', '.yarnrc.yml'].flatMap(name => namesIn(join(root, name), environment)),
    ...Object.entries(environment).flatMap(([name, value]): Said[] => {
      const own = /^(?:(?:npm|pnpm)_config|yarn)_(.+)$/i.exec(name)?.[1] ?? (/^https?_proxy$/i.test(name) ? name : '')
      return own === '' || value === undefined || value === '' ? [] : [[dashed(own.toLowerCase()), value]]
    }),
  ]
  const registries: Record<string, string> = { '': usual }
  for (const [name, value] of said) {
    if (/^(?:npm-)?registry(?:-server)?$/.test(name)) registries[''] = value
    const scope = /^(@[^:]+):registry$/.exec(name)?.[1]
    if (scope !== undefined) registries[scope] = value
  }
  return {
    registries,
    proxies: said.filter(([name]) => /^(?:https?-)?proxy$/.test(name)).map(([, value]) => value),
    saysPatience: said.some(([name]) => patience.test(name)),
  }
}

/** Name, with dashes, and value. */
type Said = readonly [name: string, value: string]

const dashed = (name: string): string => (name.startsWith('@') ? name : name.replaceAll('_', '-'))

/** `name=value` of npm, and `name "value"` of yarn's classic version. */
function linesOf(file: string, environment: NodeJS.ProcessEnv): Said[] {
  return textOf(file)
    .split('\n')
    .flatMap((line): Said[] => {
      const [, name, value] = /^\s*"?([@\w:./-]+)"?\s*[=\s]\s*"?([^"]*?)"?\s*$/.exec(line) ?? []
      return name === undefined || value === undefined ? [] : [[name, filled(value, environment)]]
    })
}

/** Of the files of yarn's later versions and of pnpm, whose names have humps. */
function namesIn(file: string, environment: NodeJS.ProcessEnv): Said[] {
  const text = textOf(file)
  // What is wrong with it, the package manager says.
  const found = text === '' ? {} : (orNothing(() => parse(text) as Record<string, unknown> | null) ?? {})
  const scopes = Object.entries((found['npmScopes'] ?? {}) as Record<string, { npmRegistryServer?: string } | null>)
  const named = Object.entries((found['registries'] ?? {}) as Record<string, string>)
  return [
    ...Object.entries(found).map(([name, value]): Said => [
      name.replaceAll(/[A-Z]/g, letter => `-${letter.toLowerCase()}`),
      filled(String(value), environment),
    ]),
    ...scopes.flatMap(([scope, said]): Said[] =>
      said?.npmRegistryServer === undefined
        ? []
        : [[`@${scope}:registry`, filled(said.npmRegistryServer, environment)]],
    ),
    ...named.map(([name, value]): Said => [name === 'default' ? 'registry' : `${name}:registry`, value]),
  ]
}

function orNothing<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch {
    return undefined
  }
}

const textOf = (file: string): string => (existsSync(file) ? (orNothing(() => readFileSync(file, 'utf8')) ?? '') : '')

const filled = (text: string, environment: NodeJS.ProcessEnv): string =>
  text.replaceAll(/\$\{(\w+)[^}]*\}/g, (_, name: string) => environment[name] ?? '')

/** URLs of the places from which the packages of a lock file come. */
export function registriesOf(lock: string, { registries }: Pick<RegistrySettings, 'registries'>): string[] {
  const needed = Object.entries(registries).filter(([scope]) => lock.includes(scope === '' ? '' : `${scope}/`))
  const others = [...lock.matchAll(/\b(?:resolved|tarball|resolution)\b[^\n]*?(https?:\/\/[\w.-]+(?::\d+)?)/g)]
    .map(match => match[1]!)
    // Package managers ask the registry of the settings instead.
    .filter(url => !/^https?:\/\/registry\.(?:npmjs\.org|yarnpkg\.com)$/.test(url))
  return [...new Set([...needed.map(([, url]) => url.replace(/\/+$/, '')), ...others])]
}

/**
 * @param root folder of the lock file
 * @param usual registry that is asked when nobody says another
 * @returns those that the lock file needs, when none of them answers; undefined: an installation may find them
 */
export async function silentRegistries(
  root: string,
  lock: Pick<LockFile, 'text'>,
  usual: string,
): Promise<readonly string[] | undefined> {
  const settings = registrySettings(root, usual)
  if (settings.saysPatience) return undefined
  // What git fetches over SSH comes from elsewhere.
  if (/\bgit\+ssh:|\bgit@/.test(lock.text)) return undefined
  const registries = registriesOf(lock.text, settings)
  const places = [...registries, ...settings.proxies].filter(url => URL.canParse(url))
  const found = await Promise.all(places.map(answers))
  return places.length > 0 && found.every(answer => !answer) ? registries : undefined
}

/** Whether somebody takes the connection. */
function answers(url: string): Promise<boolean> {
  const { protocol, hostname, port } = new URL(url)
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect({
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(port) || (protocol === 'https:' ? 443 : 80),
  })
  // Looking for an address may take longer than any connection.
  const timer = setTimeout(() => {
    resolve(false)
    socket.destroy()
  }, lookMs)
  socket.once('connect', () => resolve(true))
  socket.once('error', () => resolve(false))
  return promise.finally(() => {
    clearTimeout(timer)
    socket.destroy()
  })
}
