// Requests that come by a connection which was made to another listener of the same port, as lines of HAProxy's
// configuration: what TLS asked for there, certificates above all, was meant for that one. They are answered with 421, after
// which browsers ask again by a connection of its own. Pure. Sources: RFC 9110, 15.5.20; Gateway API, listener isolation.
import type { Entrance } from '../model/model.ts'
import type { MapName } from './names.ts'
import { quoted } from './quoted.ts'

/** Whether there is more than one listener that a connection could have been meant for. */
export const hasListenersApart = ({ tls, carries, hosts }: Entrance): boolean =>
  tls !== undefined && carries === undefined && new Set(hosts.map(({ listener }) => listener)).size > 1

/** Most requests are for the name that their connection was made for. */
const isOther = '{ var(txn.sni) -m found } !{ var(txn.sni),strcmp(txn.host) eq 0 }'

export function misdirectedLines(entrance: Entrance, map: (name: MapName) => string): readonly string[] {
  if (!hasListenersApart(entrance)) return []
  return [
    'set-var(txn.host) req.fhdr(host),host_only,rtrim(.),lower',
    'set-var(txn.sni) ssl_fc_sni,rtrim(.),lower if { ssl_fc_has_sni }',
    // Of a connection that another process has.
    'set-var(txn.sni) fc_pp_authority,rtrim(.),lower if !{ ssl_fc } { fc_pp_authority -m found }',
    ...listenerOf('sni', map),
    ...listenerOf('host', map),
    `return status 421 content-type text/plain string ${quoted('this connection is for another name')} if ${isOther} !{ var(txn.sni_listener),strcmp(txn.host_listener) eq 0 }`,
  ].map(line => `http-request ${line}`)
}

function listenerOf(name: string, map: (name: MapName) => string): readonly string[] {
  const listener = `txn.${name}_listener`
  const isMissing = `${isOther} !{ var(${listener}) -m found }`
  return [
    `set-var(${listener}) var(txn.${name}),map_str(${map('hosts')}) if ${isOther}`,
    `set-var(${listener}) var(txn.${name}),regsub(^[^.]+,*),map_str(${map('one-label')}) if ${isMissing}`,
    `set-var(${listener}) var(txn.${name}),map_end(${map('below')}) if ${isMissing}`,
    `set-var(${listener}) str(*) if ${isMissing}`,
    // A name that is no listener's has none.
    `set-var(${listener}) var(${listener}),map_str(${map('listeners')},none) if ${isOther}`,
  ]
}
