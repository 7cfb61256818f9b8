// An entrance that hands on connections as lines of HAProxy's configuration: the name that TLS asks for is looked up as that
// of a request is, and what has no way is closed. Pure.
import type { Entrance } from '../model/model.ts'
import { bindLine, nowhere, sharedPlaces, type EntranceFiles } from './lines.ts'
import { leadLines } from './lead-lines.ts'
import { entranceName } from './names.ts'

/** A client that says nothing is cut off then. */
const helloSeconds = 5

export function connectionLines(entrance: Entrance, files: EntranceFiles, hasDoubles: boolean): string[] {
  const { carries, sources, tls } = entrance
  const { map } = files
  // A hello that has not come whole is waited for.
  const heard = carries === 'names' && tls === undefined ? '{ req.ssl_hello_type 1 }' : undefined
  const content = (action: string, ...conditions: readonly string[]): string => {
    const all = [...(heard === undefined ? [] : [heard]), ...conditions]
    return `tcp-request content ${action}${all.length === 0 ? '' : ` if ${all.join(' ')}`}`
  }
  const set = (variable: string, sample: string, ...conditions: readonly string[]): string =>
    content(`set-var(sess.${variable}) ${sample}`, ...conditions)
  const noKey = '!{ var(sess.key) -m found }'
  const isShared = '{ var(sess.do) -m beg s_ }'
  return [
    `frontend ${entranceName(entrance)}`,
    'mode tcp',
    bindLine(entrance, files),
    ...(sources === undefined ? [] : [`tcp-request connection reject unless { src ${sources.join(' ')} }`]),
    ...(heard === undefined ? [] : [`tcp-request inspect-delay ${helloSeconds}s`]),
    ...(carries === 'names'
      ? [
          set('host', `${tls === undefined ? 'req.ssl_sni' : 'ssl_fc_sni'},lower`),
          set('key', `var(sess.host),map_str(${map('hosts')})`),
          set('key', `var(sess.host),regsub(^[^.]+,*),map_str(${map('one-label')})`, noKey),
          set('key', `var(sess.host),map_end(${map('below')})`, noKey),
        ]
      : []),
    set('key', 'str(*)', noKey),
    set('do', `var(sess.key),concat(/),map_str(${map('paths')})`),
    content(`set-var-fmt(sess.share) %[var(sess.do)]/%[rand(${sharedPlaces})]`, isShared),
    set('do', `var(sess.share),map_str(${map('shares')})`, isShared),
    content('reject', '!{ var(sess.do) -m found }'),
    content('reject', `{ var(sess.do) -m str ${nowhere} }`),
    ...(heard === undefined ? [] : [content('accept'), 'tcp-request content reject if WAIT_END']),
    ...leadLines('sess.do', hasDoubles),
  ]
}
