// A backend as HAProxy's configuration has it: what is done with requests before a service gets them, and how its servers
// are spoken to. Pure.
import type { Backend, Rewrite, Server } from '../model/model.ts'
import { attemptLines, waitLines } from './attempt-lines.ts'
import { balancingLines } from './balancing-lines.ts'
import { crossOriginLines } from './cross-origin-lines.ts'
import { headerLines } from './header-lines.ts'
import { mirrorLines, type MirrorPlaces } from './mirror-lines.ts'
import { serverName } from './names.ts'
import { pathLines } from './path-lines.ts'
import { connectionPolicyLines, policyLines } from './policy-lines.ts'
import { quoted, quotedFormat } from './quoted.ts'
import { redirectLines } from './redirect-lines.ts'
import { ringPlaces } from './ring-places.ts'
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
  /** Servers stand on the ring of a hash: where, by their names. */
  readonly ring?: ReadonlyMap<string, number>
  /** Servers are looked at, which one that comes has to be told. */
  readonly isChecked?: boolean
  /** Clients stay with servers by a cookie, of which those that come have to get their values. */
  readonly isSticky?: boolean
}

export function backendLayout(backend: Backend, places: BackendPlaces): BackendLayout {
  const { handling, protocol, serves, tls, balancing, servers } = backend
  const shared = balancingLines(balancing, backend)
  const secure = tls === undefined ? '' : tlsServerOptions(tls, backend, places.directory)
  const options = `${secure}${shared.serverOptions}`
  const named = new Map(servers.map(server => [serverName(server), server]))
  return {
    lines: [
      ...(protocol === 'tcp' ? ['mode tcp'] : []),
      ...shared.settings,
      ...(protocol === 'tcp'
        ? [...connectionPolicyLines(handling.policies), ...waitLines(backend), ...shared.last]
        : handlingLines(backend, shared.last, places)),
      // Servers that come while it runs find what this has read.
      ...(options === '' ? [] : [`default-server${options}`]),
      ...(serves === 'logins' ? [`server logins ${quoted(`unix@${places.loginSocket}`)}`] : []),
    ],
    serverOptions: `${protocol === 'h2' ? ' proto h2' : ''}${options}`,
    servers: named,
    ...(typeof balancing?.choice === 'object' && { ring: ringPlaces(named.keys()) }),
    ...(balancing?.ejection !== undefined && { isChecked: true }),
    ...(balancing?.affinity !== undefined && protocol !== 'tcp' && { isSticky: true }),
  }
}

/** What one of its servers is told beyond its address. */
export const serverWords = ({ serverOptions, ring }: BackendLayout, name: string): string =>
  `${serverOptions}${ring === undefined ? '' : ` id ${ring.get(name)}`}`

const handlingLines = (
  { id, handling, balancing }: Pick<Backend, 'id' | 'handling' | 'balancing'>,
  last: readonly string[],
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
        ...(handling.redirect === undefined
          ? [...last, ...forwardLines({ handling, balancing }, places)]
          : redirectLines(handling.redirect)),
      ]),
  // Also of what the gateway answers by itself.
  ...headerLines('http-after-response', handling.responseHeaders),
]

/** Copies are made of what has become of a request. */
const forwardLines = (
  { handling, balancing }: Pick<Backend, 'handling' | 'balancing'>,
  places: MirrorPlaces,
): readonly string[] => [
  ...headerLines('http-request', handling.requestHeaders),
  ...rewriteLines(handling.rewrite),
  ...mirrorLines(handling.mirrors, places),
  ...attemptLines(handling),
  ...waitLines({ handling, balancing }),
]

const rewriteLines = ({ host, path }: Rewrite = {}): readonly string[] => [
  ...(host === undefined ? [] : [`http-request set-header Host ${quotedFormat(host)}`]),
  ...pathLines(path),
]
