// A server that an environment has already, as sampan.yml says, with the authority of its certificate.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BackingServiceType } from '../delivery/manifest/manifest.ts'
import type { ExternalServer } from '../delivery/team/team.ts'
import type { Setting } from './target.ts'

/** @returns undefined: there is none, so one is made beside the service */
export function externalServer(
  { settings, folder }: Setting,
  type: BackingServiceType,
): (ExternalServer & { readonly pem?: string }) | undefined {
  const server = settings?.servers[type]
  if (server?.authority === undefined) return server
  return { ...server, pem: readFileSync(join(folder, server.authority), 'utf8') }
}
