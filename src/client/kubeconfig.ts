// Reads and merges kubeconfig files: where a cluster is and how to prove who one is. `KUBECONFIG` may
// list several files; the first one that names a thing wins, as with kubectl.
import { chmodSync, existsSync, mkdirSync, readFileSync, realpathSync, renameSync, writeFileSync } from 'node:fs'
import { execCredential, type Credential, type ExecSettings } from './exec-credential.ts'
import { homeFolder } from './home-folder.ts'
import { delimiter, dirname, join, resolve } from 'node:path'
import { parse } from 'yaml'
import { yamlText } from '../lib/yaml-text.ts'

export interface KubeconfigFile {
  apiVersion?: string
  kind?: string
  'current-context'?: string
  clusters?: { name: string; cluster: Record<string, unknown> }[]
  users?: { name: string; user: Record<string, unknown> }[]
  contexts?: { name: string; context: { cluster: string; user: string; namespace?: string } }[]
  preferences?: Record<string, unknown>
  [other: string]: unknown
}

export interface StartedHere {
  readonly name: string
  readonly dataDirectory: string
}

/** What is needed to talk to one cluster. */
export interface ClusterAccess {
  readonly context: string
  readonly server: string
  readonly namespace: string
  readonly authority?: string
  readonly certificate?: string
  readonly key?: string
  readonly token?: string
  readonly skipVerification: boolean
  /** Only of one that Sampan started on this machine. */
  readonly startedHere?: StartedHere
}

export class KubeconfigError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'KubeconfigError'
  }
}

/** Files in order of precedence. */
export function kubeconfigPaths(environment: NodeJS.ProcessEnv): string[] {
  const listed = (environment['KUBECONFIG'] ?? '').split(delimiter).filter(path => path !== '')
  return listed.length > 0 ? listed : [join(environment['HOME'] ?? homeFolder(), '.kube', 'config')]
}

export function readKubeconfig(path: string): KubeconfigFile {
  try {
    const file = (parse(readFileSync(path, 'utf8')) as KubeconfigFile | string | unknown[] | null) ?? {}
    if (typeof file === 'object' && !Array.isArray(file)) return file
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw new KubeconfigError(`the kubeconfig ${path} cannot be read: ${(error as Error).message}`)
  }
  throw new KubeconfigError(`the kubeconfig ${path} cannot be read: expected a map in YAML`)
}

/** @throws KubeconfigError when the context does not exist or is incomplete */
export function clusterAccess(paths: readonly string[], contextName?: string): ClusterAccess {
  const files = paths.map(path => ({ path, file: readKubeconfig(path) }))
  const current =
    contextName ?? files.map(({ file }) => file['current-context']).find(name => name !== undefined && name !== '')
  if (current === undefined)
    throw new KubeconfigError(
      `no context is chosen in ${paths.join(', ')}; start a cluster with \`sampan up\` or name a context with --context`,
    )
  const found = files
    .map(entry => ({ ...entry, context: entry.file.contexts?.find(({ name }) => name === current)?.context }))
    .find(({ context }) => context !== undefined)
  if (found?.context === undefined) {
    const names = files.flatMap(({ file }) => file.contexts?.map(({ name }) => name) ?? [])
    throw new KubeconfigError(
      `there is no context "${current}" in ${paths.join(', ')}${names.length > 0 ? `; there is ${names.join(', ')}` : ''}`,
    )
  }
  const { context } = found
  const clusterIn = files.find(({ file }) => file.clusters?.some(({ name }) => name === context.cluster))
  const userIn = files.find(({ file }) => file.users?.some(({ name }) => name === context.user))
  const cluster = clusterIn?.file.clusters?.find(({ name }) => name === context.cluster)?.cluster
  const user = userIn?.file.users?.find(({ name }) => name === context.user)?.user ?? {}
  if (typeof cluster?.['server'] !== 'string')
    throw new KubeconfigError(
      `the context "${current}" names the cluster "${context.cluster}", which has no server in ${paths.join(', ')}`,
    )
  const dataDirectory = dataDirectoryIn(cluster)
  const optional = {
    authority: material(cluster, 'certificate-authority', clusterIn?.path),
    certificate: material(user, 'client-certificate', userIn?.path),
    key: material(user, 'client-key', userIn?.path),
    token: typeof user['token'] === 'string' ? user['token'] : fileNamedBy(user, 'tokenFile', userIn?.path)?.trim(),
    ...ofProgram(context.user, user, cluster, userIn?.path),
    startedHere: dataDirectory === undefined ? undefined : { name: context.cluster, dataDirectory },
  }
  return {
    context: current,
    server: cluster['server'],
    namespace: context.namespace ?? 'default',
    skipVerification: cluster['insecure-skip-tls-verify'] === true,
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
  }
}

/** Without these, requests would be those of somebody else. */
const unknownToUs = ['auth-provider', 'username', 'as', 'as-uid', 'as-groups', 'as-user-extra']

function ofProgram(
  name: string,
  user: Record<string, unknown>,
  cluster: Record<string, unknown>,
  path = '.',
): Credential {
  const unknown = unknownToUs.find(field => user[field] !== undefined)
  if (unknown !== undefined)
    throw new KubeconfigError(
      `the user "${name}" in ${path} has "${unknown}"; expected a certificate, a token or "exec", so choose a context with another user`,
    )
  if (user['exec'] === undefined) return {}
  try {
    return execCredential(user['exec'] as ExecSettings, cluster, path)
  } catch (error) {
    throw new KubeconfigError(`who the user "${name}" in ${path} is was not told: ${(error as Error).message}`)
  }
}

/** `x-data` in base64, or a file named by `x`. */
function material(entry: Record<string, unknown>, field: string, path: string | undefined): string | undefined {
  const inline = entry[`${field}-data`]
  return typeof inline === 'string' ? Buffer.from(inline, 'base64').toString() : fileNamedBy(entry, field, path)
}

/** Names are relative to the kubeconfig they stand in. */
function fileNamedBy(entry: Record<string, unknown>, field: string, path = '.'): string | undefined {
  const name = entry[field]
  if (typeof name !== 'string') return undefined
  try {
    return readFileSync(resolve(dirname(path), name), 'utf8')
  } catch (error) {
    throw new KubeconfigError(
      `the kubeconfig ${path} names a ${field} that cannot be read: ${(error as Error).message}`,
    )
  }
}

export interface ContextEntry {
  readonly name: string
  readonly server: string
  /** Of the cluster, which has to be started with it again. */
  readonly dataDirectory: string
  readonly authority: string
  readonly certificate: string
  readonly key: string
}

const base64 = (text: string): string => Buffer.from(text).toString('base64')

/**
 * Adds or renews a context with its cluster and user, keeps everything else, and makes it the current one (with `keep`:
 * only where none is). What somebody put into the context (a namespace, another user) stays. File mode 0600.
 */
export function writeContext(path: string, entry: ContextEntry, current: 'choose' | 'keep' = 'choose'): void {
  const file = readKubeconfig(path)
  const { name } = entry
  file.apiVersion ??= 'v1'
  file.kind ??= 'Config'
  file.clusters = replaced(file.clusters, {
    name,
    cluster: {
      server: entry.server,
      'certificate-authority-data': base64(entry.authority),
      extensions: ownExtensions(entry),
    },
  })
  file.users = replaced(file.users, {
    name,
    user: { 'client-certificate-data': base64(entry.certificate), 'client-key-data': base64(entry.key) },
  })
  const before = file.contexts?.find(context => context.name === name)?.context
  file.contexts = replaced(file.contexts, { name, context: ownContext(name, before, file.users) })
  if (current === 'choose' || !file['current-context']) file['current-context'] = name
  save(path, file)
}

const extensionName = 'sampan.dev'

/** kubectl and other programs leave extensions alone that they do not know. */
const ownExtensions = ({ dataDirectory }: ContextEntry): object[] => [
  { name: extensionName, extension: { dataDirectory } },
]

export interface RememberedCluster {
  readonly name: string
  /** undefined: it was not started by Sampan, or by one that did not write it down. */
  readonly dataDirectory: string | undefined
}

/** What a context leads to, as `sampan up` left it; undefined: there is no such context, or it cannot be read. */
export function rememberedCluster(paths: readonly string[], context: string): RememberedCluster | undefined {
  const files = filesAsFarAsReadable(paths)
  const name = files.flatMap(({ contexts = [] }) => contexts).find(entry => entry.name === context)?.context.cluster
  const cluster = files.flatMap(({ clusters = [] }) => clusters).find(entry => entry.name === name)?.cluster
  return name === undefined ? undefined : { name, dataDirectory: dataDirectoryIn(cluster) }
}

function filesAsFarAsReadable(paths: readonly string[]): KubeconfigFile[] {
  return paths.flatMap((path): KubeconfigFile[] => {
    try {
      return [readKubeconfig(path)]
    } catch {
      return []
    }
  })
}

function dataDirectoryIn(cluster: Record<string, unknown> = {}): string | undefined {
  const all = cluster['extensions']
  const extensions = Array.isArray(all) ? (all as { name?: unknown; extension?: { dataDirectory?: unknown } }[]) : []
  const directory = extensions.find(each => each?.name === extensionName)?.extension?.dataDirectory
  return typeof directory === 'string' ? directory : undefined
}

/** What an earlier Sampan did not write down. */
function rememberDataDirectory(path: string, entry: ContextEntry): void {
  const file = readKubeconfig(path)
  const cluster = file.clusters?.find(({ name }) => name === entry.name)?.cluster
  if (cluster?.['server'] !== entry.server || dataDirectoryIn(cluster) === entry.dataDirectory) return
  const others = Array.isArray(cluster['extensions']) ? (cluster['extensions'] as { name?: unknown }[]) : []
  cluster['extensions'] = [...others.filter(each => each?.name !== extensionName), ...ownExtensions(entry)]
  save(path, file)
}

type Context = NonNullable<KubeconfigFile['contexts']>[number]['context']

/** A context that leads elsewhere, or to a user who is not there, is not ours to keep. */
function ownContext(name: string, before: Context | undefined, users: KubeconfigFile['users'] = []): Context {
  const own = { cluster: name, user: name }
  if (before?.cluster !== name) return own
  return users.some(user => user.name === before.user) ? before : { ...before, ...own }
}

/** For a cluster that runs already: a context that is not there, or leads to where the cluster once was, is written. */
export function ensureContext(path: string, entry: ContextEntry): void {
  const { contexts, clusters } = readKubeconfig(path)
  const known = contexts?.some(({ name }) => name === entry.name) === true
  const server = clusters?.find(({ name }) => name === entry.name)?.cluster['server']
  const isOld = typeof server === 'string' && server.startsWith('https://127.0.0.1:') && server !== entry.server
  if (known && !isOld) {
    renewCredentials(path, entry.name, entry)
    rememberDataDirectory(path, entry)
  } else writeContext(path, entry, known ? 'keep' : 'choose')
}

/** Gives the user of a context another certificate, if there is the user and it has not got it; nothing else changes. */
export function renewCredentials(
  path: string,
  name: string,
  { certificate, key }: Pick<ContextEntry, 'certificate' | 'key'>,
): void {
  if (!existsSync(path)) return
  const file = readKubeconfig(path)
  const entry = file.users?.find(user => user.name === name)
  if (entry === undefined || entry.user['client-certificate-data'] === base64(certificate)) return
  entry.user = { ...entry.user, 'client-certificate-data': base64(certificate), 'client-key-data': base64(key) }
  save(path, file)
}

/** Takes a context with its cluster and user out again. */
export function removeContext(path: string, name: string): void {
  if (!existsSync(path)) return
  const file = readKubeconfig(path)
  if (!file.contexts?.some(context => context.name === name)) return
  file.clusters = file.clusters?.filter(entry => entry.name !== name) ?? []
  file.users = file.users?.filter(entry => entry.name !== name) ?? []
  file.contexts = file.contexts.filter(entry => entry.name !== name)
  if (file['current-context'] === name) file['current-context'] = file.contexts[0]?.name ?? ''
  save(path, file)
}

function replaced<E extends { name: string }>(entries: E[] | undefined, entry: E): E[] {
  return [...(entries ?? []).filter(({ name }) => name !== entry.name), entry]
}

function save(link: string, file: KubeconfigFile): void {
  mkdirSync(dirname(link), { recursive: true, mode: 0o700 })
  // A link to a file elsewhere stays a link.
  const path = existsSync(link) ? realpathSync(link) : link
  const temporary = `${path}.sampan-${process.pid}`
  writeFileSync(temporary, yamlText(file), { mode: 0o600 })
  chmodSync(temporary, 0o600)
  renameSync(temporary, path)
}
