// A backend as HAProxy's configuration has it: what is done with requests before a service gets them, and how its servers
// are spoken to. Pure.
import type { Backend, Handling, Rewrite, Server } from '../model/model.ts'
import { attemptLines } from './attempt-lines.ts'
import { crossOriginLines } from './cross-origin-lines.ts'
import { headerLines } from './header-lines.ts'
import { mirrorLines, type MirrorPlaces } from './mirror-lines.ts'
import { serverName } from './names.ts'
import { pathLines } from './path-lines.ts'
import { connectionPolicyLines, policyLines } from './policy-lines.ts'
import { quoted, quotedFormat } from './quoted.ts'
import { redirectLines } from './redirect-lines.ts'
import { tlsServerOptions } from './server-tls.ts'

interface BackendPlaces extends MirrorPlaces {
  /** At which the gateway itself answers those who log in. */
  readonly loginSocket: string
  /** Of all files. */
  readonly directory: string
}

export interface BackendLayout {
  /** What stands in its section before its servers, beyond what each has; nothing: a spare one can take its place. */
  readonly lines: readonly string[]
  /** What each of its servers is told beyond its address. */
  readonly serverOptions: string
  /** By its name. */
  readonly servers: ReadonlyMap<string, Server>
}

export function backendLayout(
  { id, handling, protocol, serves, tls, servers }: Backend,
  places: BackendPlaces,
): BackendLayout {
  const secure = tls === undefined ? '' : tlsServerOptions(tls, protocol, places.directory)
  return {
    lines: [
      ...(protocol === 'tcp'
        ? ['mode tcp', ...connectionPolicyLines(handling.policies)]
        : handlingLines(id, handling, places)),
      // Servers that come while it runs find what this has read.
      ...(secure === '' ? [] : [`default-server${secure}`]),
      ...(serves === 'logins' ? [`server logins ${quoted(`unix@${places.loginSocket}`)}`] : []),
    ],
    serverOptions: `${protocol === 'h2' ? ' proto h2' : ''}${secure}`,
    servers: new Map(servers.map(server => [serverName(server), server])),
  }
}

const handlingLines = (
  id: string,
  handling: Handling,
  places: BackendPlaces,
  policies = policyLines(id, handling.policies, places.directory),
): readonly string[] => [
  ...policies.settings,
  ...policies.first,
  ...(policies.after === undefined
    ? []
    : [
        ...crossOriginLines(handling.cors),
        ...policies.after,
        ...(handling.redirect === undefined ? forwardLines(handling, places) : redirectLines(handling.redirect)),
      ]),
  // Also of what the gateway answers by itself.
  ...headerLines('http-after-response', handling.responseHeaders),
]

/** Copies are made of what has become of a request. */
const forwardLines = (handling: Handling, places: MirrorPlaces): readonly string[] => [
  ...headerLines('http-request', handling.requestHeaders),
  ...rewriteLines(handling.rewrite),
  ...mirrorLines(handling.mirrors, places),
  ...attemptLines(handling),
]

const rewriteLines = ({ host, path }: Rewrite = {}): readonly string[] => [
  ...(host === undefined ? [] : [`http-request set-header Host ${quotedFormat(host)}`]),
  ...pathLines(path),
]
