// A backend as HAProxy's configuration has it: what is done with requests before a service gets them, and how its servers
// are spoken to. Pure.
import type { Backend, Server } from '../model/model.ts'
import { serverName } from './names.ts'

export interface BackendLayout {
  /** What stands in its section before its servers, beyond what each has; nothing: a spare one can take its place. */
  readonly lines: readonly string[]
  /** What each of its servers is told beyond its address. */
  readonly serverOptions: string
  /** By its name. */
  readonly servers: ReadonlyMap<string, Server>
}

export const backendLayout = ({ protocol, servers }: Backend): BackendLayout => ({
  lines: [],
  serverOptions: protocol === 'h2' ? ' proto h2' : '',
  servers: new Map(servers.map(server => [serverName(server), server])),
})
