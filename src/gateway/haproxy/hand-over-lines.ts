// What becomes of requests on connections that a process had when another one took its place: they are handed over to that
// one, so that nobody is answered by rules of before. The process that takes over listens, for each entrance, at a socket
// of its own, and is told from where the client asked. Pure. Sources: HAProxy's configuration manual 2.6, `stopping` and
// `accept-proxy`.
import { checkName } from '../model/check-name.ts'
import type { Entrance } from '../model/model.ts'
import { entranceName } from './names.ts'
import { quoted } from './quoted.ts'

/** True in a process whose place another one has taken. */
const isReplaced = '{ stopping }'

/** What the one that takes over calls requests that it is handed, in its conditions. */
export const isHandedOver = '{ so_name handed-over }'

/** One that asks other certificates of clients is no successor: whoever was let in before has to come anew. */
export const successorSocket = (entrance: Entrance, directory: string): string =>
  `${directory}/${entranceName(entrance)}${checkSuffix(entrance)}.sock`

/** Short, as paths of sockets have to be. */
const checkSuffix = ({ tls }: Entrance): string =>
  tls?.clients === undefined ? '' : `-${checkName(tls.clients).slice(0, 12)}`

const successorOf = (entrance: Entrance): string => `successor-of-${entranceName(entrance)}`

export interface HandOverLines {
  /** Of its frontend, beside where clients come in. */
  readonly bind: string
  /** Before any other rule of its frontend. */
  readonly first: string
  /** Before any other way that its frontend leads. */
  readonly way: string
  /** A section by itself. */
  readonly section: readonly string[]
}

export function handOverLines(entrance: Entrance, directory: string): HandOverLines {
  const socket = quoted(`unix@${successorSocket(entrance, directory)}`)
  const successor = successorOf(entrance)
  return {
    bind: `bind ${socket} accept-proxy mode 600 name handed-over`,
    first: `http-request allow if ${isReplaced}`,
    way: `use_backend ${successor} if ${isReplaced}`,
    // What it says of the client is said anew by the one that takes over.
    section: [
      '',
      `backend ${successor}`,
      'retries 1',
      `server successor ${socket} send-proxy-v2 proxy-v2-options authority`,
    ],
  }
}
