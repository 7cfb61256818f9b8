// How containers of a service start, as far as that is the same in every language: not as root, and in the folder of
// the service.
import type { ContainerConfig } from '../image-content.ts'
import { homeDirectory, serviceUser } from './service-user.ts'

export const applicationFolder = 'app'
export const usualPath = '/usr/local/bin:/usr/bin:/bin'
/** Where services listen that ask the variable PORT and are told nothing else. */
const defaultPort = 8080

export interface Start {
  /** The program first. */
  readonly command: readonly string[]
  readonly variables?: Readonly<Record<string, string>>
}

export function containerConfig({ command, variables = {} }: Start): ContainerConfig {
  const all = { PATH: usualPath, HOME: homeDirectory, PORT: String(defaultPort), ...variables }
  return {
    User: `${serviceUser.id}:${serviceUser.id}`,
    Env: Object.entries(all).map(([key, value]) => `${key}=${value}`),
    Entrypoint: command.slice(0, 1),
    Cmd: command.slice(1),
    WorkingDir: `/${applicationFolder}`,
    StopSignal: 'SIGTERM',
  }
}
