// Registries, asked as who the user of this machine is there.
import { homeFolder } from '../client/home-folder.ts'
import { findCredentials, loginFiles } from '../images/client/credentials.ts'
import { RegistryClient, type RegistryClientOptions } from '../images/client/registry-client.ts'

/** @param registry host with port, or a URL */
export const loggedIn = (
  registry: string,
  repository: string,
  options: Pick<RegistryClientOptions, 'silenceMs'> = {},
): RegistryClient =>
  new RegistryClient(registry, repository, {
    ...options,
    credentials: () => findCredentials(loginFiles(process.env, homeFolder()), registry, repository),
  })
