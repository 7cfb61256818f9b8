// Registries, asked as who the user of this machine is there.
import { homeFolder } from '../client/home-folder.ts'
import { findCredentials, loginFiles } from '../images/client/credentials.ts'
import { RegistryClient } from '../images/client/registry-client.ts'
import { RegistryContent } from '../images/client/registry-content.ts'
import type { RegistryClientOptions } from '../images/client/registry-session.ts'

const credentialsFor =
  (registry: string, repository: string): NonNullable<RegistryClientOptions['credentials']> =>
  () =>
    findCredentials(loginFiles(process.env, homeFolder()), registry, repository)

/** @param registry host with port, or a URL */
export const loggedIn = (
  registry: string,
  repository: string,
  options: Pick<RegistryClientOptions, 'silenceMs'> = {},
): RegistryClient =>
  new RegistryClient(registry, repository, {
    ...options,
    credentials: credentialsFor(registry, repository),
  })

/** All that a registry has. */
export const registryContent = (registry: string): RegistryContent =>
  new RegistryContent(registry, repository => loggedIn(registry, repository), {
    credentials: credentialsFor(registry, ''),
  })
