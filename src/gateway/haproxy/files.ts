// The files that HAProxy is loaded with. Pure.
import type { Server } from '../model/model.ts'
import { resolved, type Running } from './change.ts'

export interface GatewayFiles {
  readonly configuration: string
  /** By path. */
  readonly maps: ReadonlyMap<string, string>
}

export function filesOf({ layout, called, spares }: Running): GatewayFiles {
  const backends = [...layout.backends].map(([id, servers]) => backendText(called.get(id)!, servers))
  const empty = spares.map(name => backendText(name, new Map()))
  return {
    configuration: [layout.skeleton, ...backends, ...empty, ''].join('\n'),
    maps: new Map([...layout.maps].map(([file, entries]) => [file, mapText(resolved(entries, called))])),
  }
}

/** Servers that take nothing new have what they have from the process before; where there is nothing else, they serve. */
function backendText(name: string, servers: ReadonlyMap<string, Server>): string {
  const fresh = [...servers].filter(([, { draining }]) => !draining)
  const used = fresh.length > 0 ? fresh : [...servers]
  return [
    '',
    `backend ${name}`,
    'balance roundrobin',
    ...used.map(([server, { address, port }]) => `server ${server} ${address}:${port}`),
  ].join('\n')
}

const mapText = (entries: ReadonlyMap<string, string>): string =>
  [...entries].map(([key, value]) => `${key} ${value}\n`).join('')
