// A backend as HAProxy's configuration has it: what is done with requests before a service gets them, and how its servers
// are spoken to. Pure.
import type { Backend, Handling, Rewrite, Server } from '../model/model.ts'
import { attemptLines } from './attempt-lines.ts'
import { crossOriginLines } from './cross-origin-lines.ts'
import { headerLines } from './header-lines.ts'
import { mirrorLines, type MirrorPlaces } from './mirror-lines.ts'
import { serverName } from './names.ts'
import { pathLines } from './path-lines.ts'
import { quotedFormat } from './quoted.ts'
import { redirectLines } from './redirect-lines.ts'

export interface BackendLayout {
  /** What stands in its section before its servers, beyond what each has; nothing: a spare one can take its place. */
  readonly lines: readonly string[]
  /** What each of its servers is told beyond its address. */
  readonly serverOptions: string
  /** By its name. */
  readonly servers: ReadonlyMap<string, Server>
}

export const backendLayout = ({ handling, protocol, servers }: Backend, places: MirrorPlaces): BackendLayout => ({
  lines: protocol === 'tcp' ? ['mode tcp'] : handlingLines(handling, places),
  serverOptions: protocol === 'h2' ? ' proto h2' : '',
  servers: new Map(servers.map(server => [serverName(server), server])),
})

const handlingLines = (handling: Handling, places: MirrorPlaces): readonly string[] => [
  ...crossOriginLines(handling.cors),
  ...(handling.redirect === undefined ? forwardLines(handling, places) : redirectLines(handling.redirect)),
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
