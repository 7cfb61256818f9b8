// What `sampan up` and `sampan install` are told about the cluster, and the same as words of a command line.
import { resolve } from 'node:path'
import type { AccessOptions } from './access-settings.ts'
import type { EndpointOptions } from './api-endpoint.ts'
import type { AuditOptions } from './audit-settings.ts'

export interface UpOptions extends AccessOptions, AuditOptions, EndpointOptions {
  readonly name: string
  readonly dataDir?: string
  readonly apiPort?: number
  readonly advertiseAddress?: string
  readonly nodePortAddresses?: string
  readonly registryListen?: string
  readonly acmeDnsCommand?: string
  readonly output?: 'json'
  readonly store?: string
  readonly storeCa?: string
  readonly storeCert?: string
  readonly storeKey?: string
  /** A token, also from SAMPAN_JOIN_TOKEN. */
  readonly join?: string
  readonly joinFile?: string
  /** The unit of systemd asks, not a person. */
  readonly service?: boolean
}

const paths = [
  'dataDir',
  'storeCa',
  'storeCert',
  'storeKey',
  'joinFile',
  'tokenAuthFile',
  'oidcCaFile',
  'auditPolicyFile',
  'auditLogPath',
  'acmeDnsCommand',
] as const satisfies readonly (keyof UpOptions)[]

/** The server works in another directory than the command. */
export function withAbsolutePaths<O extends UpOptions>(options: O): O {
  const given = paths.filter(name => options[name] !== undefined)
  return { ...options, ...Object.fromEntries(given.map(name => [name, resolve(options[name]!)])) }
}

/** Concern one start, or how it is told. */
const ofOneStart = new Set(['output', 'join', 'joinFile', 'service'])

/** The options that each start has to be given, by name. */
export function lastingOptions(options: UpOptions): [name: string, value: unknown][] {
  return Object.entries(options).filter(([name, value]) => value !== undefined && !ofOneStart.has(name))
}

/** What only a start can take in, as it was typed: `--api-port`. */
export const startWords = (options: UpOptions): string[] =>
  lastingOptions(options).flatMap(([name]) => (name === 'name' || name === 'dataDir' ? [] : [optionWord(name)]))

const optionWord = (name: string): string => `--${name.replaceAll(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}`

/** Those as words of a command line. */
export function upArguments(options: UpOptions): string[] {
  return lastingOptions(options).flatMap(([name, value]) =>
    [value].flat().flatMap(one => [optionWord(name), String(one)]),
  )
}
