// What is known of those who ask, in the files in which HAProxy looks it up: digests of keys and passwords, and the public
// keys by which tokens are verified. Pure.
import { hashOf } from '../model/backends.ts'
import type { Backend, GatewayModel } from '../model/model.ts'
import type { Credentials, SigningKey } from '../model/policing.ts'
import { certificateDirectory } from './certificates.ts'

// Names do not begin so: of one that is let in, and of one that is known and is not.
export const welcome = '='
export const refused = '!'

export const credentialsFile = (id: string, directory: string): string => `${directory}/maps/${id}.map`

/** By file, from digests to names. */
export const credentialMaps = (
  { credentials }: GatewayModel,
  directory: string,
): ReadonlyMap<string, ReadonlyMap<string, string>> =>
  new Map([...credentials].map(([id, known]) => [credentialsFile(id, directory), namesOf(known)]))

const namesOf = (known: Credentials): ReadonlyMap<string, string> =>
  new Map([...known].map(([digest, { name, isRefused }]) => [digest, `${isRefused ? refused : welcome}${name}`]))

export const signingKeyFile = ({ pem }: SigningKey, directory: string): string =>
  `${certificateDirectory(directory)}/signing-${hashOf(pem)}.pem`

/** By path. */
export const signingKeyFiles = ({ backends }: GatewayModel, directory: string): ReadonlyMap<string, string> =>
  new Map(
    [...backends.values()]
      .flatMap(({ handling }: Backend) => handling.policies ?? [])
      .flatMap(({ identity }) => [identity?.token, identity?.login?.session].flatMap(check => check?.keys ?? []))
      .map(key => [signingKeyFile(key, directory), key.pem]),
  )
