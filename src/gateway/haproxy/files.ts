// The files that HAProxy is loaded with. Pure.
import { resolved, type Running } from './change.ts'
import { certificateFiles } from './certificates.ts'
import { serverWords, type BackendLayout } from './backend-lines.ts'

export interface GatewayFiles {
  readonly configuration: string
  /** That it names, by path; certificates with their keys are among them. */
  readonly others: ReadonlyMap<string, string>
}

export function filesOf({ layout, called, spares }: Running): GatewayFiles {
  const backends = [...layout.backends].map(([id, backend]) => backendText(called.get(id)!, backend))
  const empty = spares.map(name => backendText(name, emptyBackend))
  return {
    configuration: [layout.skeleton, ...backends, ...empty, ''].join('\n'),
    others: new Map([
      ...[...layout.maps].map(([file, entries]) => [file, mapText(resolved(entries, called))] as const),
      ...layout.read,
      ...certificateFiles(layout.certificates),
    ]),
  }
}

/** Servers that take nothing new have what they have from the process before; where there is nothing else, they serve. */
function backendText(name: string, layout: BackendLayout): string {
  const { lines, servers } = layout
  const fresh = [...servers].filter(([, { draining }]) => !draining)
  const used = fresh.length > 0 ? fresh : [...servers]
  return [
    '',
    `backend ${name}`,
    ...lines,
    ...used.map(([server, { address, port }]) => `server ${server} ${address}:${port}${serverWords(layout, server)}`),
  ].join('\n')
}

const emptyBackend: BackendLayout = { lines: [], serverOptions: '', servers: new Map() }

const mapText = (entries: ReadonlyMap<string, string>): string =>
  [...entries].map(([key, value]) => `${key} ${value}\n`).join('')
