// Options that several commands have, and what those need that deliver.
import { homedir } from 'node:os'
import { InvalidArgumentError, Option } from 'commander'
import type { RegistryAsked } from '../cli/cluster-registry.ts'
import { CommandFailure } from '../cli/output.ts'
import { takeIdentitySource } from '../delivery/secrets/identities.ts'
import { commandClock } from '../host/machine-clock.ts'
import type { Clock } from '../lib/clock.ts'

// Before anything is started that would inherit it.
export const identity = takeIdentitySource(process.env, homedir())

export const outputOption = (): Option =>
  new Option('-o, --output <format>', 'print the result for scripts').choices(['json'])

export const environmentOption = (about = 'environment to deliver to'): Option =>
  new Option('-e, --environment <name>', about).argParser(onlyOne).makeOptionMandatory()
/** For commands that go to several at once. */
export const environmentsOption = (): Option =>
  new Option('-e, --environment <names>', 'environment, or several at once: test,production')
    .argParser(oneMoreName)
    .makeOptionMandatory()

function onlyOne(name: string, before: string | undefined): string {
  if (before !== undefined) throw new InvalidArgumentError(`expected one environment, found ${before} as well`)
  return name
}
const oneMoreName = (names: string, before: string | undefined): string =>
  before === undefined ? names : `${before},${names}`

export const contextOption = (): Option =>
  new Option('--context <name>', 'kubeconfig context (default: the current one)')
export const contextNameOption = (): Option =>
  new Option('--name <name>', 'name of a cluster of this machine: the same as --context <name>')

/** A cluster and the context that `up` makes for it have one name. */
export function withContext<T extends { context?: string; name?: string }>(options: T): T {
  const { context, name } = options
  if (context !== undefined && name !== undefined && context !== name)
    throw new CommandFailure(`--context ${context} and --name ${name} name two clusters; give one of them`)
  const chosen = context ?? name
  return chosen === undefined ? options : { ...options, context: chosen }
}

/** What finding the registry of a cluster needs to know of this machine. */
export const registryAsked: RegistryAsked = {
  clock: commandClock,
  serverHere: async cluster => (await import('./server-here.ts')).serverHere(cluster),
}

/** Of a command that asks a cluster. */
export const askedHere = <T extends { context?: string; name?: string }>(options: T): T & RegistryAsked => ({
  ...withContext(options),
  ...registryAsked,
})

export const fileOption = (): Option =>
  new Option('-f, --file <path>', 'the manifest (default: the app.yml of the service in or below this folder)')
export const timeoutOption = (): Option =>
  new Option('--timeout <seconds>', 'how long to wait for the rollout').argParser(wholeNumber).default(300)

export function wholeNumber(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('expected a whole number of at least 1')
  return value
}

/** What delivering needs to know of this machine. */
export async function machine(): Promise<{
  clock: Clock
  isAlive: (pid: number) => boolean
  identity: typeof identity
}> {
  const { isAlive } = await import('../host/daemon.ts')
  return { clock: commandClock, isAlive, identity }
}
